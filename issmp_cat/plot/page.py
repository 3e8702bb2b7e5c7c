"""A plot as a page of its own: nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_cat.plot.plot import Plot

__all__ = ["page"]

# Longer tables are cut on the page; the CSV behind the link is whole.
ROWS_SHOWN = 500

TEMPLATE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:56rem;padding:0 1rem;color:#222}}
svg{{width:100%;height:auto}}table{{border-collapse:collapse;font-size:13px}}
td,th{{padding:.15rem .7rem;text-align:right;border-bottom:1px solid #ddd}}</style>
<figure>{drawing}<figcaption>{note}</figcaption></figure>
<p><a download="{name}.csv" href="data:text/csv;base64,{csv}">Download the data (CSV)</a></p>
<details><summary>The data</summary><table><tr>{header}</tr>
{rows}</table>{cut}</details></html>
"""


def page(plot: Plot) -> str:
    """The whole page as text."""
    table = plot.data
    rows = list(zip(*table.values(), strict=True))
    name = "".join(c if c.isalnum() else "-" for c in plot.title.lower()).strip("-") or "plot"
    return TEMPLATE.format(
        title=html.escape(plot.title),
        drawing=plot.to_svg(),
        note=html.escape(plot.note),
        name=name,
        csv=base64.b64encode(plot.to_csv().encode()).decode(),
        header="".join(f"<th>{html.escape(column)}</th>" for column in table),
        rows="\n".join(
            "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in rows[:ROWS_SHOWN]
        ),
        cut=f"<p>{len(rows) - ROWS_SHOWN:,} more rows are in the CSV.</p>" if len(rows) > ROWS_SHOWN else "",
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else html.escape(str(value))

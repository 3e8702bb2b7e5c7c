"""The data report and the audit of the design on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from issmp_calibration.log.audit import DesignAudit
from issmp_calibration.log.report import DataReport
from issmp_calibration.log.sections import section

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["tell_design", "tell_report"]


def tell_report(console: Console, report: DataReport) -> None:
    """Print what was dropped, changed or kept although it is remarkable, rule by rule."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    lines = [line for line in report.lines if line.action != "noted"]
    if not lines:
        section(console, "What was dropped or changed", ["nothing"])
        return
    section(console, "What was dropped or changed (--dropped FILE: to the row)", [])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("what", "rule"):
        table.add_column(name, no_wrap=True)
    for name in ("answers", "candidates"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("first")
    for line in lines:
        counts = ["" if number is None else f"{number:,}" for number in (line.answers, line.candidates)]
        cells = [line.action, line.rule, *counts, ", ".join(line.first[:3])]
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)


def tell_design(console: Console, audit: DesignAudit) -> None:
    """Print how the items hang together, and what decided who saw which."""
    section(console, "Design: can everything be put on one scale?", audit.remarks())

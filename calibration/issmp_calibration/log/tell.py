"""A log's overview and statistics on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.log.audit import DesignAudit
from issmp_calibration.log.design import Forms
from issmp_calibration.log.faults import counted, some
from issmp_calibration.log.overview import Overview
from issmp_calibration.log.report import DataReport
from issmp_calibration.log.sections import facts, section
from issmp_calibration.log.statistics import ClassicalStatistics
from issmp_calibration.log.tell_data import tell_design, tell_report
from issmp_cat.arrays import Bools
from issmp_cat.errors import UsageError
from issmp_cat.responses import ResponseLog
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["refuse_options", "tell", "tell_options"]

MOST = 40  # flagged items listed unasked


def tell(
    console: Console,
    view: Overview,
    statistics: ClassicalStatistics,
    report: DataReport,
    audit: DesignAudit,
    remarks: Sequence[str],
    *,
    every_item: bool,
) -> None:
    """Print everything that ``check`` has to say.

    Args:
        console: where to.
        view: the log in numbers.
        statistics: test and items.
        report: what was dropped or changed.
        audit: the design.
        remarks: further lines of the verdict.
        every_item: list all items, not only the flagged ones.
    """
    section(console, "What was understood", view.note)
    tell_report(console, report)
    facts(console, "What the log holds", _holdings(view))
    facts(console, "Raw score on operational items", _raw_score(statistics))
    _items(console, statistics, every_item=every_item)
    tell_design(console, audit)
    section(console, "Verdict", [*_verdicts(view, statistics), *((False, remark) for remark in remarks)])


def refuse_options(log: ResponseLog, wanted: Sequence[str]) -> None:
    """Stop before the work if options cannot be shown.

    Raises:
        UsageError: an item that is not in the log, or a log of scores.
    """
    known = [str(name) for name in log.items]
    for item in wanted:
        if item not in known:
            raise UsageError(f'--options: no item "{item}"{did_you_mean(item, known)}')
    if wanted and log.option is None:
        raise UsageError("--options: the log holds scores, not options")


def tell_options(console: Console, statistics: ClassicalStatistics, item: str) -> None:
    """Print who chose which option of an item; see ``refuse_options``."""
    from rich import box
    from rich.table import Table

    table, known = statistics.distractors, [str(name) for name in statistics.items]
    if table is None:
        return
    place, groups = known.index(item), len(table.by_group)
    lines = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    lines.add_column("option")
    for name in ("chosen", "share", "r", "lowest third", "middle", "highest third"):
        lines.add_column(name, justify="right")
    for option, label in enumerate(table.options):
        share = [_percent(table.by_group[g, place, option]) for g in range(groups)]
        right = " (key)" if table.correct[place, option] else ""
        cells = [f"{table.n[place, option]:,}", _percent(table.p[place, option])]
        lines.add_row(label + right, *cells, _number(table.point_biserial[place, option]), *share)
    section(console, f"Options of {item}, by candidates of low, middle and high raw score", [])
    console.print(lines)


def _percent(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.1%}"


def _holdings(view: Overview) -> list[tuple[str, str]]:
    """Counts of the log, in words."""
    rows = [
        ("candidates", f"{view.candidates:,}"),
        ("items", ", ".join(f"{number:,} {status}" for status, number in view.items.items())),
        ("answers", f"{view.answers:,}"),
        ("… per candidate", str(view.per_candidate)),
        ("… per item", str(view.per_item)),
        ("omitted", f"{view.omitted:,} ({view.omitted / max(view.answers, 1):.2%})"),
    ]
    if view.not_reached:
        rows.append(("not reached", f"{view.not_reached:,} ({view.not_reached / max(view.answers, 1):.2%})"))
    if view.median_seconds is not None:
        rows.append(("time on an item", f"median {view.median_seconds:.0f} s; {view.no_time or 0:,} answers have none"))
    rows += [("forms", _forms(view.forms))] if view.forms.count else []
    rows += [("pretest sets", _forms(view.pretest_sets))] if view.pretest_sets.count else []
    rows += [("about candidates", ", ".join(view.candidate_columns))] if view.candidate_columns else []
    return rows


def _forms(sets: Forms) -> str:
    """The most frequent sets; their number where there are too many to be forms."""
    if sets.count > len(sets.largest):
        return f"{sets.count:,} different sets of items: no fixed forms"
    return "\n".join(f"{form.name()}, seen by {form.candidates:,}" for form in sets.largest)


def _raw_score(statistics: ClassicalStatistics) -> list[tuple[str, str]]:
    """The test as a whole."""
    test = statistics.test
    if not test.candidates:
        return [("", "nobody has an operational answer")]
    rows = [
        ("candidates × items", f"{test.candidates:,} × {test.items:,}"),
        ("mean", f"{test.mean:.4f}"),
        ("SD", f"{test.sd:.4f}"),
        ("range", f"{test.lowest} to {test.highest}"),
    ]
    if test.alpha is None or test.sem is None:
        return [*rows, ("reliability", "none: candidates took different items, so raw scores do not compare")]
    return [*rows, (statistics.coefficient, f"{test.alpha:.4f}"), ("error of measurement", f"{test.sem:.2f} points")]


def _items(console: Console, statistics: ClassicalStatistics, *, every_item: bool) -> None:
    """The flagged items, or all."""
    shown = [k for k, flags in enumerate(statistics.flags) if flags or every_item]
    more = 0 if every_item else len(shown) - MOST
    if more > 0:  # the worst, in the order of items
        shown = sorted(sorted(shown, key=lambda k: (np.nan_to_num(statistics.item_rest[k], nan=-2.0), k))[:MOST])
    said = []
    if statistics.test.alpha is None:  # else there is one raw score, and nothing to explain
        judged = statistics.rest.judged
        said = [(judged, f"item–rest r is {'' if judged else 'not '}judged: {statistics.rest.why}")]
    section(console, f"Items: {_range(statistics, statistics.status == 'operational')}", said)
    if shown:
        console.print(_table(statistics, shown))
    if more > 0:
        section(console, f"… and {more:,} more flagged items: --all lists them, --items FILE writes them", [])


def _range(statistics: ClassicalStatistics, scored: Bools) -> str:
    """Difficulty and discrimination of the operational items in one line."""
    p, r = statistics.p[scored], statistics.item_rest[scored]
    p, r = p[~np.isnan(p)], r[~np.isnan(r)]
    if not len(p):
        return "nothing to tell"
    if not len(r) or not statistics.rest.judged:
        return f"p {p.min():.3f}–{p.max():.3f}"
    middle = f"median {np.median(r):.4f}"
    return f"p {p.min():.3f}–{p.max():.3f}, item–rest r {r.min():.3f}–{r.max():.3f}, {middle}"


def _table(statistics: ClassicalStatistics, shown: Sequence[int]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("item", no_wrap=True)
    table.add_column("status", style="dim", no_wrap=True)
    for name in ("answers", "p", "item_rest"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why it deserves a look")
    for k in shown:
        table.add_row(
            str(statistics.items[k]),
            str(statistics.status[k]),
            f"{statistics.presented[k]:,}",
            _number(statistics.p[k]),
            _number(statistics.item_rest[k]),
            "; ".join(flag.words for flag in statistics.flags[k]),
        )
    return table


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def _verdicts(view: Overview, statistics: ClassicalStatistics) -> list[tuple[bool, str]]:
    """What can be used, what is set apart, and what stands in the way."""
    flagged = sum(1 for flags in statistics.flags if flags)
    said = [(not flagged, f"{flagged:,} of {len(statistics.items):,} items are flagged")]
    if view.unseen:
        said.append((False, f"nobody saw {counted(len(view.unseen), 'item')}: set apart ({some(view.unseen)})"))
    if view.no_variance:
        count = counted(len(view.no_variance), "item")
        said.append((False, f"everyone got the same on {count}: set apart ({some(view.no_variance)})"))
    if view.unanswered:
        count = counted(len(view.unanswered), "candidate")
        said.append((False, f"{count} without answers: set apart ({some(view.unanswered)})"))
    if len(view.groups) == 1:
        return [*said, (True, "all items hang together: they can be put on one scale")]
    sizes = some([len(group) for group in view.groups], 6)
    split = f"the items fall into {len(view.groups)} groups that no candidate connects ({sizes} items)"
    return [*said, (False, f"{split}: they cannot be put on one scale without anchors")]

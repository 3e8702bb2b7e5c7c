"""Candidates without a group, where groups were asked for: left out, or a group of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.faults import counted
from issmp_calibration.log.report import DataReport, ReportLine
from issmp_calibration.log.store import LogStore
from issmp_cat.arrays import Bools
from issmp_cat.errors import UsageError
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    from issmp_calibration.populations import PopulationModel

__all__ = ["OWN_GROUP", "said_of", "settle_ungrouped"]

OWN_GROUP = "(missing)"


def said_of(values: NDArray[Any]) -> list[str]:
    """A column about candidates as words, empty where it says nothing."""
    return ["" if value is None or value != value else str(value).strip() for value in values.tolist()]  # noqa: PLR0124


def settle_ungrouped(log: ResponseLog | LogStore, model: PopulationModel | None) -> ResponseLog | LogStore:
    """Do what ``model.missing_group`` says with candidates who have no group; the log itself where all have one.

    Args:
        log: the answers, with columns about candidates.
        model: what is wanted of the population.

    Returns:
        The log without them, or with them in the group ``(missing)``; note and report say how many there were.

    Raises:
        UsageError: nobody is left, or a group is called ``(missing)`` already.
    """
    if model is None or model.groups is None or model.missing_group == "error":
        return log
    log = log if isinstance(log, ResponseLog) else log.log()
    if model.groups not in log.candidates:
        return log  # told where groups are formed
    words = said_of(log.candidates[model.groups])
    has: Bools = np.array([word != "" for word in words])
    if has.all():
        return log
    if model.missing_group == "own":
        return _apart(log, model.groups, words)
    if not has.any():
        raise UsageError(f'groups: no candidate has a "{model.groups}"')
    return _left_out(log, model.groups, has)


def _apart(log: ResponseLog, column: str, words: list[str]) -> ResponseLog:
    """The same answers, candidates without a group in one of their own."""
    if OWN_GROUP in words:
        raise UsageError(f'groups: "{column}" has a group {OWN_GROUP} already; rename it, or drop those without one')
    labels = np.array([word or OWN_GROUP for word in words])
    n = sum(not word for word in words)
    note = f'{counted(n, "candidate")} without "{column}": a group of their own, {OWN_GROUP} (--missing-group own)'
    line = ReportLine("no_group", "kept", None, None, n, (), note)
    return replace(log, candidates={**log.candidates, column: labels}, **_told(log, note, line, log.n_answers))


def _left_out(log: ResponseLog, column: str, has: Bools) -> ResponseLog:
    """The answers of the others."""
    rows = has[log.person]
    length = np.diff(log.start)[has]
    answers = int((~rows).sum())
    note = (
        f'{counted(int((~has).sum()), "candidate")} without "{column}": left out with '
        f"{counted(answers, 'answer')} (--missing-group drop)"
    )
    line = ReportLine("no_group", "dropped", None, answers, int((~has).sum()), (), note)
    by_answer = ("item", "score", "option", "seconds", "position", "unscored", "status")
    kept = {name: values[rows] for name in by_answer if (values := getattr(log, name)) is not None}
    return replace(
        log,
        persons=log.persons[has],
        start=np.concatenate([[0], np.cumsum(length)]),
        candidates={name: values[has] for name, values in log.candidates.items()},
        **kept,
        **_told(log, note, line, int(rows.sum())),
    )


def _told(log: ResponseLog, note: str, line: ReportLine, used: int) -> dict[str, Any]:
    """Note and report with one line more."""
    report: DataReport | None = log.report
    told = None if report is None else replace(report, used=used, lines=(*report.lines, line))
    return {"note": (*log.note, note), "report": told}

"""Read a response log: any file or frame in, one ``ResponseLog`` out, or every fault at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_calibration.log.assemble import assemble
from issmp_calibration.log.judge import Reading, judge, understand
from issmp_calibration.log.key import ItemKey, read_key
from issmp_calibration.log.names import Columns
from issmp_calibration.log.people import join_candidates
from issmp_calibration.log.raw import Source, open_raw
from issmp_calibration.log.reasons import by_duplicate, by_time
from issmp_calibration.log.report import make_report, write_dropped
from issmp_calibration.log.rules import Attempts, Duplicates, Omitted, Rules, Shape
from issmp_calibration.log.store import LogStore, stored
from issmp_calibration.log.stream import Part
from issmp_cat.errors import UsageError
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reading", "read_as", "read_log"]


def read_log(
    source: Source | ResponseLog | LogStore,
    *,
    key: str | Path | pd.DataFrame | ItemKey | Any | None = None,
    candidates: str | Path | pd.DataFrame | None = None,
    shape: Shape | None = None,
    columns: Columns | None = None,
    omitted: Omitted = "wrong",
    duplicates: Duplicates = "error",
    attempts: Attempts = "first",
    rules: Rules | None = None,
) -> ResponseLog:
    """Read a response log, long or wide, from CSV, Parquet or a data frame.

    Args:
        source: a path (.csv, .csv.gz, .tsv, .parquet), several paths of one kind, a data frame, a store, which was
            judged when it was written, or a log, which is returned as it is.
        key: the item file, or an item bank; turns options into scores and names the items that may occur.
        candidates: a table about candidates, joined into ``ResponseLog.candidates``.
        shape: ``"long"`` or ``"wide"``; found out from the column names if None.
        columns: column by role (candidate, item, option, score, response, seconds, position, attempt, status), where
            the names do not tell; ``ignore`` takes a list.
        omitted: how an omitted answer to an operational item counts. Omitted pretest items never count.
        duplicates: what to do when a candidate answered an item twice in one attempt. Rows that are the same in
            everything that is read are one row, whatever is said here.
        attempts: which attempt of a candidate counts, if the log holds several; ``"all"`` tells them apart.
        rules: the finer decisions.

    Returns:
        The log, candidates in the order of their ids, answers of each in the order of items; ``note`` says what was
        understood, ``report`` what was dropped or changed, rule by rule.

    Raises:
        ResponseLogError: every fault of the source, each with its line.
    """
    if isinstance(source, ResponseLog | LogStore):
        return source if isinstance(source, ResponseLog) else source.log()
    reading = Reading(key, candidates, shape, columns, omitted, duplicates, attempts, rules or Rules())
    return read_as(source, reading)


def read_as(source: Source, how: Reading, dropped: Path | None = None) -> ResponseLog:
    """Read a log, and write the rows that were dropped or changed to ``dropped``; see ``read_log``."""
    if folder := stored(source):
        if dropped is not None:
            raise UsageError("--dropped: a store has lost the rows that were dropped; check the log it was made from")
        return LogStore.open(folder).log()
    items = None if how.key is None else read_key(how.key)
    with open_raw(source) as raw:
        layout, understood, removals = understand(raw, items, how)
        parts: list[Part] = []
        judged = judge(raw, layout, items, how, parts.append)
        log = assemble(raw, layout, judged, how, parts)
        removals += [*judged.removals, *by_duplicate(raw), *by_time(log, judged.on, how.rules)]
        report = make_report(raw, removals, log.n_answers, wide=layout.shape == "wide")
        if dropped is not None:
            write_dropped(raw, removals, dropped, wide=layout.shape == "wide")
    joined, told = join_candidates(how.candidates, log.persons) if how.candidates is not None else ({}, [])
    note = (*understood, *judged.note, *log.note, *told)
    return replace(log, candidates=dict(log.candidates) | joined, note=note, report=report)

"""Rows in order, duplicates settled, times cleaned: the finished log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.codes import has_duplicates, sort_rows
from issmp_calibration.log.duplicates import settle_duplicates
from issmp_calibration.log.names import Layout
from issmp_calibration.log.pairs import Book
from issmp_calibration.log.raw import Raw
from issmp_calibration.log.roster import number_candidates, roster
from issmp_calibration.log.rules import Duplicates, Rules
from issmp_calibration.log.stream import Part, Stream
from issmp_cat.responses import ResponseLog

__all__ = ["assemble"]


def assemble(
    raw: Raw,
    layout: Layout,
    book: Book,
    on: str,
    duplicates: Duplicates,
    rules: Rules,
    stream: Stream,
    parts: list[Part],
) -> ResponseLog:
    """Build the log from judged rows.

    Args:
        raw: holds ``answers``, ``pairs`` and ``skipped``.
        layout: how its columns were understood.
        book: what each pair is worth.
        on: the condition that finds a row's pair.
        duplicates: which answer to an item counts.
        rules: the finer decisions.
        stream: what has read the rows.
        parts: the rows; emptied, so that their memory is free for the log.

    Raises:
        ResponseLogError: a candidate answered an item twice, and nothing says which answer counts.
    """
    notes: list[str] = []
    persons, place = roster(raw.con, stream.people)
    rows = sort_rows(parts, place, book.rank)
    if has_duplicates(rows.start, rows.pair, book.item):
        notes += settle_duplicates(raw, on, duplicates, rules)
        parts.clear()
        stream.read(parts.append)
        rows = sort_rows(parts, place, book.rank)
    parts.clear()
    if layout.personal or "attempt" in layout.roles:
        number_candidates(raw.con)
    seconds, told = _times(rows.seconds, rules.max_seconds)
    return ResponseLog(
        persons=persons,
        items=np.array(book.items),
        start=rows.start,
        item=book.item[rows.pair],
        score=book.score[rows.pair],
        option=None if book.option is None else book.option[rows.pair],
        options=book.options,
        seconds=seconds,
        position=rows.position,
        note=(*notes, *told),
        status=None if book.status is None else book.status[rows.pair],
    )


def _times(seconds: NDArray[np.float32] | None, longest: float) -> tuple[NDArray[np.float32] | None, list[str]]:
    """Times with NaN in place of what is no time, and a note for each reason."""
    if seconds is None:
        return None, []
    empty = np.isnan(seconds)
    reasons = {
        "zero": seconds == 0,
        "negative": seconds < 0,
        f"above {longest:,.0f} seconds": seconds > longest,
    }
    notes = [
        f"{wrong.sum():,} times are {reason} and are not used as times"
        for reason, wrong in reasons.items()
        if wrong.any()
    ]
    if empty.any():
        notes.append(f"{empty.sum():,} answers have no time")
    good = (seconds > 0) & (seconds <= longest)
    return np.where(good, seconds, np.float32(np.nan)), notes

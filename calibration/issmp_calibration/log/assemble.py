"""Rows in order, duplicates settled, times cleaned: the finished log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.codes import has_duplicates, sort_rows
from issmp_calibration.log.duplicates import settle_duplicates
from issmp_calibration.log.judge import Judged, Reading
from issmp_calibration.log.names import Layout
from issmp_calibration.log.people import personal_columns
from issmp_calibration.log.raw import Raw
from issmp_calibration.log.roster import roster
from issmp_calibration.log.stream import Part
from issmp_cat.responses import ResponseLog

__all__ = ["assemble"]


def assemble(raw: Raw, layout: Layout, judged: Judged, how: Reading, parts: list[Part]) -> ResponseLog:
    """Build the log from judged rows.

    Args:
        raw: holds ``answers``, ``pairs`` and ``skipped``.
        layout: how its columns were understood.
        judged: what the answers are worth.
        how: the arguments of ``read_log``.
        parts: the rows; emptied, so that their memory is free for the log.

    Raises:
        ResponseLogError: a candidate answered an item twice, and nothing says which answer counts.
    """
    stream, book = judged.stream, judged.book
    notes: list[str] = []
    persons, place = roster(raw.con, stream.people)
    rows = sort_rows(parts, place, book.rank)
    if has_duplicates(rows.start, rows.pair, book.item):
        notes += settle_duplicates(raw, judged.on, how.duplicates, how.rules)
        parts.clear()
        stream.read(parts.append)
        rows = sort_rows(parts, place, book.rank)
    parts.clear()
    personal, unused = personal_columns(stream, layout, place)
    seconds, told = _times(rows.seconds, how.rules.max_seconds)
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
        note=(*notes, *told, *unused),
        candidates=personal,
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

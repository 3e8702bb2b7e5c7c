"""Rows in order, duplicates settled, times cleaned: the finished log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.codes import Rows, fetch_rows, number_candidates
from issmp_calibration.log.duplicates import settle_duplicates
from issmp_calibration.log.names import Layout
from issmp_calibration.log.pairs import Book
from issmp_calibration.log.raw import Raw
from issmp_calibration.log.rules import Duplicates, Rules
from issmp_cat.responses import ResponseLog

__all__ = ["assemble"]


def assemble(raw: Raw, layout: Layout, book: Book, on: str, duplicates: Duplicates, rules: Rules) -> ResponseLog:
    """Build the log from judged rows.

    Raises:
        ResponseLogError: a candidate answered an item twice, and nothing says which answer counts.
    """
    rows, persons = _rows(raw, layout, book, on)
    notes: list[str] = []
    if _has_duplicates(rows, book):
        notes += settle_duplicates(raw, on, duplicates, rules)
        rows, persons = _rows(raw, layout, book, on)
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
        position=None if rows.position is None else rows.position.astype(np.int16),
        note=(*notes, *told),
        status=None if book.status is None else book.status[rows.pair],
    )


def _rows(raw: Raw, layout: Layout, book: Book, on: str) -> tuple[Rows, NDArray[np.str_]]:
    """All rows in order, and the candidates."""
    persons = number_candidates(raw.con)
    timed, placed = "seconds" in layout.roles, "position" in layout.roles
    return fetch_rows(raw.con, book.rank, len(persons), on, seconds=timed, position=placed), persons


def _has_duplicates(rows: Rows, book: Book) -> bool:
    """Whether two neighbouring answers are of one candidate and one item."""
    item = book.item[rows.pair]
    same = item[1:] == item[:-1]
    ends = rows.start[1:-1]
    same[ends[(ends > 0) & (ends < len(item))] - 1] = False  # the next candidate's first answer
    return bool(same.any())


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

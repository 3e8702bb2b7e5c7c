"""Columns about candidates: from the log itself and from a candidate table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.answers import own_columns
from issmp_calibration.log.faults import Faults, some
from issmp_calibration.log.names import ACCEPTED, Layout
from issmp_calibration.log.stream import Stream
from issmp_calibration.log.table import Table, read_table
from issmp_cat.arrays import Ints
from issmp_cat.errors import ResponseLogError

__all__ = ["join_candidates", "listed_candidates", "personal_columns"]


def personal_columns(stream: Stream, layout: Layout, place: Ints) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Columns of the log that say one thing of each candidate, each of shape ``(persons,)``.

    Args:
        stream: what has read the rows.
        layout: how the columns were understood.
        place: place of each candidate's code in the order of candidates. Shape ``(persons,)``.

    Returns:
        The columns, and a note for each that changes within a candidate.
    """
    columns: dict[str, NDArray[Any]] = {}
    notes = []
    for name, heard in zip(own_columns(layout), stream.personal.values(), strict=True):
        cells = heard.cells(place, len(place))
        if cells is None:
            notes.append(f'column "{name}" changes within a candidate and is not used')
        else:
            columns[name] = typed(cells)
    return columns, notes


def join_candidates(source: Any, persons: NDArray[Any]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Bring the columns of a candidate table into the order of ``persons``.

    Raises:
        ResponseLogError: a candidate stands there twice, or none of them is in the log.
    """
    table = read_table(source, "candidate table")
    named = _naming(table)
    place: dict[str, int] = {}
    faults = Faults()
    for row, (candidate, line) in enumerate(zip(table.cells[named], table.lines, strict=True)):
        if candidate in place:
            faults.add(
                "candidates that appear twice",
                f'line {line}: candidate "{candidate}" stands already on line {table.lines[place[candidate]]}',
                line=line,
            )
        place.setdefault(candidate, row)
    faults.check(table.name, ResponseLogError)
    rows = [place.get(str(person), -1) for person in persons]
    known = sum(row >= 0 for row in rows)
    if not known:
        raise ResponseLogError(
            table.name, [f"none of its candidates ({some(table.cells[named])}) is in the log ({some(persons)})"]
        )
    columns = {
        name: typed([table.cells[name][row] if row >= 0 else "" for row in rows])
        for name in table.names
        if name != named
    }
    return columns, _join_notes(table.name, known, len(persons), len(place))


def listed_candidates(source: Any) -> frozenset[str]:
    """Ids of the candidates in a candidate table."""
    table = read_table(source, "candidate table")
    return frozenset(table.cells[_naming(table)])


def _naming(table: Table) -> str:
    """The column that names the candidates."""
    lower = {name.lower(): name for name in reversed(table.names)}
    return next((lower[name] for name in ACCEPTED["candidate"] if name in lower), table.names[0])


def _join_notes(name: str, known: int, persons: int, listed: int) -> list[str]:
    notes = [f"{name}: columns about {known:,} of {persons:,} candidates"]
    if listed > known:
        notes.append(f"{name}: {listed - known:,} candidates without an answer in the log are left out")
    return notes


def typed(cells: Sequence[str]) -> NDArray[Any]:
    """Text as whole numbers, numbers (NaN where empty) or text, whichever holds for all of it.

    >>> typed(["1", "2"]).dtype, typed(["1.5", ""]), typed(["1", "4+"])
    (dtype('int64'), array([1.5, nan]), array(['1', '4+'], dtype='<U2'))
    """
    for convert in (
        lambda: np.array(cells).astype(np.int64),
        lambda: np.array([cell or "nan" for cell in cells]).astype(np.float64),
    ):
        try:
            return convert()
        except (ValueError, OverflowError):
            continue
    return np.array(cells)

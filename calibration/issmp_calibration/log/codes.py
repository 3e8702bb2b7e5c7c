"""From rows in any order to compressed sparse rows, by counting: no row is compared with another one's candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.stream import Part
from issmp_cat.arrays import Ints
from issmp_cat.compiled import jit

__all__ = ["Rows", "has_duplicates", "sort_rows"]


ONE = np.uint64(1)
# The place of a lone bit, by a sequence of de Bruijn (Leiserson, Prokop & Randall, 1998, Using de Bruijn sequences to
# index a 1 in a computer word, MIT).
DE_BRUIJN_NUMBER = 0x03F79D71B4CB0A89
DE_BRUIJN = np.uint64(DE_BRUIJN_NUMBER)
BIT = np.zeros(64, np.int64)
BIT[[((DE_BRUIJN_NUMBER << k) & (2**64 - 1)) >> 58 for k in range(64)]] = np.arange(64)


@dataclass(frozen=True, slots=True)
class Rows:
    """Every kept row, by candidate and within a candidate by item.

    Attributes:
        start: offsets of each candidate's rows. Shape ``(persons + 1,)``.
        pair: rank of the row's pair, uint16 while it fits. Shape ``(rows,)``, as the following.
        seconds: time as it stands in the source, NaN for none; None without such a column.
        position: place as it stands in the source, −1 for none; None without such a column.
    """

    start: Ints
    pair: NDArray[np.unsignedinteger[Any]]
    seconds: NDArray[np.float32] | None
    position: NDArray[np.int16] | None


@jit(allocates=False)
def _count(person: Any, pair: Any, rank: Any, length: Any) -> None:
    """Add up the rows that each candidate keeps."""
    for row in range(person.size):
        length[person[row]] += rank[pair[row]] >= 0


@jit(allocates=False)
def _place(person: Any, pair: Any, rank: Any, free: Any, slot: Any) -> None:
    """Give each row the next free place of its candidate; −1 to those that are left out."""
    for row in range(person.size):
        slot[row] = -1
        if rank[pair[row]] >= 0:
            slot[row] = free[person[row]]
            free[person[row]] += 1


@jit(allocates=False)
def _put(values: Any, slot: Any, out: Any) -> None:
    """Write values to their places."""
    for row in range(slot.size):
        if slot[row] >= 0:
            out[slot[row]] = values[row]


@jit(allocates=False)
def _put_ranks(pair: Any, rank: Any, slot: Any, out: Any) -> None:
    """Write the ranks of pairs to their places."""
    for row in range(slot.size):
        if slot[row] >= 0:
            out[slot[row]] = rank[pair[row]]


@jit()
def _sort_by_marks(rows: Any, marks: Any) -> bool:
    """Sort by marking a bit for each number below 64 · ``marks.size``; False, and unsorted, if one occurs twice."""
    marks[:] = 0
    twice = False
    for k in range(rows.size):
        at, bit = np.int64(rows[k]) >> 6, ONE << np.uint64(rows[k] & 63)
        twice |= marks[at] & bit != 0
        marks[at] |= bit
    if twice:
        return False
    put = 0
    for word in range(marks.size):
        left = marks[word]
        while left:
            low = left & (~left + ONE)
            rows[put] = 64 * word + BIT[(low * DE_BRUIJN) >> np.uint64(58)]
            left ^= low
            put += 1
    return True


@jit()
def _sort_persons(start: Any, pair: Any, ranks: int) -> None:
    """Bring each candidate's rows into the order of ranks, which are below ``ranks``."""
    marks = np.zeros((ranks + 63) // 64, np.uint64)
    for person in range(start.size - 1):
        rows = pair[start[person] : start[person + 1]]
        for k in range(1, rows.size):
            if rows[k] < rows[k - 1]:
                if marks.size > 4 * rows.size or not _sort_by_marks(rows, marks):
                    rows.sort()
                break


@jit()
def _order_persons(start: Any, pair: Any, order: Any) -> None:
    """The order that does so, for the columns that go along; rows of one rank stay in the order of the source."""
    for person in range(start.size - 1):
        first, last = start[person], start[person + 1]
        keys = np.empty(last - first, np.int64)
        for k in range(last - first):
            keys[k] = (np.int64(pair[first + k]) << 32) | k
        keys.sort()
        for k in range(last - first):
            order[first + k] = first + (keys[k] & 0xFFFFFFFF)


@jit(allocates=False)
def has_duplicates(start: Any, pair: Any, item: Any) -> bool:
    """Whether two neighbouring rows are of one candidate and one item.

    Args:
        start: offsets of each candidate's rows. Shape ``(persons + 1,)``.
        pair: rank of each row's pair, in order within a candidate. Shape ``(rows,)``.
        item: item of each rank. Shape ``(ranks,)``.
    """
    for person in range(start.size - 1):
        for row in range(start[person] + 1, start[person + 1]):
            if item[pair[row]] == item[pair[row - 1]]:
                return True
    return False


def sort_rows(parts: Iterable[Part], place: Ints, rank: Ints) -> Rows:
    """Put rows in order.

    Args:
        parts: the rows; gone through twice.
        place: place of each candidate's code in the order of candidates. Shape ``(persons,)``.
        rank: place of each pair in the order of items, −1 for a pair that is left out. Shape ``(pairs,)``.
    """
    length = np.zeros(len(place), np.int64)
    for part in parts:
        _count(part.person, part.pair, rank, length)
    start = np.zeros(len(place) + 1, np.int64)
    start[1 + place] = length
    np.cumsum(start, out=start)
    rows = _scatter(parts, start[place], rank, int(start[-1]), start)
    if rows.seconds is None and rows.position is None:
        _sort_persons(start, rows.pair, int(rank.max(initial=0)) + 1)
        return rows
    order = np.empty(len(rows.pair), np.int64)
    _order_persons(start, rows.pair, order)
    return Rows(
        start,
        rows.pair[order],
        None if rows.seconds is None else rows.seconds[order],
        None if rows.position is None else rows.position[order],
    )


def _scatter(parts: Iterable[Part], free: Ints, rank: Ints, n: int, start: Ints) -> Rows:
    """Every row to its candidate, in the order of the source."""
    pair: NDArray[np.unsignedinteger[Any]] = np.empty(n, np.uint16 if rank.max(initial=0) <= 0xFFFF else np.uint32)
    seconds: NDArray[np.float32] | None = None
    position: NDArray[np.int16] | None = None
    for part in parts:
        slot = np.empty(len(part.person), np.int64)
        _place(part.person, part.pair, rank, free, slot)
        _put_ranks(part.pair, rank, slot, pair)
        if part.seconds is not None:
            seconds = np.empty(n, np.float32) if seconds is None else seconds
            _put(part.seconds, slot, seconds)
        if part.position is not None:
            position = np.empty(n, np.int16) if position is None else position
            _put(part.position, slot, position)
    return Rows(start, pair, seconds, position)

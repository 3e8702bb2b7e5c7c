"""Whole numbers in place of cells: each distinct text or number gets the next code, in order of appearance.

Open addressing with linear probing (Knuth, 1998, *The Art of Computer Programming*, vol. 3, section 6.4, algorithm L),
half full at most. A text of up to 12 bytes is its own key; longer ones are told apart by all of their bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.arrow import Column
from issmp_cat.arrays import Ints
from issmp_cat.compiled import jit

__all__ = ["NULL", "Dictionary"]

NULL = -1  # the code of an empty cell
SHORT = 12  # bytes of a text that a view holds in itself
FIRST = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio, and another odd number
SECOND = np.uint64(0xC2B2AE3D27D4EB4F)
HALF = np.uint64(32)
ONE = np.uint64(1)
LOW = np.uint64(0xFFFFFFFF)
SLOTS = 1 << 12
FULL = -2
FEW = 16  # of the second code of a pair: a direct table has room for so many
DIRECT = 1 << 16  # its size; numbers below 4,096 have one as well


@jit(allocates=False)
def _slot(first: Any, second: Any, mask: Any) -> Any:
    """Where the search for a key begins."""
    mixed = (first ^ (second * SECOND)) * FIRST
    return (mixed ^ (mixed >> HALF)) & mask


@jit(allocates=False)
def _find(key: Any, table: Any, keys: Any, count: Any) -> Any:
    """The code of a number, new if need be; −2 if there is no room for another."""
    mask = np.uint64(table.size - 1)
    slot = _slot(key, np.uint64(0), mask)
    while table[slot] >= 0:
        if keys[table[slot], 0] == key:
            return table[slot]
        slot = (slot + ONE) & mask
    if 2 * count[0] == table.size:
        return np.int32(FULL)
    new = np.int32(count[0])
    table[slot] = new
    keys[new, 0] = key
    count[0] += 1
    return new


@jit(allocates=False)
def _code_numbers(
    values: Any, valid: Any, direct: Any, table: Any, keys: Any, count: Any, codes: Any, begin: int
) -> int:
    """Code whole numbers from row ``begin`` on; returns the row at which there was no room for another key."""
    few = np.uint64(direct.size)
    last, code = np.int64(0), np.int32(FULL)
    for row in range(begin, values.size):
        if valid.size and not valid[row]:
            codes[row] = NULL
            continue
        value = values[row]
        key = np.uint64(value)
        if key < few and direct[key] >= 0:
            codes[row] = direct[key]
            continue
        if code < 0 or value != last:  # candidates mostly come in runs
            code, last = _find(key, table, keys, count), value
            if code == FULL:
                return row
            if key < few:
                direct[key] = code
        codes[row] = code
    return int(values.size)


@jit(allocates=False)
def _code_pairs(left: Any, right: Any, direct: Any, table: Any, keys: Any, count: Any, codes: Any, begin: int) -> int:
    """Code pairs of codes (−1 or more) from row ``begin`` on; returns the row at which there was no room."""
    few = direct.size // FEW
    for row in range(begin, left.size):
        one, two = left[row] + 1, right[row] + 1
        near = one < few and two < FEW
        code = direct[one * FEW + two] if near else np.int32(NULL)
        if code < 0:
            code = _find((np.uint64(one) << HALF) | np.uint64(two), table, keys, count)
            if code == FULL:
                return row
            if near:
                direct[one * FEW + two] = code
        codes[row] = code
    return int(left.size)


@jit(allocates=False)
def _hash(data: Any, at: Any, length: Any) -> Any:
    """FNV-1a of some bytes (Fowler, Noll & Vo; RFC 9923), spread once more."""
    mixed = np.uint64(0xCBF29CE484222325)
    for k in range(length):
        mixed = (mixed ^ np.uint64(data[at + k])) * np.uint64(0x100000001B3)
    return mixed * SECOND


@jit(allocates=False)
def _same(data: Any, at: Any, store: Any, there: Any, length: Any) -> bool:
    """Whether two runs of bytes are the same."""
    for k in range(length):  # noqa: SIM110 - compiled
        if data[at + k] != store[there + k]:
            return False
    return True


@jit(allocates=False)
def _code_texts(
    views: Any,
    valid: Any,
    data: Any,
    table: Any,
    keys: Any,
    store: Any,
    stored: Any,
    count: Any,
    codes: Any,
    begin: int,
) -> int:
    """Code texts from row ``begin`` on; returns the row at which there was no room for another key.

    ``keys`` holds the views of short texts; of long ones length and beginning, and the hash. ``stored`` says where in
    ``store`` the bytes of a long one are; ``count`` is the number of keys, and of bytes stored.
    """
    mask = np.uint64(table.size - 1)
    room = table.size // 2
    for row in range(begin, views.shape[0]):
        if valid.size and not valid[row]:
            codes[row] = NULL
            continue
        first, second = views[row, 0], views[row, 1]
        length, at = np.int64(first & LOW), np.int64(0)
        if length > SHORT:
            at = np.int64(second >> HALF)
            second = _hash(data, at, length)
        slot = _slot(first, second, mask)
        while table[slot] >= 0:
            code = table[slot]
            if (
                keys[code, 0] == first
                and keys[code, 1] == second
                and (length <= SHORT or _same(data, at, store, stored[code], length))
            ):
                break
            slot = (slot + ONE) & mask
        if table[slot] < 0:
            if count[0] == room or (length > SHORT and count[1] + length > store.size):
                return row
            new = count[0]
            table[slot], keys[new, 0], keys[new, 1] = new, first, second
            if length > SHORT:
                stored[new] = count[1]
                for k in range(length):
                    store[count[1] + k] = data[at + k]
                count[1] += length
            count[0] += 1
        codes[row] = table[slot]
    return int(views.shape[0])


@jit(allocates=False)
def _enter(keys: Any, count: int, table: Any) -> None:
    """Fill a larger table with the keys there are."""
    mask = np.uint64(table.size - 1)
    for code in range(count):
        slot = _slot(keys[code, 0], keys[code, 1], mask)
        while table[slot] >= 0:
            slot = (slot + ONE) & mask
        table[slot] = code


class Dictionary:
    """Codes of the distinct values of one column; it grows as they come.

    Args:
        texts: whether cells are texts; whole numbers otherwise.

    >>> numbers = Dictionary(texts=False)
    >>> numbers.code(Column(np.array([7, 9, 7, 8]), np.array([1, 1, 1, 0], np.uint8)))
    array([ 0,  1,  0, -1], dtype=int32)
    >>> numbers.values()
    array([7, 9])
    """

    def __init__(self, *, texts: bool) -> None:
        self.texts = texts
        self._count = np.zeros(2, np.int64)
        self._table = np.full(SLOTS, NULL, np.int32)
        self._direct = np.full(0 if texts else DIRECT, NULL, np.int32)
        self._keys = np.zeros((SLOTS // 2, 2), np.uint64)
        self._stored = np.zeros(SLOTS // 2 if texts else 0, np.int64)
        self._store = np.zeros(SLOTS if texts else 0, np.uint8)

    def __len__(self) -> int:
        return int(self._count[0])

    def join(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.int32]:
        """Code of each pair of codes, −1 or more; the pair's number is ``left + 1`` · 2³² + ``right + 1``."""
        codes = np.empty(len(left), np.int32)
        row = 0
        while True:
            state = self._direct, self._table, self._keys, self._count
            row = int(_code_pairs(left, right, *state, codes, row))
            if row == len(codes):
                return codes
            self._grow()

    def code(self, column: Column) -> NDArray[np.int32]:
        """Code of each cell, −1 for NULL. Shape ``(rows,)``."""
        codes = np.empty(len(column.values), np.int32)
        row = 0
        while (row := self._code(column, codes, row)) < len(codes):
            if 2 * len(self) == len(self._table):
                self._grow()
            else:
                self._lengthen(int(column.values[row, 0] & LOW))
        return codes

    def _code(self, column: Column, codes: NDArray[np.int32], begin: int) -> int:
        """As far as there is room for new keys."""
        values, valid, data = column
        if not self.texts:
            direct = self._direct[: DIRECT // FEW]
            return int(_code_numbers(values, valid, direct, self._table, self._keys, self._count, codes, begin))
        state = self._table, self._keys, self._store, self._stored, self._count
        return int(_code_texts(values, valid, data, *state, codes, begin))

    def _grow(self) -> None:
        """Twice the room for keys."""
        self._table = np.full(2 * len(self._table), NULL, np.int32)
        self._keys = np.concatenate([self._keys, np.zeros_like(self._keys)])
        self._stored = np.concatenate([self._stored, np.zeros_like(self._stored)])
        _enter(self._keys, len(self), self._table)

    def _lengthen(self, length: int) -> None:
        """More room for the bytes of long texts."""
        self._store = np.concatenate([self._store, np.zeros(max(len(self._store), length), np.uint8)])

    def values(self) -> Ints:
        """The distinct numbers, in the order of their codes. Shape ``(len,)``."""
        return self._keys[: len(self), 0].astype(np.int64)

    def bytes(self) -> NDArray[np.bytes_]:
        """The distinct texts in UTF-8, in the order of their codes. Shape ``(len,)``."""
        keys = self._keys[: len(self)]
        length = (keys[:, 0] & LOW).astype(np.int64)
        short: NDArray[np.bytes_] = np.ascontiguousarray(keys.view(np.uint8)[:, 4:]).view(f"S{SHORT}")[:, 0]
        if not (length > SHORT).any():
            return short
        texts = short.astype(f"S{length.max()}")
        for code in np.flatnonzero(length > SHORT):
            at = self._stored[code]
            texts[code] = self._store[at : at + length[code]].tobytes()
        return texts

    def strings(self) -> list[str]:
        """The distinct values as text, in the order of their codes."""
        return [str(n) for n in self.values()] if not self.texts else [text.decode() for text in self.bytes()]

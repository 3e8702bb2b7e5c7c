"""Answers to items that occur together, packed: one row of a table in place of up to seven.

Where persons answer the same items, the log likelihoods of all patterns of answers to a block of items are added up
once for a pass and looked up for each person; the expected counts of the patterns are taken apart again afterwards.
Seven right-or-wrong items have 128 patterns, three items of five scores 125.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.lanes import LANES, add_row
from issmp_cat.arrays import Ints, read_only
from issmp_cat.compiled import jit

__all__ = ["Blocks", "Rows", "fold_patterns", "pack", "tabulate_patterns"]

MOST_PATTERNS = 128
FEWEST_ANSWERS = 20_000  # below, nothing is gained that anyone would notice
WORTHWHILE = 0.6  # share of the row additions that may be left
TRIED = 512  # persons
OFTEN = 0.9  # share of persons who answered an item, from which it is put beside its neighbours


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of items and where their patterns stand, behind the rows of the codes themselves.

    Attributes:
        row: row of score 0 of each member, block after block. Shape ``(members,)``.
        scores: how many scores each member has. Shape ``(members,)``.
        bounds: first member of each block, and their number. Shape ``(blocks + 1,)``.
        begin: row of the first pattern of each block, and the number of all rows. Shape ``(blocks + 1,)``.
    """

    row: Ints
    scores: Ints
    bounds: Ints
    begin: Ints

    @classmethod
    def none(cls, n_codes: int) -> Blocks:
        """No blocks: the rows are the codes."""
        nothing = read_only(np.zeros(0, np.int64))
        return cls(nothing, nothing, read_only(np.zeros(1, np.int64)), read_only(np.array([n_codes], np.int64)))

    @property
    def n_rows(self) -> int:
        """Codes and patterns together."""
        return int(self.begin[-1])

    @classmethod
    def of(cls, chosen: list[list[int]], first: Ints) -> Blocks:
        """Blocks of these items. ``first``: row of each item's score 0, and the number of codes."""
        scores = np.diff(first)
        sizes = np.array([np.prod(scores[block]) for block in chosen], np.int64)
        flat = np.array([item for block in chosen for item in block], np.int64)
        bounds = np.concatenate([[0], np.cumsum([len(block) for block in chosen])])
        begin = first[-1] + np.concatenate([[0], np.cumsum(sizes)])
        return cls(read_only(first[flat]), read_only(scores[flat]), read_only(bounds), read_only(begin))


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows each person's likelihood is the product of, in compressed sparse rows.

    Attributes:
        start: offsets of each person's rows. Shape ``(persons + 1,)``.
        row: codes, and patterns of blocks. Shape ``(rows,)``.
        blocks: what the patterns mean.
    """

    start: Ints
    row: NDArray[Any]
    blocks: Blocks


@jit(allocates=False)
def tabulate_patterns(panel: Any, row: Any, scores: Any, bounds: Any, begin: Any) -> None:
    """Sums of the rows of each pattern, behind the rows of the codes; the panel has 16 columns."""
    for block in range(bounds.size - 1):
        base, size = begin[block], 1
        panel[base * LANES : (base + 1) * LANES] = 0.0
        for member in range(bounds[block], bounds[block + 1]):
            for score in range(scores[member] - 1, -1, -1):
                own = panel[(row[member] + score) * LANES :]
                for pattern in range(base, base + size):
                    add_row(panel[(pattern + score * size) * LANES :], panel[pattern * LANES :], own)
            size *= scores[member]


@jit(allocates=False)
def fold_patterns(panel: Any, row: Any, scores: Any, bounds: Any, begin: Any) -> None:
    """Add the counts of each pattern to the counts of its codes; the panel has 16 columns."""
    for block in range(bounds.size - 1):
        base, size = begin[block], begin[block + 1] - begin[block]
        for member in range(bounds[block + 1] - 1, bounds[block] - 1, -1):
            size //= scores[member]
            for score in range(scores[member]):
                own = panel[(row[member] + score) * LANES :]
                for pattern in range(base, base + size):
                    more = panel[(pattern + score * size) * LANES :]
                    add_row(own, own, more)
                    if score > 0:
                        add_row(panel[pattern * LANES :], panel[pattern * LANES :], more)


@jit(allocates=False)
def _pack_matrix(
    code: Any, low: Any, scores: Any, stride: Any, bounds: Any, begin: Any, digits: Any, packed: Any
) -> bool:
    """Patterns of persons who all answered the same items in the same order; False if they did not.

    ``code``: persons × members of the blocks; of each member, ``low``: its row of score 0, ``scores``: their number,
    ``stride``: what one more adds to the pattern; ``digits``: room for a row; ``packed``: persons × blocks.
    """
    for person in range(code.shape[0]):
        stray = 0
        for member in range(code.shape[1]):
            score = np.int32(code[person, member]) - low[member]
            stray |= (score < 0) | (score >= scores[member])
            digits[member] = score * stride[member]
        if stray:
            return False
        for block in range(packed.shape[1]):
            pattern = begin[block]
            for member in range(bounds[block], bounds[block + 1]):
                pattern += digits[member]
            packed[person, block] = pattern
    return True


@jit()
def _signatures(start: Any, code: Any, owner: Any, marks: Any, signature: Any, answered: Any) -> None:
    """Who answered each item: the sum of the marks of its persons, equal where the persons are the same."""
    for person in range(start.size - 1):
        mark = marks[person]
        for answer in range(start[person], start[person + 1]):
            item = owner[code[answer]]
            signature[item] += mark
            answered[item] += 1


@jit()
def _pack(start: Any, code: Any, owner: Any, first: Any, block_of: Any, members: Any, stride: Any, begin: Any,
          packed_start: Any, packed: Any) -> int:  # fmt: skip
    """Write each person's patterns and remaining codes; returns how many rows there are.

    ``members``: items in each block; ``stride``: what a score of an item adds to its pattern.
    """
    n_blocks = members.size
    found, pattern = np.zeros(n_blocks, np.int64), np.zeros(n_blocks, np.int64)
    written = 0
    for person in range(start.size - 1):
        for answer in range(start[person], start[person + 1]):
            item = owner[code[answer]]
            block = block_of[item]
            if block >= 0:
                found[block] += 1
                pattern[block] += (code[answer] - first[item]) * stride[item]
        for block in range(n_blocks):
            if found[block] == members[block]:
                packed[written] = begin[block] + pattern[block]
                written += 1
        for answer in range(start[person], start[person + 1]):
            block = block_of[owner[code[answer]]]
            if block < 0 or found[block] < members[block]:
                packed[written] = code[answer]
                written += 1
        found[:] = 0
        pattern[:] = 0
        packed_start[person + 1] = written
    return written


def _together(start: Ints, code: NDArray[Any], owner: Ints, n_items: int) -> list[Ints]:
    """Items in the order in which to cut them into blocks, a list for each set of items that occur together."""
    n_persons = len(start) - 1
    marks = np.random.default_rng(0).integers(1, np.iinfo(np.int64).max, n_persons)
    signature, answered = np.zeros(n_items, np.int64), np.zeros(n_items, np.int64)
    _signatures(start, code, owner, marks, signature, answered)
    _, group, sizes = np.unique(signature, return_inverse=True, return_counts=True)
    sizes[group[answered == 0]] = 0
    alone = sizes[group] < 2
    sets = [np.flatnonzero(group == which) for which in np.flatnonzero(sizes > 1)]
    sets.append(np.flatnonzero(alone & (answered >= OFTEN * n_persons)))
    return sets


def _cut(sets: list[Ints], first: Ints) -> list[list[int]]:
    """Blocks with at most 128 patterns."""
    scores = np.diff(first)
    blocks: list[list[int]] = []
    for items in sets:
        block: list[int] = []
        patterns = 1
        for item in items:
            if patterns * scores[item] > MOST_PATTERNS and block:
                blocks.append(block)
                block, patterns = [], 1
            block.append(int(item))
            patterns *= int(scores[item])
        blocks.append(block)
    return [block for block in blocks if len(block) > 1]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Blocks, and the place of each item in them.

    Attributes:
        blocks: with their rows.
        items: in the blocks, one after the other; ``members``: how many in each.
        block: of each item, −1 where it is in none; ``stride``: what one score more adds to its pattern.
    """

    blocks: Blocks
    items: Ints
    members: Ints
    block: Ints
    stride: Ints

    @classmethod
    def of(cls, chosen: list[list[int]], first: Ints) -> _Plan | None:
        if not chosen:
            return None
        blocks, scores = Blocks.of(chosen, first), np.diff(first)
        block_of, stride = np.full(len(scores), -1, np.int64), np.zeros(len(scores), np.int64)
        for number, block in enumerate(chosen):
            block_of[block] = number
            stride[block] = np.concatenate([[1], np.cumprod(scores[block])[:-1]])
        return cls(blocks, np.concatenate(chosen), np.diff(blocks.bounds), block_of, stride)

    def pack(self, start: Ints, code: NDArray[Any], owner: Ints, first: Ints) -> tuple[Ints, NDArray[Any]]:
        """Offsets and rows of each person."""
        small = self.blocks.n_rows <= np.iinfo(np.uint16).max
        packed: NDArray[Any] = np.empty(len(code), np.uint16 if small else np.uint32)
        offsets = np.zeros(len(start), np.int64)
        where = self.block, self.members, self.stride, self.blocks.begin
        written = _pack(start, code, owner, first, *where, offsets, packed)
        return offsets, packed[:written].copy()


def pack(start: Ints, code: NDArray[Any], first: Ints) -> Rows:
    """Rows with as few entries as blocks allow; the codes themselves where blocks do not help.

    Args:
        start: offsets of each person's answers. Shape ``(persons + 1,)``.
        code: ``first[item] + score`` of each answer, nobody answering an item twice. Shape ``(answers,)``.
        first: row of score 0 of each item, and the number of codes. Shape ``(items + 1,)``.
    """
    plain = Rows(start, code, Blocks.none(int(first[-1])))
    if len(code) < FEWEST_ANSWERS:
        return plain
    n_items = len(first) - 1
    owner = np.repeat(np.arange(n_items), np.diff(first))
    if len(code) == (len(start) - 1) * n_items:
        order = owner[code[:n_items]]
        matrix = code.reshape(-1, n_items)
        sets = [np.sort(order)] if len(np.unique(order)) == n_items else []
    else:
        matrix, order = None, owner[:0]
        sets = _together(start, code, owner, n_items) if _promising(start, code, owner, first) else []
    plan = _Plan.of(_cut(sets, first), first)
    if plan is None or plan.blocks.n_rows > np.iinfo(np.uint16).max or 4 * plan.blocks.n_rows > len(code):
        return plain
    if matrix is not None and (plan.block >= 0).all():
        rows = np.empty((len(matrix), len(plan.members)), np.uint16)
        column = np.argsort(order)[plan.items]
        in_order = matrix if (np.diff(column) == 1).all() else matrix[:, column]
        low, scores = plan.blocks.row.astype(np.int32), plan.blocks.scores.astype(np.int32)
        stride, room = plan.stride[plan.items].astype(np.int32), np.empty(n_items, np.int32)
        if _pack_matrix(in_order, low, scores, stride, plan.blocks.bounds, plan.blocks.begin, room, rows):
            offsets = np.arange(len(start), dtype=np.int64) * len(plan.members)
            return Rows(read_only(offsets), read_only(rows.ravel()), plan.blocks)
    offsets, packed = plan.pack(start, code, owner, first)
    if len(packed) > WORTHWHILE * len(code):
        return plain
    return Rows(read_only(offsets), read_only(packed), plan.blocks)


def _promising(start: Ints, code: NDArray[Any], owner: Ints, first: Ints) -> bool:
    """Whether blocks would help some persons, evenly spread: looking at all of them takes a tenth of a pass."""
    persons = np.arange(0, len(start) - 1, max((len(start) - 1) // TRIED, 1))
    length = start[persons + 1] - start[persons]
    offsets = np.concatenate([[0], np.cumsum(length)])
    some = code[np.repeat(start[persons] - offsets[:-1], length) + np.arange(offsets[-1])]
    plan = _Plan.of(_cut(_together(offsets, some, owner, len(first) - 1), first), first)
    return plan is not None and len(plan.pack(offsets, some, owner, first)[1]) <= WORTHWHILE * len(some)

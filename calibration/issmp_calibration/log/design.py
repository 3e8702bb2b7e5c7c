"""Who saw what: forms, sets, and whether all items hang together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.log.sums import blocks
from issmp_cat.arrays import Bools, Ints
from issmp_cat.responses import ResponseLog

__all__ = ["Form", "Forms", "connected_groups", "forms"]


@dataclass(frozen=True, slots=True)
class Form:
    """A set of items that some candidates saw, all of it and nothing else of its kind."""

    items: tuple[str, ...]
    candidates: int

    def name(self) -> str:
        """First and last item, and how many.

        >>> Form(("S001", "S002", "S170"), 5).name()
        '3 items (S001 … S170)'
        """
        ends = self.items[0] if len(self.items) == 1 else f"{self.items[0]} … {self.items[-1]}"
        return f"{len(self.items):,} item{'s' if len(self.items) != 1 else ''} ({ends})"


@dataclass(frozen=True, slots=True)
class Forms:
    """The different sets of items that candidates saw.

    Attributes:
        count: how many there are; a set seen by nobody else, as in an adaptive test, is one too.
        largest: the most frequent ones.
    """

    count: int
    largest: tuple[Form, ...]


def forms(log: ResponseLog, among: Bools, most: int = 12) -> Forms:
    """Tell apart the sets of items that candidates saw.

    Args:
        log: the answers.
        among: the items to look at. Shape ``(items,)``.
        most: how many sets are spelled out.

    A set is told by the sum of random 64-bit numbers of its items (Zobrist, 1970): two different sets share a sum with
    a chance of 2⁻⁶⁴.
    """
    weight = np.random.default_rng(170).integers(0, 2**64, log.n_items, dtype=np.uint64)
    weight[~among] = 0
    mark = np.zeros(log.n_persons, np.uint64)
    for answers, person in blocks(log):
        np.add.at(mark, person, weight[log.item[answers]])
    marks, first, number = np.unique(mark, return_index=True, return_counts=True)
    order = [k for k in np.argsort(-number, kind="stable") if marks[k]]
    largest = tuple(Form(_items_of(log, int(first[k]), among), int(number[k])) for k in order[:most])
    return Forms(len(order), largest)


def _items_of(log: ResponseLog, person: int, among: Bools) -> tuple[str, ...]:
    seen = log.item[log.start[person] : log.start[person + 1]]
    return tuple(str(item) for item in log.items[seen[among[seen]]])


def connected_groups(log: ResponseLog) -> list[tuple[str, ...]]:
    """Items by group: two items are in one group if a chain of shared candidates leads from one to the other.

    Items of different groups cannot be put on one scale by their answers. Only answers with a score connect; items
    without any are left out.
    """
    seen = np.bincount(log.item[log.score >= 0], minlength=log.n_items) > 0
    group = np.arange(log.n_items)
    for answers, persons in blocks(log):
        scored = log.score[answers] >= 0
        item, person = log.item[answers][scored], persons[scored]
        together = person[1:] == person[:-1]  # neighbours in a candidate's answers are enough
        group = _merge(group, group[item[:-1][together]], group[item[1:][together]])
        if len(np.unique(group[seen])) == 1:
            break
    return [tuple(map(str, log.items[seen & (group == g)])) for g in np.unique(group[seen])]


def _merge(group: Ints, one: Ints, other: Ints) -> Ints:
    """Groups after joining those that stand side by side in ``one`` and ``other``. Shape ``(items,)``."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    apart = one != other
    if not apart.any():
        return group
    n = len(group)
    pairs = np.unique(one[apart] * n + other[apart])
    graph = coo_array((np.ones(len(pairs)), (pairs // n, pairs % n)), shape=(n, n))
    _, joined = connected_components(graph, directed=False)
    return np.asarray(joined, dtype=np.int64)[group]

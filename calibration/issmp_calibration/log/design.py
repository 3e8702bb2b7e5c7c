"""Who saw what: forms, sets, and whether all items hang together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Bools, Ints
from issmp_cat.responses import ResponseLog

__all__ = ["Form", "connected_groups", "forms"]


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


def forms(log: ResponseLog, among: Bools) -> list[Form]:
    """The different sets of items that candidates saw, the most frequent first.

    Args:
        log: the answers.
        among: the items to look at. Shape ``(items,)``.

    A set is told by the sum of random 64-bit numbers of its items (Zobrist, 1970): two different sets share a sum with
    a chance of 2⁻⁶⁴.
    """
    weight = np.random.default_rng(170).integers(0, 2**64, log.n_items, dtype=np.uint64)
    weight[~among] = 0
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(weight[log.item], dtype=np.uint64)])
    mark = running[log.start[1:]] - running[log.start[:-1]]
    marks, first, number = np.unique(mark, return_index=True, return_counts=True)
    order = np.argsort(-number, kind="stable")
    return [Form(_items_of(log, int(first[k]), among), int(number[k])) for k in order if marks[k]]


def _items_of(log: ResponseLog, person: int, among: Bools) -> tuple[str, ...]:
    seen = log.item[log.start[person] : log.start[person + 1]]
    return tuple(str(item) for item in log.items[seen[among[seen]]])


def connected_groups(log: ResponseLog) -> list[tuple[str, ...]]:
    """Items by group: two items are in one group if a chain of shared candidates leads from one to the other.

    Items of different groups cannot be put on one scale by their answers. Items that nobody saw are left out.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    # An edge from each item to the next one of the same candidate is enough, and there are few different ones.
    inside = np.ones(max(log.n_answers - 1, 0), dtype=bool)
    ends = log.start[1:-1]
    inside[ends[(ends > 0) & (ends < log.n_answers)] - 1] = False
    edges = _distinct(log.item[:-1][inside], log.item[1:][inside], log.n_items)
    graph = csr_array((np.ones(len(edges[0])), edges), shape=(log.n_items, log.n_items))
    _, group = connected_components(graph, directed=False)
    seen = np.bincount(log.item, minlength=log.n_items) > 0
    return [tuple(map(str, log.items[seen & (group == g)])) for g in np.unique(group[seen])]


def _distinct(one: NDArray[np.unsignedinteger], other: NDArray[np.unsignedinteger], n: int) -> tuple[Ints, Ints]:
    """The different pairs among two columns of item indexes."""
    codes = np.unique(one.astype(np.int64) * n + other)
    return codes // n, codes % n

"""What each item is worth for the next decision, and the items in that order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints, Ints32
from issmp_cat.selection.pool import QUANTUM, Pool

__all__ = ["Preference", "at_point", "ranked", "ranked_into", "rounded"]


class Preference(NamedTuple):
    """What a criterion says about the items, higher being better.

    Attributes:
        value: of each item, a multiple of ``QUANTUM``, ≥ 0. Shape ``(items,)``.
        ranking: items, the most valuable first, ties to the lower index. Shape ``(items,)``.
        order: the same within each domain, one domain after the other. Shape ``(items,)``.
    """

    value: Floats
    ranking: Ints32
    order: Ints32


def at_point(pool: Pool, point: int) -> Preference:
    """Fisher information at a grid point: three look-ups."""
    return Preference(pool.information[point], pool.ranking[point], pool.order[point])


def rounded(value: Floats) -> None:
    """Round values for selection, in place: sums are then exact in any order. Shape ``(items,)``."""
    for i in range(len(value)):
        value[i] = np.rint(value[i] / QUANTUM) * QUANTUM


def ranked_into(pool: Pool, value: Floats, rank: Ints32, place: Ints) -> Preference:
    """:func:`ranked` as a kernel, by merging runs: allocates nothing, so that exams compile and run without it.

    Args:
        pool: the bank.
        value: of each item, ≥ 0, rounded. Shape ``(items,)``.
        rank: scratch, which the preference then refers to. Shape ``(3, items)``.
        place: scratch. Shape ``(domains,)``.
    """
    items = len(value)
    for i in range(items):
        rank[0, i] = i
    source = 0
    width = 1
    while width < items:
        for start in range(0, items, 2 * width):
            middle = min(start + width, items)
            end = min(middle + width, items)
            left = start
            right = middle
            for at in range(start, end):
                if right >= end or (left < middle and value[rank[source, left]] >= value[rank[source, right]]):
                    rank[1 - source, at] = rank[source, left]
                    left += 1
                else:
                    rank[1 - source, at] = rank[source, right]
                    right += 1
        source = 1 - source
        width *= 2
    for d in range(len(place)):
        place[d] = pool.begin[d]
    for k in range(items):
        item = rank[source, k]
        rank[2, place[pool.domain[item]]] = item
        place[pool.domain[item]] += 1
    return Preference(value, rank[source], rank[2])


def ranked(pool: Pool, value: Floats) -> Preference:
    """Any values put in order.

    Args:
        pool: the bank.
        value: of each item, ≥ 0, rounded. Shape ``(items,)``.
    """
    ranking = np.argsort(-value, kind="mergesort").astype(np.int32)
    # Dealt out to the domains in this order, they keep it within each.
    order = np.empty_like(ranking)
    place = pool.begin.copy()
    for item in ranking:
        domain = pool.domain[item]
        order[place[domain]] = item
        place[domain] += 1
    return Preference(value, ranking, order)

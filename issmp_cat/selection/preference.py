"""What each item is worth for the next decision, and the items in that order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints32
from issmp_cat.selection.pool import QUANTUM, Pool

__all__ = ["Preference", "at_point", "ranked", "rounded"]


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

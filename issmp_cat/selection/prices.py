"""What an item is worth less what its use costs: shadow prices of the exposure caps."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats, read_only
from issmp_cat.selection.pool import QUANTUM, Pool

__all__ = ["priced"]


def priced(pool: Pool, price: Floats, weight: Floats) -> Pool:
    """The pool with ``information − price / weight`` in place of information, raised at each point to be ≥ 0.

    Every test has the same number of items, so what is added to all of them at a point changes no choice.

    Args:
        pool: the bank.
        price: of each item, in information at weight 1. Shape ``(items,)``.
        weight: what information is worth at each grid point, > 0. Shape ``(points,)``.
    """
    worth = pool.information - price[None, :] / weight[:, None]
    value: Floats = np.rint((worth - worth.min(axis=1, keepdims=True)) / QUANTUM) * QUANTUM
    ranking = np.argsort(-value, axis=1, kind="stable")
    # A stable sort by domain keeps the ranking within each.
    order = np.take_along_axis(ranking, np.argsort(pool.domain[ranking], axis=1, kind="stable"), axis=1)
    return pool._replace(
        information=read_only(value),
        ranking=read_only(ranking.astype(np.int32)),
        order=read_only(order.astype(np.int32)),
    )

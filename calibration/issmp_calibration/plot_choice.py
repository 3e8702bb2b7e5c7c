"""Which items of a calibration a picture shows when it cannot show all: those worth looking at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_calibration.item_table import FINE, ItemTable
from issmp_calibration.item_verdict import ACTIONS, CODES
from issmp_cat.arrays import Ints

__all__ = ["flagged", "spread", "worst_first"]


def flagged(table: ItemTable, places: Ints) -> Ints:
    """Those with something against them."""
    return np.array([place for place in places if table.verdicts[place].words != FINE], dtype=np.int64)


def worst_first(table: ItemTable, places: Ints) -> Ints:
    """Items with something against them: to retire before on hold, then by the order of ``CODES``, flattest first."""
    slopes = np.nan_to_num(table.slope, nan=np.inf)
    codes = list(CODES)

    def gravity(place: int) -> tuple[int, int, int, float]:
        verdict = table.verdicts[place]
        first = min(codes.index(reason.code) for reason in verdict.reasons if reason.action == verdict.action)
        return -ACTIONS.index(verdict.action), first, -len(verdict.reasons), float(slopes[place])

    return np.array(sorted(flagged(table, places).tolist(), key=gravity), dtype=np.int64)


def spread(values: Sequence[float], number: int) -> list[int]:
    """Positions of as many values, from low to high, that split the values into parts of equal size.

    >>> spread([5.0, 1.0, 4.0, 2.0, 3.0, 6.0], 2)
    [3, 0]
    """
    order = np.argsort(np.asarray(values), kind="stable")
    number = min(number, len(order))
    middles = ((np.arange(number) + 0.5) / max(number, 1) * len(order)).astype(np.int64)
    return [int(place) for place in order[middles]]

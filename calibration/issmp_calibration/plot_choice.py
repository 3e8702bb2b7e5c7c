"""Which items of a calibration to show where not all can be: those worth looking at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_calibration.item_table import FINE, ItemTable
from issmp_calibration.item_verdict import ACTIONS, CODES, ItemVerdict
from issmp_cat.arrays import Ints

FEW = ("too_few_in_category", "too_few_answers")

__all__ = ["flagged", "leading_kinds", "spread", "worst_first"]


def flagged(table: ItemTable, places: Ints) -> Ints:
    """Those with something against them other than few answers, which says nothing about the item."""
    against = [
        place
        for place in places
        if any(reason.action != "use" and reason.code not in FEW for reason in table.verdicts[place].reasons)
    ]
    return np.array(against, dtype=np.int64)


def worst_first(table: ItemTable, places: Ints) -> Ints:
    """Items to retire before those on hold, by the order of ``CODES`` with few answers last, the flattest first."""
    slopes = np.nan_to_num(table.slope, nan=np.inf)
    codes = [*(code for code in CODES if code not in FEW), *FEW]

    def gravity(place: int) -> tuple[int, int, int, float]:
        verdict = table.verdicts[place]
        first = min(codes.index(reason.code) for reason in verdict.reasons if reason.action == verdict.action)
        return -ACTIONS.index(verdict.action), first, -len(verdict.reasons), float(slopes[place])

    against = [int(place) for place in places if table.verdicts[place].words != FINE]
    return np.array(sorted(against, key=gravity), dtype=np.int64)


def leading_kinds(verdict: ItemVerdict) -> list[str]:
    """Codes of its reasons, few answers after all others."""
    return sorted(verdict.kinds, key=lambda code: code in FEW)


def spread(values: Sequence[float], number: int) -> list[int]:
    """Positions of as many values, from low to high, that split the values into parts of equal size.

    >>> spread([5.0, 1.0, 4.0, 2.0, 3.0, 6.0], 2)
    [3, 0]
    """
    order = np.argsort(np.asarray(values), kind="stable")
    number = min(number, len(order))
    middles = ((np.arange(number) + 0.5) / max(number, 1) * len(order)).astype(np.int64)
    return [int(place) for place in order[middles]]

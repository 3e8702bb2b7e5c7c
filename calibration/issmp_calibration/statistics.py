"""Proportion right and item–rest correlation from codes, in one compiled pass over the answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from issmp_calibration.log.moments import correlation
from issmp_calibration.log.sums import Sums
from issmp_cat.arrays import Bools, Floats
from issmp_cat.compiled import jit
from issmp_cat.responses import ResponseLog

__all__ = ["item_rest_correlations"]

PAIRS, X, R, XX, RR, XR = range(6)


@jit(error_model="numpy")
def _add(start: Any, item: Any, score: Any, counted: Any, centre: float, sums: Any) -> None:
    """Sums of score and rest score by item; the rest score is the proportion right on the other counted items."""
    for person in range(start.size - 1):
        answered, points = 0, 0
        for answer in range(start[person], start[person + 1]):
            if counted[item[answer]] and score[answer] >= 0:
                answered += 1
                points += score[answer]
        for answer in range(start[person], start[person + 1]):
            x = float(score[answer])
            own = counted[item[answer]]
            others = answered - 1 if own else answered
            if x < 0.0 or others == 0:
                continue
            r = (points - (x if own else 0.0)) / others - centre
            row = sums[item[answer]]
            row[PAIRS] += 1.0
            row[X] += x
            row[R] += r
            row[XX] += x * x
            row[RR] += r * r
            row[XR] += x * r


def item_rest_correlations(log: ResponseLog, counted: Bools) -> Floats:
    """Correlation of each item with the rest of the test, NaN where one of them does not vary. Shape ``(items,)``.

    The same statistic as ``classical_statistics``'s, without what a calibration does not need.

    Args:
        log: the answers.
        counted: the items that make up the score: operational ones. Shape ``(items,)``.
    """
    sums = np.zeros((log.n_items, 6))
    scored = log.score >= 0
    centre = float(log.score[scored].mean()) if scored.any() else 0.0
    _add(log.start, log.item, log.score, counted, centre, sums)
    nothing = np.zeros(log.n_items)
    names = ("presented", "scored", "points", "omitted", "chosen", "chosen_pairs", "chosen_r", "by_group")
    rest = dict.fromkeys(names, nothing)
    return correlation(Sums(**rest, **dict(zip(("pairs", "x", "r", "xx", "rr", "xr"), sums.T, strict=True))))

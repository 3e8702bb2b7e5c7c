"""Test statistics and item–rest correlations, in one compiled pass over the answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from issmp_calibration.log.moments import TestStatistics, correlation, describe_test
from issmp_calibration.log.sums import Sums
from issmp_cat.arrays import Bools, Floats
from issmp_cat.compiled import jit
from issmp_cat.responses import ResponseLog

__all__ = ["classical"]

PAIRS, X, R, XX, RR, XR = range(6)


@jit(error_model="numpy")
def _add(start: Any, item: Any, score: Any, counted: Any, centre: float, sums: Any, raw: Any, answers: Any) -> None:
    """Sums of score and rest score by item; the rest score is the proportion right on the other counted items."""
    for person in range(start.size - 1):
        answered, points = 0, 0
        for answer in range(start[person], start[person + 1]):
            if counted[item[answer]] and score[answer] >= 0:
                answered += 1
                points += score[answer]
        raw[person], answers[person] = points, answered
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


def classical(log: ResponseLog, counted: Bools) -> tuple[TestStatistics, Floats]:
    """The raw score's statistics, and the correlation of each item with the rest of the test. Shape ``(items,)``.

    The same statistics as ``classical_statistics``'s, without what a calibration does not need; a correlation is NaN
    where one side does not vary.

    Args:
        log: the answers.
        counted: the items that make up the score: operational ones. Shape ``(items,)``.
    """
    columns = np.zeros((log.n_items, 6))
    raw, answered = np.zeros(log.n_persons, dtype=np.int64), np.zeros(log.n_persons, dtype=np.int64)
    scored = log.score >= 0
    centre = float(log.score[scored].mean()) if scored.any() else 0.0
    _add(log.start, log.item, log.score, counted, centre, columns, raw, answered)
    nothing = np.zeros(log.n_items)
    names = ("presented", "points", "omitted", "chosen", "chosen_pairs", "chosen_r", "by_group")
    rest = dict.fromkeys(names, nothing)
    pairs = dict(zip(("pairs", "x", "r", "xx", "rr", "xr"), columns.T, strict=True))
    sums = Sums(**rest, scored=pairs["pairs"], **pairs)
    return describe_test(raw, answered, sums, counted), correlation(sums)

"""Chance beside the criterion, less and less of it as the exam goes on. Plain kernels."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats, Ints
from issmp_cat.random import CRITERION, uniform

__all__ = ["mix_chance", "progress"]


def mix_chance(weight: float, alone: bool, n: int, seed: int, person: int, blocked: Ints, out: Floats) -> None:
    """Turn scores, in place, into ``W score + (1 − W) R`` with R even between 0 and the best score.

    The progressive method (Revuelta & Ponsoda, 1998). An item's draw depends on the person, the position and
    the item, on nothing else.

    Args:
        weight: W, see :func:`progress`.
        alone: there is no score: R even between 0 and 1.
        n: position of the item to come; ``seed``, ``person``: as everywhere.
        blocked: > 0 when an item cannot be given: its score means nothing. Shape ``(items,)``, as ``out``.
    """
    best = 0.0
    if alone:
        out[:] = 0.0
        best = 1.0
    for i in range(len(out)):
        if blocked[i] <= 0:
            best = max(best, out[i])
    for i in range(len(out)):
        if blocked[i] <= 0 and weight < 1.0:
            out[i] = weight * out[i] + (1.0 - weight) * best * uniform(seed, CRITERION, person, n * len(out) + i)


def progress(length: int, acceleration: float) -> Floats:
    """Weight of the criterion at each position, from 0 at the first to 1 at the last.

    ``W = Σ_{f ≤ n} f^t / Σ_{f < length} f^t`` after n items (Barrada, Olea, Ponsoda & Abad, 2008); t = 0 is the even
    growth of Revuelta & Ponsoda (1998).

    >>> progress(5, 0.0), progress(3, 1.0).round(3)
    (array([0.  , 0.25, 0.5 , 0.75, 1.  ]), array([0.   , 0.333, 1.   ]))
    """
    grown = np.cumsum(np.arange(1.0, length) ** acceleration)
    return np.concatenate([[0.0], grown / grown[-1]]) if length > 1 else np.zeros(1)

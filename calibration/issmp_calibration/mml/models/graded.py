"""The graded response model (Samejima, 1969).

Cells: slope, intercept_1 > … > intercept_m. At least k points are reached with the chance of a logistic curve of the
logit slope · θ + intercept_k.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.models.family import GRADED, Family
from issmp_cat.arrays import Floats
from issmp_cat.compiled import compile_kernels, jit
from issmp_cat.irt import curves, difficulty, intercept
from issmp_cat.irt.curves import LOGIT_LIMIT, response_curve

__all__ = ["FAMILY", "chances", "terms"]

APART = 0.01  # of neighbouring bounds
LEAST_GAP = 1e-300  # of intercepts out of order: next to no chance, but one whose logarithm exists

compile_kernels(curves.response_curve)


@jit(error_model="numpy")
def _odds(parameters: Any, theta: float, k: int) -> float:
    """Odds of missing k points."""
    return math.exp(-min(max(parameters[0] * theta + parameters[k], -LOGIT_LIMIT), LOGIT_LIMIT))


@jit(error_model="numpy")
def chances(parameters: Any, theta: float, log_chance: Any) -> None:
    """Log probability of each score; next to −∞ where intercepts are out of order."""
    most = log_chance.size - 1
    reached = 1.0
    for k in range(most + 1):
        further, short = 0.0, 1.0
        if k < most:
            decay = _odds(parameters, theta, k + 1)
            further, short = response_curve(decay, 0.0, 1.0), response_curve(1.0 / decay, 0.0, 1.0)
        inside = 0 < k < most
        gap = max(-math.expm1(min(parameters[k + 1] - parameters[k], 0.0)), LEAST_GAP) if inside else 1.0
        # Logarithms one by one: the product underflows where they do not.
        log_chance[k] = math.log(reached) + math.log(short) + (math.log(gap) if inside else 0.0)
        reached = further


@jit(error_model="numpy")
def terms(parameters: Any, theta: float, log_chance: Any, score: Any, curvature: Any) -> None:
    """Log probability of each score, its derivatives by the cells, and their derivatives.

    log P_k = log P*_k + log Q*_{k+1} + log(1 − exp(−gap)): nothing is divided by P, and every term is concave.
    """
    most = log_chance.size - 1
    chances(parameters, theta, log_chance)
    reached, missed = 1.0, 0.0
    for k in range(most + 1):
        score[k, :] = 0.0
        curvature[k, :, :] = 0.0
        further, short = 0.0, 1.0
        if k < most:
            decay = _odds(parameters, theta, k + 1)
            further, short = response_curve(decay, 0.0, 1.0), response_curve(1.0 / decay, 0.0, 1.0)
        here, there = reached * missed, further * short
        score[k, 0] = theta * (missed - further)
        curvature[k, 0, 0] = -theta * theta * (here + there)
        if k > 0:
            score[k, k] = missed
            curvature[k, k, k] = -here
            curvature[k, 0, k] = curvature[k, k, 0] = -theta * here
        if k < most:
            score[k, k + 1] = -further
            curvature[k, k + 1, k + 1] = -there
            curvature[k, 0, k + 1] = curvature[k, k + 1, 0] = -theta * there
        if 0 < k < most:
            tight = 1.0 / math.expm1(max(parameters[k] - parameters[k + 1], 1e-300))
            bend = tight * (1.0 + tight)
            score[k, k] += tight
            score[k, k + 1] -= tight
            curvature[k, k, k] -= bend
            curvature[k, k + 1, k + 1] -= bend
            curvature[k, k, k + 1] = curvature[k, k + 1, k] = bend
        reached, missed = further, short


def _start(counts: Floats) -> Floats:
    """Thresholds from the shares of answers at or above each score, slope 1; see the logistic family for 1.16."""
    above = np.cumsum(counts[:, ::-1], axis=1)[:, -2::-1] + 0.5
    total = counts.sum(axis=1, keepdims=True) + 1.0
    return np.hstack([np.ones((len(counts), 1)), 1.16 * np.log(above / (total - above))])


def _natural(cells: Floats) -> tuple[Floats, Floats]:
    a, size = cells[:, :1], cells.shape[1]
    b = difficulty(a, cells[:, 1:])
    jacobian = np.zeros((len(cells), size, size))
    jacobian[:, 0, 0] = 1.0
    jacobian[:, 1:, 0] = -b / a
    jacobian[:, 1:, 1:] = np.eye(size - 1) / -a[:, :, None]
    return np.hstack([a, b]), jacobian


FAMILY = Family(
    kind=GRADED,
    cells=lambda steps: ("slope", *(f"intercept {k}" for k in range(1, steps + 1))),
    slopes=lambda _: (0,),
    start=_start,
    # Intercepts keep their order at the bounds too.
    bounds=lambda steps: np.array(
        [[-10.0, *(-30.0 - APART * np.arange(steps))], [10.0, *(30.0 - APART * np.arange(steps))]]
    ),
    names=lambda steps: ("a", *(f"b{k}" for k in range(1, steps + 1))),
    natural=_natural,
    working=lambda natural: np.concatenate([natural[:1], intercept(natural[0], natural[1:])]),
    shift=lambda steps: np.array([[-1.0, *[0.0] * steps], [0.0, *[1.0] * steps]]),
)

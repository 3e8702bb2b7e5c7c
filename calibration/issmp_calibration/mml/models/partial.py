"""The generalised partial credit model (Muraki, 1992); with a slope of 1 the partial credit model (Masters, 1982).

Cells: slope, intercept_1 … intercept_m. The log-odds of k points against none are k · slope · θ + intercept_k.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.models.family import PARTIAL, Family
from issmp_cat.arrays import Floats
from issmp_cat.compiled import jit

__all__ = ["FAMILY", "chances", "terms"]


@jit(error_model="numpy")
def chances(parameters: Any, theta: float, log_chance: Any) -> None:
    """Log probability of each score."""
    top = 0.0
    log_chance[0] = 0.0
    for k in range(1, log_chance.size):
        log_chance[k] = k * parameters[0] * theta + parameters[k]
        top = max(top, log_chance[k])
    total = 0.0
    for k in range(log_chance.size):
        total += math.exp(log_chance[k] - top)
    total = top + math.log(total)
    for k in range(log_chance.size):
        log_chance[k] -= total


@jit(error_model="numpy")
def terms(parameters: Any, theta: float, log_chance: Any, score: Any, curvature: Any) -> None:
    """Log probability of each score, its derivatives by the cells, and their derivatives: the same for all scores."""
    chances(parameters, theta, log_chance)
    n = log_chance.size
    mean, square = 0.0, 0.0
    for k in range(n):
        chance = math.exp(log_chance[k])
        mean += k * chance
        square += k * k * chance
    for k in range(n):
        score[k, 0] = theta * (k - mean)
        curvature[k, 0, 0] = -theta * theta * (square - mean * mean)
        for j in range(1, n):
            chance = math.exp(log_chance[j])
            score[k, j] = (1.0 if j == k else 0.0) - chance
            curvature[k, 0, j] = curvature[k, j, 0] = -theta * chance * (j - mean)
            for i in range(1, j + 1):
                other = math.exp(log_chance[i])
                curvature[k, i, j] = curvature[k, j, i] = chance * other - (chance if i == j else 0.0)


def _start(counts: Floats) -> Floats:
    """Intercepts from the shares of the scores, slope 1."""
    shares = np.log((counts[:, 1:] + 0.5) / (counts[:, :1] + 0.5))
    return np.hstack([np.ones((len(counts), 1)), shares])


def _natural(cells: Floats) -> tuple[Floats, Floats]:
    a, size = cells[:, :1], cells.shape[1]
    rises = np.diff(cells[:, 1:], axis=1, prepend=0.0)
    b = -rises / a
    jacobian = np.zeros((len(cells), size, size))
    jacobian[:, 0, 0] = 1.0
    jacobian[:, 1:, 0] = -b / a
    jacobian[:, 1:, 1:] = (np.eye(size - 1, k=-1) - np.eye(size - 1)) / a[:, :, None]
    return np.hstack([a, b]), jacobian


FAMILY = Family(
    kind=PARTIAL,
    cells=lambda steps: ("slope", *(f"intercept {k}" for k in range(1, steps + 1))),
    slopes=lambda _: (0,),
    start=_start,
    bounds=lambda steps: np.array([[-10.0, *[-60.0] * steps], [10.0, *[60.0] * steps]]),
    names=lambda steps: ("a", *(f"b{k}" for k in range(1, steps + 1))),
    natural=_natural,
    working=lambda natural: np.concatenate([natural[:1], -natural[0] * np.cumsum(natural[1:])]),
    shift=lambda steps: np.array([[-1.0, *[0.0] * steps], [0.0, *range(1, steps + 1)]]),
)

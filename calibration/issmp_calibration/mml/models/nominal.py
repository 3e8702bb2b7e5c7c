"""The nominal response model (Bock, 1972): categories without an order.

Cells: slope_1 … slope_m, intercept_1 … intercept_m. The log-odds of category k against category 0 are
slope_k · θ + intercept_k.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.models.family import NOMINAL, Family
from issmp_cat.arrays import Floats
from issmp_cat.compiled import jit

__all__ = ["FAMILY", "chances", "terms"]


@jit(error_model="numpy")
def chances(parameters: Any, theta: float, log_chance: Any) -> None:
    """Log probability of each category."""
    most = log_chance.size - 1
    top = 0.0
    log_chance[0] = 0.0
    for k in range(1, most + 1):
        log_chance[k] = parameters[k - 1] * theta + parameters[most + k - 1]
        top = max(top, log_chance[k])
    total = 0.0
    for k in range(most + 1):
        total += math.exp(log_chance[k] - top)
    total = top + math.log(total)
    for k in range(most + 1):
        log_chance[k] -= total


@jit(error_model="numpy")
def terms(parameters: Any, theta: float, log_chance: Any, score: Any, curvature: Any) -> None:
    """Log probability of each category, its derivatives by the cells, and their derivatives: the same for all."""
    chances(parameters, theta, log_chance)
    most = log_chance.size - 1
    for k in range(most + 1):
        for j in range(most):
            chance = math.exp(log_chance[j + 1])
            pull = (1.0 if j + 1 == k else 0.0) - chance
            score[k, j], score[k, most + j] = theta * pull, pull
            for i in range(most):
                bend = chance * math.exp(log_chance[i + 1]) - (chance if i == j else 0.0)
                curvature[k, i, j] = theta * theta * bend
                curvature[k, most + i, j] = curvature[k, j, most + i] = theta * bend
                curvature[k, most + i, most + j] = bend


def _start(counts: Floats) -> Floats:
    """Intercepts from the shares of the categories; slopes that rise with the category's number to 1."""
    steps = counts.shape[1] - 1
    slopes = np.tile(np.arange(1, steps + 1) / steps, (len(counts), 1))
    return np.hstack([slopes, np.log((counts[:, 1:] + 0.5) / (counts[:, :1] + 0.5))])


def _names(steps: int) -> tuple[str, ...]:
    return (*(f"a{k}" for k in range(1, steps + 1)), *(f"c{k}" for k in range(1, steps + 1)))


FAMILY = Family(
    kind=NOMINAL,
    cells=lambda steps: (
        *(f"slope {k}" for k in range(1, steps + 1)),
        *(f"intercept {k}" for k in range(1, steps + 1)),
    ),
    slopes=lambda steps: tuple(range(steps)),
    start=_start,
    bounds=lambda steps: np.array([[*[-20.0] * steps, *[-60.0] * steps], [*[20.0] * steps, *[60.0] * steps]]),
    names=_names,
    natural=lambda cells: (cells.copy(), np.broadcast_to(np.eye(cells.shape[1]), (*cells.shape, cells.shape[1]))),
    working=lambda natural: natural.copy(),
    shift=lambda steps: np.array([[*[-1.0] * steps, *range(steps)], [*[0.0] * steps, *[1.0] * steps]]),
)

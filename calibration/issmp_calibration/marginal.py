"""The marginal log likelihood of a complete matrix, by brute force: one judge for any program's parameters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Floats
from issmp_cat.irt import Parameters, category_curves

__all__ = ["complete_log_likelihood"]

NODES = np.linspace(-8.0, 8.0, 321)  # SDs; equal steps: the trapezoidal rule, exact to rounding for smooth integrands
BLOCK = 10_000  # persons looked at together


def complete_log_likelihood(
    scores: NDArray[np.int64], parameters: Parameters, mean: float = 0.0, sd: float = 1.0
) -> float:
    """Σ over persons of ln ∫ Π P(score | θ) dN(θ).

    Args:
        scores: shape ``(items, persons)``.
        parameters: of the items.
        mean: of the normal population; ``sd``: its standard deviation, logits.

    >>> from issmp_cat.irt import dichotomous
    >>> one = np.ones(1)
    >>> item = dichotomous(one, 0 * one, 0 * one, one)
    >>> round(complete_log_likelihood(np.array([[0, 1]]), item) / math.log(0.5), 9)
    2.0
    """
    with np.errstate(divide="ignore"):
        table = np.log(category_curves(mean + sd * NODES, parameters))
    weight = -0.5 * NODES**2 + math.log((NODES[1] - NODES[0]) / math.sqrt(2.0 * math.pi))
    total = 0.0
    for first in range(0, scores.shape[1], BLOCK):
        block = scores[:, first : first + BLOCK]
        log_chance: Floats = np.tile(weight, (block.shape[1], 1))
        for item, row in enumerate(parameters.first[:-1]):
            log_chance += table[row + block[item]]
        top = log_chance.max(axis=1, keepdims=True)
        total += float((top[:, 0] + np.log(np.exp(log_chance - top).sum(axis=1))).sum())
    return total

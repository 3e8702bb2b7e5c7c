"""The four-parameter logistic curve, the categories of the graded response model, and what follows: arithmetic only.

Each function works on numbers and on arrays alike, and compiles as it stands; nothing else in the project
writes these formulas again. θ in logits, metric D = 1.
"""

from __future__ import annotations

import math
from typing import TypeVar

from issmp_cat.arrays import Floats

__all__ = [
    "LOGIT_LIMIT",
    "between",
    "difficulty",
    "fisher",
    "graded_bend",
    "graded_slope",
    "intercept",
    "log_odds",
    "logit",
    "probability_at",
    "response_curve",
    "slope",
    "slope_change",
]

Real = TypeVar("Real", float, Floats)

# exp(±700) is still a double; beyond, the curve has long reached its asymptote.
LOGIT_LIMIT = 700.0


def logit(theta: Real, a: Real, b: Real) -> Real:
    """Log-odds of knowing the answer, ``a (θ − b)`` (Birnbaum, 1968, eq. 17.3.1, D = 1)."""
    return a * (theta - b)


def intercept(a: Real, b: Real) -> Real:
    """``−a b``: the same item written ``a θ + intercept``."""
    return -a * b


def log_odds(theta: Real, slope: Real, intercept: Real) -> Real:
    """Log-odds of a category against category 0, ``slope θ + intercept`` (Bock, 1972, eq. 2, with category 0 at 0)."""
    return slope * theta + intercept


def difficulty(a: Real, intercept: Real) -> Real:
    """``b = −intercept / a``: where a guess-free candidate has even odds."""
    return -intercept / a


def response_curve(decay: Real, c: Real, d: Real) -> Real:
    """Chance of a right answer, ``c + (d − c) / (1 + exp(−logit))`` (Barton & Lord, 1981, eq. 1).

    Args:
        decay: ``exp(−logit)``.
        c: lower asymptote; ``d``: upper asymptote.

    >>> response_curve(1.0, 0.5, 1.0)
    0.75
    """
    return c + (d - c) / (1.0 + decay)


def slope(p: Real, q: Real, a: Real, c: Real, d: Real) -> Real:
    """``dP/dθ = a (P − c)(d − P) / (d − c)``; takes Q = 1 − P too, since P rounds to 1 long before Q is 0."""
    return a * (p - c) * (q - (1.0 - d)) / (d - c)


def slope_change(p: Real, slope: Real, a: Real, c: Real, d: Real) -> Real:
    """``d²P/dθ² = a P' (c + d − 2P) / (d − c)``."""
    return a * slope * (c + d - 2.0 * p) / (d - c)


def fisher(slope: Real, p: Real, q: Real) -> Real:
    """Fisher information of one answer about θ, ``P'² / (P Q)`` (Lord, 1980, eq. 5-9).

    >>> fisher(0.25, 0.5, 0.5)
    0.25
    """
    return slope * slope / (p * q)


def between(reached: Real, short: Real, gap: Real) -> Real:
    """Chance of a graded category, ``P*_k − P*_{k+1}`` (Samejima, 1969), as a product that cancels nothing.

    For logistic curves of one slope the difference is ``P*_k Q*_{k+1} (1 − exp(−a (b_{k+1} − b_k)))``.

    Args:
        reached: P*_k, the chance of this category or a higher one.
        short: Q*_{k+1}, the chance of this category or a lower one.
        gap: the last factor; 1 for the lowest and the highest category.

    >>> between(0.75, 0.75, 1 - math.exp(-2 * math.log(3)))
    0.5
    """
    return reached * short * gap


def graded_slope(a: Real, missed: Real, further: Real) -> Real:
    """``d log P_k/dθ = a (Q*_k − P*_{k+1})`` of a graded category; it follows from :func:`between`."""
    return a * (missed - further)


def graded_bend(a: Real, reached: Real, missed: Real, further: Real, short: Real) -> Real:
    """``d² log P_k/dθ² = −a² (P*_k Q*_k + P*_{k+1} Q*_{k+1})``."""
    return -a * a * (reached * missed + further * short)


def probability_at(theta: float, a: float, b: float, c: float, d: float) -> float:
    """Chance of a right answer for one candidate and one item, safe for any θ.

    >>> round(probability_at(0.0, 2.0, 0.0, 0.2, 1.0), 6)
    0.6
    """
    decay = math.exp(-min(max(logit(theta, a, b), -LOGIT_LIMIT), LOGIT_LIMIT))
    return response_curve(decay, c, d)

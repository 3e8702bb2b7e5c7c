"""Maximum likelihood, Bayes modal and Warm's weighted likelihood, with fences.

Plain kernels. A three-parameter likelihood can have several maxima: the highest point of a scan chooses the
neighbourhood, and the root of the score function there is found by bisection, which nothing can throw off.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Ints
from issmp_cat.irt import Parameters, answer_terms

__all__ = ["MAP", "ML", "WLE", "AbilityEstimate", "maximise", "score_terms"]

ML, MAP, WLE = 1, 2, 3
SCAN = 64
HALVINGS = 44  # 16 logits / 64 cells / 2⁴⁴: below rounding


class AbilityEstimate(NamedTuple):
    """θ and its standard error, logits."""

    theta: float
    se: float


def score_terms(
    theta: float, parameters: Parameters, items: Ints, scores: Ints, n: int
) -> tuple[float, float, float, float]:
    """Log-likelihood of the first ``n`` answers, its slope, Fisher information and Warm's J at θ."""
    log_likelihood = 0.0
    gradient = 0.0
    info = 0.0
    j = 0.0
    for k in range(n):
        log_chance, rise, item_info, item_j = answer_terms(parameters, items[k], scores[k], theta)
        log_likelihood += log_chance
        gradient += rise
        info += item_info
        j += item_j
    return log_likelihood, gradient, info, j


def _slope_of(method: int, theta: float, mean: float, sd: float, gradient: float, info: float, j: float) -> float:
    """Slope of what is maximised: the score function, plus the prior's (MAP) or Warm's weight (1989, eq. 8)."""
    if method == MAP:
        return gradient - (theta - mean) / (sd * sd)
    if method == WLE and info > 0.0:
        return gradient + 0.5 * j / info
    return gradient


def maximise(
    method: int,
    parameters: Parameters,
    items: Ints,
    scores: Ints,
    n: int,
    fences: tuple[float, float],
    prior: tuple[float, float],
) -> AbilityEstimate:
    """θ at the highest point between the fences, with its asymptotic standard error.

    Args:
        method: 1 ML (Birnbaum, 1968), 2 MAP (Samejima, 1969), 3 WLE (Warm, 1989).
        parameters: the bank.
        items: positions of the items answered; ``scores`` from 0 on. Shape at least ``(n,)``.
        n: how many answers count.
        fences: lowest and highest θ admitted, logits; all right or all wrong ends there under ML.
        prior: mean and SD of the population (MAP only).

    Returns:
        θ, and 1/√information there (with the prior's under MAP); infinite when there is no information.

    >>> from issmp_cat.irt import dichotomous
    >>> one, items = np.ones(2), np.array([0, 1])
    >>> rasch = dichotomous(one, np.array([-1.0, 1.0]), 0 * one, one)
    >>> abs(maximise(1, rasch, items, np.array([1, 0]), 2, (-4.0, 4.0), (0.0, 1.0)).theta) < 1e-12
    True
    """
    low, high = fences
    mean, sd = prior
    step = (high - low) / SCAN
    best = 0
    best_value = -np.inf
    log_weight = 0.0  # Warm's weight has no closed form with guessing: its logarithm is integrated along the scan
    before = 0.0
    for k in range(SCAN + 1):
        theta = low + k * step
        log_likelihood, gradient, info, j = score_terms(theta, parameters, items, scores, n)
        extra = _slope_of(method, theta, mean, sd, gradient, info, j) - gradient
        log_weight += 0.5 * step * (before + extra) if k > 0 else 0.0
        before = extra
        if log_likelihood + log_weight > best_value:
            best, best_value = k, log_likelihood + log_weight
    left = low + max(best - 1, 0) * step
    right = low + min(best + 1, SCAN) * step
    theta, info = _root(method, left, right, mean, sd, parameters, items, scores, n)
    if method == MAP:
        info += 1.0 / (sd * sd)
    return AbilityEstimate(theta, 1.0 / math.sqrt(info) if info > 0.0 else math.inf)


def _root(
    method: int,
    left: float,
    right: float,
    mean: float,
    sd: float,
    parameters: Parameters,
    items: Ints,
    scores: Ints,
    n: int,
) -> tuple[float, float]:
    """Where the slope changes sign from + to − between ``left`` and ``right``, and the Fisher information there.

    An end when it does not change. One call looks at both ends, halves, and looks at the root: compiled code holds
    everything it calls once for each call.
    """
    theta, info = left, 0.0
    for k in range(HALVINGS + 3):
        theta = left if k == 0 else right if k == 1 else 0.5 * (left + right)
        _, gradient, info, j = score_terms(theta, parameters, items, scores, n)
        uphill = _slope_of(method, theta, mean, sd, gradient, info, j)
        if (k == 0 and uphill <= 0.0) or (k == 1 and uphill >= 0.0) or k == HALVINGS + 2:
            break
        if k > 1 and uphill > 0.0:
            left = theta
        elif k > 1:
            right = theta
    return theta, info

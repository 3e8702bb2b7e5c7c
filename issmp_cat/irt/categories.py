"""One candidate, one item of any model: the chance of each score, and what a score says about θ.

Plain kernels, safe for any θ. Models: four-parameter logistic (``curves.py``), graded response (Samejima, 1969),
generalised partial credit (Muraki, 1992) with partial credit (Masters, 1982) as its case a = 1, nominal (Bock, 1972).
"""

from __future__ import annotations

import math

from issmp_cat.irt.curves import (
    between,
    fisher,
    graded_bend,
    graded_slope,
    log_odds,
    logit,
    probability_at,
    slope,
    slope_change,
)
from issmp_cat.irt.parameters import DICHOTOMOUS, GRADED, PARTIAL, Parameters

__all__ = ["answer_terms", "category_probability", "draw_score", "highest_score"]

# The smallest normal double: its logarithm exists.
LEAST_CHANCE = 2.0**-1022


def highest_score(parameters: Parameters, item: int) -> int:
    """The most that an item can be scored: 1 when it is right or wrong."""
    return int(parameters.first[item + 1] - parameters.first[item] - 1)


def category_probability(parameters: Parameters, item: int, score: int, theta: float) -> float:
    """Chance of a score.

    Args:
        parameters: the bank; ``item``: position in it.
        score: from 0 to :func:`highest_score`.
        theta: ability, logits.

    >>> import numpy as np
    >>> from issmp_cat.irt import dichotomous
    >>> one = np.ones(1)
    >>> float(round(category_probability(dichotomous(2 * one, 0 * one, 0.2 * one, one), 0, 1, 0.0), 6))
    0.6
    """
    if parameters.kind[item] == DICHOTOMOUS:
        a, b, c, d = parameters.a[item], parameters.b[item], parameters.c[item], parameters.d[item]
        return probability_at(theta, a, b, c, d) if score == 1 else probability_at(theta, -a, b, 1.0 - d, 1.0 - c)
    if parameters.kind[item] == GRADED:
        reached, short = _reached(parameters, item, score, theta), _missed(parameters, item, score + 1, theta)
        return between(reached, short, _gap(parameters, item, score))
    if parameters.kind[item] == PARTIAL:
        top, total = _partial_scale(parameters, item, theta)
        return math.exp(_climb(parameters, item, score, theta) - top) / total
    return _nominal_chance(parameters, item, score, theta)


def draw_score(parameters: Parameters, item: int, theta: float, draw: float) -> int:
    """The score that a uniform number stands for: the highest s with ``draw`` < P(score ≥ s), 0 if none.

    Args:
        parameters: the bank; ``item``: position in it.
        theta: ability, logits.
        draw: in [0, 1).
    """
    if parameters.kind[item] == DICHOTOMOUS:
        a, b, c, d = parameters.a[item], parameters.b[item], parameters.c[item], parameters.d[item]
        return 1 if draw < probability_at(theta, a, b, c, d) else 0
    reached = 0.0
    for score in range(highest_score(parameters, item), 0, -1):
        reached += category_probability(parameters, item, score, theta)
        if draw < reached:
            return score
    return 0


def answer_terms(parameters: Parameters, item: int, score: int, theta: float) -> tuple[float, float, float, float]:
    """What an answer adds: log P and its slope, and what the item adds: Fisher information and Warm's J.

    ``I = Σ P'²/P``, ``J = Σ P' P''/P`` over the categories (Warm, 1989, eq. 9, for two of them).
    """
    if parameters.kind[item] == DICHOTOMOUS:
        a, b, c, d = parameters.a[item], parameters.b[item], parameters.c[item], parameters.d[item]
        p = probability_at(theta, a, b, c, d)
        q = probability_at(theta, -a, b, 1.0 - d, 1.0 - c)
        steepness = slope(p, q, a, c, d)
        j = steepness * slope_change(p, steepness, a, c, d) / (p * q)
        if score == 1:
            return math.log(p), steepness / p, fisher(steepness, p, q), j
        return math.log(q), -steepness / q, fisher(steepness, p, q), j
    if parameters.kind[item] == GRADED:
        return _graded_terms(parameters, item, score, theta)
    if parameters.kind[item] == PARTIAL:
        return _partial_terms(parameters, item, score, theta)
    return _nominal_terms(parameters, item, score, theta)


def _reached(parameters: Parameters, item: int, score: int, theta: float) -> float:
    """P*: chance of at least ``score`` under the graded response model; 1 for 0, and 0 beyond the highest."""
    row = parameters.first[item] + score
    if score == 0:
        return 1.0
    if row == parameters.first[item + 1]:
        return 0.0
    return probability_at(theta, parameters.a[item], parameters.steps[row], 0.0, 1.0)


def _missed(parameters: Parameters, item: int, score: int, theta: float) -> float:
    """Q* = 1 − P*, without loss where P* rounds to 1."""
    row = parameters.first[item] + score
    if score == 0:
        return 0.0
    if row == parameters.first[item + 1]:
        return 1.0
    return probability_at(theta, -parameters.a[item], parameters.steps[row], 0.0, 1.0)


def _gap(parameters: Parameters, item: int, score: int) -> float:
    """``1 − exp(−a (b_{k+1} − b_k))``: the factor of a middle category's chance that does not depend on θ."""
    row = parameters.first[item] + score
    if score == 0 or row + 1 == parameters.first[item + 1]:
        return 1.0
    return -math.expm1(-logit(parameters.steps[row + 1], parameters.a[item], parameters.steps[row]))


def _graded_terms(parameters: Parameters, item: int, score: int, theta: float) -> tuple[float, float, float, float]:
    a = parameters.a[item]
    log_chance, gradient, info, j = 0.0, 0.0, 0.0, 0.0
    reached, missed = 1.0, 0.0
    for k in range(highest_score(parameters, item) + 1):
        further, short = _reached(parameters, item, k + 1, theta), _missed(parameters, item, k + 1, theta)
        chance = between(reached, short, _gap(parameters, item, k))
        rise = graded_slope(a, missed, further)
        bend = graded_bend(a, reached, missed, further, short)
        if k == score:
            log_chance, gradient = math.log(max(chance, LEAST_CHANCE)), rise
        # P' = P·rise and P'' = P (rise² + bend): nothing is divided by P.
        info += chance * rise * rise
        j += chance * rise * (rise * rise + bend)
        reached, missed = further, short
    return log_chance, gradient, info, j


def _climb(parameters: Parameters, item: int, score: int, theta: float) -> float:
    """Log-odds of ``score`` against 0 under partial credit: ``Σ a (θ − b_j)`` over the steps up to it."""
    total = 0.0
    for row in range(parameters.first[item] + 1, parameters.first[item] + score + 1):
        total += logit(theta, parameters.a[item], parameters.steps[row])
    return total


def _partial_scale(parameters: Parameters, item: int, theta: float) -> tuple[float, float]:
    """The largest of these log-odds, and the sum of all odds relative to it."""
    top = 0.0
    climb = 0.0
    for row in range(parameters.first[item] + 1, parameters.first[item + 1]):
        climb += logit(theta, parameters.a[item], parameters.steps[row])
        top = max(top, climb)
    total = math.exp(-top)
    climb = 0.0
    for row in range(parameters.first[item] + 1, parameters.first[item + 1]):
        climb += logit(theta, parameters.a[item], parameters.steps[row])
        total += math.exp(climb - top)
    return top, total


def _partial_terms(parameters: Parameters, item: int, score: int, theta: float) -> tuple[float, float, float, float]:
    """Under partial credit d log P_k/dθ = a (k − E), so I = a² Var and J = a³ times the third central moment."""
    a, begin = parameters.a[item], parameters.first[item]
    categories = highest_score(parameters, item) + 1
    top, total = _partial_scale(parameters, item, theta)
    expected = 0.0
    climb = 0.0
    for k in range(1, categories):
        climb += logit(theta, a, parameters.steps[begin + k])
        expected += k * math.exp(climb - top) / total
    log_chance, info, j = 0.0, 0.0, 0.0
    climb = 0.0
    for k in range(categories):
        climb += logit(theta, a, parameters.steps[begin + k]) if k > 0 else 0.0
        chance = math.exp(climb - top) / total
        rise = a * (k - expected)
        if k == score:
            log_chance = climb - top - math.log(total)
        info += chance * rise * rise
        j += chance * rise * rise * rise
    return log_chance, a * (score - expected), info, j


def _nominal_scale(parameters: Parameters, item: int, theta: float) -> tuple[float, float]:
    """The largest log-odds against category 0, and the sum of all odds relative to it."""
    top = 0.0
    for row in range(parameters.first[item] + 1, parameters.first[item + 1]):
        top = max(top, log_odds(theta, parameters.slopes[row], parameters.steps[row]))
    total = math.exp(-top)
    for row in range(parameters.first[item] + 1, parameters.first[item + 1]):
        total += math.exp(log_odds(theta, parameters.slopes[row], parameters.steps[row]) - top)
    return top, total


def _nominal_chance(parameters: Parameters, item: int, score: int, theta: float) -> float:
    """Chance of a category; the row of category 0 holds slope and intercept 0."""
    row = parameters.first[item] + score
    top, total = _nominal_scale(parameters, item, theta)
    return math.exp(log_odds(theta, parameters.slopes[row], parameters.steps[row]) - top) / total


def _nominal_terms(parameters: Parameters, item: int, score: int, theta: float) -> tuple[float, float, float, float]:
    """Under Bock's model d log P_k/dθ = s_k − E: I is the slopes' variance and J their third central moment.

    Bock (1972, eq. 18) for the slope; J = Σ P'P''/P with P'' = P ((s_k − E)² − Var), whose second part sums to 0.
    """
    begin, end = parameters.first[item], parameters.first[item + 1]
    top, total = _nominal_scale(parameters, item, theta)
    expected = 0.0
    for row in range(begin, end):
        odds = math.exp(log_odds(theta, parameters.slopes[row], parameters.steps[row]) - top)
        expected += parameters.slopes[row] * odds / total
    info, j = 0.0, 0.0
    for row in range(begin, end):
        chance = math.exp(log_odds(theta, parameters.slopes[row], parameters.steps[row]) - top) / total
        rise = parameters.slopes[row] - expected
        info += chance * rise * rise
        j += chance * rise * rise * rise
    own = begin + score
    log_chance = log_odds(theta, parameters.slopes[own], parameters.steps[own]) - top - math.log(total)
    return log_chance, parameters.slopes[own] - expected, info, j

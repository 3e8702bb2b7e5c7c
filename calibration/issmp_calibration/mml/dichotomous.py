"""The logistic model of right and wrong answers as calibration sees it.

Parameters of an item are its slope, its intercept and the logit of its guessing chance c (−∞ where nobody guesses).
The curve itself stands in ``issmp_cat.irt``; here are the table the E-step reads and the derivatives that the M-step
and the information matrix need, with respect to z = slope · θ + intercept and to the logit of c.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_cat.arrays import Floats
from issmp_cat.compiled import compile_kernels, jit
from issmp_cat.irt import category_probabilities, curves
from issmp_cat.irt.curves import LOGIT_LIMIT, difficulty, response_curve, slope, slope_change

__all__ = [
    "GUESS",
    "INTERCEPT",
    "LOWER",
    "NO_GUESSING",
    "N_PARAMETERS",
    "SLOPE",
    "UPPER",
    "expected_log_likelihood",
    "guessing",
    "log_prior",
    "natural",
    "probabilities",
    "scores",
]

SLOPE, INTERCEPT, GUESS = 0, 1, 2
N_PARAMETERS = 3
NO_GUESSING = -math.inf
# Beyond these an item says nothing more, or the answers do not hold it: it stays at the bound and its verdict says so.
LOWER = np.array([-10.0, -30.0, -8.0])
UPPER = np.array([10.0, 30.0, 2.0])

compile_kernels(curves.response_curve, curves.slope, curves.slope_change)


def guessing(logit_guess: Floats) -> Floats:
    """C from its logit.

    >>> guessing(np.array([-np.inf, 0.0]))
    array([0. , 0.5])
    """
    with np.errstate(over="ignore"):
        return response_curve(np.exp(-logit_guess), np.zeros_like(logit_guess), np.ones_like(logit_guess))


def natural(parameters: Floats) -> Floats:
    """a, b, c of each item. Shapes ``(items, 3)``."""
    a = parameters[:, SLOPE]
    return np.stack([a, difficulty(a, parameters[:, INTERCEPT]), guessing(parameters[:, GUESS])], axis=1)


def probabilities(parameters: Floats, nodes: Floats) -> Floats:
    """Chance of a wrong and of a right answer. Shape ``(nodes, items, 2)``."""
    a, b, c = natural(parameters).T
    return category_probabilities(nodes, a, b, c, np.ones_like(a))


def scores(parameters: Floats, nodes: Floats) -> Floats:
    """Derivatives of the log probability of each answer by slope, intercept and logit of c.

    Args:
        parameters: of the items. Shape ``(items, 3)``.
        nodes: abilities, logits. Shape ``(nodes,)``.

    Returns:
        Shape ``(items, categories, 3, nodes)``.
    """
    wrong, right = np.moveaxis(probabilities(parameters, nodes), -1, 0)
    c = guessing(parameters[:, GUESS])
    by_z = slope(right, wrong, 1.0, c, np.ones_like(c))
    by_guess = c * wrong
    table = np.empty((len(parameters), 2, N_PARAMETERS, len(nodes)))
    for category, (sign, chance) in enumerate(((-1.0, wrong), (1.0, right))):
        table[:, category, INTERCEPT] = (sign * by_z / chance).T
        table[:, category, SLOPE] = table[:, category, INTERCEPT] * nodes
        table[:, category, GUESS] = (sign * by_guess / chance).T
    return table


@jit(error_model="numpy")
def expected_log_likelihood(
    wrong: Any, right: Any, nodes: Any, parameters: Any, priors: Any, gradient: Any, information: Any
) -> float:
    """Log posterior of one item given expected counts, with its gradient and its negative second derivatives.

    Args:
        wrong: expected wrong answers at each node; ``right`` alike. Shape ``(nodes,)``.
        nodes: abilities, logits. Shape ``(nodes,)``.
        parameters: slope, intercept, logit of c. Shape ``(3,)``.
        priors: mean and precision by parameter. Shape ``(3, 2)``.
        gradient: written. Shape ``(3,)``.
        information: written. Shape ``(3, 3)``.
    """
    gradient[:] = 0.0
    information[:] = 0.0
    c = response_curve(math.exp(-parameters[2]), 0.0, 1.0)
    value = 0.0
    for node in range(nodes.size):
        if wrong[node] + right[node] == 0.0:
            continue
        theta = nodes[node]
        z = parameters[0] * theta + parameters[1]
        decay = math.exp(-min(max(z, -LOGIT_LIMIT), LOGIT_LIMIT))
        p = response_curve(decay, c, 1.0)
        q = response_curve(1.0 / decay, 0.0, 1.0 - c)
        value += right[node] * math.log(p) + wrong[node] * math.log(q)
        by_z = slope(p, q, 1.0, c, 1.0)
        by_guess = c * q
        pull = right[node] / p - wrong[node] / q
        # Ratios first: p² underflows where p does not.
        weight_z = right[node] * (by_z / p) ** 2 + wrong[node] * (by_z / q) ** 2
        weight_mixed = right[node] * (by_z / p) * (by_guess / p) + wrong[node] * (by_z / q) * c
        weight_guess = right[node] * (by_guess / p) ** 2 + wrong[node] * c * c
        zz = weight_z - pull * slope_change(p, by_z, 1.0, c, 1.0)
        mixed = weight_mixed + pull * c * by_z
        gradient[0] += pull * by_z * theta
        gradient[1] += pull * by_z
        gradient[2] += pull * by_guess
        information[0, 0] += zz * theta * theta
        information[1, 0] += zz * theta
        information[1, 1] += zz
        information[2, 0] += mixed * theta
        information[2, 1] += mixed
        information[2, 2] += weight_guess - pull * by_guess * (1.0 - 2.0 * c)
    information[0, 1], information[0, 2] = information[1, 0], information[2, 0]
    information[1, 2] = information[2, 1]
    return value + log_prior(parameters, priors, gradient, information)


@jit(error_model="numpy")
def log_prior(parameters: Any, priors: Any, gradient: Any, information: Any) -> float:
    """Add an item's priors to gradient and information; returns their log density up to a constant."""
    value = 0.0
    if priors[0, 1] > 0.0:
        if parameters[0] <= 0.0:
            return -math.inf
        distance = math.log(parameters[0]) - priors[0, 0]
        value -= 0.5 * priors[0, 1] * distance * distance
        gradient[0] -= priors[0, 1] * distance / parameters[0]
        information[0, 0] += priors[0, 1] * (1.0 - distance) / parameters[0] ** 2
    for which in range(1, 3):
        if priors[which, 1] > 0.0:
            distance = parameters[which] - priors[which, 0]
            value -= 0.5 * priors[which, 1] * distance * distance
            gradient[which] -= priors[which, 1] * distance
            information[which, which] += priors[which, 1]
    return value

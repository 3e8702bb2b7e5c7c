"""The M-step: each item's parameters that best explain its expected counts, by safeguarded Newton steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.dichotomous import LOWER, N_PARAMETERS, UPPER, expected_log_likelihood
from issmp_cat.arrays import Bools, Floats
from issmp_cat.compiled import jit

__all__ = ["complete_information", "maximise"]

STEPS = 20
HALVINGS = 12
# Newton's decrement is the squared distance to the maximum in standard errors; after the step that follows, it is
# squared again.
SETTLED = 1e-6


@jit(error_model="numpy")
def _solve(matrix: Any, right_side: Any, free: Any, answer: Any) -> bool:
    """Solve a positive definite 3 × 3 system by Cholesky, the free rows only; False when it is not definite."""
    size = right_side.size
    lower = np.zeros((size, size))
    for row in range(size):
        for column in range(row + 1):
            total = matrix[row, column] if free[row] and free[column] else (1.0 if row == column else 0.0)
            for k in range(column):
                total -= lower[row, k] * lower[column, k]
            if row > column:
                lower[row, column] = total / lower[column, column]
            elif total <= 1e-10 * abs(matrix[row, row]):
                return False
            else:
                lower[row, row] = math.sqrt(total)
    for row in range(size):
        total = right_side[row] if free[row] else 0.0
        for k in range(row):
            total -= lower[row, k] * answer[k]
        answer[row] = total / lower[row, row]
    for row in range(size - 1, -1, -1):
        for k in range(row + 1, size):
            answer[row] -= lower[k, row] * answer[k]
        answer[row] /= lower[row, row]
    return True


@jit(error_model="numpy")
def _direction(gradient: Any, information: Any, free: Any, step: Any) -> float:
    """Newton's step, damped until the matrix is definite; returns the decrement, gradient · step."""
    damped = information.copy()
    ridge = 1e-3
    while not _solve(damped, gradient, free, step):
        for k in range(step.size):
            damped[k, k] = max(information[k, k], 0.0) + ridge * (abs(information[k, k]) + 1.0)
        ridge *= 10.0
    decrement = 0.0
    for k in range(step.size):
        if free[k]:
            decrement += gradient[k] * step[k]
    return decrement


@jit(error_model="numpy")
def _maximise_item(
    wrong: Any,
    right: Any,
    nodes: Any,
    parameters: Any,
    free: Any,
    priors: Any,
    lower: Any,
    upper: Any,
    information: Any,
) -> None:
    """Climb from the given parameters, in place; leaves the information at the last point looked at."""
    size = parameters.size
    gradient, step = np.empty(size), np.empty(size)
    tried, moving = parameters.copy(), free.copy()
    value = expected_log_likelihood(wrong, right, nodes, parameters, priors, gradient, information)
    for _ in range(STEPS):
        for k in range(size):
            outward = (parameters[k] <= lower[k] and gradient[k] < 0) or (parameters[k] >= upper[k] and gradient[k] > 0)
            moving[k] = free[k] and not outward
        decrement = _direction(gradient, information, moving, step)
        share = 1.0
        for _halving in range(HALVINGS):
            for k in range(size):
                if moving[k]:
                    tried[k] = min(max(parameters[k] + share * step[k], lower[k]), upper[k])
            reached = expected_log_likelihood(wrong, right, nodes, tried, priors, gradient, information)
            if reached >= value - 1e-12 * abs(value):
                break
            share *= 0.5
        if reached < value - 1e-12 * abs(value):
            return
        parameters[:] = tried
        value = reached
        if decrement < SETTLED:
            return


@jit(error_model="numpy")
def _maximise(
    counts: Any, nodes: Any, parameters: Any, free: Any, priors: Any, lower: Any, upper: Any, information: Any
) -> None:
    for item in range(parameters.shape[0]):
        wrong, right = counts[2 * item], counts[2 * item + 1]
        _maximise_item(wrong, right, nodes, parameters[item], free, priors, lower, upper, information[item])


@jit(error_model="numpy")
def _complete(counts: Any, nodes: Any, parameters: Any, priors: Any, gradient: Any, information: Any) -> float:
    value = 0.0
    for item in range(parameters.shape[0]):
        value += expected_log_likelihood(
            counts[2 * item],
            counts[2 * item + 1],
            nodes,
            parameters[item],
            priors,
            gradient[item],
            information[item],
        )
    return value


def maximise(counts: Floats, nodes: Floats, parameters: Floats, free: Bools, priors: Floats) -> tuple[Floats, Floats]:
    """Items' best parameters for expected counts.

    Args:
        counts: expected answers of each code at each node. Shape ``(2 · items, nodes)``.
        nodes: abilities, logits. Shape ``(nodes,)``.
        parameters: where to start. Shape ``(items, 3)``.
        free: which parameters may move. Shape ``(3,)``.
        priors: mean and precision by parameter. Shape ``(3, 2)``.

    Returns:
        Parameters, shape ``(items, 3)``, and the complete-data information there, shape ``(items, 3, 3)``.
    """
    best = np.array(parameters, dtype=np.float64)
    information = np.empty((len(best), N_PARAMETERS, N_PARAMETERS))
    _maximise(counts, nodes, best, free, priors, LOWER, UPPER, information)
    return best, information


def complete_information(
    counts: Floats, nodes: Floats, parameters: Floats, priors: Floats
) -> tuple[float, Floats, Floats]:
    """Expected complete-data log posterior, its gradient and its negative second derivatives at given parameters.

    By Fisher's identity the gradient is that of the marginal log posterior when the counts are those expected at
    these parameters.

    Returns:
        Value; gradient, shape ``(items, 3)``; information, shape ``(items, 3, 3)``.
    """
    gradient = np.empty((len(parameters), N_PARAMETERS))
    information = np.empty((len(parameters), N_PARAMETERS, N_PARAMETERS))
    value = _complete(counts, nodes, np.ascontiguousarray(parameters), priors, gradient, information)
    return value, gradient, information

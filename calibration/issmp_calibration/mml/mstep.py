"""The M-step: each item's parameters that best explain its expected counts, by safeguarded Newton steps.

Values that items share follow in one Newton step over all their items, each item's own cells following along (an ECM
step: Meng & Rubin, 1993).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import linalg

from issmp_calibration.mml.design import Design
from issmp_calibration.mml.models.dispatch import expected
from issmp_calibration.mml.newton import direction, solve
from issmp_cat.arrays import Floats
from issmp_cat.compiled import jit

__all__ = ["complete_information", "maximise"]

STEPS = 20
HALVINGS = 12
# Newton's decrement is the squared distance to the maximum in standard errors; after the step that follows, it is
# squared again.
SETTLED = 1e-6


@jit(error_model="numpy")
def _add_prior(parameters: Any, mean: Any, precision: Any, on_log: Any, gradient: Any, information: Any) -> float:
    """Add an item's priors to gradient and information; returns their log density up to a constant."""
    value = 0.0
    for cell in range(parameters.size):
        if precision[cell] == 0.0:
            continue
        here = parameters[cell]
        if on_log[cell]:
            if here <= 0.0:
                return -math.inf
            distance = math.log(here) - mean[cell]
            gradient[cell] -= precision[cell] * distance / here
            information[cell, cell] += precision[cell] * (1.0 - distance) / here**2
        else:
            distance = here - mean[cell]
            gradient[cell] -= precision[cell] * distance
            information[cell, cell] += precision[cell]
        value -= 0.5 * precision[cell] * distance * distance
    return value


@jit(error_model="numpy")
def _look(
    kind: int,
    counts: Any,
    nodes: Any,
    parameters: Any,
    mean: Any,
    precision: Any,
    on_log: Any,
    gradient: Any,
    info: Any,
) -> float:
    """Expected complete-data log posterior of one item, with gradient and information."""
    value = expected(kind, counts, nodes, parameters, gradient, info)
    return value + _add_prior(parameters, mean, precision, on_log, gradient, info)


@jit(error_model="numpy")
def _climb_item(
    kind: int, counts: Any, nodes: Any, parameters: Any, free: Any, mean: Any, precision: Any, on_log: Any, lower: Any,
    upper: Any, gradient: Any, information: Any,
) -> float:  # fmt: skip
    """Climb from the given parameters, in place; leaves the information at the last point looked at."""
    size = parameters.size
    step, tried, moving = np.empty(size), parameters.copy(), free.copy()
    value = _look(kind, counts, nodes, parameters, mean, precision, on_log, gradient, information)
    for _ in range(STEPS):
        for k in range(size):
            outward = (parameters[k] <= lower[k] and gradient[k] < 0) or (parameters[k] >= upper[k] and gradient[k] > 0)
            moving[k] = free[k] and not outward
        decrement = direction(gradient, information, moving, step)
        share, reached = 1.0, -math.inf
        for _halving in range(HALVINGS):
            for k in range(size):
                if moving[k]:
                    tried[k] = min(max(parameters[k] + share * step[k], lower[k]), upper[k])
            reached = _look(kind, counts, nodes, tried, mean, precision, on_log, gradient, information)
            if reached >= value - 1e-12 * abs(value):
                break
            share *= 0.5
        if not reached >= value - 1e-12 * abs(value):
            # No step helps: back to where it stood, information and all.
            return _look(kind, counts, nodes, parameters, mean, precision, on_log, gradient, information)
        parameters[:] = tried
        value = reached
        if decrement < SETTLED:
            break
    return value


@jit(error_model="numpy")
def _climb(
    kind: Any, first: Any, counts: Any, nodes: Any, parameters: Any, free: Any, mean: Any, precision: Any, on_log: Any,
    lower: Any, upper: Any, gradient: Any, information: Any,
) -> float:  # fmt: skip
    """Every item on its own; returns the sum of what was reached."""
    value = 0.0
    for item in range(kind.size):
        value += _climb_item(
            kind[item], counts[first[item] : first[item + 1]], nodes, parameters[item], free[item], mean[item],
            precision[item], on_log[item], lower[item], upper[item], gradient[item], information[item],
        )  # fmt: skip
    return value


@jit(error_model="numpy")
def _complete(
    kind: Any, first: Any, counts: Any, nodes: Any, parameters: Any, mean: Any, precision: Any, on_log: Any,
    gradient: Any, information: Any,
) -> float:  # fmt: skip
    value = 0.0
    for item in range(kind.size):
        value += _look(
            kind[item], counts[first[item] : first[item + 1]], nodes, parameters[item], mean[item], precision[item],
            on_log[item], gradient[item], information[item],
        )  # fmt: skip
    return value


@jit(error_model="numpy")
def _profile(index: Any, n_own: int, gradient: Any, information: Any, slope: Any, bend: Any) -> None:
    """Add up gradient and information about the shared values, each item's own cells following along.

    Args:
        index: place of each cell; those from ``n_own`` on are shared.
        n_own: places of one cell alone.
        gradient: by item and cell; ``information`` alike.
        slope: added to. Shape ``(shared,)``; ``bend``: ``(shared, shared)``.
    """
    width = index.shape[1]
    follow, own = np.empty(width), np.empty(width, np.bool_)
    for item in range(index.shape[0]):
        for k in range(width):
            own[k] = 0 <= index[item, k] < n_own
        for k in range(width):
            place = index[item, k] - n_own
            if place < 0:
                continue
            slope[place] += gradient[item, k]
            fine = solve(information[item], information[item, :, k], own, follow)
            for j in range(width):
                other = index[item, j] - n_own
                if fine and own[j]:
                    slope[place] -= follow[j] * gradient[item, j]
                if other < 0:
                    continue
                bend[place, other] += information[item, k, j]
                for i in range(width):
                    if fine and own[i]:
                        bend[place, other] -= follow[i] * information[item, i, j]


def maximise(design: Design, counts: Floats, nodes: Floats, parameters: Floats) -> tuple[Floats, Floats]:
    """Items' best parameters for expected counts.

    Args:
        design: what the items are, and which of their cells are free.
        counts: expected answers of each code at each node. Shape ``(codes, nodes)``.
        nodes: abilities, logits. Shape ``(nodes,)``.
        parameters: where to start. Shape ``(items, width)``.

    Returns:
        Parameters, shape ``(items, width)``, and the complete-data information there, shape ``(items, width, width)``.
    """
    best = np.array(parameters, dtype=np.float64)
    gradient, information = _rooms(best)
    value = _climb_own(design, counts, nodes, best, gradient, information)
    if design.n_free > design.n_own:
        best, information = _move_shared(design, counts, nodes, best, gradient, information, value)
    return best, information


def _rooms(parameters: Floats) -> tuple[Floats, Floats]:
    items, width = parameters.shape
    return np.zeros((items, width)), np.zeros((items, width, width))


def _climb_own(
    design: Design, counts: Floats, nodes: Floats, best: Floats, gradient: Floats, information: Floats
) -> float:
    own = design.free & (design.index < design.n_own)
    return _climb(
        design.kind, design.first, counts, nodes, best, own, design.prior_mean, design.prior_precision, design.on_log,
        design.lower, design.upper, gradient, information,
    )  # fmt: skip


def _move_shared(
    design: Design, counts: Floats, nodes: Floats, best: Floats, gradient: Floats, information: Floats, value: float
) -> tuple[Floats, Floats]:
    """One Newton step of the shared values, halved until the items together gain."""
    n = design.n_free - design.n_own
    slope, bend = np.zeros(n), np.zeros((n, n))
    _profile(design.index, design.n_own, gradient, information, slope, bend)
    ridge = np.maximum(np.diagonal(bend), 0.0) + 1e-8
    try:
        step = linalg.solve(bend, slope, assume_a="pos")
    except linalg.LinAlgError:
        step = slope / ridge
    vector = design.pack(best)
    share = 1.0
    for _ in range(HALVINGS):
        moved = vector.copy()
        moved[design.n_own :] += share * step
        tried = design.unpack(moved, best)
        its_gradient, its_information = _rooms(best)
        reached = _climb_own(design, counts, nodes, tried, its_gradient, its_information)
        if reached >= value - 1e-12 * abs(value):
            return tried, its_information
        share *= 0.5
    return best, information


def complete_information(
    design: Design, counts: Floats, nodes: Floats, parameters: Floats
) -> tuple[float, Floats, Floats]:
    """Expected complete-data log posterior, its gradient and its negative second derivatives at given parameters.

    By Fisher's identity the gradient is that of the marginal log posterior when the counts are those expected at
    these parameters.

    Returns:
        Value; gradient, shape ``(items, width)``; information, shape ``(items, width, width)``.
    """
    gradient, information = _rooms(parameters)
    value = _complete(
        design.kind, design.first, counts, nodes, np.ascontiguousarray(parameters), design.prior_mean,
        design.prior_precision, design.on_log, gradient, information,
    )  # fmt: skip
    return value, gradient, information

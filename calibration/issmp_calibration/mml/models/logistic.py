"""Right or wrong: one to four parameters (Barton & Lord, 1981, eq. 1).

Cells: slope, intercept, logit of c, logit of 1 − d; z = slope · θ + intercept. The logit of an asymptote that is not
there is −∞.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.models.family import LOGISTIC, Family
from issmp_cat.arrays import Floats
from issmp_cat.compiled import compile_kernels, jit
from issmp_cat.irt import curves, difficulty, intercept
from issmp_cat.irt.curves import LOGIT_LIMIT, response_curve

__all__ = [
    "ABSENT",
    "CEILING",
    "FAMILY",
    "GUESS",
    "INTERCEPT",
    "SLOPE",
    "asymptote",
    "chances",
    "terms",
]

SLOPE, INTERCEPT, GUESS, CEILING = 0, 1, 2, 3
ABSENT = -math.inf
MIDDLE_GUESS, MIDDLE_SLIP = -1.4, -3.0  # logits of 0.2 and 0.05: where the searches for c and 1 − d start

compile_kernels(curves.response_curve)


@jit(error_model="numpy")
def chances(parameters: Any, theta: float, log_chance: Any) -> None:
    """Log probability of wrong and right."""
    z = min(max(parameters[0] * theta + parameters[1], -LOGIT_LIMIT), LOGIT_LIMIT)
    decay = math.exp(-z)
    c = response_curve(math.exp(-parameters[2]), 0.0, 1.0)
    miss = response_curve(math.exp(-parameters[3]), 0.0, 1.0)
    d = 1.0 - miss
    log_chance[1] = math.log(response_curve(decay, c, d))
    # 1 − P as the mirrored curve: P rounds to 1 long before 1 − P is 0.
    log_chance[0] = math.log(response_curve(1.0 / decay, miss, 1.0 - c))


@jit(error_model="numpy")
def terms(parameters: Any, theta: float, log_chance: Any, score: Any, curvature: Any) -> None:
    """Log probability of each score, its derivatives by the cells, and their derivatives."""
    z = min(max(parameters[0] * theta + parameters[1], -LOGIT_LIMIT), LOGIT_LIMIT)
    decay = math.exp(-z)
    c = response_curve(math.exp(-parameters[2]), 0.0, 1.0)
    miss = response_curve(math.exp(-parameters[3]), 0.0, 1.0)
    d = 1.0 - miss
    high, low = response_curve(decay, 0.0, 1.0), response_curve(1.0 / decay, 0.0, 1.0)
    span = d - c
    by_z = span * high * low
    by_c, by_miss = c * (1.0 - c) * low, -miss * d * high
    zz = by_z * (low - high)
    zc, zm = -c * (1.0 - c) * high * low, -miss * d * high * low
    cc, mm = by_c * (1.0 - 2.0 * c), by_miss * (1.0 - 2.0 * miss)
    for k in range(2):
        # Ratios first: P² underflows where P does not.
        chance = response_curve(decay, c, d) if k == 1 else response_curve(1.0 / decay, miss, 1.0 - c)
        log_chance[k] = math.log(chance)
        scale = (1.0 if k == 1 else -1.0) / chance
        rz, rc, rm = by_z * scale, by_c * scale, by_miss * scale
        score[k, 0], score[k, 1], score[k, 2], score[k, 3] = rz * theta, rz, rc, rm
        here = zz * scale - rz * rz
        curvature[k, 0, 0], curvature[k, 0, 1], curvature[k, 1, 1] = here * theta * theta, here * theta, here
        curvature[k, 1, 0] = here * theta
        here = zc * scale - rz * rc
        curvature[k, 0, 2], curvature[k, 2, 0] = here * theta, here * theta
        curvature[k, 1, 2], curvature[k, 2, 1] = here, here
        here = zm * scale - rz * rm
        curvature[k, 0, 3], curvature[k, 3, 0] = here * theta, here * theta
        curvature[k, 1, 3], curvature[k, 3, 1] = here, here
        curvature[k, 2, 2], curvature[k, 3, 3] = cc * scale - rc * rc, mm * scale - rm * rm
        curvature[k, 2, 3] = curvature[k, 3, 2] = -rc * rm


def asymptote(logit: Floats) -> Floats:
    """C from its logit, or 1 − d from its own.

    >>> asymptote(np.array([-np.inf, 0.0]))
    array([0. , 0.5])
    """
    with np.errstate(over="ignore"):
        return response_curve(np.exp(-logit), np.zeros_like(logit), np.ones_like(logit))


def _start(counts: Floats) -> Floats:
    """Difficulty from the share of right answers, slope 1."""
    start = np.empty((len(counts), 4))
    # 1.16 = √(1 + 1/1.7²): a population of SD 1 flattens the curve of the share right (Lord & Novick, 1968, 16.9.4).
    start[:, INTERCEPT] = 1.16 * np.log((counts[:, 1] + 0.5) / (counts[:, 0] + 0.5))
    start[:, SLOPE], start[:, GUESS], start[:, CEILING] = 1.0, MIDDLE_GUESS, MIDDLE_SLIP
    return start


def _natural(cells: Floats) -> tuple[Floats, Floats]:
    a, c, miss = cells[:, SLOPE], asymptote(cells[:, GUESS]), asymptote(cells[:, CEILING])
    b = difficulty(a, cells[:, INTERCEPT])
    jacobian = np.zeros((len(cells), 4, 4))
    jacobian[:, 0, SLOPE] = 1.0
    jacobian[:, 1, SLOPE], jacobian[:, 1, INTERCEPT] = -b / a, -1.0 / a
    jacobian[:, 2, GUESS], jacobian[:, 3, CEILING] = c * (1.0 - c), -miss * (1.0 - miss)
    return np.stack([a, b, c, 1.0 - miss], axis=1), jacobian


def _working(natural: Floats) -> Floats:
    a, b, c, d = natural
    with np.errstate(divide="ignore"):
        return np.array([a, intercept(a, b), np.log(c) - np.log1p(-c), np.log1p(-d) - np.log(d)])


FAMILY = Family(
    kind=LOGISTIC,
    cells=lambda _: ("slope", "intercept", "logit guessing", "logit slipping"),
    slopes=lambda _: (SLOPE,),
    start=_start,
    # c stays below d with room to spare.
    bounds=lambda _: np.array([[-10.0, -30.0, -8.0, -8.0], [10.0, 30.0, 2.0, -2.0]]),
    names=lambda _: ("a", "b", "c", "d"),
    natural=_natural,
    working=_working,
    shift=lambda _: np.array([[-1.0, SLOPE, -1.0, -1.0], [0.0, 1.0, 0.0, 0.0]]),
)

"""Slope and shift from means and standard deviations of the anchors' parameters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_calibration.linking.pairs import Pairs
from issmp_cat.arrays import Floats, Ints
from issmp_cat.errors import BankError
from issmp_cat.irt import DICHOTOMOUS, Parameters

__all__ = ["Solution", "locations", "mean_mean", "mean_sigma"]


class Solution(NamedTuple):
    """``θ_old = A θ_new + B``, and how A and B follow the anchors' parameters.

    Attributes:
        A: slope; ``B``: shift, logits.
        new: derivatives of (A, B) by a, b, c, d of each anchor in the new bank. Shape ``(2, items, 4)``;
            ``old``: in the old bank. Steps of items with several scores have no place here.
        criterion: the least value of what was minimised; None for moments.
    """

    A: float
    B: float
    new: Floats
    old: Floats
    criterion: float | None = None


def mean_mean(pairs: Pairs) -> Solution:
    """``A = mean(a_new) / mean(a_old)``, ``B = mean(b_old) − A mean(b_new)`` (Loyd & Hoover, 1980).

    Steps count as difficulties (Kolen & Brennan, 2014, ch. 6). With slopes of 1, A is 1.
    """
    new, old = pairs.new_parameters, pairs.old_parameters
    n = len(pairs)
    slope = float(new.a.mean() / old.a.mean())
    by_new, by_old = np.zeros((2, n, 4)), np.zeros((2, n, 4))
    if not pairs.slope_one:
        by_new[0, :, 0] = slope / (n * new.a.mean())
        by_old[0, :, 0] = -slope / (n * old.a.mean())
    return _with_shift(pairs, 1.0 if pairs.slope_one else slope, by_new, by_old)


def mean_sigma(pairs: Pairs) -> Solution:
    """``A = sd(b_old) / sd(b_new)``, ``B = mean(b_old) − A mean(b_new)`` (Marco, 1977).

    Steps count as difficulties (Kolen & Brennan, 2014, ch. 6). With slopes of 1, A is 1.

    Raises:
        BankError: all difficulties of a bank are equal.
    """
    n = len(pairs)
    by_new, by_old = np.zeros((2, n, 4)), np.zeros((2, n, 4))
    if pairs.slope_one:
        return _with_shift(pairs, 1.0, by_new, by_old)
    (b_new, _), (b_old, _) = locations(pairs.new_parameters), locations(pairs.old_parameters)
    sd_new, sd_old = float(b_new.std()), float(b_old.std())
    if min(sd_new, sd_old) <= 1e-9:
        raise BankError("mean/sigma", ["all anchors are equally difficult; their SD says nothing: use another method"])
    slope = sd_old / sd_new
    for gradient, parameters, sign, sd in (
        (by_new, pairs.new_parameters, -1.0, sd_new),
        (by_old, pairs.old_parameters, 1.0, sd_old),
    ):
        b, _ = locations(parameters)
        single = parameters.kind == DICHOTOMOUS
        gradient[0, single, 1] = sign * slope * (parameters.b[single] - b.mean()) / (len(b) * sd * sd)
    return _with_shift(pairs, slope, by_new, by_old)


def _with_shift(pairs: Pairs, slope: float, by_new: Floats, by_old: Floats) -> Solution:
    """Complete a solution by B and its derivatives."""
    new, old = pairs.new_parameters, pairs.old_parameters
    (b_new, _), (b_old, _) = locations(new), locations(old)
    for gradient in (by_new, by_old):
        gradient[1] = -b_new.mean() * gradient[0]
    by_new[1, new.kind == DICHOTOMOUS, 1] -= slope / len(b_new)
    by_old[1, old.kind == DICHOTOMOUS, 1] += 1.0 / len(b_old)
    return Solution(slope, float(b_old.mean() - slope * b_new.mean()), by_new, by_old)


def locations(parameters: Parameters) -> tuple[Floats, Ints]:
    """Every difficulty and step, logits, and the item each belongs to. Shapes ``(rows − items,)``."""
    rows = np.delete(np.arange(len(parameters.steps)), parameters.first[:-1])
    return parameters.steps[rows], np.searchsorted(parameters.first, rows, side="right") - 1

"""Slope and shift from means and standard deviations of the anchors' parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from issmp_calibration.linking.pairs import Pairs, names_of, width
from issmp_cat.arrays import Floats, Ints
from issmp_cat.bank import Item
from issmp_cat.bank.nominal import slope_and_place
from issmp_cat.errors import BankError
from issmp_cat.irt import NOMINAL, Parameters

__all__ = ["Solution", "by_names", "locations", "mean_mean", "mean_sigma"]

# Of central differences of a nominal item's slope and place by its slopes and intercepts, exact to about 1e-9.
STEP = 1e-5


class Solution(NamedTuple):
    """``θ_old = A θ_new + B``, and how A and B follow the anchors' parameters.

    Attributes:
        A: slope; ``B``: shift, logits.
        new: derivatives of (A, B) by each parameter of each anchor in the new bank, in the order of
            :func:`~issmp_calibration.linking.pairs.names_of`. Shape ``(2, items, width)``; ``old``: in the old bank.
        criterion: the least value of what was minimised; None for moments.
    """

    A: float
    B: float
    new: Floats
    old: Floats
    criterion: float | None = None


def mean_mean(pairs: Pairs) -> Solution:
    """``A = mean(a_new) / mean(a_old)``, ``B = mean(b_old) − A mean(b_new)`` (Loyd & Hoover, 1980).

    Steps count as difficulties (Kolen & Brennan, 2014, ch. 6), nominal items by their slope and place. With slopes of
    1, A is 1.
    """
    new, old = pairs.new_parameters, pairs.old_parameters
    if pairs.slope_one:
        return _solution(pairs, 1.0, _still(new), _still(old))
    slope = float(new.a.mean() / old.a.mean())
    (by_new, b_new), (by_old, b_old) = _still(new), _still(old)
    return _solution(pairs, slope, (by_new + slope / new.a.sum(), b_new), (by_old - slope / old.a.sum(), b_old))


def mean_sigma(pairs: Pairs) -> Solution:
    """``A = sd(b_old) / sd(b_new)``, ``B = mean(b_old) − A mean(b_new)`` (Marco, 1977).

    Steps count as difficulties (Kolen & Brennan, 2014, ch. 6), nominal items by their place. With slopes of 1, A is 1.

    Raises:
        BankError: all difficulties of a bank are equal.
    """
    new, old = pairs.new_parameters, pairs.old_parameters
    if pairs.slope_one:
        return _solution(pairs, 1.0, _still(new), _still(old))
    (b_new, _), (b_old, _) = locations(new), locations(old)
    sd_new, sd_old = float(b_new.std()), float(b_old.std())
    if min(sd_new, sd_old) <= 1e-9:
        raise BankError("mean/sigma", ["all anchors are equally difficult; their SD says nothing: use another method"])
    slope = sd_old / sd_new
    by_b = [
        sign * slope * (b - b.mean()) / (len(b) * sd * sd) for b, sd, sign in ((b_new, sd_new, -1), (b_old, sd_old, 1))
    ]
    return _solution(pairs, slope, (np.zeros(len(pairs)), by_b[0]), (np.zeros(len(pairs)), by_b[1]))


def _still(parameters: Parameters) -> tuple[Floats, Floats]:
    """A slope that nothing moves: its derivatives by every a and every location."""
    return np.zeros(len(parameters.a)), np.zeros(len(locations(parameters)[0]))


def _solution(pairs: Pairs, slope: float, by_new: tuple[Floats, Floats], by_old: tuple[Floats, Floats]) -> Solution:
    """Complete A and its derivatives, by a and by location, with B; all in terms of the items' own parameters."""
    b_new, b_old = (locations(p)[0] for p in (pairs.new_parameters, pairs.old_parameters))
    sides = []
    for items, parameters, (by_a, by_b), of_b in (
        (pairs.new, pairs.new_parameters, by_new, -slope / len(b_new)),
        (pairs.old, pairs.old_parameters, by_old, 1.0 / len(b_old)),
    ):
        turn = -b_new.mean()
        sides.append(by_names(items, parameters, np.stack([by_a, turn * by_a]), np.stack([by_b, turn * by_b + of_b])))
    return Solution(slope, float(b_old.mean() - slope * b_new.mean()), sides[0], sides[1])


def by_names(items: Sequence[Item], parameters: Parameters, by_a: Floats, by_b: Floats) -> Floats:
    """Derivatives by a and location as derivatives by what each item's parameters are. Shape ``(2, items, width)``."""
    whole = np.zeros((2, len(items), width(items)))
    _, owner = locations(parameters)
    place = np.arange(len(owner)) - np.searchsorted(owner, owner) + 1
    whole[:, owner, place] = by_b
    whole[:, :, 0] = by_a
    for k in np.flatnonzero(parameters.kind == NOMINAL).tolist():
        size = len(names_of(items[k]))
        at_b = by_b[:, np.searchsorted(owner, k)]
        whole[:, k, :] = 0.0
        both: Floats = np.stack([by_a[:, k], at_b], axis=1)
        whole[:, k, :size] = both @ _of_nominal(items[k])
    return whole


def _of_nominal(item: Item) -> Floats:
    """Derivatives of a nominal item's a and b by its slopes and intercepts. Shape ``(2, 2 × slopes)``."""
    own, n = np.array([*item.slopes, *item.intercepts]), len(item.slopes)

    def at(values: Floats) -> Floats:
        return np.array(slope_and_place(values[:n].tolist(), values[n:].tolist()))

    steps = STEP * np.eye(2 * n)
    return np.stack([(at(own + step) - at(own - step)) / (2.0 * STEP) for step in steps], axis=1)


def locations(parameters: Parameters) -> tuple[Floats, Ints]:
    """Every difficulty, step, and place of a nominal item, logits, and the item each belongs to. Shapes ``(n,)``."""
    rows = np.delete(np.arange(len(parameters.steps)), parameters.first[:-1])
    owner = np.searchsorted(parameters.first, rows, side="right") - 1
    nominal = parameters.kind[owner] == NOMINAL
    keep = ~nominal | (rows == parameters.first[owner] + 1)
    values = np.where(nominal, parameters.b[owner], parameters.steps[rows])
    return values[keep], owner[keep]

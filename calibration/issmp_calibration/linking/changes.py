"""How far each common item stands from where the link puts it, and which of them moved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_calibration.linking.curves import Points, expected_scores
from issmp_calibration.linking.moments import locations
from issmp_calibration.linking.pairs import Pairs
from issmp_cat.arrays import Bools, Floats

__all__ = ["SURE", "Changes", "changes", "rmsd", "robust_z", "sure_of_all"]

# IQR × 0.7413 is the SD of a normal sample; differences below 1e-6 are how files round.
NORMAL_IQR, ROUNDING = 0.7413, 1e-6
# Standard errors that 1 % of changes go beyond by sampling alone.
SURE = 2.58


class Changes(NamedTuple):
    """Old against linked new parameters, by item. Every array has shape ``(items,)``.

    Attributes:
        a: ``log(a_old) − log(a_new / A)``; 0 where slopes are 1.
        b: ``b_old − (A b_new + B)``, logits; for items with steps the step that moved most.
        z_a: robust z of ``a``; ``z_b``: of ``b``.
        in_se_a: ``a`` over its own standard error; ``in_se_b``: ``b`` over its own; NaN where it is not known.
        beyond_a: how far ``a`` is beyond the limits, 1 at them: the less of |z| over the limit and |a| in standard
            errors over 2.58, or the former alone; ``beyond_b``: of ``b``.
    """

    a: Floats
    b: Floats
    z_a: Floats
    z_b: Floats
    in_se_a: Floats
    in_se_b: Floats
    beyond_a: Floats
    beyond_b: Floats

    @property
    def worst(self) -> Floats:
        """The larger of ``beyond_a`` and ``beyond_b``: an item above 1 moved."""
        return np.maximum(self.beyond_a, self.beyond_b)


def robust_z(values: Floats, among: Bools) -> Floats:
    """Distance from the median in units of ``0.74 IQR`` (Huynh & Meyer, 2010).

    Args:
        values: one for each item; ``among``: which of them give median and IQR. Shapes ``(n,)``.

    >>> robust_z(np.array([-1.0, 0.0, 1.0, 2.0, 9.0]), np.ones(5, dtype=bool)).round(2)
    array([-1.35, -0.67,  0.  ,  0.67,  5.4 ])
    """
    low, middle, high = np.quantile(values[among], [0.25, 0.5, 0.75])
    z: Floats = (values - middle) / max(NORMAL_IQR * float(high - low), ROUNDING)
    return z


def changes(
    pairs: Pairs,
    slope: float,
    shift: float,
    among: Bools,
    limit: float,
    errors: tuple[Floats, Floats],
    sure: float = SURE,
) -> Changes:
    """Compare what both banks say of each item.

    Args:
        pairs: the items.
        slope: A; ``shift``: B, logits.
        among: the items whose differences give median and IQR. Shape ``(items,)``.
        limit: of the robust z.
        errors: standard errors of the changes of log a and of every location, NaN where not known.
        sure: of these, beyond which a change is no accident.
    """
    new, old = pairs.new_parameters, pairs.old_parameters
    a = np.log(old.a) - np.log(new.a) + np.log(slope)
    (b_new, owner), (b_old, _) = locations(new), locations(old)
    moved = b_old - (slope * b_new + shift)
    z = robust_z(moved, among[owner])
    z_a = robust_z(a, among)
    in_se_a, in_se = a / errors[0], moved / errors[1]
    beyond = _beyond(z, in_se, limit, sure)
    most = np.lexsort((-beyond, owner))[np.searchsorted(owner, np.arange(len(pairs)))]
    return Changes(a, moved[most], z_a, z[most], in_se_a, in_se[most], _beyond(z_a, in_se_a, limit, sure), beyond[most])


def _beyond(z: Floats, in_se: Floats, limit: float, sure: float) -> Floats:
    by_z: Floats = np.abs(z) / limit
    return np.fmin(by_z, np.abs(in_se) / sure)


def sure_of_all(in_se: Floats, rate: float) -> float:
    """Standard errors beyond which changes count, so that ``rate`` of those found are accidents.

    Benjamini & Hochberg (1995): the largest k with p_(k) ≤ k rate / m of m two-sided chances.

    Args:
        in_se: changes over their standard errors; NaN where not known.
        rate: expected share of accidents among what is found.

    >>> round(sure_of_all(np.array([0.5, -0.2, 6.0, 1.0]), 0.05), 2), round(sure_of_all(np.zeros(1000), 0.05), 2)
    (2.5, 4.06)
    """
    from scipy.special import ndtr, ndtri

    chance = np.sort(2.0 * ndtr(-np.abs(in_se[~np.isnan(in_se)])))
    if not len(chance):
        return SURE
    steps = rate * np.arange(1, len(chance) + 1) / len(chance)
    found = np.flatnonzero(chance <= steps)
    return float(-ndtri(steps[found[-1] if len(found) else 0] / 2.0))


def rmsd(pairs: Pairs, slope: float, shift: float, points: Points) -> Floats:
    """Root mean squared difference of the expected scores, points. Shape ``(items,)``.

    Args:
        pairs: the items.
        slope: A; ``shift``: B, logits.
        points: abilities of the old scale.
    """
    old = expected_scores(points.theta, pairs.old_parameters, pairs.earned)
    new = expected_scores((points.theta - shift) / slope, pairs.new_parameters, pairs.earned)
    apart: Floats = np.sqrt((old - new) ** 2 @ points.weight)
    return apart

"""How far each common item stands from where the link puts it, and which of them moved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_calibration.linking.curves import Points, expected_scores
from issmp_calibration.linking.moments import locations
from issmp_calibration.linking.pairs import Pairs
from issmp_cat.arrays import Bools, Floats

__all__ = ["Changes", "changes", "rmsd", "robust_z"]

# IQR × 0.7413 is the SD of a normal sample; differences below 1e-6 are how files round.
NORMAL_IQR, ROUNDING = 0.7413, 1e-6


class Changes(NamedTuple):
    """Old against linked new parameters, by item. Every array has shape ``(items,)``.

    Attributes:
        a: ``log(a_old) − log(a_new / A)``; 0 where slopes are 1.
        b: ``b_old − (A b_new + B)``, logits; for items with steps the step that moved farthest from the others.
        z_a: robust z of ``a``; ``z_b``: of ``b``.
    """

    a: Floats
    b: Floats
    z_a: Floats
    z_b: Floats

    @property
    def worst(self) -> Floats:
        """The larger of the two |z|."""
        return np.maximum(np.abs(self.z_a), np.abs(self.z_b))


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


def changes(pairs: Pairs, slope: float, shift: float, among: Bools) -> Changes:
    """Compare what both banks say of each item.

    Args:
        pairs: the items.
        slope: A; ``shift``: B, logits.
        among: the items whose differences give median and IQR. Shape ``(items,)``.
    """
    new, old = pairs.new_parameters, pairs.old_parameters
    a = np.log(old.a) - np.log(new.a) + np.log(slope)
    (b_new, owner), (b_old, _) = locations(new), locations(old)
    moved = b_old - (slope * b_new + shift)
    z = robust_z(moved, among[owner])
    farthest = np.lexsort((-np.abs(z), owner))[np.searchsorted(owner, np.arange(len(pairs)))]
    return Changes(a, moved[farthest], robust_z(a, among), z[farthest])


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

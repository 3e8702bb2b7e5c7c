"""How far sampling alone moves the common items between two calibrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from issmp_calibration.linking.moments import Solution, by_names, locations
from issmp_calibration.linking.pairs import Pairs, covariances, unknown_errors
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.bank import Item
from issmp_cat.irt import Parameters

__all__ = ["Errors", "Side", "link_covariance"]


@dataclass(frozen=True, slots=True)
class Side:
    """What one bank adds: derivatives times covariance, and the variances that follow.

    Attributes:
        a: derivatives of each ``log a`` by its item's parameters, times their covariance. Shape ``(items, width)``.
        b: the same of each location. Shape ``(locations, width)``.
        var_a: variance of each log a; ``var_b``: of each location, logits².
    """

    a: Floats
    b: Floats
    var_a: Floats
    var_b: Floats


def _side(items: Sequence[Item], parameters: Parameters) -> Side:
    values, owner = locations(parameters)
    whole = covariances(items)
    still = np.zeros((1, len(values)))
    by_a = by_names(items, parameters, 1.0 / parameters.a[np.newaxis], still)[0]
    by_b = np.zeros((len(values), by_a.shape[1]))
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    for number in range(int(place.max()) + 1):
        here = np.flatnonzero(place == number)
        one = np.zeros((1, len(values)))
        one[0, here] = 1.0
        by_b[here] = by_names(items, parameters, np.zeros((1, len(items))), one)[0][owner[here]]
    a, b = np.einsum("ip,ipq->iq", by_a, whole), np.einsum("lp,lpq->lq", by_b, whole[owner])
    return Side(a, b, (a * by_a).sum(axis=1), (b * by_b).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Errors:
    """Standard errors of the changes, by the delta method from both banks' covariances.

    Attributes:
        new: what the new bank adds; ``old``: the old one.
        known: items whose covariance both banks hold. Shape ``(items,)``.
        owner: item of each location. Shape ``(locations,)``.
    """

    new: Side
    old: Side
    known: Bools
    owner: Ints

    @classmethod
    def of(cls, pairs: Pairs) -> Errors:
        """What the covariances of both banks say."""
        unknown = {*unknown_errors(pairs.new), *unknown_errors(pairs.old)}
        known = np.array([item.id not in unknown for item in pairs.new], dtype=bool)
        owner = locations(pairs.new_parameters)[1]
        return cls(_side(pairs.new, pairs.new_parameters), _side(pairs.old, pairs.old_parameters), known, owner)

    def own(self, slope: float) -> tuple[Floats, Floats]:
        """Of log a, shape ``(items,)``, and of every location, shape ``(locations,)``, the link taken as exact.

        NaN where an error is not known, or is 0 because the parameter was not estimated.
        """
        return self._roots(self.new.var_a + self.old.var_a, self.old.var_b + slope**2 * self.new.var_b)

    def with_link(self, pairs: Pairs, kept: Bools, solution: Solution) -> tuple[Floats, Floats]:
        """As :meth:`own`, with the link's error and what it shares with the items it rests on.

        Args:
            pairs: all common items; ``kept``: those the link rests on, all with known covariance. Shape ``(items,)``.
            solution: the link.
        """
        slope, used = solution.A, pairs.only(kept)
        total = link_covariance(used, solution)
        b_new = locations(pairs.new_parameters)[0]
        # Derivatives of the changes by A and B: log a_old − log a_new + log A, and b_old − A b_new − B.
        by_a, by_b = np.array([1.0 / slope, 0.0]), np.stack([-b_new, np.full(len(b_new), -1.0)], axis=1)
        sides = ((self.new, solution.new, -1.0, -slope), (self.old, solution.old, 1.0, 1.0))
        var_a = self.new.var_a + self.old.var_a + by_a @ total @ by_a
        var_b = self.old.var_b + slope**2 * self.new.var_b + np.einsum("lk,km,lm->l", by_b, total, by_b)
        for side, gradient, of_a, of_b in sides:
            spread = np.zeros((2, len(kept), side.a.shape[1]))
            spread[:, kept, : gradient.shape[2]] = gradient
            var_a = var_a + 2.0 * of_a * (np.einsum("iq,kiq->ik", side.a, spread) @ by_a)
            shared = np.einsum("lq,klq->lk", side.b, spread[:, self.owner])
            var_b = var_b + 2.0 * of_b * (shared * by_b).sum(axis=1)
        return self._roots(var_a, var_b)

    def _roots(self, var_a: Floats, var_b: Floats) -> tuple[Floats, Floats]:
        estimated_a = self.known & (self.new.var_a + self.old.var_a > 0.0)
        estimated_b = self.known[self.owner] & (self.new.var_b + self.old.var_b > 0.0)
        return _root(var_a, estimated_a), _root(var_b, estimated_b)


def _root(variance: Floats, estimated: Bools) -> Floats:
    root: Floats = np.full(len(variance), np.nan)
    good = estimated & (variance > 0.0)
    root[good] = np.sqrt(variance[good])
    return root


def link_covariance(pairs: Pairs, solution: Solution) -> Floats:
    """Sampling covariance of A and B by the delta method, items and calibrations taken as independent. ``(2, 2)``."""
    total: Floats = sum(
        np.einsum("kip,ipq,liq->kl", gradient, covariances(items), gradient)
        for gradient, items in ((solution.new, pairs.new), (solution.old, pairs.old))
    )
    return total

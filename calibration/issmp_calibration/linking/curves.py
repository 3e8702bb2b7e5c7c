"""The anchors' curves as linking compares them: each once, with how it counts, and its slope beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.bank import Metric
from issmp_cat.irt import (
    DICHOTOMOUS,
    NOMINAL,
    Parameters,
    category_curves,
    category_probabilities,
    category_rates,
    select,
    slope,
)

__all__ = ["Curves", "Points", "expected_scores", "nudged", "points"]


class Points(NamedTuple):
    """Abilities at which curves are compared, logits, and their weights, which sum to 1. Shapes ``(points,)``."""

    theta: Floats
    weight: Floats


def points(metric: Metric, weights: str) -> Points:
    """Where the curves of a bank are compared.

    Args:
        metric: of the bank; mean and SD of its population are the origin and unit of the points.
        weights: "normal" takes 121 points to ±6 SD with the normal density, "uniform" 161 to ±4 SD, all alike.

    >>> normal = points(Metric(), "normal")
    >>> round(float(normal.weight @ normal.theta**2), 6)
    1.0
    """
    z = np.linspace(-6.0, 6.0, 121) if weights == "normal" else np.linspace(-4.0, 4.0, 161)
    density = np.exp(-0.5 * z * z) if weights == "normal" else np.ones_like(z)
    return Points(metric.latent_mean + metric.latent_sd * z, density / density.sum())


@dataclass(frozen=True, slots=True)
class Curves:
    """One bank's anchors: of a right-or-wrong item the chance to be right alone, of others every category.

    Attributes:
        single: right-or-wrong items, as a bank of their own; ``several``: the others.
        owner: the item each curve belongs to. Shape ``(curves,)``, as are the next two.
        earned: points that the curve's score earns.
        times: how often the curve counts where single curves are compared: 2 for the chance to be right, which stands
            for the chance to be wrong as well.
    """

    single: Parameters
    several: Parameters
    owner: Ints
    earned: Floats
    times: Floats

    @classmethod
    def of(cls, parameters: Parameters, earned: Floats) -> Curves:
        """The curves of a bank.

        Args:
            parameters: the bank's.
            earned: points of every score. Shape ``(rows,)``.
        """
        single, several = (np.flatnonzero(chosen) for chosen in _split(parameters))
        counts = np.diff(parameters.first)[several]
        rows = np.flatnonzero(np.repeat(_split(parameters)[1], np.diff(parameters.first)))
        right = parameters.first[single] + 1
        return cls(
            select(parameters, single),
            select(parameters, several),
            np.concatenate([single, np.repeat(several, counts)]),
            # Where wrong earns something too, only the difference moves with θ.
            np.concatenate([earned[right] - earned[right - 1], earned[rows]]),
            np.concatenate([np.full(len(single), 2.0), np.ones(len(rows))]),
        )

    def at(self, theta: Floats) -> Floats:
        """The curves. Shape ``(curves, points)``."""
        return self.rates(theta)[0]

    def rates(self, theta: Floats) -> tuple[Floats, Floats]:
        """The curves and their slopes by θ. Shapes ``(curves, points)``."""
        a, b, c, d = self.single[:4]
        wrong, right = np.moveaxis(category_probabilities(theta, a, b, c, d), -1, 0)
        rise = slope(right, wrong, a, c, d)
        if not len(self.several.a):
            return right.T, rise.T
        chance, rate = category_rates(theta, self.several)
        return np.concatenate([right.T, chance]), np.concatenate([rise.T, rate])


def _split(parameters: Parameters) -> tuple[Bools, Bools]:
    return parameters.kind == DICHOTOMOUS, parameters.kind != DICHOTOMOUS


def expected_scores(theta: Floats, parameters: Parameters, earned: Floats) -> Floats:
    """Expected points of each item at each ability. Shape ``(items, points)``.

    Args:
        theta: abilities, logits. Shape ``(points,)``.
        parameters: of the items; ``earned``: points of every score. Shape ``(rows,)``.
    """
    scores: Floats = np.add.reduceat(earned[:, None] * category_curves(theta, parameters), parameters.first[:-1])
    return scores


def nudged(parameters: Parameters, slot: int, by: float) -> Parameters:
    """One parameter of every item moved: that in place ``slot`` of its names (see ``pairs.names_of``).

    An item that has no such parameter stays.
    """
    single, nominal = parameters.kind == DICHOTOMOUS, parameters.kind == NOMINAL
    begin, most = parameters.first[:-1], np.diff(parameters.first) - 1
    if slot in (2, 3):
        parameters = parameters._replace(**{"cd"[slot - 2]: parameters[slot] + by * single})
    if slot == 0:
        parameters = parameters._replace(a=parameters.a + by * ~nominal)
    if slot == 1:
        parameters = parameters._replace(b=parameters.b + by * single)
    steps, slopes = parameters.steps.copy(), parameters.slopes.copy()
    stepped = ~nominal & (slot >= 1) & (slot <= most)
    steps[begin[stepped] + slot] += by
    rising = nominal & (slot < most)
    slopes[begin[rising] + slot + 1] += by
    standing = nominal & (most <= slot) & (slot < 2 * most)
    steps[begin[standing] + slot - most[standing] + 1] += by
    return parameters._replace(steps=steps, slopes=slopes)

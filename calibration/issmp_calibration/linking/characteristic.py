"""Slope and shift that bring characteristic curves together: Haebara by item, Stocking and Lord by test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from issmp_calibration.linking.moments import Solution, locations, mean_mean
from issmp_calibration.linking.pairs import NAMES, Pairs
from issmp_cat.arrays import Floats
from issmp_cat.bank import Metric
from issmp_cat.errors import NotConverged
from issmp_cat.irt import DICHOTOMOUS, Parameters, category_curves

__all__ = ["Criterion", "Points", "bring_together", "expected_scores", "points"]

# Of central differences: by θ, exact to about 1e-9; by a parameter, where only standard errors follow.
STEP, COARSE_STEP = 1e-4, 1e-3


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


class Side(NamedTuple):
    """One scale on which curves are compared: those of ``moving`` are taken at another ability, which A and B give."""

    still: Parameters
    moving: Parameters
    points: Points
    old: bool

    def place(self, slope: float, shift: float) -> tuple[Floats, Floats]:
        """The abilities on the moving scale, and their derivatives by A and B. Shapes ``(points,)``, ``(2, points)``.

        ``θ_new = (θ_old − B) / A`` on the old scale, ``θ_old = A θ_new + B`` on the new one.
        """
        theta = self.points.theta
        if self.old:
            place = (theta - shift) / slope
            return place, np.stack([-place / slope, np.full_like(theta, -1.0 / slope)])
        return slope * theta + shift, np.stack([theta, np.ones_like(theta)])


@dataclass(frozen=True, slots=True)
class Criterion:
    """What is minimised over A and B: weighted squared differences of curves.

    Haebara (1980) sums them over items, here over every category of every item (Kim & Lee, 2006); Stocking and Lord
    (1983) square the difference of the whole tests' expected scores.

    Attributes:
        pairs: the anchors.
        on_old: points of the old scale; ``on_new``: of the new one too, for the symmetric criterion.
        whole_test: Stocking–Lord if true, Haebara if not.
    """

    pairs: Pairs
    on_old: Points
    on_new: Points | None
    whole_test: bool

    def sides(self) -> tuple[Side, ...]:
        """The old scale, and the new one where the criterion is symmetric."""
        new, old = self.pairs.new_parameters, self.pairs.old_parameters
        first = Side(old, new, self.on_old, old=True)
        return (first,) if self.on_new is None else (first, Side(new, old, self.on_new, old=False))

    def residual(self, side: Side, slope: float, shift: float) -> Floats:
        """Differences of curves. Shape ``(curves, points)``: one curve a category, or one for the whole test."""
        place, _ = side.place(slope, shift)
        return self._gather(category_curves(side.points.theta, side.still) - category_curves(place, side.moving))

    def jacobian(self, side: Side, slope: float, shift: float) -> Floats:
        """Derivatives of the residual by A and B. Shape ``(2, curves, points)``."""
        place, by_constants = side.place(slope, shift)
        slopes: Floats = -self._gather(_steepness(place, side.moving)) * by_constants[:, None, :]
        return slopes

    def value(self, slope: float, shift: float) -> float:
        """The criterion: a weighted mean over points, of both scales where it is symmetric."""
        return sum(float((self.residual(s, slope, shift) ** 2 @ s.points.weight).sum()) for s in self.sides())

    def gradient(self, slope: float, shift: float) -> Floats:
        """Half the criterion's derivatives by A and B. Shape ``(2,)``."""
        parts = [
            (self.jacobian(s, slope, shift) * self.residual(s, slope, shift) @ s.points.weight).sum(axis=1)
            for s in self.sides()
        ]
        total: Floats = np.sum(parts, axis=0)
        return total

    def response(self, slope: float, shift: float, *, new: bool) -> Floats:
        """Derivatives of the gradient by a, b, c, d of each anchor in one bank. Shape ``(2, items, 4)``."""
        parts = np.zeros((2, len(self.pairs), len(NAMES)))
        for side in self.sides():
            weight, moves = side.points.weight, side.old == new
            place, by_constants = side.place(slope, shift)
            residual = self._spread(self.residual(side, slope, shift)) * weight
            jacobian = self._spread(self.jacobian(side, slope, shift)) * weight
            parameters, theta = (side.moving, place) if moves else (side.still, side.points.theta)
            for k, name in enumerate(NAMES):
                up, down = (_moved(parameters, name, sign * COARSE_STEP) for sign in (1.0, -1.0))
                rise = (category_curves(theta, up) - category_curves(theta, down)) / (2.0 * COARSE_STEP)
                rows = (jacobian * (-rise if moves else rise)).sum(axis=2)
                if moves:
                    turn = (_steepness(theta, up) - _steepness(theta, down)) / (2.0 * COARSE_STEP)
                    rows -= np.einsum("rq,rq,kq->kr", residual, turn, by_constants)
                parts[:, :, k] += np.add.reduceat(rows, parameters.first[:-1], axis=1)
        return parts

    def _gather(self, rows: Floats) -> Floats:
        """Categories as they are, or summed by their scores to one test. Shape ``(curves, points)``."""
        return (_scores(self.pairs.new_parameters) @ rows)[None] if self.whole_test else rows

    def _spread(self, curves: Floats) -> Floats:
        """The transpose of gathering. Shape ``(…, rows, points)``."""
        return _scores(self.pairs.new_parameters)[:, None] * curves if self.whole_test else curves


def bring_together(criterion: Criterion) -> Solution:
    """The A and B that minimise a criterion, from mean/mean or the medians' ratio on, whichever is lower.

    How A and B follow the parameters is the implicit function theorem on the criterion's gradient (Ogasawara, 2001).

    Raises:
        NotConverged: the search did not end.
    """
    from scipy.optimize import least_squares

    start = min(_starts(criterion.pairs), key=lambda constants: criterion.value(*constants))
    free = slice(1, 2) if criterion.pairs.slope_one else slice(0, 2)

    def constants(x: Floats) -> tuple[float, float]:
        return (1.0 if len(x) == 1 else math.exp(x[0])), float(x[-1])

    def residuals(x: Floats) -> Floats:
        parts = [criterion.residual(s, *constants(x)) * np.sqrt(s.points.weight) for s in criterion.sides()]
        return np.concatenate([part.ravel() for part in parts])

    def jacobians(x: Floats) -> Floats:
        parts = [criterion.jacobian(s, *constants(x)) * np.sqrt(s.points.weight) for s in criterion.sides()]
        whole = np.concatenate([part.reshape(2, -1) for part in parts], axis=1)
        whole[0] *= constants(x)[0]  # the search goes by log A, which keeps A above 0
        return whole[free].T

    begin = np.array([math.log(start[0]), start[1]])[free]
    found = least_squares(residuals, begin, jacobians, xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=200)
    slope, shift = constants(found.x)
    if found.status == 0 or not (math.isfinite(slope) and math.isfinite(shift)):
        raise NotConverged(f"linking: no minimum after 200 steps, at A = {slope:g}, B = {shift:g}: use mean_mean")
    return _with_derivatives(criterion, slope, shift, free)


def _starts(pairs: Pairs) -> list[tuple[float, float]]:
    """Mean/mean, and the same by medians, which a few wild items do not move."""
    means, new, old = mean_mean(pairs), pairs.new_parameters, pairs.old_parameters
    slope = 1.0 if pairs.slope_one else float(np.median(new.a) / np.median(old.a))
    shift = float(np.median(locations(old)[0]) - slope * np.median(locations(new)[0]))
    return [(means.A, means.B), (slope, shift)]


def _with_derivatives(criterion: Criterion, slope: float, shift: float, free: slice) -> Solution:
    h = STEP
    hessian = np.column_stack([
        (criterion.gradient(slope + h, shift) - criterion.gradient(slope - h, shift)) / (2.0 * h),
        (criterion.gradient(slope, shift + h) - criterion.gradient(slope, shift - h)) / (2.0 * h),
    ])  # fmt: skip
    inverse = np.zeros((2, 2))
    inverse[free, free] = np.linalg.inv(hessian[free, free])
    new, old = (
        -np.einsum("kl,lip->kip", inverse, criterion.response(slope, shift, new=side)) for side in (True, False)
    )
    return Solution(slope, shift, new, old, criterion.value(slope, shift))


def expected_scores(theta: Floats, parameters: Parameters) -> Floats:
    """Expected score of each item at each ability, points. Shape ``(items, points)``."""
    rows = _scores(parameters)[:, None] * category_curves(theta, parameters)
    scores: Floats = np.add.reduceat(rows, parameters.first[:-1])
    return scores


def _scores(parameters: Parameters) -> Floats:
    """The score of each row. Shape ``(rows,)``."""
    counts = np.diff(parameters.first)
    return (np.arange(len(parameters.steps)) - np.repeat(parameters.first[:-1], counts)).astype(np.float64)


def _steepness(theta: Floats, parameters: Parameters) -> Floats:
    """Derivatives of the category curves by θ, by central differences. Shape ``(rows, points)``."""
    return (category_curves(theta + STEP, parameters) - category_curves(theta - STEP, parameters)) / (2.0 * STEP)


def _moved(parameters: Parameters, name: str, by: float) -> Parameters:
    """One parameter of every item moved; b of right-or-wrong items only."""
    if name != "b":
        return parameters._replace(**{name: getattr(parameters, name) + by})
    single = parameters.kind == DICHOTOMOUS
    steps = parameters.steps.copy()
    steps[parameters.first[:-1][single] + 1] += by
    return parameters._replace(b=parameters.b + by * single, steps=steps)

"""Slope and shift that bring characteristic curves together: Haebara by item, Stocking and Lord by test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from issmp_calibration.linking.curves import Curves, Points, nudged
from issmp_calibration.linking.moments import Solution, locations, mean_mean
from issmp_calibration.linking.pairs import Pairs, width
from issmp_cat.arrays import Bools, Floats
from issmp_cat.errors import NotConverged

__all__ = ["ROUGH", "Criterion", "Meeting", "bring_together", "nearest_start"]

# Of central differences of analytic slopes: exact to about 1e-9.
STEP = 1e-5
# Of log A and B: a search ends when its step is below rounding; while anchors are screened, below what moves a z.
PRECISE, ROUGH, MOST_STEPS = 1e-13, 1e-7, 200
# Values that agree to this are equal: near the minimum the steps know more than the values. Steps of the second size
# that no longer halve are noise.
EQUAL, NOISE = 1e-10, 1e-8
SLOW = 0.25  # share of the step before, above which a step is slow


class Side(NamedTuple):
    """One scale on which curves are compared: those of ``moving`` are taken at another ability, which A and B give."""

    still: Curves
    moving: Curves
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
        new, old = (Curves.of(p, self.pairs.earned) for p in (self.pairs.new_parameters, self.pairs.old_parameters))
        first = Side(old, new, self.on_old, old=True)
        return (first,) if self.on_new is None else (first, Side(new, old, self.on_new, old=False))

    def value(self, slope: float, shift: float) -> float:
        """The criterion: a weighted mean over points, of both scales where it is symmetric."""
        return Meeting(self).at(slope, shift).value

    def gradient(self, slope: float, shift: float) -> Floats:
        """Half the criterion's derivatives by A and B. Shape ``(2,)``."""
        return Meeting(self).at(slope, shift).gradient

    def response(self, slope: float, shift: float, *, new: bool) -> Floats:
        """Derivatives of the gradient by each parameter of each anchor in one bank. Shape ``(2, items, width)``."""
        parameters = self.pairs.new_parameters if new else self.pairs.old_parameters
        parts = np.zeros((2, len(self.pairs), width(self.pairs.new)))
        for side in self.sides():
            place, by_constants = side.place(slope, shift)
            chance, rate = side.moving.rates(place)
            gap = side.still.at(side.points.theta) - chance
            count = side.still.earned if self.whole_test else side.still.times
            if self.whole_test:
                gap, rate = count @ gap, count @ rate
            moves, theta = (True, place) if side.old == new else (False, side.points.theta)
            for slot in range(parts.shape[2]):
                up, down = (
                    Curves.of(nudged(parameters, slot, sign * STEP), self.pairs.earned).rates(theta)
                    for sign in (1.0, -1.0)
                )
                rise, turn = ((high - low) / (2.0 * STEP) for high, low in zip(up, down, strict=True))
                change = turn * gap - rate * rise if moves else rate * rise
                rows = -((change * count[:, None]) @ (side.points.weight * by_constants).T)
                for k in range(2):
                    parts[k, :, slot] += np.bincount(side.still.owner, rows[:, k], len(self.pairs))
        return parts


class At(NamedTuple):
    """A criterion at one A and B: half its derivatives, and what they would be in a straight line (Gauss–Newton)."""

    value: float
    gradient: Floats
    hessian: Floats


class Meeting:
    """The search for A and B; remembers the curves where it stands, so that items can leave at no cost.

    Args:
        criterion: what is minimised.
    """

    def __init__(self, criterion: Criterion) -> None:
        self._criterion = criterion
        self._sides = criterion.sides()
        self._still = [side.still.at(side.points.theta) for side in self._sides]
        self._where: tuple[float, float] | None = None
        self._curves: list[tuple[Floats, Floats]] = []

    def at(self, slope: float, shift: float, kept: Bools | None = None) -> At:
        """The criterion of the items ``kept`` (all when None). Shape of ``kept``: ``(items,)``."""
        if self._where != (slope, shift):
            self._where = slope, shift
            self._curves = [side.moving.rates(side.place(slope, shift)[0]) for side in self._sides]
        value, gradient, hessian = 0.0, np.zeros(2), np.zeros((2, 2))
        for side, still, (chance, rate) in zip(self._sides, self._still, self._curves, strict=True):
            count = side.still.earned if self._criterion.whole_test else side.still.times
            if kept is not None:
                count = count * kept[side.still.owner]
            gap = still - chance
            if self._criterion.whole_test:
                far, steep = count @ gap, count @ rate
                sums = far * far, steep * far, steep * steep
            else:
                pairs = ((gap, gap), (rate, gap), (rate, rate))
                sums = tuple(np.einsum("r,rq,rq->q", count, one, other) for one, other in pairs)
            by_constants = side.place(slope, shift)[1]
            squared, crossed, straight = (side.points.weight * part for part in sums)
            value += float(squared.sum())
            gradient -= by_constants @ crossed
            hessian += (by_constants * straight) @ by_constants.T
        return At(value, gradient, hessian)

    def search(self, start: tuple[float, float], kept: Bools | None = None, precise: float = PRECISE) -> At:
        """Gauss's and Newton's steps by log A and B, damped while they lead uphill; ends in ``where``.

        Gauss and Newton's own curvature leaves out the residuals: where curves do not come together its steps shrink
        slowly, and the whole curvature takes its place.

        Raises:
            NotConverged: the search did not end.
        """
        free = slice(1, 2) if self._criterion.pairs.slope_one else slice(0, 2)
        slope, shift = start
        here, damping, before, whole = self.at(slope, shift, kept), 0.0, math.inf, False
        for _ in range(MOST_STEPS):
            uphill = here.gradient * (slope, 1.0)  # the search goes by log A, which keeps A above 0
            bend = self._bend(slope, shift, kept, here, whole=whole)[free, free]
            bend[np.diag_indices_from(bend)] *= 1.0 + damping
            step = np.zeros(2)
            step[free] = -np.linalg.lstsq(bend, uphill[free], rcond=None)[0]
            to = slope * math.exp(min(max(step[0], -1.0), 1.0)), shift + float(step[1])
            there = self.at(*to, kept)
            size = float(np.abs(step).max())
            small = size <= precise or (size <= NOISE and size > 0.5 * before)
            if there.value <= here.value * (1.0 + EQUAL) or small:
                whole = whole or size > SLOW * before
                (slope, shift), here, before = to, there, size
                damping = damping / 10.0 if damping > 1e-9 else 0.0
            elif damping > 1e12:  # no step goes down: as deep as rounding lets it
                small = True
                here = self.at(slope, shift, kept)
            else:
                damping = max(10.0 * damping, 1e-6)
            if small:
                return here
        raise NotConverged(
            f"linking: no minimum after {MOST_STEPS} steps, at A = {slope:g}, B = {shift:g}: use mean_mean"
        )

    def _bend(self, slope: float, shift: float, kept: Bools | None, here: At, *, whole: bool) -> Floats:
        """Half the second derivatives by log A and B, without those of the curves or with them. Shape ``(2, 2)``."""
        straight: Floats = here.hessian * np.outer((slope, 1.0), (slope, 1.0))
        if not whole:
            return straight

        def uphill(log_slope: float, at: float) -> Floats:
            moved = math.exp(log_slope)
            return self.at(moved, at, kept).gradient * (moved, 1.0)

        log_slope, h = math.log(slope), STEP
        bend = np.column_stack([
            (uphill(log_slope + h, shift) - uphill(log_slope - h, shift)) / (2.0 * h),
            (uphill(log_slope, shift + h) - uphill(log_slope, shift - h)) / (2.0 * h),
        ])  # fmt: skip
        bend = 0.5 * (bend + bend.T)
        return bend if np.linalg.eigvalsh(bend)[0] > 0.0 else straight

    @property
    def where(self) -> tuple[float, float]:
        """A and B where the search ended."""
        return self._where or (1.0, 0.0)


def bring_together(criterion: Criterion) -> Solution:
    """The A and B that minimise a criterion, from mean/mean or the medians' ratio on, whichever is lower.

    How A and B follow the parameters is the implicit function theorem on the criterion's gradient (Ogasawara, 2001).

    Raises:
        NotConverged: the search did not end.
    """
    meeting = Meeting(criterion)
    value = meeting.search(nearest_start(criterion, meeting)).value
    slope, shift = meeting.where
    h, free = STEP, slice(1, 2) if criterion.pairs.slope_one else slice(0, 2)
    hessian = np.column_stack([
        (meeting.at(slope + h, shift).gradient - meeting.at(slope - h, shift).gradient) / (2.0 * h),
        (meeting.at(slope, shift + h).gradient - meeting.at(slope, shift - h).gradient) / (2.0 * h),
    ])  # fmt: skip
    inverse = np.zeros((2, 2))
    inverse[free, free] = np.linalg.inv(hessian[free, free])
    new, old = (
        -np.einsum("kl,lip->kip", inverse, criterion.response(slope, shift, new=side)) for side in (True, False)
    )
    return Solution(slope, shift, new, old, value)


def nearest_start(criterion: Criterion, meeting: Meeting) -> tuple[float, float]:
    """Mean/mean, or the same by medians, which a few wild items do not move: whichever is lower."""
    pairs = criterion.pairs
    means, new, old = mean_mean(pairs), pairs.new_parameters, pairs.old_parameters
    slope = 1.0 if pairs.slope_one else float(np.median(new.a) / np.median(old.a))
    shift = float(np.median(locations(old)[0]) - slope * np.median(locations(new)[0]))
    return min([(means.A, means.B), (slope, shift)], key=lambda constants: meeting.at(*constants).value)

"""Figures with their Monte-Carlo uncertainty: another run of the same size would differ by about one ``se``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from issmp_cat.arrays import Bools, Floats
from issmp_cat.intervals import Z95, wilson

__all__ = ["Estimate", "mean_of", "proportion", "rmse_of", "share_of"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its Monte-Carlo standard error, and the ends of its 95 % interval."""

    value: float
    se: float
    low: float
    high: float

    def show(self, digits: int = 3, *, percent: bool = False) -> str:
        """For people.

        >>> proportion(620, 1000).show(1, percent=True)
        '62.0 % [59.0, 65.0]'
        """
        factor = 100.0 if percent else 1.0
        value, low, high = (f"{factor * number:.{digits}f}" for number in (self.value, self.low, self.high))
        return f"{value}{' %' if percent else ''} [{low}, {high}]"


def proportion(successes: int, trials: int) -> Estimate | None:
    """A share with its Wilson interval; None when there is nobody to count."""
    if trials == 0:
        return None
    share = successes / trials
    low, high = wilson(successes, trials)
    return Estimate(share, math.sqrt(share * (1.0 - share) / trials), low, high)


def mean_of(values: Floats) -> Estimate | None:
    """A mean with its normal interval; infinite values are left out, None when nothing is left."""
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return None
    value = float(finite.mean())
    se = float(finite.std(ddof=1)) / math.sqrt(len(finite)) if len(finite) > 1 else 0.0
    return Estimate(value, se, value - Z95 * se, value + Z95 * se)


def rmse_of(errors: Floats) -> Estimate | None:
    """Root mean squared error; its standard error by the delta method from that of the mean square."""
    square = mean_of(errors * errors)
    if square is None:
        return None
    value = math.sqrt(square.value)
    se = square.se / (2.0 * value) if value > 0 else 0.0
    return Estimate(value, se, max(value - Z95 * se, 0.0), value + Z95 * se)


def share_of(hits: Bools) -> Estimate | None:
    """The share of true values, with its Wilson interval."""
    return proportion(int(np.count_nonzero(hits)), len(hits))

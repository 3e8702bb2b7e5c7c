"""From sums to statistics: correlations, reliability, medians."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass

import numpy as np

from issmp_calibration.log.sums import Sums
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.responses import ResponseLog

__all__ = ["TestStatistics", "ability_groups", "correlation", "describe_test", "median_times", "ratio"]


@dataclass(frozen=True, slots=True)
class TestStatistics:
    """The raw score over all candidates with a scored operational answer.

    Attributes:
        candidates: how many.
        items: operational items that somebody saw.
        mean, sd: of the raw score, points; the SD with ``n − 1``.
        lowest, highest: range of the raw score.
        alpha: Cronbach's α, for 0/1 items the same as KR-20 (Kuder & Richardson, 1937, formula 20); None where
            candidates took different items, for then there is no one raw score.
        sem: standard error of measurement, ``sd √(1 − α)``, points.
    """

    __test__ = False  # a name that pytest would collect

    candidates: int
    items: int
    mean: float
    sd: float
    lowest: int
    highest: int
    alpha: float | None
    sem: float | None

    def to_dict(self) -> dict[str, float | int | None]:
        """Plain values, None in place of NaN."""
        return {name: None if value is None or np.isnan(value) else value for name, value in asdict(self).items()}


def ability_groups(raw: Ints, possible: Ints, groups: int) -> Ints:
    """Ability group of each candidate, from 0, by share of the points to be had. Shape ``(persons,)``."""
    share = ratio(raw.astype(np.float64), possible.astype(np.float64))
    cuts = np.nanquantile(share, np.arange(1, groups) / groups) if possible.any() else np.zeros(groups - 1)
    return np.searchsorted(cuts, np.nan_to_num(share), side="left").astype(np.int64)


def correlation(sums: Sums) -> Floats:
    """Pearson's r of score and rest score, by item; NaN where one of them does not vary."""
    n = np.maximum(sums.pairs, 1.0)
    covariance = sums.xr - sums.x * sums.r / n
    spread = (sums.xx - sums.x**2 / n) * (sums.rr - sums.r**2 / n)
    return ratio(covariance, np.sqrt(np.where(spread > 1e-12 * n, spread, 0.0)))


def describe_test(raw: Ints, answered: Ints, sums: Sums, operational: Bools) -> TestStatistics:
    """The raw score's distribution and reliability."""
    took = answered > 0
    seen = operational & (sums.scored > 0)
    k, scores = int(seen.sum()), raw[took]
    if not took.any():
        return TestStatistics(0, k, np.nan, np.nan, 0, 0, None, None)
    sd = float(scores.std(ddof=1)) if len(scores) > 1 else 0.0
    alpha = None
    if bool((answered[took] == k).all()) and k > 1 and sd > 0:
        n = len(scores)
        variance = (sums.xx - sums.x**2 / n)[seen].sum() / (n - 1)
        alpha = float(k / (k - 1) * (1 - variance / sd**2))
    sem = None if alpha is None else sd * float(np.sqrt(max(0.0, 1 - alpha)))
    return TestStatistics(len(scores), k, float(scores.mean()), sd, int(scores.min()), int(scores.max()), alpha, sem)


def median_times(log: ResponseLog) -> tuple[Floats, Ints]:
    """Median time and number of answers without one, by item."""
    median = np.full(log.n_items, np.nan)
    if log.seconds is None:
        return median, np.zeros(log.n_items, dtype=np.int64)
    missing = np.isnan(log.seconds)
    order = np.argsort(log.item[~missing], kind="stable")
    times, items = log.seconds[~missing][order], log.item[~missing][order]
    ends = np.searchsorted(items, np.arange(log.n_items + 1))
    for place, (first, last) in enumerate(itertools.pairwise(ends)):
        if last > first:
            median[place] = np.median(times[first:last])
    return median, np.bincount(log.item[missing], minlength=log.n_items)


def ratio(above: Floats, below: Floats) -> Floats:
    """A quotient, NaN where the divisor is 0."""
    quotient = np.full(len(above), np.nan)
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient

"""What a study keeps of its candidates once they are counted: sums by ability, histograms, exposure, a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from issmp_cat import Exam
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.errors import UsageError
from issmp_simulations.estimates import Estimate, proportion
from issmp_simulations.run import Exams

__all__ = [
    "Bands",
    "Exposure",
    "Histogram",
    "PretestUse",
    "Sample",
    "bands_of",
    "histogram_of",
    "sample_of",
    "scores_of",
]

# θ bands of a quarter logit, from the cut outwards until −4 and 4 are reached; the outer ones hold everyone beyond.
# They come in groups of eight, so that bands of 2 logits have an edge at the cut too.
WIDTH, REACH, GROUP = 0.25, 4.0, 8
SAMPLE = 1_000


@dataclass(frozen=True, slots=True)
class Bands:
    """Sums over the candidates of each band of true θ, so that bands can be merged without loss.

    Attributes:
        cut: θ of the pass mark, an edge between two bands, logits; ``below``: how many bands lie below it.
        n: candidates; ``passed`` of them passed, ``correct`` of them rightly passed or failed.
        error: sum of θ estimated minus θ, logits; ``error2`` and ``error4`` of its powers.
        se: sum of the standard errors; ``se2`` of their squares.
        length: sum of the test lengths; ``length2`` of their squares.
    """

    cut: float
    below: int
    n: tuple[int, ...]
    passed: tuple[int, ...]
    correct: tuple[int, ...]
    error: tuple[float, ...]
    error2: tuple[float, ...]
    error4: tuple[float, ...]
    se: tuple[float, ...]
    se2: tuple[float, ...]
    length: tuple[float, ...]
    length2: tuple[float, ...]

    def rows(self, width: float = WIDTH) -> list[dict[str, Any]]:
        """Figures by band; bands without candidates are left out.

        Args:
            width: 0.25, 0.5, 1 or 2 logits.

        Raises:
            UsageError: another width.
        """
        if width not in (0.25, 0.5, 1.0, 2.0):
            raise UsageError(f"θ bands are 0.25, 0.5, 1 or 2 logits wide, not {width:g}")
        merged = round(width / WIDTH)
        sums = {name: np.array(getattr(self, name)).reshape(-1, merged).sum(axis=1) for name in SUMS}
        rows = []
        for k, count in enumerate(map(int, sums["n"])):
            if count == 0:
                continue
            low = round(self.cut + k * width - self.below * WIDTH, 10)
            cell = {name: float(values[k]) for name, values in sums.items()}
            rows.append(
                {
                    "theta": round(low + width / 2.0, 10),
                    "low": low,
                    "high": round(low + width, 10),
                    "n": count,
                    "pass_rate": proportion(int(cell["passed"]), count),
                    "accuracy": proportion(int(cell["correct"]), count),
                    "bias": _mean(cell["error"], cell["error2"], count),
                    "rmse": _root(_mean(cell["error2"], cell["error4"], count)),
                    "mean_se": _mean(cell["se"], cell["se2"], count),
                    "mean_length": _mean(cell["length"], cell["length2"], count),
                }
            )
        return rows


SUMS = tuple(name for name in Bands.__slots__ if name not in ("cut", "below"))


def _mean(total: float, squares: float, n: int) -> Estimate:
    mean = total / n
    variance = max(squares / n - mean * mean, 0.0) * (n / (n - 1) if n > 1 else 0.0)
    se = (variance / n) ** 0.5
    return Estimate(mean, se, mean - 1.96 * se, mean + 1.96 * se)


def _root(square: Estimate) -> Estimate:
    """The root of a mean square; its standard error by the delta method."""
    root = square.value**0.5
    se = square.se / (2.0 * root) if root > 0 else 0.0
    return Estimate(root, se, max(root - 1.96 * se, 0.0), root + 1.96 * se)


def bands_of(exams: Exams, cut: float) -> Bands:
    """Sum over bands of true θ; candidates without a finite standard error are left out of its sums."""
    below, above_cut = (GROUP * max(1, math.ceil((REACH + side * cut) / (GROUP * WIDTH))) for side in (1, -1))
    bands = below + above_cut
    # Counted from the cut, so that who is exactly there falls into the band above, as the decision has it.
    band = np.clip(np.floor((exams.ability - cut) / WIDTH).astype(np.int64) + below, 0, bands - 1)
    passed, above = exams.passed, exams.ability >= cut
    error = exams.theta - exams.ability
    se = np.where(np.isfinite(exams.se), exams.se, 0.0)
    length = exams.length.astype(np.float64)

    def whole(weights: Any = None) -> tuple[int, ...]:
        return tuple(map(int, np.bincount(band, weights, minlength=bands)))

    def real(weights: Floats) -> tuple[float, ...]:
        return tuple(map(float, np.bincount(band, weights, minlength=bands)))

    return Bands(
        cut=float(cut),
        below=below,
        n=whole(),
        passed=whole(passed),
        correct=whole(passed == above),
        error=real(error),
        error2=real(error**2),
        error4=real(error**4),
        se=real(se),
        se2=real(se**2),
        length=real(length),
        length2=real(length**2),
    )


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many candidates had each whole number."""

    values: tuple[int, ...]
    counts: tuple[int, ...]

    def quantile(self, share: float) -> int:
        """The smallest number that at least this share does not exceed."""
        reached = np.cumsum(self.counts) >= share * sum(self.counts)
        return self.values[int(np.argmax(reached))]

    def binned(self, width: int) -> dict[int, int]:
        """Counts by bins of ``width``, by the bin's lower end."""
        if width < 1:
            raise UsageError(f"bins are at least 1 wide, not {width}")
        bins: dict[int, int] = {}
        for value, count in zip(self.values, self.counts, strict=True):
            bins[value // width * width] = bins.get(value // width * width, 0) + count
        return bins

    def between(self, edges: Sequence[int]) -> list[int]:
        """Counts from each edge up to, but not at, the next; the last bin holds its upper edge too."""
        counts, _ = np.histogram(self.values, bins=np.array(edges), weights=np.array(self.counts))
        return [int(count) for count in counts]


def histogram_of(numbers: Ints) -> Histogram:
    """Count whole numbers."""
    values, counts = np.unique(numbers, return_counts=True)
    return Histogram(tuple(map(int, values)), tuple(map(int, counts)))


def scores_of(exam: Exam, theta: Floats, passed: Bools) -> Ints:
    """Points on the reporting scale, by the engine's own rule and what was decided. Shape ``(persons,)``."""
    score = exam.scale.score
    return np.array([score(float(one), passed=bool(so)) for one, so in zip(theta, passed, strict=True)], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class PretestUse:
    """How often items were tried out.

    Attributes:
        slots: unscored questions a candidate; ``n``: candidates.
        items: ids of the pretest items; ``counts`` how many candidates answered each; ``wanted`` the answers wanted.
    """

    slots: int
    n: int
    items: tuple[str, ...]
    counts: tuple[int, ...]
    wanted: tuple[int, ...]

    @property
    def filled(self) -> float:
        """Share of all slots in which an item was tried out; the clock, or want of an item, leaves the others empty.

        >>> PretestUse(slots=2, n=10, items=("a", "b"), counts=(10, 5), wanted=(400, 200)).filled
        0.75
        """
        return sum(self.counts) / (self.slots * self.n)

    @property
    def candidates_needed(self) -> float:
        """How many such candidates bring every item its answers, at the rates found; infinite where one has none."""
        return max((w * self.n / c if c else math.inf) for c, w in zip(self.counts, self.wanted, strict=True))


@dataclass(frozen=True, slots=True)
class Exposure:
    """How often items were used.

    Attributes:
        items: ids of the operational items; ``domains`` theirs, ``counts`` how many candidates saw each.
        n: candidates; ``length`` their mean test length.
    """

    items: tuple[str, ...]
    domains: tuple[str, ...]
    counts: tuple[int, ...]
    n: int
    length: float

    @property
    def rates(self) -> Floats:
        """Share of candidates who saw each item."""
        return np.array(self.counts) / self.n

    @property
    def maximum(self) -> Estimate:
        """The largest rate, with the uncertainty of that item's rate."""
        found = proportion(max(self.counts), self.n)
        assert found is not None, "a study has candidates"  # noqa: S101 - narrows the type
        return found

    @property
    def mean(self) -> float:
        """Mean rate: test length over bank size."""
        return float(self.rates.mean())

    @property
    def never_used(self) -> float:
        """Share of the items that nobody saw."""
        return float(np.mean(np.array(self.counts) == 0))

    @property
    def overlap(self) -> float:
        """Share of a test that two candidates have in common, on average over all pairs (Way, 1998)."""
        counts = np.array(self.counts, dtype=np.float64)
        if self.n < 2 or self.length == 0:
            return 0.0
        return float((counts * (counts - 1.0)).sum() / (self.n * (self.n - 1.0)) / self.length)

    @property
    def chi_square(self) -> float:
        """Unevenness of use, ``Σ (rate − mean)² / mean`` (Chang & Ying, 1999, eq. 11); 0 when all are used alike."""
        mean = self.mean
        return float(((self.rates - mean) ** 2).sum() / mean) if mean > 0 else 0.0

    def as_dict(self) -> Mapping[str, float]:
        """The figures by name."""
        return {
            "exposure_maximum": self.maximum.value,
            "exposure_mean": self.mean,
            "never_used": self.never_used,
            "overlap": self.overlap,
            "exposure_chi_square": self.chi_square,
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """The first candidates one by one: true θ, estimate, standard error (logits), length."""

    ability: tuple[float, ...]
    theta: tuple[float, ...]
    se: tuple[float | None, ...]
    length: tuple[int, ...]


def sample_of(exams: Exams) -> Sample:
    """The first thousand; an infinite standard error is None."""
    return Sample(
        ability=tuple(map(float, exams.ability[:SAMPLE])),
        theta=tuple(map(float, exams.theta[:SAMPLE])),
        se=tuple(float(se) if np.isfinite(se) else None for se in exams.se[:SAMPLE]),
        length=tuple(map(int, exams.length[:SAMPLE])),
    )

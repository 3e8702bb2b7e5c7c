"""Populations that candidates come from, as the estimators need them.

A normal population is two numbers a candidate; any other is a log density at the nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.about import About
from issmp_calibration.log.faults import counted
from issmp_calibration.ungrouped import OWN_GROUP, said_of
from issmp_cat.arrays import Floats, Ints
from issmp_cat.errors import ResponseLogError, UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["GroupPrior", "HistogramPrior", "One", "Prior", "PriorLike", "RegressionPrior", "resolve_prior"]

LOWEST = -700.0  # log weight of what a histogram says nobody has


@dataclass(frozen=True, slots=True)
class HistogramPrior:
    """A population given by its density at some abilities, as an empirical histogram has it.

    Between the abilities the log density is a straight line, beyond them it is −∞.

    Attributes:
        nodes: abilities, logits, ascending; at least two.
        weights: of the population there, in any unit, not negative.
    """

    nodes: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        nodes, weights = np.asarray(self.nodes, float), np.asarray(self.weights, float)
        sound = len(nodes) == len(weights) >= 2 and np.all(np.diff(nodes) > 0.0) and np.isfinite(nodes).all()
        if not sound or not np.isfinite(weights).all() or weights.min() < 0.0 or not weights.max() > 0.0:
            raise UsageError(
                "a histogram prior needs two or more ascending abilities with a weight ≥ 0 each, not all 0"
            )

    def log_density(self, theta: Floats) -> Floats:
        """Log of the weight at each ability. Shape as ``theta``.

        >>> HistogramPrior((-1.0, 0.0, 1.0), (1.0, 2.0, 1.0)).log_density(np.array([0.0, 2.0])).round(3)
        array([0.693,  -inf])
        """
        with np.errstate(divide="ignore"):
            log = np.maximum(np.log(self.weights), LOWEST)
        found: Floats = np.interp(theta, self.nodes, log, left=-np.inf, right=-np.inf)
        return np.where(found > LOWEST, found, -np.inf)

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and SD, logits."""
        nodes, share = np.asarray(self.nodes), np.asarray(self.weights) / np.sum(self.weights)
        mean = float(share @ nodes)
        return mean, float(np.sqrt(share @ (nodes - mean) ** 2))


One: TypeAlias = "tuple[float, float] | HistogramPrior"


@dataclass(frozen=True, slots=True)
class GroupPrior:
    """A population for each group of candidates.

    Attributes:
        column: of the log's columns about candidates, which says who belongs to which group.
        groups: of each group: mean and SD (logits), or a histogram. ``(missing)`` is that of candidates of whom the
            column says nothing.
    """

    column: str
    groups: Mapping[str, One]


@dataclass(frozen=True, slots=True)
class RegressionPrior:
    """θ = mean + Σ weight (value − center) + ε, by columns about candidates (latent regression, Mislevy, 1985).

    Attributes:
        sd: of ε, logits.
        terms: weight (logits a unit) and center of each column.
        mean: θ expected where every value is at its center, logits.
    """

    sd: float
    terms: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    mean: float = 0.0


PriorLike: TypeAlias = "tuple[float, float] | HistogramPrior | GroupPrior | RegressionPrior"


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of each candidate before the answers: a normal density times that of a group.

    Attributes:
        mean: of the normal density, logits; ``sd``: its SD, ∞ where the group says all. Shape ``(persons,)``.
        pattern: which group each person belongs to. Shape ``(persons,)``.
        densities: log density of each group by ability; None for nothing beside the normal one.
        moments: means and SDs that occur, or hold those that occur between them. Shape ``(any, 2)``.
        words: for the provenance.
    """

    mean: Floats
    sd: Floats
    pattern: Ints
    densities: tuple[Callable[[Floats], Floats] | None, ...]
    moments: Floats
    words: Any

    def log_density(self, theta: Floats) -> Floats:
        """Log densities of the groups, beside the normal parts. Shape ``(groups, nodes)``."""
        return np.stack([np.zeros(len(theta)) if own is None else own(theta) for own in self.densities])

    def of(self, persons: slice) -> Prior:
        """The same for some of the persons."""
        return replace(self, mean=self.mean[persons], sd=self.sd[persons], pattern=self.pattern[persons])

    def span(self, limit: float) -> tuple[float, float]:
        """From the lowest mean − ``limit`` SDs to the highest mean + as many, logits."""
        mean, sd = self.moments.T
        return float((mean - limit * sd).min()), float((mean + limit * sd).max())

    @property
    def normal(self) -> bool:
        """Whether everybody's is a normal density."""
        return all(own is None for own in self.densities)


def resolve_prior(prior: PriorLike, log: About) -> Prior:
    """What is believed of each candidate of a log.

    Raises:
        UsageError: a column that the log does not have, an SD that is not positive.
        ResponseLogError: candidates of unknown groups, or without a value that a regression needs.
    """
    if isinstance(prior, GroupPrior):
        return _by_group(prior, log)
    if isinstance(prior, RegressionPrior):
        return _by_regression(prior, log)
    return _assemble([prior], np.zeros(log.n_persons, np.int64), _words(prior))


def _assemble(populations: Sequence[One], pattern: Ints, words: Any) -> Prior:
    """The prior of candidates of whom each belongs to one of some populations."""
    histogram = np.array([isinstance(one, HistogramPrior) for one in populations])
    moments = np.array([one.moments if isinstance(one, HistogramPrior) else one for one in populations], dtype=float)
    _refuse_moments(moments)
    densities = tuple(one.log_density if isinstance(one, HistogramPrior) else None for one in populations)
    return Prior(
        mean=moments[pattern, 0],
        sd=np.where(histogram, np.inf, moments[:, 1])[pattern],
        pattern=pattern if histogram.any() else np.zeros_like(pattern),
        densities=densities if histogram.any() else (None,),
        moments=moments,
        words=words,
    )


def _refuse_moments(moments: Floats) -> None:
    if not np.isfinite(moments).all() or not (moments[:, 1] > 0.0).all():
        raise UsageError("a prior needs a finite mean and an SD above 0, logits")


def _by_group(prior: GroupPrior, log: About) -> Prior:
    known = {str(name): number for number, name in enumerate(prior.groups)}
    labels = np.array([word or OWN_GROUP for word in said_of(_column(prior.column, log))])
    seen, place = np.unique(labels, return_inverse=True)
    if unknown := [str(name) for name in seen if str(name) not in known]:
        raise ResponseLogError(
            "priors by group", [_unknown(prior, name, int((labels == name).sum())) for name in unknown]
        )
    pattern = np.array([known[str(name)] for name in seen], dtype=np.int64)[place]
    words = {"by": prior.column, "groups": {str(name): _words(one) for name, one in prior.groups.items()}}
    return _assemble(list(prior.groups.values()), pattern, words)


def _unknown(prior: GroupPrior, name: str, n: int) -> str:
    """A group without a prior, and how to give it one."""
    whose = f'with no "{prior.column}"' if name == OWN_GROUP else f'whose "{prior.column}" is "{name}"'
    return (
        f"no prior for the {counted(n, 'candidate')} {whose}; given are {', '.join(map(str, prior.groups))}; "
        f'--prior "{name}=MEAN,SD" (logits) gives them one, --prior MEAN,SD without --prior-by one to everyone'
    )


def _by_regression(prior: RegressionPrior, log: About) -> Prior:
    mean = np.full(log.n_persons, float(prior.mean))
    problems = []
    for name, (weight, center) in prior.terms.items():
        values = _numbers(_column(name, log))
        if missing := int((~np.isfinite(values)).sum()):
            problems.append(f'{missing:,} candidates have no number under "{name}", which the prior rests on')
        mean += weight * (values - center)
    if problems:
        raise ResponseLogError("prior by regression", problems)
    moments = np.array([[mean.min(initial=prior.mean), prior.sd], [mean.max(initial=prior.mean), prior.sd]])
    _refuse_moments(moments)
    terms = {name: list(term) for name, term in prior.terms.items()}
    words = {"mean": prior.mean, "terms": terms, "sd": prior.sd}
    return Prior(mean, np.full(len(mean), float(prior.sd)), np.zeros(len(mean), np.int64), (None,), moments, words)


def _column(name: str, log: About) -> NDArray[Any]:
    """What is known of the candidates under a name."""
    if name not in log.candidates:
        known = ", ".join(log.candidates) or "none; give a table about candidates (--candidates)"
        raise UsageError(
            f'no column "{name}" about candidates; known: {known}{did_you_mean(name, list(log.candidates))}'
        )
    return np.asarray(log.candidates[name])


def _numbers(values: NDArray[Any]) -> Floats:
    """Values as numbers, NaN for what is none."""

    def number(value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            return float("nan")

    if values.dtype.kind in "iufb":
        return values.astype(np.float64)
    return np.array([number(value) for value in values.tolist()], dtype=np.float64)


def _words(one: One) -> Any:
    if isinstance(one, HistogramPrior):
        return {"nodes": list(one.nodes), "weights": list(one.weights)}
    return [float(value) for value in one]

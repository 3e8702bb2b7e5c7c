"""Where answers come from: what a fit asks of them, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.grid import Grid
from issmp_cat.arrays import Floats, Ints, read_only

__all__ = [
    "Answers",
    "Expectation",
    "Population",
    "Regression",
    "Request",
    "Result",
    "Source",
    "Task",
    "evenly",
    "joined",
    "recoded",
]


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of some persons, in compressed sparse rows.

    Attributes:
        start: offsets of each person's answers. Shape ``(persons + 1,)``.
        code: row of each answer in a table by code. Shape ``(answers,)``.
        pattern: which population each person is from; empty where there is one. Shape ``(persons,)`` or ``(0,)``.
        covariates: of each person, centred; no columns where there are none. Shape ``(persons, covariates)``.
    """

    start: Ints
    code: NDArray[Any]
    pattern: NDArray[Any]
    covariates: Floats

    @classmethod
    def of(
        cls, start: Ints, code: NDArray[Any], pattern: NDArray[Any] | None = None, covariates: Floats | None = None
    ) -> Answers:
        """With one population and no covariates unless they are given."""
        n_persons = len(start) - 1
        one = pattern is None or not np.any(pattern)
        group: NDArray[Any] = np.zeros(0, np.int16) if one else np.asarray(pattern).astype(np.int16)
        given = np.zeros((n_persons, 0)) if covariates is None else np.asarray(covariates, np.float64)
        return cls(read_only(start), read_only(code), read_only(group), read_only(given))

    @property
    def n_persons(self) -> int:
        """Persons."""
        return len(self.start) - 1

    @property
    def n_answers(self) -> int:
        """Answers."""
        return len(self.code)

    def groups(self) -> NDArray[Any]:
        """Population of each person, zeros where there is one. Shape ``(persons,)``."""
        return self.pattern if self.pattern.size else np.zeros(self.n_persons, np.int16)

    def some(self, persons: Ints) -> Answers:
        """Only these persons, in this order."""
        length = self.start[persons + 1] - self.start[persons]
        start = np.concatenate([[0], np.cumsum(length)])
        place = np.repeat(self.start[persons] - start[:-1], length) + np.arange(start[-1])
        pattern = self.pattern[persons] if self.pattern.size else None
        return Answers.of(start, self.code[place], pattern, self.covariates[persons])


Result = TypeVar("Result")
# What is done with some answers: these, the posterior means and SDs of their persons, and threads.
Task = Callable[[Answers, NDArray[Any], Executor | None], Result]


def recoded(answers: Answers, rows: Ints | None) -> Answers:
    """The answers in other codes.

    Args:
        answers: as stored.
        rows: new code of each stored one, −1 where its answers are left out; as stored if not given.
    """
    if rows is None:
        return answers
    code = rows[answers.code]
    start = np.concatenate([[0], np.cumsum(code >= 0)])[answers.start]
    return Answers.of(start, code[code >= 0].astype(answers.code.dtype), answers.pattern, answers.covariates)


def evenly(persons: int, among: int) -> Ints:
    """So many places spread evenly among others, or all of them.

    >>> evenly(3, 10)
    array([0, 3, 6])
    """
    persons = min(persons, among)
    return np.arange(persons, dtype=np.int64) * among // max(persons, 1)


def joined(parts: Sequence[Answers]) -> Answers:
    """Persons of several sources, one after the other."""
    start, before = [np.zeros(1, np.int64)], 0
    for part in parts:
        start.append(part.start[1:] + before)
        before += part.n_answers
    several = any(part.pattern.size for part in parts)
    return Answers.of(
        np.concatenate(start),
        np.concatenate([part.code for part in parts]),
        np.concatenate([part.groups() for part in parts]) if several else None,
        np.concatenate([part.covariates for part in parts]),
    )


class Population(NamedTuple):
    """Sums over the persons of one group, of which latent regressions are made.

    Attributes:
        persons: how many. Shape ``(groups,)``.
        products: of the covariates with each other. Shape ``(groups, covariates, covariates)``.
        sums: of the covariates. Shape ``(groups, covariates)``.
    """

    persons: Ints
    products: Floats
    sums: Floats


class Regression(NamedTuple):
    """Abilities that depend on covariates: θ ~ N(mean + x'coefficients, sd) in each group.

    Attributes:
        coefficients: logits per unit of each covariate. Shape ``(covariates,)``.
        mean: of each group where the covariates are 0, logits; ``sd``: what the covariates leave. Shape
            ``(groups,)``. ``Request.log_density`` must be that normal density on the nodes.
    """

    coefficients: Floats
    mean: Floats
    sd: Floats

    def lines(self, answers: Answers) -> tuple[Floats, Floats]:
        """How each person's log density differs from that of the group: by ``tilt · θ + shift``.

        ``(θ − μ − e)² = (θ − μ)² − 2 e (θ − μ) + e²`` with e = x'coefficients.
        """
        group = answers.groups()
        away = answers.covariates @ self.coefficients
        tilt = away / np.square(self.sd[group])
        return tilt, -tilt * (self.mean[group] + 0.5 * away)


class Request(NamedTuple):
    """One pass over the answers.

    Attributes:
        table: log probability of each code at each node, 0 at nodes that do not count; the pass works in its precision,
            float32 or float64. Shape ``(codes, nodes)``.
        grid: the nodes.
        log_density: log weight of each node in each population, −inf at nodes that do not count. Shape
            ``(groups, nodes)``.
        regression: on covariates, if there is one.
        windowed: leave out nodes where the last pass found next to nothing of a person's posterior.
        share: of the persons that are looked at, evenly spread and always the same; sums are scaled up to all.
    """

    table: NDArray[Any]
    grid: Grid
    log_density: Floats
    regression: Regression | None = None
    windowed: bool = False
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a pass tells.

    Attributes:
        counts: expected answers of each code at each node. Shape ``(codes, nodes)``.
        population: expected persons of each group at each node. Shape ``(groups, nodes)``.
        log_likelihood: sum of the log marginal likelihoods of the persons.
        mean: posterior means, logits; ``sd``: posterior SDs. NaN for persons never looked at; no rows where the source
            is too large to keep them at hand. Shape ``(persons,)``.
        by_covariate: sum over persons of covariate times posterior mean. Shape ``(groups, covariates)``.
    """

    counts: Floats
    population: Floats
    log_likelihood: float
    mean: NDArray[Any]
    sd: NDArray[Any]
    by_covariate: Floats


class Source(Protocol):
    """Answers, wherever they are."""

    @property
    def n_persons(self) -> int:
        """Persons in the fit."""
        ...

    @property
    def n_answers(self) -> int:
        """Answers in the fit."""
        ...

    def expect(self, request: Request, executor: Executor | None = None) -> Expectation:
        """One pass; the threads do not change a bit of the result."""
        ...

    def sample(self, persons: int) -> Answers:
        """So many persons, evenly spread, or all if there are no more."""
        ...

    def population(self) -> Population:
        """Persons and covariates of each group, summed."""
        ...

    def each(self, work: Task[Result], executor: Executor | None) -> Iterator[Result]:
        """What the work makes of each part of the answers, done where they are, with its last posteriors."""
        ...

"""Answers larger than memory: shards on disk, one of them in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.blocks import pack
from issmp_calibration.mml.estep import expect_answers
from issmp_calibration.mml.sources.memory import added, summed
from issmp_calibration.mml.sources.source import (
    Answers,
    Expectation,
    Population,
    Request,
    Result,
    Task,
    evenly,
    joined,
    recoded,
)
from issmp_calibration.mml.sources.store import Store
from issmp_cat.arrays import Ints

__all__ = ["Folder", "Sharded", "Work", "load_plain", "look_at"]

# What is done with one shard: its answers, the request, and its persons' moments of the pass before.
Work = Callable[[Answers, Request, NDArray[Any]], Expectation]


def look_at(
    answers: Answers, request: Request, moments: NDArray[Any], *, first: Ints, executor: Executor | None = None
) -> Expectation:
    """One pass over a shard: of its answers and what is asked, and nothing else, so that it can be done again anywhere.

    Args:
        answers: of the shard.
        request: what is asked.
        moments: of each person in the pass before. Shape ``(persons, 2)``, float32.
        first: code of each item's score 0, and the number of codes.
        executor: threads; they do not change the result.
    """
    own = moments.astype(request.table.dtype)
    return expect_answers(answers, pack(answers.start, answers.code, first), request, own, executor)


@dataclass(slots=True)
class Sharded:
    """What sources in several parts have in common: moments by shard, sums in the order of the shards.

    Attributes:
        first: row of score 0 of each item in a table by stored code, and the number of codes. Shape ``(items + 1,)``.
        sizes: persons of each shard.
        rows: row of each stored code in the tables of a request, −1 where its item is not in the fit; as stored where
            None. Shape ``(codes,)``.
        moments: of each person in the last pass, by shard, float32.
    """

    first: Ints
    sizes: tuple[int, ...]
    rows: Ints | None
    moments: list[NDArray[Any]]

    @classmethod
    def of(cls, first: Ints, sizes: Iterable[int], rows: Ints | None) -> Sharded:
        """Before the first pass."""
        counted = tuple(sizes)
        return cls(first, counted, rows, [np.full((size, 2), np.nan, np.float32) for size in counted])

    def stored(self, request: Request) -> Request:
        """The request with its table by stored code; items that are not in the fit say nothing."""
        if self.rows is None:
            return request
        table = np.zeros((len(self.rows), request.table.shape[1]), request.table.dtype)
        table[self.rows >= 0] = request.table[self.rows[self.rows >= 0]]
        return request._replace(table=table)

    def total(self, request: Request, parts: Iterator[Expectation]) -> Expectation:
        """Add up what the shards tell, in their order."""
        stored = self.first[-1]
        counts, population = np.zeros((stored, request.table.shape[1])), np.zeros(request.log_density.shape)
        log_likelihood, by_covariate = 0.0, np.zeros((len(population), 0))
        for number, part in enumerate(parts):
            counts += part.counts
            population += part.population
            log_likelihood += part.log_likelihood
            by_covariate = part.by_covariate + (by_covariate if number else 0.0)
            self.moments[number] = np.stack([part.mean, part.sd], axis=1).astype(np.float32)
        if self.rows is not None:
            used, mine = self.rows >= 0, np.zeros((int(self.rows.max()) + 1, counts.shape[1]))
            mine[self.rows[used]] = counts[used]
            counts = mine
        mean, sd = np.concatenate(self.moments).T if self.moments else np.zeros((2, 0))
        return Expectation(counts, population, log_likelihood, mean, sd, by_covariate)


def load_plain(store: Store, number: int) -> Answers:
    """A shard's answers as one population's, without covariates."""
    answers = store.load(number)
    return Answers.of(answers.start, answers.code)


class Folder:
    """A source in a folder of shards (:mod:`issmp_calibration.mml.sources.store`).

    Beside the sums, eight bytes a person stay in memory, and the pages of the shard that is worked on.

    Args:
        store: the folder.
        rows: row of each stored code in the tables of a request, −1 where its item is not in the fit; as stored when
            not given. Shape ``(codes,)``.
        plain: one population and no covariates, whatever the store holds.
    """

    def __init__(self, store: Store, rows: Ints | None = None, *, plain: bool = False) -> None:
        self.store, self.plain = store, plain
        self._shards = Sharded.of(store.first, (shard.persons for shard in store.shards), rows)

    @property
    def n_persons(self) -> int:
        """Persons in the fit."""
        return sum(self._shards.sizes)

    @property
    def n_answers(self) -> int:
        """Answers in the store."""
        return sum(shard.answers for shard in self.store.shards)

    @property
    def n_groups(self) -> int:
        """Populations."""
        return 1 if self.plain else max(len(self.store.groups), 1)

    def _load(self, number: int) -> Answers:
        return load_plain(self.store, number) if self.plain else self.store.load(number)

    def expect(self, request: Request, executor: Executor | None = None) -> Expectation:
        """One pass, shard after shard, threads working on one; they do not change a bit of the result."""
        work = partial(look_at, first=self.store.first, executor=executor)
        stored = self._shards.stored(request)
        parts = (work(self._load(number), stored, moments) for number, moments in enumerate(self._shards.moments))
        return self._shards.total(request, parts)

    def sample(self, persons: int) -> Answers:
        """So many persons, evenly spread, or all if there are no more."""
        wanted = evenly(persons, self.n_persons)
        bounds = np.concatenate([[0], np.cumsum(self._shards.sizes)])
        cuts = np.searchsorted(wanted, bounds)
        return joined(
            [
                recoded(
                    self._load(number).some(wanted[cuts[number] : cuts[number + 1]] - bounds[number]),
                    self._shards.rows,
                )
                for number in range(len(self._shards.sizes))
            ]
        )

    def population(self) -> Population:
        """Persons and covariates of each group, summed."""
        parts = [summed(self._load(number), self.n_groups) for number in range(len(self._shards.sizes))]
        return added(parts)

    def each(self, work: Task[Result], executor: Executor | None) -> Iterator[Result]:
        """What the work makes of each shard and the posteriors of the last pass, one after the other."""
        for number, moments in enumerate(self._shards.moments):
            yield work(recoded(self._load(number), self._shards.rows), moments, executor)

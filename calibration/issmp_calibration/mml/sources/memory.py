"""Answers in memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.blocks import pack
from issmp_calibration.mml.estep import expect_answers
from issmp_calibration.mml.sources.source import Answers, Expectation, Population, Request, Result, Task, evenly
from issmp_cat.arrays import Ints, read_only

__all__ = ["InMemory", "added", "summed"]


def summed(answers: Answers, n_groups: int) -> Population:
    """Persons and covariates of each group, summed."""
    group = answers.groups()
    persons = np.bincount(group, minlength=n_groups)
    width = answers.covariates.shape[1]
    products, sums = np.zeros((n_groups, width, width)), np.zeros((n_groups, width))
    for which in range(n_groups if width else 0):
        mine = answers.covariates[group == which]
        products[which], sums[which] = mine.T @ mine, mine.sum(axis=0)
    return Population(persons, products, sums)


def added(parts: list[Population]) -> Population:
    """Sums over several lots of persons."""
    return Population(*(np.sum(each, axis=0) for each in zip(*parts, strict=True)))


class InMemory:
    """A source whose answers all fit into memory.

    Args:
        answers: the answers.
        first: row of score 0 of each item in a table by code, and the number of codes. Shape ``(items + 1,)``.
        n_groups: populations.
    """

    def __init__(self, answers: Answers, first: Ints, n_groups: int = 1) -> None:
        self.answers, self.first, self.n_groups = answers, read_only(first), n_groups
        self._rows = pack(answers.start, answers.code, first)
        self._sampled: Answers | None = None
        self._moments: NDArray[Any] = np.full((answers.n_persons, 2), np.nan, np.float32)

    @property
    def n_persons(self) -> int:
        """Persons in the fit."""
        return self.answers.n_persons

    @property
    def n_answers(self) -> int:
        """Answers in the fit."""
        return self.answers.n_answers

    def expect(self, request: Request, executor: Executor | None = None) -> Expectation:
        """One pass; the threads do not change a bit of the result."""
        moments = self._moments.astype(request.table.dtype)
        found = expect_answers(self.answers, self._rows, request, moments, executor)
        self._moments = moments
        return found

    def sample(self, persons: int) -> Answers:
        """So many persons, evenly spread, or all if there are no more."""
        if persons >= self.n_persons:
            return self.answers
        if self._sampled is None or self._sampled.n_persons != persons:
            self._sampled = self.answers.some(evenly(persons, self.n_persons))
        return self._sampled

    def population(self) -> Population:
        """Persons and covariates of each group, summed."""
        return summed(self.answers, self.n_groups)

    def each(self, work: Task[Result], executor: Executor | None) -> Iterator[Result]:
        """What the work makes of the answers and the posteriors of the last pass."""
        yield work(self.answers, self._moments, executor)

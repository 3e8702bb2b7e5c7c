"""A fit while it runs: where it stands, and how it takes a step."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from issmp_calibration.mml.anderson import Trail
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.expansion import absorb, best_log_sd
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.models.tables import log_table
from issmp_calibration.mml.mstep import maximise
from issmp_calibration.mml.population import Freedom, Population
from issmp_calibration.mml.sources.source import Expectation, Request, Source
from issmp_cat.arrays import Floats

__all__ = ["Climb", "Standpoint"]

NOISE = {np.float32: 1e-7, np.float64: 1e-11}  # relative, of a sum of log likelihoods
LET_GO, TAKEN_BACK = 2.0, 8.0  # factors by which steps may grow while all goes well, and must shrink when not
SLOWEST, FASTEST = 0.95, 0.1  # bounds of the rate at which the iteration is believed to close in


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Everything an E-step needs: cells of the items, the populations, the nodes."""

    parameters: Floats
    population: Population
    grid: Grid


@dataclass(slots=True)
class Climb:
    """A fit while it runs. ``image`` is where plain EM would go: the place to return to when a bolder step fails.

    Attributes:
        source: the answers.
        design: what the items are; ``freedom``: what of the populations is estimated.
        here: where it stands.
        kind: float32 or float64, in which the E-step works.
        executor: threads for it.
        trail: of the last steps; ``best``: the highest log posterior so far; ``steps``: sizes of the last steps.
        boldness: how many times an EM step may be lengthened; ``taken``: how many times the last one was.
        information: complete-data information of the items at the last step. Shape ``(items, width, width)``.
    """

    source: Source
    design: Design
    freedom: Freedom
    here: Standpoint
    kind: Any
    executor: Executor | None = None
    trail: Trail = field(default_factory=Trail)
    image: Standpoint | None = None
    best: float = -math.inf
    steps: list[float] = field(default_factory=list)
    boldness: float = 1e3
    taken: float = 1.0
    information: Floats = field(default_factory=lambda: np.zeros((0, 0, 0)))

    def expectation(
        self, kind: Any, *, grid: Grid | None = None, share: float = 1.0, whole: bool = False
    ) -> Expectation:
        """The E-step where the fit stands, on other nodes if wanted; ``whole``: all of them for everybody."""
        nodes = grid or self.here.grid
        population = self.here.population
        request = Request(
            table=log_table(self.design, self.here.parameters, nodes, kind),
            grid=nodes,
            log_density=population.log_density(nodes),
            regression=population.regression(),
            windowed=self.kind is np.float32 and self.design.concave and not whole,
            share=share,
        )
        return self.source.expect(request, self.executor)

    def advance(self) -> tuple[float, Floats | None]:
        """One pass: the log posterior before it, and the items' distances after it (None after a step back)."""
        expectation = self.expectation(self.kind)
        value = expectation.log_likelihood + self.design.log_prior(self.here.parameters)
        if self.image is not None and not value >= self.best - NOISE[self.kind] * abs(self.best):
            self.here, self.image, self.trail = self.image, None, Trail()
            self.boldness = max(self.taken / TAKEN_BACK, 1.0)
            return value, None
        self.best, self.boldness = value, self.boldness * LET_GO
        return value, self._move(expectation)

    def _move(self, expectation: Expectation) -> Floats:
        persons = expectation.population.sum(axis=1)
        self.image, self.information = self.mapped(expectation)
        self.trail = self.trail.extended(self.pack(self.here), self.pack(self.image))
        following = self.unpack(self._bold_point(self.weights(persons)), self.image)
        changes = self.design.changes(self.here.parameters, following.parameters, self.information)
        among_groups = following.population.distance(self.here.population, persons)
        self.here = following
        self.steps.append(max(float(changes.max(initial=0.0)), among_groups))
        rate = self.rate()
        return np.append(changes, among_groups) * (rate / (1.0 - rate))

    def _bold_point(self, weights: Floats) -> Floats:
        """Where the secants lead, but not much further than steps of late have been found to be good for.

        A likelihood that rises without end, as where some answers order the persons perfectly, is climbed in steps
        that grow instead of being jumped over the edge again and again.
        """
        image = self.trail.images[-1]
        plain, further = image - self.trail.points[-1], self.trail.next_point(weights) - image
        usual, length = (float(np.sqrt((weights * np.square(step)).sum())) for step in (plain, further))
        if length == 0.0:
            return image
        self.taken = min(length, self.boldness * usual) / max(usual, np.finfo(float).tiny)
        return image + further * min(1.0, self.boldness * usual / length)

    def mapped(self, expectation: Expectation) -> tuple[Standpoint, Floats]:
        """Where EM goes from here, and the items' complete-data information there."""
        grid = self.here.grid
        best, information = maximise(self.design, expectation.counts, grid.nodes, self.here.parameters)
        return self.expanded(best, expectation, grid), information

    def expanded(self, parameters: Floats, expectation: Expectation, grid: Grid) -> Standpoint:
        """The populations that an E-step shows, with the first group's mean and SD moved into the items.

        Nothing is moved where something is in the way; see ``Freedom``.

        Args:
            parameters: cells of the items. Shape ``(items, width)``.
            expectation: of the E-step; ``grid``: its nodes.
        """
        freedom = self.freedom
        raw = self.here.population.estimated(expectation, grid, freedom)
        mean, log_sd = float(raw.mean[0]) if freedom.take_mean else 0.0, 0.0
        best = absorb(self.design, parameters, mean, 0.0)
        if freedom.take_sd:
            persons = float(expectation.population[0].sum())
            log_sd = best_log_sd(self.design, best, persons, persons * float(raw.total_sd[0]) ** 2)
            best = absorb(self.design, best, 0.0, log_sd)
        population = raw.rescaled(mean, math.exp(log_sd)).pinned(freedom)
        moved = grid if population.log_weights is None else grid.moved(mean, math.exp(log_sd))
        return Standpoint(self.design.bounded(best), population, moved)

    def pack(self, point: Standpoint) -> Floats:
        """All that is free as one vector."""
        return np.concatenate([self.design.pack(point.parameters), point.population.pack(self.freedom, point.grid)])

    def unpack(self, vector: Floats, like: Standpoint) -> Standpoint:
        """Back from the vector."""
        n = self.design.n_free
        population, grid = like.population.unpack(vector[n:], self.freedom, like.grid)
        parameters = self.design.unpack(vector[:n], like.parameters)
        if population.log_weights is None:
            return Standpoint(parameters, population, grid)
        return self._standardised(Standpoint(parameters, population, grid))

    def _standardised(self, point: Standpoint) -> Standpoint:
        """A mixture of histograms, the first of mean 0 and SD 1 again; no probability changes."""
        mean, sd = point.population.first_moments(point.grid)
        mean, sd = mean if self.freedom.take_mean else 0.0, sd if self.freedom.take_sd else 1.0
        parameters = absorb(self.design, absorb(self.design, point.parameters, mean, 0.0), 0.0, math.log(sd))
        return Standpoint(
            parameters, point.population.rescaled(mean, sd).pinned(self.freedom), point.grid.moved(mean, sd)
        )

    def weights(self, persons: Floats) -> Floats:
        """Information about each coordinate of the vector."""
        about_groups = self.here.population.weights(self.freedom, self.here.grid, persons)
        return np.concatenate([self.design.weights(self.information), about_groups])

    def rate(self) -> float:
        """The share of the distance that a step leaves: the worse of the last two ratios of steps."""
        if len(self.steps) < 3:  # two ratios at least, else nothing is known
            return SLOWEST
        ratios = [after / before for before, after in zip(self.steps[-3:-1], self.steps[-2:], strict=True)]
        return min(max(*ratios, FASTEST), SLOWEST)

    def put_on(self, grid: Grid) -> None:
        """Go on with other nodes."""
        self.here = replace(self.here, grid=grid)
        self.trail, self.image, self.best = Trail(), None, -math.inf
        self.steps.clear()

    def refine(self, grid: Grid) -> None:
        """Go on with nodes so near the old ones that the steps so far still tell the way."""
        self.here = replace(self.here, grid=grid)
        self.image, self.best = None, -math.inf

    def take_any_shape(self) -> None:
        """From now on the density is a histogram that begins as the normal one."""
        self.here = replace(self.here, population=self.here.population.as_histogram(self.here.grid))
        self.put_on(self.here.grid)

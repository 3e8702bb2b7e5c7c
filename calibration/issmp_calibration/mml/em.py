"""Marginal maximum likelihood: parameter-expanded EM with Anderson acceleration.

Bock, R. D., & Aitkin, M. (1981). Marginal maximum likelihood estimation of item parameters. Psychometrika, 46, 443–459.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import numpy as np

from issmp_calibration.mml.climb import Climb, Standpoint
from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.population import Freedom, Population
from issmp_calibration.mml.reach import MOST, finer, integration_errors, wanted_grid
from issmp_calibration.mml.sources.memory import InMemory
from issmp_calibration.mml.sources.source import Answers, Expectation, Source
from issmp_cat.arrays import Floats, Ints

__all__ = ["SMALL", "Fit", "Pass", "Settings", "fit", "fit_source"]

SMALL = 200_000  # answers up to which every pass uses float64 and all nodes
ROUGHLY = 0.05  # distance at which a normal population gives way to a histogram, standard errors
REFINE = 0.5  # share of the allowed integration error above which the nodes are put closer together


@dataclass(frozen=True, slots=True)
class Settings:
    """How a fit is run.

    Attributes:
        grid: the nodes to begin with.
        refine: put nodes closer together and further out when populations or posteriors turn out to need it.
        limit: how far nodes reach to both sides of each population's mean, SDs.
        tolerance: estimated distance to the solution at which the iteration may end, in standard errors, any item.
        max_passes: passes over the answers after which it ends anyway.
        integration: largest error that the nodes may cause, in standard errors, any item.
        groups: names of the populations, the one that sets the scale first.
        standard: which of them stay N(0, 1): those that share no items with the others. None if not given.
        histogram: whether the populations have any shape; normal otherwise.
        start: cells to begin with, if not the families' own. Shape ``(items, width)``.
    """

    grid: Grid = field(default_factory=Grid.spaced)
    refine: bool = True
    limit: float = 6.0
    tolerance: float = 1e-3
    max_passes: int = 200
    integration: float = 0.05
    groups: tuple[str, ...] = ("all",)
    standard: tuple[bool, ...] = ()
    histogram: bool = False
    start: Floats | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the answers, as reported while the fit runs.

    Attributes:
        number: from 1.
        log_posterior: log likelihood plus log prior of the parameters this pass started from.
        distance: estimated distance to the solution, in standard errors, of the item furthest from it; None after a
            step that had to be taken back.
    """

    number: int
    log_posterior: float
    distance: float | None


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the iteration ended.

    Attributes:
        parameters: cells of the items. Shape ``(items, width)``.
        expectation: the E-step at these parameters, float64.
        log_prior: log density of these parameters under their priors.
        distances: estimated distance of each item to the solution, in standard errors. Shape ``(items,)``.
        settled: whether every distance is within the tolerance, that of the populations too.
        passes: what happened.
        grid: the nodes used at the end.
        population: the groups; ``freedom``: what of them was estimated.
        integration_errors: how far finer nodes would move each item, in standard errors; NaN for a histogram. Shape
            ``(items,)``.
        population_distance: estimated distance of the groups' means and SDs to the solution, in standard errors.
    """

    parameters: Floats
    expectation: Expectation
    log_prior: float
    distances: Floats
    settled: bool
    passes: tuple[Pass, ...]
    grid: Grid
    population: Population
    freedom: Freedom
    integration_errors: Floats
    population_distance: float = 0.0

    @property
    def log_density(self) -> Floats:
        """Log weights of the nodes in each group. Shape ``(groups, nodes)``."""
        return self.population.log_density(self.grid)

    @property
    def n_population(self) -> int:
        """How many numbers of the populations were estimated."""
        if self.freedom.histogram:
            groups = len(self.population.labels)
            return groups * (self.grid.live - 1) - int(self.freedom.take_mean) - int(self.freedom.take_sd)
        return int(self.freedom.mean.sum() + self.freedom.sd.sum()) + self.freedom.n_covariates


def fit(
    codes: Codes,
    design: Design,
    settings: Settings,
    executor: Executor | None = None,
    progress: Callable[[Pass], None] | None = None,
    covariates: Floats | None = None,
) -> Fit:
    """Parameters that maximise the marginal log posterior, for answers in memory; see ``fit_source``.

    Args:
        codes: the answers.
        design: what is estimated.
        settings: nodes, tolerance, patience, populations.
        executor: threads for the E-step; they do not change the result.
        progress: called after each pass.
        covariates: of the persons in the fit, for a latent regression. Shape ``(persons, covariates)``.
    """
    centred = None if covariates is None else covariates - covariates.mean(axis=0)
    answers = Answers.of(codes.start, codes.code, codes.pattern, centred)
    source = InMemory(answers, codes.first, len(settings.groups))
    return fit_source(source, design, codes.counts[codes.items], settings, executor, progress)


def fit_source(
    source: Source,
    design: Design,
    counts: Ints,
    settings: Settings,
    executor: Executor | None = None,
    progress: Callable[[Pass], None] | None = None,
) -> Fit:
    """Parameters that maximise the marginal log posterior.

    The distance to the solution, not the last step, decides the end: steps that shrink by a rate r leave r / (1 − r)
    times the last one. Then the integrals are done again on finer nodes.

    Args:
        source: the answers.
        design: what is estimated.
        counts: answers to each item by score. Shape ``(items, scores)``.
        settings: nodes, tolerance, patience, populations.
        executor: threads for the E-step; they do not change the result.
        progress: called after each pass.
    """
    products = source.population().products.sum(axis=0)
    standard = np.array(settings.standard or (False,) * len(settings.groups))
    covariates = products if products.size else None
    freedom = Freedom.of(design, standard, source.n_persons, covariates, histogram=settings.histogram)
    start = design.start(counts) if settings.start is None else settings.start
    population = Population.standard(settings.groups, freedom.n_covariates)
    kind = np.float64 if source.n_answers <= SMALL else np.float32
    climb = Climb(source, design, freedom, Standpoint(start, population, settings.grid), kind, executor)
    run = _Run(climb, settings, progress)
    run.to_the_end()
    return Fit(
        parameters=climb.here.parameters,
        expectation=climb.expectation(np.float64),
        log_prior=design.log_prior(climb.here.parameters),
        distances=run.distances[:-1],
        settled=run.settled,
        passes=tuple(run.passes),
        grid=climb.here.grid,
        population=climb.here.population,
        freedom=freedom,
        integration_errors=run.errors,
        population_distance=float(run.distances[-1]),
    )


@dataclass(slots=True)
class _Run:
    """Passes until everything has settled, on nodes that are fine enough, or patience is at its end."""

    climb: Climb
    settings: Settings
    progress: Callable[[Pass], None] | None
    passes: list[Pass] = field(default_factory=list)
    distances: Floats = field(default_factory=lambda: np.zeros(0))
    errors: Floats = field(default_factory=lambda: np.zeros(0))
    settled: bool = False

    def to_the_end(self) -> None:
        self.distances = np.full(self.climb.design.n_items + 1, np.inf)
        self.errors = np.full(self.climb.design.n_items, np.nan)
        if self.settings.refine and self.climb.kind is np.float32:
            self._first_pass()
        self._settle(self._rough())
        if self.settings.histogram:
            self.climb.take_any_shape()
            self._settle(self.settings.tolerance)
            return
        while self.settled:
            self.errors = integration_errors(self.climb)
            here = self.climb.here
            if not self.settings.refine or self.errors.max(initial=0.0) <= REFINE * self.settings.integration:
                return
            grid = finer(here.grid, float(here.population.total_sd.max()))
            if grid.spacing >= here.grid.spacing or grid.live >= MOST:
                return
            self.climb.put_on(grid)
            self._settle(self.settings.tolerance)

    def _first_pass(self) -> None:
        """One on every second node: nobody's window is known yet, and the start is further off than it is rough."""
        grid = self.climb.here.grid
        self.climb.here = replace(self.climb.here, grid=Grid.between(grid.low, grid.high, 2.0 * grid.spacing))
        self._advance()
        self.climb.refine(grid)
        self._follow()

    def _advance(self) -> float | None:
        """One pass and its report; returns the largest distance."""
        value, moved = self.climb.advance()
        if moved is not None:
            self.distances = moved
        furthest = None if moved is None else float(moved.max())
        self.passes.append(Pass(len(self.passes) + 1, value, furthest))
        if self.progress is not None:
            self.progress(self.passes[-1])
        return furthest

    def _rough(self) -> float:
        return ROUGHLY if self.settings.histogram else self.settings.tolerance

    def _settle(self, tolerance: float) -> None:
        """Pass after pass, with nodes that follow the populations."""
        self.settled = False
        while len(self.passes) < self.settings.max_passes and not self.settled:
            furthest = self._advance()
            self.settled = furthest is not None and furthest < tolerance
            self._follow()

    def _follow(self) -> None:
        """Put nodes where the populations and posteriors are, if it is time to look."""
        if self._looks(len(self.passes)) and (grid := wanted_grid(self.climb, self.settings.limit)):
            self.climb.put_on(grid)
            self.settled = False

    def _looks(self, number: int) -> bool:
        """Whether it is time to look after the nodes: early while populations move, and at the end."""
        fixed = not self.settings.refine or self.climb.here.population.log_weights is not None
        free = self.climb.freedom
        moving = bool(free.mean.any() or free.sd.any()) and number in {1, 2, 3, 5, 8, 12, 20}
        return not fixed and (self.settled or number == 2 or moving)

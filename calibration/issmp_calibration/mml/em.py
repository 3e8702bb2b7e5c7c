"""Marginal maximum likelihood: parameter-expanded EM with Anderson acceleration.

Bock, R. D., & Aitkin, M. (1981). Marginal maximum likelihood estimation of item parameters. Psychometrika, 46, 443–459.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from issmp_calibration.mml.anderson import Trail
from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.estep import Expectation, expect
from issmp_calibration.mml.expansion import absorb, best_log_sd
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.models.tables import log_table
from issmp_calibration.mml.mstep import maximise
from issmp_calibration.mml.narrowest import narrowest_posterior
from issmp_calibration.mml.windows import Windows
from issmp_cat.arrays import Floats

__all__ = ["SMALL", "Fit", "Pass", "Settings", "fit"]

SMALL = 200_000  # answers up to which every pass uses float64 and all nodes
NOISE = {np.float32: 1e-7, np.float64: 1e-11}  # relative, of a sum of log likelihoods
SLOWEST, FASTEST = 0.95, 0.1  # bounds of the rate at which the iteration is believed to close in


@dataclass(frozen=True, slots=True)
class Settings:
    """How a fit is run.

    Attributes:
        grid: the nodes to begin with.
        refine: put nodes closer together when a posterior turns out too narrow for them.
        tolerance: estimated distance to the solution at which the iteration may end, in standard errors, any item.
        max_passes: passes over the answers after which it ends anyway.
    """

    grid: Grid = field(default_factory=Grid.spaced)
    refine: bool = True
    tolerance: float = 1e-3
    max_passes: int = 200


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
        parameters: cells of the items, in the metric of a standard normal population. Shape ``(items, width)``.
        expectation: the E-step at these parameters, float64 on all nodes.
        log_prior: log density of these parameters under their priors.
        distances: estimated distance of each item to the solution, in standard errors. Shape ``(items,)``.
        settled: whether every distance is within the tolerance.
        passes: what happened.
        grid: the nodes used at the end.
    """

    parameters: Floats
    expectation: Expectation
    log_prior: float
    distances: Floats
    settled: bool
    passes: tuple[Pass, ...]
    grid: Grid


@dataclass(slots=True)
class _Climb:
    """A fit while it runs. ``image`` is where plain EM would go: the place to return to when a bolder step fails."""

    codes: Codes
    design: Design
    grid: Grid
    executor: Executor | None
    parameters: Floats
    kind: Any
    windows: Windows
    trail: Trail = field(default_factory=Trail)
    image: Floats | None = None
    best: float = -math.inf
    steps: list[float] = field(default_factory=list)

    def expectation(self, kind: Any, windows: Windows) -> Expectation:
        table = log_table(self.design, self.parameters, self.grid, kind)
        return expect(self.codes, self.grid, windows, table, self.executor)

    def everywhere(self) -> Windows:
        return Windows.whole(self.codes.n_persons, len(self.codes.code), self.grid)

    def advance(self) -> tuple[float, Floats | None]:
        """One pass: the log posterior before it, and the items' distances after it (None after a step back)."""
        expectation = self.expectation(self.kind, self.windows)
        value = expectation.log_likelihood + self.design.log_prior(self.parameters)
        if self.image is not None and value < self.best - NOISE[self.kind] * abs(self.best):
            self.parameters, self.image, self.trail = self.image, None, Trail()
            return value, None
        self.best = value
        if self.kind is np.float32:
            self.windows = Windows.around(expectation.mean, expectation.sd, len(self.codes.code), self.grid)
        return value, self._move(expectation)

    def _move(self, expectation: Expectation) -> Floats:
        best, information = maximise(self.design, expectation.counts, self.grid.nodes, self.parameters)
        self.image = self._expanded(best, expectation)
        self.trail = self.trail.extended(self.design.pack(self.parameters), self.design.pack(self.image))
        mixed = self.trail.next_point(self.design.weights(information))
        following = self.design.unpack(mixed, self.image)
        changes = self.design.changes(self.parameters, following, information)
        self.parameters = following
        self.steps.append(float(changes.max()))
        rate = self.rate()
        return changes * (rate / (1.0 - rate))

    def _expanded(self, best: Floats, expectation: Expectation) -> Floats:
        """Parameters rescaled to the population mean and SD that the posteriors show."""
        nodes, persons = self.grid.nodes, float(expectation.population.sum())
        mean = float(expectation.population @ nodes) / persons if self.design.movable else 0.0
        moved = absorb(self.design, best, mean, 0.0)
        if not self.design.scalable:
            return moved
        squares = float(expectation.population @ np.square(nodes - mean))
        return absorb(self.design, moved, 0.0, best_log_sd(self.design, moved, persons, squares))

    def rate(self) -> float:
        """The share of the distance that a step leaves: the worse of the last two ratios of steps."""
        if len(self.steps) < 3:  # two ratios at least, else nothing is known
            return SLOWEST
        ratios = [after / before for before, after in zip(self.steps[-3:-1], self.steps[-2:], strict=True)]
        return min(max(*ratios, FASTEST), SLOWEST)

    def refine(self) -> bool:
        """Put nodes closer together if the narrowest posterior asks for it; True when they moved."""
        sd = narrowest_posterior(self.codes, self.design, self.parameters, self.grid)
        if self.grid.holds(sd):
            return False
        self.grid = self.grid.refined(sd)
        self.windows, self.trail, self.image, self.best = self.everywhere(), Trail(), None, -math.inf
        self.steps.clear()
        return True


def fit(
    codes: Codes,
    design: Design,
    settings: Settings,
    executor: Executor | None = None,
    progress: Callable[[Pass], None] | None = None,
) -> Fit:
    """Parameters that maximise the marginal log posterior.

    The distance to the solution, not the last step, decides the end: steps that shrink by a rate r leave r / (1 − r)
    times the last one.

    Args:
        codes: the answers.
        design: what is estimated.
        settings: nodes, tolerance, patience.
        executor: threads for the E-step; they do not change the result.
        progress: called after each pass.
    """
    kind = np.float64 if len(codes.code) <= SMALL else np.float32
    whole = Windows.whole(codes.n_persons, len(codes.code), settings.grid)
    start = design.start(codes.counts[codes.items])
    climb = _Climb(codes, design, settings.grid, executor, start, kind, whole)
    passes: list[Pass] = []
    distances, settled = np.full(codes.n_items, np.inf), False
    while len(passes) < settings.max_passes and not settled:
        value, moved = climb.advance()
        if moved is not None:
            distances = moved
        passes.append(Pass(len(passes) + 1, value, None if moved is None else float(distances.max())))
        if progress is not None:
            progress(passes[-1])
        settled = moved is not None and bool(distances.max() < settings.tolerance)
        if settings.refine and (settled or len(passes) == 2) and climb.refine():
            settled = False
    return Fit(
        parameters=climb.parameters,
        expectation=climb.expectation(np.float64, climb.everywhere()),
        log_prior=design.log_prior(climb.parameters),
        distances=distances,
        settled=settled,
        passes=tuple(passes),
        grid=climb.grid,
    )

"""Which nodes a fit needs, and whether those it had were enough."""

from __future__ import annotations

import numpy as np

from issmp_calibration.mml.climb import Climb
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.grid import COARSEST, Grid
from issmp_calibration.mml.mstep import complete_information
from issmp_calibration.mml.narrowest import narrowest_posterior
from issmp_calibration.mml.sources.source import Expectation
from issmp_cat.arrays import Floats

__all__ = ["MOST", "finer", "integration_errors", "wanted_grid"]

SPACING = 0.2  # of neighbouring nodes, SDs of the narrowest population, if no posterior asks for less
SLACK = 0.5  # SDs by which populations may move before the nodes go after them
BEYOND = 2.0  # SDs by which the nodes of the check reach further
MOST = 2_001
SAMPLE = 500  # persons among whom the narrowest posterior is looked for
CHECKED = 1_000, 0.04  # persons whose integrals are done again at least, and the share of them


def wanted_grid(climb: Climb, limit: float) -> Grid | None:
    """Other nodes, if those of the fit do not hold its populations or its posteriors; None if they do.

    Args:
        climb: where the fit stands.
        limit: how far the nodes reach to both sides of each population's mean, SDs.
    """
    population, grid = climb.here.population, climb.here.grid
    sd = population.total_sd
    narrowest = narrowest_posterior(
        climb.source.sample(SAMPLE), climb.design, climb.here.parameters, grid, float(population.sd.min())
    )
    near = limit - SLACK
    covered = grid.low <= (population.mean - near * sd).min() and grid.high >= (population.mean + near * sd).max()
    if covered and grid.holds(narrowest):
        return None
    low, high = float((population.mean - limit * sd).min()), float((population.mean + limit * sd).max())
    spacing = min(SPACING * limit / 6.0 * float(sd.min()), grid.spacing)
    if spacing > COARSEST * narrowest:
        spacing = narrowest
    return Grid.between(low, high, max(spacing, (high - low) / (MOST - 1)))


def finer(grid: Grid, sd: float) -> Grid:
    """Nodes twice as close that reach two SDs further."""
    low, high = grid.low - BEYOND * sd, grid.high + BEYOND * sd
    return Grid.between(low, high, max(0.5 * grid.spacing, (high - low) / (MOST - 1)))


def integration_errors(climb: Climb) -> Floats:
    """How far finer nodes would move each item, in standard errors; NaN for a histogram, which is its nodes.

    Finer nodes, all of them for everybody and in double precision: windows and rounding count as well.

    One quasi-Newton step of the marginal posterior: the gradient that finer nodes add, by the items' information,
    carried on to its end by the curvature that the iteration has shown. Of many persons one in 25 is looked at, which
    makes the figure larger rather than smaller: what is chance in it does not average out as it does over all.
    """
    here, design = climb.here, climb.design
    if here.population.log_weights is not None:
        return np.full(design.n_items, np.nan)
    share = min(1.0, max(CHECKED[0] / max(climb.source.n_persons, 1), CHECKED[1]))
    fine = finer(here.grid, float(here.population.total_sd.max()))
    near = climb.expectation(climb.kind, share=share)
    there = climb.expectation(np.float64, grid=fine, share=share, whole=True)
    pull = _gradient(climb, there, fine) - _gradient(climb, near, here.grid)
    step = _newton_steps(design, pull, climb.information)
    image = climb.expanded(here.parameters + step, there, fine)
    residual = climb.pack(image) - climb.pack(climb.expanded(here.parameters, near, here.grid))
    persons = near.population.sum(axis=1)
    reached = climb.trail.reach(residual, climb.weights(persons))[: design.n_free]
    moved = design.unpack(design.pack(here.parameters) + reached, here.parameters)
    return design.changes(here.parameters, moved, climb.information)


def _gradient(climb: Climb, expectation: Expectation, grid: Grid) -> Floats:
    """Of the marginal log posterior by the items' cells. Shape ``(items, width)``."""
    return complete_information(climb.design, expectation.counts, grid.nodes, climb.here.parameters)[1]


def _newton_steps(design: Design, pull: Floats, information: Floats) -> Floats:
    """Newton's step of each item by its complete-data information; one for all cells that share a value.

    The information is that of all persons: a few of them may say nothing about an item.
    """
    own = design.free & (design.index < design.n_own)
    scale = np.sqrt(np.abs(np.einsum("ijj->ij", information)) + np.finfo(float).tiny)
    matrix = information / (scale[:, :, None] * scale[:, None, :])
    matrix[~(own[:, :, None] & own[:, None, :])] = 0.0
    cells = np.arange(own.shape[1])
    matrix[:, cells, cells] += np.where(own, 1e-9, 1.0)
    step: Floats = np.linalg.solve(matrix, np.where(own, pull / scale, 0.0)[:, :, None])[:, :, 0] / scale
    shared = design.free & ~own
    if shared.any():
        place = design.index[shared]
        total = np.bincount(place, weights=np.square(scale[shared]))
        step[shared] = (np.bincount(place, weights=pull[shared]) / np.maximum(total, np.finfo(float).tiny))[place]
    return step

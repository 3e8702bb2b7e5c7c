"""Which nodes a fit needs, and whether those it had were enough."""

from __future__ import annotations

import numpy as np

from issmp_calibration.mml.climb import Climb
from issmp_calibration.mml.grid import COARSEST, Grid
from issmp_calibration.mml.narrowest import narrowest_posterior
from issmp_cat.arrays import Floats

__all__ = ["MOST", "finer", "integration_errors", "wanted_grid"]

SPACING = 0.2  # of neighbouring nodes, SDs of the narrowest population, if no posterior asks for less
SLACK = 0.5  # SDs by which populations may move before the nodes go after them
BEYOND = 2.0  # SDs by which the nodes of the check reach further
MOST = 2_001
SAMPLE = 500  # persons among whom the narrowest posterior is looked for
CHECKED = 1_000  # persons whose integrals are done again


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

    Where an EM step on finer nodes goes, less where it goes on these, carried on to its end by the curvature that the
    iteration has shown: one quasi-Newton step of the marginal posterior. Beyond 1,000 persons, from that many.
    """
    here, design = climb.here, climb.design
    if here.population.log_weights is not None:
        return np.full(design.n_items, np.nan)
    share = min(1.0, CHECKED / max(climb.source.n_persons, 1))
    fine = finer(here.grid, float(here.population.total_sd.max()))
    there, here_too = (_image(climb, grid, share) for grid in (fine, here.grid))
    n = climb.source.n_persons
    persons = np.full(len(here.population.labels), n / len(here.population.labels))
    reached = climb.trail.reach(there - here_too, climb.weights(persons))[: design.n_free]
    moved = design.unpack(design.pack(here.parameters) + reached, here.parameters)
    return design.changes(here.parameters, moved, climb.information)


def _image(climb: Climb, grid: Grid, share: float) -> Floats:
    """Where EM on some nodes would go from here, as a vector."""
    image, _ = climb.mapped(climb.expectation(np.float64, grid=grid, share=share), grid)
    return climb.pack(image)

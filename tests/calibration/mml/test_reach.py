"""Nodes that follow populations and posteriors, and what a fit says of its own integrals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration.mml.codes import encode
from issmp_calibration.mml.em import SMALL, Settings, fit
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.information import standard_errors
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.priors import Priors
from issmp_cat.responses import ResponseLog


def draw(seed, persons, items, mean=0.0, sd=1.0):
    rng = np.random.default_rng(seed)
    slope, intercept = np.exp(rng.normal(0, 0.3, items)), rng.normal(0, 1, items)
    chance = 1 / (1 + np.exp(-(slope * rng.normal(mean, sd, (persons, 1)) + intercept)))
    return (rng.random(chance.shape) < chance).astype(float), slope, intercept


@pytest.fixture(scope="module")
def long_test():
    """125 items, 900 candidates, and the solution on 401 nodes with its standard errors."""
    codes = encode(ResponseLog.from_wide(draw(1, 900, 125)[0]))
    design = lay_out(codes, "2pl")
    exact = fit(codes, design, Settings(grid=Grid.spaced(8.0, 401), refine=False, tolerance=1e-5))
    return codes, design, exact.parameters[:, :2], standard_errors(codes, design, exact).deviations[:, :2]


@pytest.mark.parametrize(("nodes", "limit"), [(31, 6.0), (21, 6.0), (41, 3.0)])
def test_the_stated_integration_error_is_the_distance_to_a_fine_grid(long_test, nodes, limit):
    codes, design, exact, errors = long_test
    found = fit(codes, design, Settings(grid=Grid.spaced(limit, nodes), refine=False, tolerance=1e-4))
    true = np.abs((found.parameters[:, :2] - exact) / errors).max(axis=1)
    assert true.max() > 0.03
    assert_allclose(found.integration_errors.max(), true.max(), rtol=0.35)
    assert np.corrcoef(found.integration_errors, true)[0, 1] > 0.9


def test_by_itself_a_fit_is_fine_enough(long_test):
    codes, design, exact, errors = long_test
    found = fit(codes, design, Settings(grid=Grid.spaced(6.0, 21)))
    assert found.settled
    assert found.integration_errors.max() < 0.025
    assert np.abs((found.parameters[:, :2] - exact) / errors).max() < 0.01


def test_windows_that_are_too_narrow_are_noticed(monkeypatch):
    """The check leaves out no node, so that it also tells what windows left out."""
    scores, _, _ = draw(4, 4_000, 60)
    codes = encode(ResponseLog.from_wide(scores))
    assert codes.n_answers > SMALL
    design, settings = lay_out(codes, "2pl"), Settings(grid=Grid.spaced(6.0, 241), refine=False)
    assert fit(codes, design, settings).integration_errors.max() < 1e-3
    monkeypatch.setattr("issmp_calibration.mml.estep.REACH", {4: 1.5, 8: 1.5})
    assert fit(codes, design, settings).integration_errors.max() > 0.05


def test_posteriors_of_guessed_answers_keep_their_tails():
    """16 answers with c = 0.25 and d = 0.9 leave tails beyond 5 posterior SDs, which decide on slopes."""
    rng = np.random.default_rng(11)
    slope, b = rng.uniform(2.0, 2.6, 16), rng.uniform(-0.4, 0.4, 16)
    z = slope * (rng.normal(size=(20_000, 1)) - b)
    scores = (rng.random(z.shape) < 0.25 + 0.65 / (1 + np.exp(-z))).astype(float)
    codes = encode(ResponseLog.from_wide(scores))
    assert codes.n_answers > SMALL
    design, settings = lay_out(codes, "4pl", Priors.default("4pl")), Settings(grid=Grid.spaced(6.0, 121), refine=False)
    found = fit(codes, design, settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("issmp_calibration.mml.em.SMALL", codes.n_answers)
        exact = fit(codes, design, settings)
    assert (np.abs(found.parameters - exact.parameters) / standard_errors(codes, design, exact).deviations).max() < 0.01


def test_nodes_go_after_a_population_far_from_the_anchors():
    scores, slope, intercept = draw(3, 3_000, 40, mean=2.0, sd=1.7)
    codes = encode(ResponseLog.from_wide(scores))
    held = {
        (k, cell): float((slope, intercept)[cell][item])
        for k, item in enumerate(codes.items)
        if item < 20
        for cell in (0, 1)
    }
    found = fit(codes, lay_out(codes, "2pl", None, held), Settings())
    assert found.settled
    # Standard errors of the mean and SD of 3,000 candidates on 40 items: below 0.05.
    assert_allclose([found.population.mean[0], found.population.sd[0]], [2.0, 1.7], atol=0.15)
    assert found.grid.low < 2.0 - 5.0 * 1.7
    assert found.grid.high > 2.0 + 5.0 * 1.7
    assert found.integration_errors.max() < 0.001


def test_one_free_slope_beside_rasch_items_leaves_the_spread_to_the_population():
    """SD 4, which ±6 does not hold: the nodes follow."""
    rng = np.random.default_rng(5)
    theta, b = rng.normal(0, 4, 2_000), rng.normal(0, 2, 30)
    scores = (rng.random((2_000, 30)) < 1 / (1 + np.exp(-(theta[:, None] - b)))).astype(float)
    codes = encode(ResponseLog.from_wide(scores))
    found = fit(codes, lay_out(codes, ["rasch"] * 29 + ["2pl"]), Settings())
    pure = fit(codes, lay_out(codes, "rasch"), Settings())
    assert found.settled
    assert found.grid.high > 20.0
    assert found.integration_errors.max() < 0.001
    # The common slope of the pure Rasch fit is its SD.
    assert_allclose(found.population.sd[0], pure.parameters[0, 0], rtol=0.01)

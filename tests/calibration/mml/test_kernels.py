"""Compiled kernels against plain numpy, and against themselves with other windows, precisions and threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration.mml.codes import encode
from issmp_calibration.mml.em import Settings, fit
from issmp_calibration.mml.estep import expect
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.information import standard_errors
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.models import log_table
from issmp_calibration.mml.narrowest import narrowest_posterior
from issmp_calibration.mml.windows import Windows
from issmp_cat.responses import ResponseLog


def draw_log(persons, items, per_person, seed=1):
    """A 2PL log in which everyone answers some items drawn at random; and the slopes and intercepts."""
    rng = np.random.default_rng(seed)
    slope, intercept, theta = np.exp(rng.normal(0, 0.3, items)), rng.normal(0, 1, items), rng.normal(0, 1, persons)
    item = np.sort(rng.permuted(np.tile(np.arange(items), (persons, 1)), axis=1)[:, :per_person], axis=1)
    chance = 1 / (1 + np.exp(-(slope[item] * theta[:, None] + intercept[item])))
    score = rng.random(item.shape) < chance
    log = ResponseLog(
        persons=np.arange(persons),
        items=np.arange(items),
        start=np.arange(persons + 1, dtype=np.int64) * per_person,
        item=item.ravel().astype(np.uint16),
        score=score.ravel().astype(np.int8),
    )
    return log, np.stack([slope, intercept, *np.full((2, items), -np.inf)], axis=1)


def two_table(codes, parameters, grid, kind=np.float64):
    return log_table(lay_out(codes, "2pl"), parameters, grid, kind)


@pytest.fixture(scope="module")
def small():
    log, parameters = draw_log(500, 60, 40)
    return log, encode(log), parameters


@pytest.fixture(scope="module")
def large():
    """Enough answers for float32, windows and several chunks."""
    log, parameters = draw_log(6_000, 300, 60, seed=2)
    return encode(log), parameters


def test_expected_counts_are_the_plain_sums(small):
    log, codes, parameters = small
    grid = Grid.spaced()
    table = two_table(codes, parameters, grid)
    found = expect(codes, grid, Windows.whole(codes.n_persons, len(codes.code), grid), table)
    with np.errstate(divide="ignore"):
        joint = np.array(
            [table[codes.code[a:b]].sum(axis=0) for a, b in zip(codes.start, codes.start[1:], strict=False)]
        )
        joint += grid.log_density
    marginal = np.log(np.exp(joint).sum(axis=1))
    posterior = np.exp(joint - marginal[:, None])
    counts = np.zeros_like(table)
    np.add.at(counts, codes.code, posterior[log.person])
    assert_allclose(found.counts, counts, atol=1e-10)
    assert_allclose(found.population, posterior.sum(axis=0), atol=1e-10)
    assert_allclose(found.mean, posterior @ grid.nodes, atol=1e-12)
    assert_allclose(found.log_likelihood, marginal.sum(), rtol=1e-13)


def test_windows_of_nodes_lose_a_millionth(large):
    codes, parameters = large
    grid = Grid.spaced()
    whole = Windows.whole(codes.n_persons, len(codes.code), grid)
    exact = expect(codes, grid, whole, two_table(codes, parameters, grid))
    windows = Windows.around(exact.mean, exact.sd, len(codes.code), grid)
    assert (windows.runs[:, 3] < len(grid.nodes) // 16).all()
    quick = expect(codes, grid, windows, two_table(codes, parameters, grid, np.float32))
    assert_allclose(quick.counts, exact.counts, atol=5e-6 * exact.counts.max())
    assert_allclose(quick.log_likelihood, exact.log_likelihood, rtol=1e-7)  # float32 sums, as em.NOISE says


def test_every_person_is_worked_once(large):
    codes, parameters = large
    grid = Grid.spaced()
    found = expect(
        codes,
        grid,
        Windows.whole(codes.n_persons, len(codes.code), grid),
        two_table(codes, parameters, grid),
    )
    windows = Windows.around(found.mean, found.sd, len(codes.code), grid)
    assert_array_equal(np.sort(windows.order), np.arange(codes.n_persons))
    assert_array_equal(windows.runs[1:, 0], windows.runs[:-1, 1])
    assert len(windows.chunks) > 2


@pytest.mark.parametrize("model", ["2pl", "3pl"])
def test_threads_do_not_change_a_bit(large, model):
    codes, _ = large
    chosen, settings = lay_out(codes, model), Settings(max_passes=4, refine=False)
    alone = fit(codes, chosen, settings)
    errors = standard_errors(codes, chosen, alone)
    with ThreadPoolExecutor(2) as executor:
        together = fit(codes, chosen, settings, executor)
        shared_errors = standard_errors(codes, chosen, together, executor)
    assert_array_equal(alone.parameters, together.parameters)
    assert alone.expectation.log_likelihood == together.expectation.log_likelihood
    assert_array_equal(errors.covariance, shared_errors.covariance)


def test_a_few_polynomials_give_the_standard_errors_of_all(large):
    """The quick way against float64, all nodes and as many polynomials as it takes; and dense against sparse sums."""
    codes, _ = large
    from issmp_calibration.mml import observed

    chosen = lay_out(codes, "2pl")
    found = fit(codes, chosen, Settings())
    quick = standard_errors(codes, chosen, found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observed, "SMALL", 10**9)
        patch.setattr(observed, "EXACT", 10**9)
        exact = standard_errors(codes, chosen, found)
    assert len(codes.code) > observed.SMALL
    assert quick.orders < exact.orders
    assert_allclose(quick.deviations[:, :2], exact.deviations[:, :2], rtol=1e-4)


def test_the_tolerance_holds_against_an_exact_solution(large):
    codes, _ = large
    chosen = lay_out(codes, "2pl")
    found = fit(codes, chosen, Settings())
    with pytest.MonkeyPatch.context() as patch:
        from issmp_calibration.mml import em

        patch.setattr(em, "SMALL", 10**9)
        exact = fit(codes, chosen, Settings(tolerance=1e-7))
    errors = standard_errors(codes, chosen, exact).deviations[:, :2]
    assert np.abs((found.parameters[:, :2] - exact.parameters[:, :2]) / errors).max() < Settings().tolerance


def test_the_narrowest_posterior_is_known_before_the_grid_can_see_it(small):
    _, codes, parameters = small
    fine, coarse = Grid.spaced(live=241), Grid.spaced(live=21)
    found = expect(codes, fine, Windows.whole(500, len(codes.code), fine), two_table(codes, parameters, fine))
    for grid in (fine, coarse):
        assert_allclose(narrowest_posterior(codes, lay_out(codes, "2pl"), parameters, grid), found.sd.min(), rtol=0.15)


def test_a_long_test_gets_a_finer_grid():
    log, _ = draw_log(300, 400, 400, seed=3)
    codes = encode(log)
    found = fit(codes, lay_out(codes, "2pl"), Settings())
    assert found.settled
    assert found.grid.live > 61

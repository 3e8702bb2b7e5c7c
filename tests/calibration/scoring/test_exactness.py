"""At volume, in single precision and between nodes, means and SDs are the integrals' to 1e-5."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_expit

from issmp_calibration import score
from issmp_calibration.scoring.gridded import halfway
from issmp_cat.bank import Item, ItemBank
from issmp_cat.irt import category_curves
from issmp_cat.responses import ResponseLog

SOME = [0, 1, *range(3, 5000, 17)]


def test_means_and_sds_are_the_integrals(sitting):
    found = score(sitting.log, sitting.bank)
    exact = np.array([sitting.moments(person) for person in SOME])
    assert_allclose(found.theta[SOME], exact[:, 0], atol=1e-5)
    assert_allclose(found.se[SOME], exact[:, 1], atol=1e-5)
    assert np.isnan([found.theta[2], found.se[2]]).all()


def test_another_population_moves_them_as_it_should(sitting):
    found = score(sitting.log, sitting.bank, prior=(-0.7, 2.5))
    exact = np.array([sitting.moments(person, -0.7, 2.5) for person in SOME])
    assert_allclose(np.stack([found.theta[SOME], found.se[SOME]], axis=1), exact, atol=2.5e-5)


def test_threads_do_not_change_a_bit(sitting):
    doubled = replace(
        sitting.log,
        persons=np.array([f"p{k}" for k in range(10 * len(sitting.log.persons))]),
        start=np.concatenate([[0], np.cumsum(np.tile(np.diff(sitting.log.start), 10))]),
        item=np.tile(sitting.log.item, 10),
        score=np.tile(sitting.log.score, 10),
    )
    one, two = (score(doubled, sitting.bank, threads=threads, plausible_values=2, seed=1) for threads in (1, 3))
    assert_array_equal(one.theta, two.theta)
    assert_array_equal(one.se, two.se)
    assert_array_equal(one.plausible_values, two.plausible_values)


@pytest.mark.parametrize("steepness", [3.0, 12.0])
def test_steep_items_of_every_model_get_the_nodes_they_need(steepness):
    rng = np.random.default_rng(5)
    steps = [tuple(np.sort(rng.normal(size=3))) for _ in range(20)]
    items = [Item(id=f"g{k}", domain="D", model="grm", a=steepness, steps=steps[k]) for k in range(20)]
    items += [Item(id=f"c{k}", domain="D", model="gpcm", a=steepness, steps=steps[k]) for k in range(20)]
    items += [Item(id=f"r{k}", domain="D", model="3pl", a=steepness, b=steps[k][0], c=0.25) for k in range(20)]
    bank = ItemBank.from_items(items)
    theta, persons = rng.normal(size=4500), 4500
    curves = category_curves(theta, bank.parameters)
    first = bank.parameters.first
    scores = np.array(
        [
            (rng.random(persons) > np.cumsum(curves[first[k] : first[k + 1]], axis=0)[:-1]).sum(axis=0)
            for k in range(60)
        ],
        dtype=float,
    ).T
    scores[rng.random(scores.shape) < 0.6] = np.nan
    found = score(ResponseLog.from_wide(scores, items=bank.ids), bank)
    grid = np.linspace(-9.0, 9.0, 18_001)
    logs = np.log(np.maximum(category_curves(grid, bank.parameters), 2.0**-63))
    for person in range(0, persons, 90):
        seen = np.flatnonzero(~np.isnan(scores[person]))
        total = logs[first[seen] + scores[person, seen].astype(int)].sum(axis=0) - 0.5 * grid**2
        weights = np.exp(total - total.max())
        mean = weights @ grid / weights.sum()
        sd = np.sqrt(weights @ (grid - mean) ** 2 / weights.sum())
        assert_allclose([found.theta[person], found.se[person]], [mean, sd], atol=1e-5)


def test_rounding_does_not_add_up_over_long_tests():
    rng = np.random.default_rng(6)
    a, b, theta = np.exp(rng.normal(0.0, 0.3, 700)), rng.normal(size=700), rng.normal(size=4200)
    scores = (rng.random((4200, 700)) < expit(a * (theta[:, None] - b))).astype(np.int8)
    bank = ItemBank.from_items(Item(id=f"i{k}", domain="D", a=a[k], b=b[k]) for k in range(700))
    found = score(ResponseLog.from_wide(scores, items=bank.ids), bank)
    grid = np.linspace(-6.0, 6.0, 2401)
    z = a * (grid[:, None] - b)
    right, wrong = log_expit(z), log_expit(-z)
    for person in range(0, 4200, 140):
        total = np.where(scores[person] == 1, right, wrong).sum(axis=1) - 0.5 * grid**2
        weights = np.exp(total - total.max())
        mean = weights @ grid / weights.sum()
        sd = np.sqrt(weights @ (grid - mean) ** 2 / weights.sum())
        assert_allclose([found.theta[person], found.se[person]], [mean, sd], atol=1e-5)


def test_polynomials_are_interpolated_exactly():
    """Twelve points carry degree 11; near the ends, where fewer are at hand, lower degrees."""
    x = np.linspace(-1.0, 1.0, 32)
    between = x[:-1] + (x[1] - x[0]) / 2
    for degree, inside in ((1, slice(0, 31)), (3, slice(1, -1)), (11, slice(5, -5))):
        padded = np.pad(x**degree, (5, 6))
        found = sum(factors * padded[tap : tap + 32] for tap, factors in enumerate(halfway(32)))
        assert_allclose(found[:-1][inside], (between**degree)[inside], atol=1e-12)

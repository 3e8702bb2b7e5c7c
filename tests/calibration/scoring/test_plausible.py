"""Plausible values are draws from the posteriors: singly, and of the population together."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from scipy.stats import kstest

from issmp_calibration import score
from issmp_calibration.scoring import GroupPrior, HistogramPrior
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import UsageError
from issmp_cat.responses import ResponseLog

ALARM = 1e-5  # chance that a right program fails a test


def part(log, persons):
    """The log of some candidates."""
    return ResponseLog.from_wide(log.wide()[persons], items=log.items, persons=log.persons[persons])


@pytest.mark.parametrize("candidates", [5000, 400])  # in single precision between nodes, and in double on all
def test_draws_follow_the_exact_posteriors(sitting, candidates):
    """Each draw's place in its candidate's exact distribution is uniform (Kolmogorov, 1933)."""
    found = score(part(sitting.log, np.arange(candidates)), sitting.bank, plausible_values=40, seed=3)
    places = []
    for person in [0, 1, *range(3, candidates, candidates // 200)]:
        cells = np.concatenate([[0.0], np.cumsum(sitting.posterior(person))])
        edges = (
            np.append(sitting.grid, 2 * sitting.grid[-1] - sitting.grid[-2]) - (sitting.grid[1] - sitting.grid[0]) / 2
        )
        places.append(np.interp(found.plausible_values[person], edges, cells))
    assert kstest(np.concatenate(places), "uniform").pvalue > ALARM
    assert np.isnan(found.plausible_values[2]).all()


@pytest.fixture(scope="module")
def short():
    """Fifteen items answered by two groups of 6,000 whose abilities differ."""
    rng = np.random.default_rng(21)
    a, b, n = np.exp(rng.normal(0, 0.2, 15)), rng.normal(size=15), 6000
    theta = np.concatenate([rng.normal(0.0, 1.0, n), rng.normal(0.8, 0.6, n)])
    scores = (rng.random((2 * n, 15)) < expit(a * (theta[:, None] - b))).astype(float)
    bank = ItemBank.from_items(Item(id=f"i{k}", domain="D", a=a[k], b=b[k]) for k in range(15))
    log = ResponseLog.from_wide(scores, items=bank.ids)
    return bank, replace(log, candidates={"school": np.repeat(["north", "south"], n)}), n


def test_they_have_the_populations_moments_where_estimates_shrink(short):
    bank, log, n = short
    prior = GroupPrior("school", {"north": (0.0, 1.0), "south": (0.8, 0.6)})
    found = score(log, bank, prior=prior, plausible_values=5, seed=9)
    for group, mean, sd in ((slice(0, n), 0.0, 1.0), (slice(n, None), 0.8, 0.6)):
        draws = found.plausible_values[group]
        # Five standard errors of a mean and an SD of n abilities: one alarm in two million.
        assert abs(draws.mean() - mean) < 5 * sd / np.sqrt(n)
        assert abs(draws.std() - sd) < 5 * sd / np.sqrt(2 * n)
        assert found.theta[group].std() < 0.9 * sd
        # The parts of the population's variance: between candidates, and within (Mislevy, 1991, eq. 10).
        assert_allclose(draws.var(axis=1, ddof=1).mean(), (found.se[group] ** 2).mean(), rtol=0.05)


def test_a_population_with_two_peaks_comes_back(short):
    bank, log, _ = short
    nodes = np.linspace(-4, 4, 81)
    weights = 0.5 * np.exp(-0.5 * ((nodes + 1.2) / 0.4) ** 2) + 0.5 * np.exp(-0.5 * ((nodes - 1.2) / 0.4) ** 2)
    rng = np.random.default_rng(2)
    theta = rng.normal(rng.choice([-1.2, 1.2], log.n_persons), 0.4)
    scores = (rng.random((log.n_persons, 15)) < expit(bank.a * (theta[:, None] - bank.b))).astype(float)
    two = ResponseLog.from_wide(scores, items=bank.ids)
    draws = score(two, bank, prior=HistogramPrior(tuple(nodes), tuple(weights)), plausible_values=1, seed=4)
    counts, edges = np.histogram(draws.plausible_values[:, 0], bins=np.linspace(-2.4, 2.4, 13))
    middles = 0.5 * (edges[1:] + edges[:-1])
    density = np.exp(-0.5 * ((middles + 1.2) / 0.4) ** 2) + np.exp(-0.5 * ((middles - 1.2) / 0.4) ** 2)
    expected = log.n_persons * 0.4 * density / (2 * 0.4 * np.sqrt(2 * np.pi))
    # Bins are wide beside the density's bends: 6 % for that, and five Poisson SDs.
    assert np.all(np.abs(counts - expected) < 0.06 * expected.max() + 5 * np.sqrt(expected))


def test_a_candidates_draws_depend_on_seed_and_name_alone(sitting):
    log = part(sitting.log, np.arange(600))
    all_of_them = score(log, sitting.bank, plausible_values=3, seed=5).plausible_values
    backwards = score(part(log, np.arange(600)[::-1]), sitting.bank, plausible_values=3, seed=5).plausible_values
    assert_array_equal(all_of_them, backwards[::-1])
    more = score(log, sitting.bank, plausible_values=4, seed=5).plausible_values
    assert_array_equal(more[:, :3], all_of_them)
    other = score(log, sitting.bank, plausible_values=3, seed=6).plausible_values
    assert not np.any(other[3:] == all_of_them[3:])
    large = score(sitting.log, sitting.bank, plausible_values=3, seed=5).plausible_values
    assert_allclose(large[:600], all_of_them, atol=3e-4)  # two ways to sum: the same numbers to 1e-3 SDs


def test_the_frame_the_summary_and_the_seed(sitting):
    log = part(sitting.log, np.arange(50))
    found = score(log, sitting.bank, plausible_values=2)
    assert list(found.frame.columns[:7]) == ["candidate", "theta", "se", "answers", "raw", "pv1", "pv2"]
    seed = found.provenance["options"]["seed"]
    assert f"2 plausible values of each, drawn with seed {seed}" in repr(found)
    assert_array_equal(score(log, sitting.bank, plausible_values=2, seed=seed).plausible_values, found.plausible_values)
    beside = score(log, sitting.bank, method="wle", plausible_values=2, seed=seed)
    assert_array_equal(beside.plausible_values, found.plausible_values)
    with pytest.raises(UsageError, match="from 0 to 1000"):
        score(log, sitting.bank, plausible_values=-1)

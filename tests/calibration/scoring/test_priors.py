"""Whatever is believed of candidates before their answers, the posterior is the product."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration import score
from issmp_calibration.latent import Latent
from issmp_calibration.scoring import GroupPrior, HistogramPrior, RegressionPrior, bank_prior, fitted_prior
from issmp_cat.errors import ResponseLogError, UsageError
from issmp_cat.responses import ResponseLog

SOME = [0, 1, *range(3, 5000, 97)]


@pytest.fixture(scope="module")
def known(sitting):
    """The log, with a group and a number of years for each candidate."""
    numbers = np.arange(sitting.log.n_persons)
    about = {"region": np.array(["a", "b", "c"])[numbers % 3], "years": (numbers % 7).astype(float)}
    return replace(sitting.log, candidates=about)


@pytest.mark.parametrize("few", [False, True])
def test_each_group_has_its_own_population(sitting, known, few):
    groups = {"a": (0.0, 1.0), "b": (0.5, 0.7), "c": (-1.0, 1.5)}
    log = known
    if few:
        log = ResponseLog.from_wide(sitting.scores[SOME], items=known.items)
        log = replace(log, candidates={"region": known.candidates["region"][SOME]})
    found = score(log, sitting.bank, prior=GroupPrior("region", groups))
    rows = range(len(SOME)) if few else SOME
    for row, person in zip(rows, SOME, strict=True):
        exact = sitting.moments(person, *groups[known.candidates["region"][person]])
        assert_allclose([found.theta[row], found.se[row]], exact, atol=1e-5)


def test_a_regression_gives_each_candidate_a_mean(sitting, known):
    prior = RegressionPrior(sd=0.8, terms={"years": (0.15, 3.0)}, mean=0.1)
    found = score(known, sitting.bank, prior=prior)
    for person in SOME:
        mean = 0.1 + 0.15 * (known.candidates["years"][person] - 3.0)
        assert_allclose([found.theta[person], found.se[person]], sitting.moments(person, mean, 0.8), atol=1e-5)


def test_map_follows_the_groups_too(sitting, known):
    groups = {"a": (0.0, 1.0), "b": (0.5, 0.7), "c": (-1.0, 1.5)}
    found = score(known, sitting.bank, prior=GroupPrior("region", groups), method="map")
    step = sitting.grid[1] - sitting.grid[0]
    for person in SOME:
        weights = sitting.posterior(person, *groups[known.candidates["region"][person]])
        assert abs(found.theta[person] - sitting.grid[weights.argmax()]) < step


def test_a_histogram_of_the_normal_is_the_normal(sitting):
    nodes = np.linspace(-8.0, 8.0, 3201)
    histogram = HistogramPrior(tuple(nodes), tuple(np.exp(-0.5 * nodes**2)))
    found = score(sitting.log, sitting.bank, prior=histogram)
    exact = np.array([sitting.moments(person) for person in SOME])
    assert_allclose(np.stack([found.theta[SOME], found.se[SOME]], axis=1), exact, atol=1e-5)
    with pytest.raises(UsageError, match="map takes normal priors only"):
        score(sitting.log, sitting.bank, prior=histogram, method="map")


def test_candidates_without_a_prior_are_counted_and_bad_priors_refused(sitting, known):
    with pytest.raises(ResponseLogError, match='no prior for the 1,666 candidates whose "region" is "c"'):
        score(known, sitting.bank, prior=GroupPrior("region", {"a": (0.0, 1.0), "b": (0.0, 1.0)}))
    with pytest.raises(UsageError, match=r'no column "regions".*did you mean "region"'):
        score(known, sitting.bank, prior=GroupPrior("regions", {"a": (0.0, 1.0)}))
    with pytest.raises(ResponseLogError, match='5,000 candidates have no number under "region"'):
        score(known, sitting.bank, prior=RegressionPrior(sd=1.0, terms={"region": (1.0, 0.0)}))
    with pytest.raises(UsageError, match="SD above 0"):
        score(sitting.log, sitting.bank, prior=(0.0, 0.0))
    with pytest.raises(UsageError, match="ascending abilities"):
        HistogramPrior((0.0, 0.0), (1.0, 1.0))


def test_the_populations_of_a_calibration_are_priors(sitting, known):
    nodes = np.linspace(-10.0, 10.0, 101)

    def group(label, mean, sd):
        share = np.exp(-0.5 * ((nodes - mean) / sd) ** 2)
        return Latent(mean, sd, None, nodes, share / share.sum(), share / share.sum(), label=label)

    groups = [group("a", 0.0, 1.0), group("b", 0.5, 0.7), group("c", -1.0, 1.5)]
    normal = score(known, sitting.bank, prior=fitted_prior(groups, column="region"))
    by_hand = GroupPrior("region", {"a": (0.0, 1.0), "b": (0.5, 0.7), "c": (-1.0, 1.5)})
    assert_allclose(normal.theta, score(known, sitting.bank, prior=by_hand).theta)
    shaped = score(known, sitting.bank, prior=fitted_prior(groups, density="histogram", column="region"))
    # Straight lines between nodes 0.2 apart in place of a parabola lower its log by up to 0.01.
    assert np.nanmax(np.abs(shaped.theta - normal.theta)) < 0.01
    assert fitted_prior(groups[:1]) == (0.0, 1.0)
    with pytest.raises(UsageError, match="name the column"):
        fitted_prior(groups)


def with_groups(bank, **more):
    """The bank as one calibrated with groups is: the reference group first."""
    groups = [
        {"label": "a", "candidates": 10, "mean": 0.0, "sd": 1.0},
        {"label": "b", "candidates": 10, "mean": 0.5, "sd": 0.7},
        {"label": "c", "candidates": 10, "mean": -1.0, "sd": 1.5},
    ]
    calibration = {"options": {"population": {"groups": "region"}}}
    return replace(bank, provenance={"groups": groups, "calibration": calibration, **more})


def test_a_score_says_which_population_it_took_and_which_others_the_bank_knows(sitting, known):
    plain = score(known, sitting.bank)
    own = f"mean {sitting.bank.metric.latent_mean:.4g}, SD {sitting.bank.metric.latent_sd:.4g} logits, the bank's"
    assert plain.provenance["population"] == own
    assert f"population: {own}" in plain.summary().splitlines()
    grouped = score(known, with_groups(sitting.bank))
    assert grouped.provenance["population"] == (
        "mean 0, SD 1 logits, the bank's reference group a for everyone; --prior-by region (bank_prior) takes each "
        "group's own: a 0,1, b 0.5,0.7, c -1,1.5"
    )
    assert_allclose(grouped.theta, plain.theta)
    assert "population: mean 0.2, SD 0.9 logits, as asked" in score(known, sitting.bank, prior=(0.2, 0.9)).summary()
    assert "population" not in score(known, with_groups(sitting.bank), method="wle").summary()
    regressed = replace(sitting.bank, provenance={"regression": {"years": {"estimate": 0.1, "se": 0.01}}})
    assert "its regression on years is not used" in score(known, regressed).summary()


def test_the_groups_of_the_bank_are_each_ones_own_prior(sitting, known):
    bank = with_groups(sitting.bank)
    found = score(known, bank, prior=bank_prior(bank, "region"))
    typed = score(known, bank, prior=GroupPrior("region", {"a": (0, 1), "b": (0.5, 0.7), "c": (-1, 1.5)}))
    assert_allclose(found.theta, typed.theta, rtol=0, atol=0)
    assert 'each group\'s own by "region" (a 0,1, b 0.5,0.7, c -1,1.5), as asked' in found.summary()
    with pytest.raises(UsageError, match="remembers no groups"):
        bank_prior(sitting.bank, "region")


def test_groups_move_with_the_scale_when_a_bank_is_linked(sitting):
    moved = bank_prior(with_groups(sitting.bank, links=[{"A": 2.0, "B": 0.5}, {"A": 0.5, "B": 1.0}]), "region")
    assert moved.groups == {"a": (1.25, 1.0), "b": (1.75, 0.7), "c": (0.25, 1.5)}

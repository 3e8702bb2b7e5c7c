"""Whatever is believed of candidates before their answers, the posterior is the product."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration import score
from issmp_calibration.latent import Latent
from issmp_calibration.scoring import GroupPrior, HistogramPrior, RegressionPrior, fitted_prior
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

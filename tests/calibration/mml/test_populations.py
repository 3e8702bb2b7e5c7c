"""Groups, covariates, held and equal parameters: the gradient vanishes, by brute force over every node."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_softmax

from issmp_calibration.mml.codes import encode
from issmp_calibration.mml.em import Settings, fit
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.priors import NormalPrior, Priors
from issmp_cat.responses import ResponseLog

NODES = np.linspace(-9.0, 9.0, 91)
EXACT = {"grid": Grid.spaced(9.0, 91), "refine": False, "tolerance": 1e-7}


def draw(seed, persons=400, items=8, scores=2, mean=0.0, sd=1.0):
    """Scores of a partial credit model with holes in them; ``mean`` of all persons, or of each."""
    rng = np.random.default_rng(seed)
    theta, slope = rng.normal(mean, sd, persons), rng.uniform(0.7, 1.6, items)
    steps = np.cumsum(rng.normal(0, 0.7, (items, scores - 1)), axis=1)
    climb = np.arange(1, scores) * slope[:, None] * theta[:, None, None] + steps
    chance = np.exp(np.concatenate([np.zeros((persons, items, 1)), climb], axis=2))
    chance /= chance.sum(axis=2, keepdims=True)
    drawn = (rng.random((persons, items, 1)) > np.cumsum(chance, axis=2)[:, :, :-1]).sum(axis=2).astype(float)
    drawn[rng.random((persons, items)) < 0.2] = np.nan
    return drawn


def log_likelihood(cells, scores, log_weight):
    """Partial credit (of two scores: the 2PL) summed over every node in the plainest way."""
    k = np.arange(1, cells.shape[1])
    climb = k * cells[:, :1] * NODES[:, None, None] + cells[:, 1:]
    table = log_softmax(np.concatenate([np.zeros((*climb.shape[:2], 1)), climb], axis=2), axis=2)
    total = np.zeros((len(scores), len(NODES)))
    for item in range(scores.shape[1]):
        seen = ~np.isnan(scores[:, item])
        total[seen] += table[:, item, scores[seen, item].astype(int)].T
    return np.log(np.exp(total + log_weight).sum(axis=1)).sum()


def normal(mean, sd):
    weight = -0.5 * ((NODES - np.asarray(mean)[..., None]) / np.asarray(sd)[..., None]) ** 2
    return weight - np.log(np.exp(weight).sum(axis=-1, keepdims=True))


def slope_at(value, start, step=1e-4):
    """Central differences with one Richardson step."""

    def once(place, h):
        moved = np.tile(start, (2, 1))
        moved[:, place] += h, -h
        return (value(moved[0]) - value(moved[1])) / (2 * h)

    return np.array([(4 * once(k, step) - once(k, 2 * step)) / 3 for k in range(len(start))])


def test_two_groups_stand_where_the_gradient_vanishes():
    scores = np.vstack([draw(1), draw(1, mean=0.5, sd=1.4)])
    group = np.repeat([0, 1], 400)
    codes = encode(ResponseLog.from_wide(scores), None, group)
    design = lay_out(codes, "2pl")
    found = fit(codes, design, Settings(**EXACT, groups=("old", "new")))
    assert found.settled
    assert found.population.mean[0] == 0.0
    assert found.population.sd[0] == 1.0

    def value(vector):
        weight = normal([0.0, vector[-2]], [1.0, vector[-1]])[group]
        return log_likelihood(vector[:-2].reshape(-1, 2), scores, weight)

    here = np.concatenate([found.parameters[:, :2].ravel(), found.population.mean[1:], found.population.sd[1:]])
    assert_allclose(value(here), found.expectation.log_likelihood, rtol=1e-11)
    assert np.abs(slope_at(value, here)).max() < 1e-3


def test_held_items_set_the_scale_of_a_population_that_is_elsewhere():
    scores = draw(2, mean=1.0, sd=1.3, persons=800)
    codes = encode(ResponseLog.from_wide(scores))
    held = {(item, cell): value for item in range(3) for cell, value in enumerate((1.1, 0.2 * item))}
    found = fit(codes, lay_out(codes, "2pl", None, held), Settings(**EXACT))
    assert_allclose(found.parameters[:3, 0], 1.1)

    def value(vector):
        cells = found.parameters[:, :2].copy()
        cells[3:] = vector[:-2].reshape(-1, 2)
        return log_likelihood(cells, scores, normal(vector[-2], vector[-1]))

    here = np.concatenate([found.parameters[3:, :2].ravel(), found.population.mean, found.population.sd])
    assert np.abs(slope_at(value, here)).max() < 1e-3


def test_equal_parameters_stand_where_their_common_gradient_vanishes():
    scores = draw(3, scores=3)
    codes = encode(ResponseLog.from_wide(scores), np.ones(8, bool))
    ties = [[(0, 0), (1, 0), (2, 0)], [(0, 1), (1, 1)]]
    design = lay_out(codes, "gpcm", ties=ties)
    found = fit(codes, design, Settings(**EXACT))
    assert found.settled
    assert len({*found.parameters[:3, 0]}) == 1
    assert found.parameters[0, 1] == found.parameters[1, 1]

    def value(vector):
        return log_likelihood(design.unpack(vector, found.parameters), scores, normal(0.0, 1.0))

    assert np.abs(slope_at(value, design.pack(found.parameters))).max() < 1e-3


@pytest.mark.parametrize("prior", [None, NormalPrior(0.4, 0.1)], ids=["no prior", "a prior on ln a"])
def test_a_regression_stands_where_the_gradient_vanishes(prior):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, 2)) @ np.array([[1.0, 0.4], [0.0, 1.0]])
    x -= x.mean(axis=0)
    scores = draw(5, persons=600, mean=x @ [0.6, -0.3], sd=0.8)
    codes = encode(ResponseLog.from_wide(scores))
    found = fit(codes, lay_out(codes, "2pl", Priors(log_slope=prior)), Settings(**EXACT), covariates=x)
    assert found.settled
    spread = x.T @ x / len(x)
    # The marginal population keeps mean 0 and SD 1: the coefficients say what the rest must be.
    assert_allclose(found.population.total_sd, 1.0)

    def value(vector):
        slopes = vector[-2:]
        rest = np.sqrt(1.0 - slopes @ spread @ slopes)
        away = (NODES - (x @ slopes)[:, None]) / rest
        weight = -0.5 * away**2 - np.log(rest * np.sqrt(2 * np.pi) / 0.2)
        cells = vector[:-2].reshape(-1, 2)
        pull = 0.0 if prior is None else -0.5 * (((np.log(cells[:, 0]) - prior.mean) / prior.sd) ** 2).sum()
        return log_likelihood(cells, scores, weight) + pull

    here = np.concatenate([found.parameters[:, :2].ravel(), found.population.coefficients])
    assert np.abs(slope_at(value, here)).max() < 2e-3


@pytest.mark.parametrize("model", ["2pl", "3pl", "grm", "gpcm", "nrm"])
def test_starts_do_not_matter(model):
    scores = draw(6, scores=2 if model[0] in "23" else 3, persons=600)
    codes = encode(ResponseLog.from_wide(scores), np.full(8, model[0] not in "23"))
    design = lay_out(codes, model)
    usual = fit(codes, design, Settings(**EXACT))
    rng = np.random.default_rng(7)
    for _ in range(3):
        vector = design.pack(design.start(codes.counts))
        start = design.unpack(vector * rng.uniform(0.6, 1.6, len(vector)), usual.parameters)
        other = fit(codes, design, Settings(**EXACT, start=start))
        assert other.settled
        assert_allclose(other.parameters[design.free], usual.parameters[design.free], atol=2e-5)
        assert_allclose(other.expectation.log_likelihood, usual.expectation.log_likelihood, rtol=1e-9)


def test_a_histogram_takes_the_shape_of_two_camps():
    rng = np.random.default_rng(8)
    theta = np.where(rng.random(4_000) < 0.5, -1.2, 1.2) + rng.normal(0, 0.4, 4_000)
    chance = 1 / (1 + np.exp(-1.5 * (theta[:, None] - np.linspace(-2, 2, 30))))
    codes = encode(ResponseLog.from_wide((rng.random(chance.shape) < chance).astype(float)))
    design = lay_out(codes, "2pl")
    bell = fit(codes, design, Settings())
    found = fit(codes, design, Settings(histogram=True, max_passes=400))
    assert found.expectation.log_likelihood > bell.expectation.log_likelihood + 50
    weight, nodes = np.exp(found.population.log_weights[0]), found.grid.nodes[: found.grid.live]
    assert_allclose(weight.sum(), 1.0)
    assert_allclose([weight @ nodes, weight @ nodes**2], [0.0, 1.0], atol=1e-3)
    assert weight[np.abs(nodes) < 0.3].sum() < 0.08
    assert np.isnan(found.integration_errors).all()

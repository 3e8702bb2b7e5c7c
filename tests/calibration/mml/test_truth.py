"""The solution against derivations that share nothing with it: brute force over every node, and finite differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration.mml.codes import encode
from issmp_calibration.mml.em import Settings, fit
from issmp_calibration.mml.information import solution_of
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.observed import Information
from issmp_calibration.mml.priors import Priors
from issmp_cat.responses import ResponseLog

NODES = np.linspace(-6.0, 6.0, 61)
EXACT = Settings(tolerance=1e-7)


def sparse_scores(seed, persons=300, items=8, missing=0.3):
    """Scores of a 2PL with holes in them."""
    rng = np.random.default_rng(seed)
    theta, slope, intercept = rng.normal(size=persons), rng.uniform(0.6, 1.8, items), rng.normal(0, 1, items)
    chance = 1 / (1 + np.exp(-(slope * theta[:, None] + intercept)))
    scores = (rng.random((persons, items)) < chance).astype(float)
    scores[rng.random((persons, items)) < missing] = np.nan
    return scores


def log_posterior(parameters, scores, priors):
    """Marginal log likelihood plus log prior, summed over every node in the plainest way."""
    slope, intercept, guess = parameters.T[:3]
    c = 1 / (1 + np.exp(-guess))
    chance = c + (1 - c) / (1 + np.exp(-(slope * NODES[:, None] + intercept)))
    weight = np.exp(-0.5 * NODES**2)
    weight /= weight.sum()
    given = np.where(scores[:, None, :] == 1, chance, 1 - chance)
    given = np.where(np.isnan(scores[:, None, :]), 1.0, given)
    value = np.log(given.prod(axis=2) @ weight).sum()
    if priors.log_slope is not None:
        value -= 0.5 * (((np.log(slope) - priors.log_slope.mean) / priors.log_slope.sd) ** 2).sum()
    if priors.logit_guess is not None:
        value -= 0.5 * (((guess - priors.logit_guess.mean) / priors.logit_guess.sd) ** 2).sum()
    return value


def derivatives(parameters, free, scores, priors, step=2e-3):
    """Gradient and Hessian by central differences with one Richardson step: truncation falls to step⁴."""
    places = [(item, int(k)) for item in range(len(parameters)) for k in np.flatnonzero(free)]

    def value(*moves):
        moved = parameters.copy()
        for (item, k), by in moves:
            moved[item, k] += by
        return log_posterior(moved, scores, priors)

    def gradient(h):
        return np.array([(value((p, h)) - value((p, -h))) / (2 * h) for p in places])

    def hessian(h):
        table = np.empty((len(places), len(places)))
        for i, p in enumerate(places):
            for j, q in enumerate(places[: i + 1]):
                cross = (
                    value((p, h), (q, h)) - value((p, h), (q, -h)) - value((p, -h), (q, h)) + value((p, -h), (q, -h))
                )
                table[i, j] = table[j, i] = cross / (4 * h * h)
        return table

    return (
        (4 * gradient(step) - gradient(2 * step)) / 3,
        (4 * hessian(step) - hessian(2 * step)) / 3,
    )


@pytest.mark.parametrize(
    ("model", "priors"),
    [("2pl", Priors()), ("3pl", Priors.default("3pl")), ("3pl", Priors(logit_guess=Priors.default("3pl").logit_guess))],
    ids=["2pl", "3pl with both priors", "3pl with a prior on guessing"],
)
def test_gradient_vanishes_and_information_is_the_negative_hessian(model, priors):
    scores = sparse_scores(7)
    codes = encode(ResponseLog.from_wide(scores))
    chosen = lay_out(codes, model, priors)
    found = fit(codes, chosen, EXACT)
    assert found.settled
    gradient, hessian = derivatives(found.parameters, chosen.free[0], scores, priors)
    solution, part = solution_of(codes, chosen, found)
    information = Information(solution, part).observed()
    # In standard errors: how far Newton's next step would go.
    assert np.abs(np.linalg.solve(-hessian, gradient) / np.sqrt(np.diag(np.linalg.inv(-hessian)))).max() < 1e-5
    assert_allclose(np.triu(information), np.triu(-hessian), atol=1e-5 * np.abs(hessian).max())


def test_gradient_vanishes_for_a_common_slope():
    scores = sparse_scores(8)
    codes = encode(ResponseLog.from_wide(scores))
    chosen = lay_out(codes, "1pl")
    found = fit(codes, chosen, EXACT)
    gradient, _ = derivatives(found.parameters, np.array([True, True, False, False]), scores, Priors())
    assert abs(gradient[0::2].sum()) < 1e-3
    assert np.abs(gradient[1::2]).max() < 1e-3


def test_log_likelihood_is_the_plain_sum():
    scores = sparse_scores(9)
    codes = encode(ResponseLog.from_wide(scores))
    chosen = lay_out(codes, "2pl")
    found = fit(codes, chosen, EXACT)
    assert_allclose(found.expectation.log_likelihood, log_posterior(found.parameters, scores, Priors()), rtol=1e-12)


def test_every_pass_before_the_last_climbs():
    codes = encode(ResponseLog.from_wide(sparse_scores(10)))
    chosen = lay_out(codes, "3pl")
    taken = [step.log_posterior for step in fit(codes, chosen, EXACT).passes if step.distance is not None]
    assert (np.diff(taken) > -1e-7).all()

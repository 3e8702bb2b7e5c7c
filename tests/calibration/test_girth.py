"""girth 0.8.0 as a second opinion, and what it cannot do."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration import calibrate
from issmp_calibration.girth_opinion import girth_opinion
from issmp_cat.responses import ResponseLog


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(4)
    a, b, theta = rng.uniform(0.7, 1.8, 8), rng.normal(0, 1, 8), rng.normal(size=600)
    return (rng.random((600, 8)) < 1 / (1 + np.exp(-a * (theta[:, None] - b)))).astype(float)


@pytest.mark.parametrize("model", ["rasch", "1pl", "2pl"])
def test_the_two_programs_agree(scores, model):
    log = ResponseLog.from_wide(scores)
    opinion = girth_opinion(calibrate(log, model=model), log)
    assert not opinion.refused
    # girth stops after 25 passes, on 41 nodes of ±4.5; its 1PL fits difficulties to shares of right answers, which is
    # consistent and not quite maximum likelihood: a fifth of a standard error (0.1) apart here.
    assert_allclose(opinion.girths, opinion.ours, atol=0.02)
    assert list(opinion.frame.columns[:3]) == ["item", "a", "a_girth"]
    assert "girth 0.8.0 on 8 items" in opinion.summary()


def test_items_with_holes_are_left_out_of_girths_fit(scores):
    holes = scores.copy()
    holes[:300, 0] = np.nan
    holes[5] = np.nan
    log = ResponseLog.from_wide(holes)
    opinion = girth_opinion(calibrate(log), log)
    assert len(opinion.item) == 7
    assert "complete matrices only" in opinion.summary()


def test_what_girth_cannot_do_is_said_not_raised(scores):
    log = ResponseLog.from_wide(scores)
    assert "its 3PL fails inside" in girth_opinion(calibrate(log, model="3pl"), log).summary()
    sparse = scores.copy()
    sparse[np.random.default_rng(5).random(sparse.shape) < 0.3] = np.nan
    log = ResponseLog.from_wide(sparse)
    opinion = girth_opinion(calibrate(log), log)
    assert "complete matrices only" in opinion.refused
    assert opinion.frame.empty


@pytest.fixture(scope="module")
def steps():
    """Scores 0 to 3, and 0 to 2 in the last item, of a graded response model."""
    rng = np.random.default_rng(12)
    a, theta = rng.uniform(0.8, 1.8, 8), rng.normal(size=900)
    b = np.sort(rng.normal(0, 1, (8, 3)), axis=1) + np.array([-0.6, 0.0, 0.6])
    reached = 1 / (1 + np.exp(-a[:, None] * (theta[:, None, None] - b[:, :].T[None].swapaxes(1, 2))))
    scores = (rng.random((900, 8, 1)) < reached).sum(axis=2).astype(float)
    scores[:, 7] = np.minimum(scores[:, 7], 2)
    return scores


@pytest.mark.parametrize(("model", "allowed"), [("grm", 0.05), ("gpcm", 0.05)])
def test_items_with_steps_have_a_second_opinion_too(steps, model, allowed):
    log = ResponseLog.from_wide(steps)
    opinion = girth_opinion(calibrate(log, model=model, standard_errors=False), log)
    assert opinion.names == ("a", "b1", "b2", "b3")
    assert np.isnan(opinion.girths[7, 3])
    assert_allclose(opinion.girths, opinion.ours, atol=allowed)
    # girth stops after 25 passes: the same integral must not find its parameters better than ours.
    assert -1.0 < opinion.girths_log_likelihood - opinion.log_likelihood < 1e-6


def test_a_partial_credit_model_girth_does_not_have(steps):
    log = ResponseLog.from_wide(steps)
    assert "slope of its own" in girth_opinion(calibrate(log, model="pcm", standard_errors=False), log).summary()


@pytest.mark.parametrize("model", ["rasch", "2pl"])
def test_our_integral_is_the_fit_s_log_likelihood(scores, model):
    """Another program's parameters are judged by the integral that ours were fitted to."""
    log = ResponseLog.from_wide(scores)
    found = calibrate(log, model=model)
    opinion = girth_opinion(found, log)
    assert_allclose(opinion.log_likelihood, found.log_likelihood, atol=1e-5)
    assert opinion.girths_log_likelihood <= opinion.log_likelihood + 1e-6
    assert "under our integral" in opinion.summary()

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
    assert "three-parameter model fails" in girth_opinion(calibrate(log, model="3pl"), log).summary()
    sparse = scores.copy()
    sparse[np.random.default_rng(5).random(sparse.shape) < 0.3] = np.nan
    log = ResponseLog.from_wide(sparse)
    opinion = girth_opinion(calibrate(log), log)
    assert "complete matrices only" in opinion.refused
    assert opinion.frame.empty

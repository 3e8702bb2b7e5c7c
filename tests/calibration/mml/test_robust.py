"""Answers that no model likes: they settle at a bound, say so, and break nothing."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from issmp_calibration.mml.codes import encode
from issmp_calibration.mml.em import Settings, fit
from issmp_calibration.mml.layout import lay_out
from issmp_cat.responses import ResponseLog


def nearly_ordered(persons, items, scores, seed=1):
    """Answers that order persons almost perfectly: the likelihood rises with the slopes without end."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, persons)
    steps = np.sort(rng.normal(0, 1, (items, scores - 1)), axis=1)
    return (theta[:, None, None] + rng.normal(0, 0.02, (persons, items, 1)) > steps).sum(axis=2).astype(float)


@pytest.mark.parametrize(
    ("model", "scores"), [("rasch", 2), ("1pl", 2), ("2pl", 2), ("grm", 4), ("gpcm", 3), ("pcm", 3)]
)
def test_a_likelihood_that_rises_without_end_settles_at_the_bounds(model, scores):
    codes = encode(ResponseLog.from_wide(nearly_ordered(200, 8, scores)), np.full(8, scores > 2))
    design = lay_out(codes, model)
    found = fit(codes, design, Settings(refine=False))
    free = design.free
    assert np.isfinite(found.parameters[free]).all()
    assert np.isfinite(found.expectation.log_likelihood)
    assert (found.parameters[free] >= design.lower[free]).all()
    assert (found.parameters[free] <= design.upper[free]).all()
    assert found.settled


def test_graded_intercepts_keep_their_order_whatever_is_asked():
    codes = encode(ResponseLog.from_wide(nearly_ordered(100, 5, 4)), np.ones(5, bool))
    design = lay_out(codes, "grm")
    usual = design.start(codes.counts)
    vector = design.pack(usual)
    vector[[1, 2]] = vector[[2, 1]]  # the first item's first two intercepts
    assert_array_equal(design.unpack(vector, usual)[0], usual[0])
    assert (np.diff(design.unpack(100.0 * design.pack(usual), usual)[:, 1:], axis=1) < 0.0).all()


def test_cells_equal_to_a_held_one_are_held_with_it():
    codes = encode(ResponseLog.from_wide(nearly_ordered(50, 4, 2)))
    design = lay_out(codes, "2pl", None, {(0, 0): 1.2}, [[(0, 0), (1, 0)]])
    assert_array_equal(design.held[:2, 0], [1.2, 1.2])
    assert_array_equal(design.free[:, 0], [False, False, True, True])

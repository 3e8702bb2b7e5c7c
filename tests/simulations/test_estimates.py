"""Figures and their uncertainty, against scipy and against repetition."""

import numpy as np
import pytest
from scipy import stats

from issmp_cat.intervals import wilson
from issmp_simulations.estimates import mean_of, proportion, rmse_of


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (1, 7), (481, 1000), (61_612, 100_000)])
def test_wilson_interval_is_scipys(k, n):
    expected = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_standard_errors_are_the_spread_over_repetitions():
    """2,000 repetitions of 400 errors: the spread itself is known to 1.6 %, so 8 % is five of its standard errors."""
    errors = np.random.default_rng(1).normal(0.1, 0.5, (2000, 400))
    means = np.array([mean_of(row).value for row in errors])
    roots = np.array([rmse_of(row).value for row in errors])
    assert means.std() == pytest.approx(np.mean([mean_of(row).se for row in errors]), rel=0.08)
    assert roots.std() == pytest.approx(np.mean([rmse_of(row).se for row in errors]), rel=0.08)


def test_nobody_to_count_is_none_and_not_nan():
    assert proportion(0, 0) is None
    assert mean_of(np.array([np.inf])) is None
    assert mean_of(np.array([1.0])).se == 0.0
    assert rmse_of(np.zeros(5)).value == 0.0

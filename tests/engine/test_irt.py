"""The curves against their definitions: limits, finite differences, the likelihood itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from issmp_cat.irt import (
    category_probabilities,
    difficulty,
    fisher,
    information,
    intercept,
    probability,
    probability_at,
    slope,
    slope_change,
)

THETA = np.linspace(-4, 4, 33)
# One of each model, and two that are hard on arithmetic: very steep, and a narrow range between asymptotes.
A = np.array([1.0, 0.4, 1.7, 2.5, 1.2, 0.9])
B = np.array([0.0, -1.3, 0.8, 2.0, -0.5, 1.0])
C = np.array([0.0, 0.0, 0.25, 0.1, 0.2, 0.55])
D = np.array([1.0, 1.0, 1.0, 1.0, 0.95, 0.75])
ITEMS = (A, B, C, D)
H = 1e-4

slopes = st.floats(0.05, 20)
difficulties = st.floats(-50, 50)
abilities = st.floats(-60, 60)
# c, and d somewhere between c and 1.
asymptotes = st.floats(0, 0.9).flatmap(lambda c: st.tuples(st.just(c), st.floats(c + 0.05 * (1 - c), 1)))


def central(function, theta, h=H):
    return (function(theta + h) - function(theta - h)) / (2 * h)


def curve(theta):
    return probability(theta, *ITEMS)


def parts(theta):
    wrong, right = np.moveaxis(category_probabilities(theta, *ITEMS), -1, 0)
    return right, wrong


def test_the_curve_at_its_difficulty_lies_midway_between_its_asymptotes():
    middle = np.diagonal(probability(B, *ITEMS))
    assert_allclose(middle, (C + D) / 2, rtol=1e-15)


def test_a_candidate_one_logit_above_a_rasch_item_has_odds_of_e():
    p = probability_at(1.0, 1.0, 0.0, 0.0, 1.0)
    assert p / (1 - p) == pytest.approx(math.e, rel=1e-14)


def test_the_slope_is_the_derivative_of_the_curve():
    right, wrong = parts(THETA)
    # Central differences: truncation h² a³/6 ≈ 3e-8, cancellation 1e-16/h = 1e-12.
    assert_allclose(slope(right, wrong, A, C, D), central(curve, THETA), atol=5e-8)


def test_the_slope_change_is_the_derivative_of_the_slope():
    def steepness(theta):
        right, wrong = parts(theta)
        return slope(right, wrong, A, C, D)

    right, _ = parts(THETA)
    assert_allclose(slope_change(right, steepness(THETA), A, C, D), central(steepness, THETA), atol=2e-7)


def test_information_is_squared_slope_over_variance():
    """Against the definition (Lord, 1980, eq. 5-9), by finite differences; not against our own algebra."""
    p = curve(THETA)
    assert_allclose(information(THETA, *ITEMS), central(curve, THETA) ** 2 / (p * (1 - p)), rtol=1e-6, atol=1e-10)


def test_information_is_the_expected_curvature_of_the_log_likelihood():
    """Fisher's other definition, which shares no algebra with the first: −E d²log L/dθ²."""

    def curvature(score):
        def log_likelihood(theta):
            return np.log(category_probabilities(theta, *ITEMS)[..., score])

        return (log_likelihood(THETA + H) - 2 * log_likelihood(THETA) + log_likelihood(THETA - H)) / H**2

    right, wrong = parts(THETA)
    # Second differences of logs near −20 lose 20 × 2e-16 / h² ≈ 4e-7.
    assert_allclose(information(THETA, *ITEMS), -(right * curvature(1) + wrong * curvature(0)), atol=1e-6)


def test_a_two_parameter_item_peaks_at_its_difficulty_with_a_squared_over_four():
    theta = np.linspace(-3, 3, 6001)
    info = information(theta, np.array([1.6]), np.array([0.4]), np.zeros(1), np.ones(1))[:, 0]
    assert theta[info.argmax()] == pytest.approx(0.4, abs=1e-3)  # the grid's step
    assert info.max() == pytest.approx(1.6**2 / 4, rel=1e-12)


def test_guessing_costs_information_and_moves_its_peak_up():
    """Birnbaum's closed form for the peak, b + ln((1 + √(1 + 8c))/2)/a (Lord, 1980, eq. 10-4)."""
    a, b, c = 1.4, -0.2, 0.2
    theta = np.linspace(-3, 3, 60001)
    info = information(theta, np.array([a]), np.array([b]), np.array([c]), np.ones(1))[:, 0]
    assert theta[info.argmax()] == pytest.approx(b + math.log((1 + math.sqrt(1 + 8 * c)) / 2) / a, abs=1e-4)
    assert (info < information(theta, np.array([a]), np.array([b]), np.zeros(1), np.ones(1))[:, 0]).all()


def test_slope_times_metric_is_what_changes_between_metrics():
    """An item written with D = 1.702 and slope a is the logistic item with slope 1.702 a."""
    p = probability_at(0.7, 1.702 * 0.8, 0.1, 0.2, 1.0)
    assert p == pytest.approx(0.2 + 0.8 / (1 + math.exp(-1.702 * 0.8 * (0.7 - 0.1))), rel=1e-14)


@pytest.mark.parametrize("theta", [-800.0, -50.0, 50.0, 800.0])
def test_far_out_everything_is_finite_and_at_its_asymptote(theta):
    here = np.array([theta])
    p = probability(here, *ITEMS)[0]
    # a = 0.4 at 50 logits is still e^-20 away.
    assert_allclose(p, C if theta < 0 else D, atol=1e-8)
    info = information(here, *ITEMS)[0]
    assert np.isfinite(info).all()
    assert_allclose(info, 0.0, atol=1e-8)
    logs = np.log(category_probabilities(here, *ITEMS))
    assert np.isfinite(logs).all()


@pytest.mark.parametrize("a", [0.05, 1.0, 20.0])
def test_the_curve_never_falls_however_far_one_goes(a):
    theta = np.concatenate([[-800, -50], np.linspace(-45, 45, 2001), [50, 800]])
    p = probability(theta, np.array([a]), np.array([0.3]), np.array([0.2]), np.ones(1))[:, 0]
    assert (np.diff(p) >= 0).all()
    assert p[0] == pytest.approx(0.2)
    assert p[-1] == pytest.approx(1.0)


@given(abilities, slopes, difficulties, asymptotes)
def test_the_chances_of_wrong_and_right_sum_to_one(theta, a, b, ends):
    c, d = ends
    both = category_probabilities(np.array([theta]), np.array([a]), np.array([b]), np.array([c]), np.array([d]))
    assert both.sum() == pytest.approx(1.0, abs=4e-16)  # two roundings
    assert c - 1e-15 <= both[0, 0, 1] <= d + 1e-15


@given(abilities, slopes, difficulties, asymptotes)
def test_the_scalar_curve_is_the_array_curve(theta, a, b, ends):
    c, d = ends
    row = probability(np.array([theta]), np.array([a]), np.array([b]), np.array([c]), np.array([d]))
    # numpy's exponential and the C library's differ in the last digit.
    assert probability_at(theta, a, b, c, d) == pytest.approx(row[0, 0], rel=1e-13)


@given(abilities, slopes, difficulties, asymptotes)
def test_information_is_never_negative_and_never_above_a_quarter_of_the_squared_slope(theta, a, b, ends):
    c, d = ends
    info = information(np.array([theta]), np.array([a]), np.array([b]), np.array([c]), np.array([d]))[0, 0]
    assert 0.0 <= info <= a * a / 4 * (1 + 1e-12)


@given(abilities, st.floats(0.3, 5), st.floats(-5, 5))
def test_a_guess_free_item_mirrors_around_its_difficulty(distance, a, b):
    here = np.array([b + distance, b - distance])
    both = category_probabilities(here, np.array([a]), np.array([b]), np.zeros(1), np.ones(1))
    # θ = b ± distance is itself rounded: e^-logit turns that into a relative error of a × 60 × 1e-16.
    assert both[0, 0, 1] == pytest.approx(both[1, 0, 0], rel=1e-12)


@given(slopes, difficulties)
def test_intercept_and_difficulty_undo_each_other(a, b):
    assert difficulty(a, intercept(a, b)) == pytest.approx(b, rel=1e-14)


def test_information_does_not_vanish_early_because_one_minus_p_was_rounded():
    """At 40 logits 1 − P is 4e-18 and 1.0 − P is 0: information must still be P Q = e^-40."""
    info = information(np.array([40.0]), np.ones(1), np.zeros(1), np.zeros(1), np.ones(1))[0, 0]
    assert info == pytest.approx(math.exp(-40), rel=1e-12)
    assert fisher(math.exp(-40), 1.0, math.exp(-40)) == pytest.approx(math.exp(-40), rel=1e-12)

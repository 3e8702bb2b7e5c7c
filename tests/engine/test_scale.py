"""The 700/1000 scale: monotone, clipped, rounded once, and never contradicting the decision."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from issmp_cat import Scale
from issmp_cat.exam import Exam

thetas = st.floats(-30, 30)


@st.composite
def scales(draw):
    low, cut, high = sorted(draw(st.lists(st.floats(-20, 20), min_size=3, max_size=3, unique=True)))
    lowest, mark, highest = sorted(draw(st.lists(st.integers(-1000, 2000), min_size=3, max_size=3, unique=True)))
    # Ends closer than this are no scale: a share of them is not representable.
    assume(cut - low > 1e-6 and high - cut > 1e-6)
    return Scale(theta_cut=cut, theta_min=low, theta_max=high, lowest=lowest, pass_mark=mark, highest=highest)


@given(scales(), thetas, thetas)
def test_more_ability_never_scores_less(scale, one, other):
    low, high = sorted((one, other))
    assert scale.score(low) <= scale.score(high)
    assert scale.exact(low) <= scale.exact(high)


@given(scales(), thetas)
def test_scores_stay_on_the_scale_and_agree_with_the_cut(scale, theta):
    score = scale.score(theta)
    assert scale.lowest <= score <= scale.highest
    assert (score >= scale.pass_mark) == (theta >= scale.theta_cut)


@given(scales(), thetas, st.booleans())
def test_the_decision_stands_whatever_the_estimate(scale, theta, passed):
    score = scale.score(theta, passed=passed)
    assert (score >= scale.pass_mark) == passed
    assert scale.lowest <= score <= scale.highest


@given(scales(), thetas)
def test_rounding_happens_once_and_by_less_than_a_point(scale, theta):
    exact, score = scale.exact(theta), scale.score(theta)
    if theta >= scale.theta_cut:
        assert abs(score - exact) <= 0.5 + 1e-9
    else:
        assert score == min(math.floor(exact), scale.pass_mark - 1)


def test_the_corners_are_where_the_programme_put_them():
    scale = Scale(theta_cut=-0.3)
    assert [scale.score(theta) for theta in (-4.0, -0.3, 3.0)] == [0, 700, 1000]
    assert [scale.score(theta) for theta in (-math.inf, math.inf)] == [0, 1000]
    assert scale.score(math.nextafter(-0.3, -1)) == 699
    assert scale.exact(-2.15) == pytest.approx(350)  # half-way from −4 to −0.3
    assert scale.exact(1.35) == pytest.approx(850)  # half-way from −0.3 to 3


def test_just_below_the_cut_is_699_even_where_700_is_nearer():
    scale = Scale(theta_cut=-0.3)
    assert scale.exact(-0.3001) > 699.9
    assert scale.score(-0.3001) == 699


def test_no_score_is_made_from_no_estimate():
    with pytest.raises(ValueError, match="not a number"):
        Scale(theta_cut=0).score(math.nan)


@pytest.mark.parametrize(
    "fields",
    [
        {"theta_cut": -4.0},
        {"theta_cut": 3.0},
        {"theta_cut": 0.0, "theta_min": 1.0},
        {"theta_cut": 0.0, "pass_mark": 0},
        {"theta_cut": 0.0, "pass_mark": 1000},
        {"theta_cut": math.nan},
        {"theta_cut": math.inf},
        {"theta_cut": 0.0, "theta_max": math.nan},
        {"theta_cut": 0.0, "pass_mark": 699.5},
        {"theta_cut": 0.0, "colour": "red"},
        {},
    ],
)
def test_a_scale_that_does_not_rise_or_is_not_a_number_is_refused(fields):
    with pytest.raises(ValidationError):
        Scale(**fields)


@pytest.mark.parametrize("name", ["issmp", "issmp-linear", "practice"])
def test_the_packaged_scales_pass_at_700_of_1000_and_call_their_cut_an_assumption(name):
    scale = Exam.load(name).scale
    assert (scale.lowest, scale.pass_mark, scale.highest) == (0, 700, 1000)
    assert (scale.theta_min, scale.theta_cut, scale.theta_max) == (-4.0, -0.3, 3.0)
    assert "are assumed" in scale.assumed

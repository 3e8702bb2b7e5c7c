"""Stopping: the rules against normal probabilities, and the lengths they may not leave."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import norm

from issmp_cat.stopping import (
    DECIDED,
    GO_ON,
    MAXIMUM_LENGTH,
    REASONS,
    ConfidenceInterval,
    FixedLength,
    build_stop_rule,
    is_late,
    stop_reason,
)


def rule(stopping, minimum=5, maximum=10, cut=-0.3, seconds=60.0):
    return build_stop_rule(stopping, minimum=minimum, maximum=maximum, cut=cut, seconds=seconds)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
def test_the_interval_holds_its_level(level):
    two = ConfidenceInterval(level=level, sides="two").z
    one = ConfidenceInterval(level=level, sides="one").z
    assert norm.cdf(two) - norm.cdf(-two) == pytest.approx(level, abs=1e-12)
    assert norm.cdf(one) == pytest.approx(level, abs=1e-12)


@given(st.integers(0, 12), st.floats(-4, 4), st.floats(0.01, 2), st.sampled_from(["one", "two"]))
def test_an_exam_ends_when_the_cut_lies_outside_the_interval_and_only_in_its_lengths(n, theta, se, sides):
    stopping = ConfidenceInterval(level=0.95, sides=sides)
    outside = not theta - stopping.z * se <= -0.3 <= theta + stopping.z * se
    reason = stop_reason(rule(stopping), n, theta, se)
    if n < 5:
        assert reason == GO_ON
    elif outside:
        assert reason == DECIDED
    else:
        assert reason == (MAXIMUM_LENGTH if n >= 10 else GO_ON)


@given(st.integers(0, 12), st.floats(-4, 4), st.floats(0, 2))
def test_a_fixed_length_ends_at_its_length_however_sure_one_is(n, theta, se):
    assert stop_reason(rule(FixedLength(), minimum=10), n, theta, se) == (MAXIMUM_LENGTH if n >= 10 else GO_ON)


@pytest.mark.parametrize("se", [math.inf, math.nan])
def test_an_unknown_standard_error_never_decides(se):
    assert stop_reason(rule(ConfidenceInterval()), 7, 2.0, se) == GO_ON
    assert stop_reason(rule(ConfidenceInterval()), 10, 2.0, se) == MAXIMUM_LENGTH


def test_a_one_sided_rule_stops_no_later_than_a_two_sided_one():
    one, two = (rule(ConfidenceInterval(sides=sides)) for sides in ("one", "two"))
    assert one.z < two.z
    assert stop_reason(one, 7, 0.5, 0.45) == DECIDED
    assert stop_reason(two, 7, 0.5, 0.45) == GO_ON


def test_the_last_second_counts_and_the_next_is_late():
    limited = rule(FixedLength())
    assert not is_late(limited, 60.0)
    assert is_late(limited, math.nextafter(60.0, 61.0))
    assert not is_late(rule(FixedLength(), seconds=math.inf), 1e300)


@pytest.mark.parametrize("fields", [{"level": 0.5}, {"level": 1.0}, {"level": math.nan}, {"sides": "both"}, {"z": 2}])
def test_an_impossible_rule_is_refused(fields):
    with pytest.raises(ValidationError):
        ConfidenceInterval(**fields)


def test_every_reason_has_its_words_and_going_on_has_none():
    assert set(REASONS) == {1, 2, 3, 4}
    assert len(set(REASONS.values())) == 4

"""Retake waiting times: from when the next attempt is allowed, and which rule says so."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issmp_cat import Exam
from issmp_cat.errors import InputRejected
from issmp_cat.exam.eligibility import eligibility

WAITING = Exam.load("issmp").retakes.waiting_days
TODAY = dt.date(2026, 11, 22)


def ago(*days):
    return [TODAY - dt.timedelta(days=n) for n in days]


@pytest.mark.parametrize(
    ("attempts", "eligible", "left"),
    [
        ([], True, 0),
        (ago(29), False, 1),
        (ago(30), True, 0),
        (ago(400, 89), False, 1),
        (ago(400, 90), True, 0),
        (ago(900, 400, 179), False, 1),
        (ago(900, 400, 180), True, 0),
        (ago(2000, 900, 400, 179), False, 1),
        (ago(0), False, 30),
    ],
)
def test_30_90_180_days_and_the_last_repeats(attempts, eligible, left):
    """By counting days on the calendar; the day itself is the first allowed."""
    found = eligibility(WAITING, attempts, on=TODAY)
    assert (found.eligible, found.days_left) == (eligible, left)


@given(st.lists(st.integers(0, 4000), unique=True, max_size=8), st.lists(st.integers(1, 400), max_size=5))
def test_the_earliest_day_is_the_first_on_which_the_same_question_says_yes(days, waiting):
    """Day by day from the last attempt on, rather than by the formula."""
    attempts = ago(*days)
    found = eligibility(waiting, attempts, on=TODAY)
    if not attempts or not waiting:
        assert found.eligible
        assert found.earliest is None
        return
    day = max(attempts)
    while not eligibility(waiting, attempts, on=day).eligible:
        day += dt.timedelta(days=1)
    assert found.earliest == day
    assert found.eligible == (day <= TODAY)
    assert (day - max(attempts)).days == (waiting + [waiting[-1]] * 8)[len(attempts) - 1]


@given(st.permutations(ago(500, 300, 100, 20)))
def test_the_order_in_which_attempts_are_told_does_not_matter(attempts):
    assert eligibility(WAITING, attempts, on=TODAY) == eligibility(WAITING, sorted(attempts), on=TODAY)


def test_an_attempt_taken_too_early_counts_and_is_told():
    found = eligibility(WAITING, ago(200, 190, 10), on=TODAY)
    assert found.early == tuple(ago(190))
    assert found.days_left == 170


def test_attempts_in_the_future_and_dates_given_twice_are_refused_together():
    with pytest.raises(InputRejected) as error:
        eligibility(WAITING, [*ago(5, 5), *ago(-3, -4)], on=TODAY)
    assert len(error.value.problems) == 3
    assert sum("future" in line for line in error.value.problems) == 2


def test_without_a_waiting_time_after_some_attempt_two_on_a_day_can_be():
    assert eligibility((0, 30), ago(0), on=TODAY).eligible
    assert eligibility((0, 30), ago(40, 40), on=TODAY).eligible
    assert eligibility((), ago(0), on=TODAY).rule == "the exam has no waiting times"

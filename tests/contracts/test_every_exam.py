"""What every combination of estimator, selection rule and stopping rule owes a candidate: one suite for all."""

import functools
import itertools
import math
from decimal import Decimal
from typing import get_args

import numpy as np
import pytest

from issmp_cat import Exam, Item, ItemBank, Session
from issmp_cat.ability import Estimator
from issmp_cat.exam.definition import Selection
from issmp_cat.stopping import (
    REASONS,
    Certain,
    ConfidenceInterval,
    FixedLength,
    GeneralisedLikelihoodRatio,
    PredictedSeReduction,
    SequentialRatio,
    StandardError,
)

ESTIMATORS = get_args(Estimator)
RULES = get_args(Selection.model_fields["rule"].annotation)
STOPS = (
    FixedLength(),
    ConfidenceInterval(level=0.9),
    SequentialRatio(alpha=0.2, beta=0.2, indifference=0.5),
    GeneralisedLikelihoodRatio(alpha=0.2, beta=0.2, indifference=0.5),
    StandardError(target=0.6),
    PredictedSeReduction(hypo=0.05),
    Certain(),
    Certain(probability=0.8),
)
MODELS = ("rasch", "4pl")
COMBINATIONS = [
    (estimator, rule, stop, model)
    for estimator, rule, stop, model in itertools.product(ESTIMATORS, RULES, range(len(STOPS)), MODELS)
    if estimator == "eap" or STOPS[stop].rule != "certain"
]


@functools.cache
def bank(model):
    rng = np.random.default_rng(7)
    return ItemBank.from_items([
        Item(
            id=f"i{k}",
            domain=f"D{k % 2 + 1}",
            model=model,
            a=1.0 if model == "rasch" else float(rng.uniform(0.7, 1.8)),
            b=float(rng.normal()),
            c=0.0 if model == "rasch" else 0.2,
            d=0.97 if model == "4pl" else 1.0,
            enemies=(f"i{k + 1}",) if k % 9 == 0 else (),
        )
        for k in range(40)
    ])  # fmt: skip


@functools.cache
def exam(estimator, rule, stop):
    fixed = isinstance(STOPS[stop], FixedLength)
    return Exam.model_validate({
        "id": "contract",
        "title": "Contract",
        "blueprint": {"domains": [{"id": "D1", "weight": Decimal("0.6")}, {"id": "D2", "weight": Decimal("0.4")}]},
        "length": {"minimum": 10 if fixed else 5, "maximum": 10},
        "time_limit_minutes": 10,
        "selection": {"rule": rule, "among": 3},
        "scoring": {"estimator": estimator},
        "stopping": STOPS[stop].model_dump(),
        "scale": {"theta_cut": Decimal("0.0")},
    })  # fmt: skip


def simulated(session, theta, seed):
    """Answers of a candidate at θ, by numpy's generator rather than our own streams."""
    rng = np.random.default_rng(seed)
    while not session.finished:
        item = session.next_item
        p = item.c + (item.d - item.c) / (1 + math.exp(-item.a * (theta - item.b)))
        session = session.answer(item, int(rng.random() < p), seconds=20)
    return session


@pytest.fixture(params=COMBINATIONS, ids=lambda c: f"{c[0]}-{c[1]}-{STOPS[c[2]].rule}-{c[3]}")
def case(request):
    estimator, rule, stop, model = request.param
    return exam(estimator, rule, stop), bank(model)


def test_every_exam_ends_in_its_lengths_for_a_reason_with_finite_numbers(case):
    the_exam, items = case
    for theta in (-3, 0, 3):
        result = simulated(the_exam.start(items, seed=1), theta, 1).result
        assert the_exam.length.minimum <= result.items <= the_exam.length.maximum
        assert result.final
        assert result.reason in REASONS.values()
        assert math.isfinite(result.theta)
        assert result.se > 0
        assert 0 <= result.score <= 1000
        assert (result.score >= 700) == result.passed
        assert result.decided_by or result.passed == (result.theta >= 0)


def test_every_exam_is_the_fold_of_its_answers(case):
    the_exam, items = case
    live = simulated(the_exam.start(items, seed=3), 0.3, 2)
    again = Session.replay(the_exam, items, live.answers, seed=3)
    assert (again.result, again.trace) == (live.result, live.trace)


def test_every_exam_passes_who_knows_all_and_fails_who_knows_nothing(case):
    the_exam, items = case
    for score in (0, 1):
        session = the_exam.start(items, seed=5)
        while not session.finished:
            session = session.answer(session.next_item, score)
        assert session.result.passed == bool(score)


def test_every_exam_keeps_its_quotas_and_its_enemies_apart(case):
    the_exam, items = case
    session = simulated(the_exam.start(items, seed=7), -0.2, 3)
    given = {items.index[answer.item] for answer in session.answers}
    assert not any(given.intersection(items.enemies[i]) for i in given)
    n = len(given)
    for count, weight in zip(session.result.counts.values(), the_exam.blueprint.weights, strict=True):
        assert abs(count - n * weight) < 1


def test_every_exam_ends_by_the_clock_with_what_was_answered_in_time(case):
    the_exam, items = case
    session = the_exam.start(items, seed=9)
    session = session.answer(session.next_item, 1, seconds=400)
    late = session.answer(session.next_item, 0, seconds=400)
    assert late.finished
    assert late.result.items == 1
    assert late.result.reason == "the time is up"
    assert late.result.theta == session.result.theta

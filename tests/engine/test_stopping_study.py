"""Stopping rules over thousands of simulated exams: what each promises about its decisions."""

import math

import numpy as np
import pytest

from issmp_cat import Exam
from issmp_cat.stopping import Certain
from issmp_cat.stopping.certain import HELD
from issmp_simulations import Population, simulate, standard_bank

N = 4000
BANK = standard_bank("218")
# Nobody is known to a millionth: every exam runs to its maximum length.
NEVER = {"rule": "standard_error", "target": 1e-6}


def study(stopping, population=None, **changes):
    design = {**Exam.load("issmp").model_dump(), "stopping": stopping, "length": {"minimum": 20, "maximum": 60}}
    return simulate(Exam.model_validate({**design, **changes}), BANK, population, n=N, seed=11).exams


@pytest.fixture(scope="module")
def whole():
    exams = study(NEVER)
    assert (exams.length == 60).all()
    return exams


def test_not_one_certain_decision_turns_when_the_exam_goes_on(whole):
    """The same candidates with the same draws, to the end: the proof allows no exception."""
    exams = study(Certain().model_dump())
    assert (exams.passed == whole.passed).all()
    assert (exams.reason == 9).mean() > 0.9
    assert 25 < exams.length.mean() < 55


@pytest.mark.parametrize("probability", [0.9, 0.99])
def test_curtailed_decisions_turn_no_more_often_than_allowed(whole, probability):
    """Candidates come from the prior. Beyond 4.5 standard errors once in 150,000 runs."""
    exams = study(Certain(probability=probability).model_dump())
    early = exams.reason == 10
    turned = (exams.passed != whole.passed)[early].mean()
    assert early.mean() > 0.9
    assert turned < 1 - probability + 4.5 * math.sqrt(probability * (1 - probability) / early.sum())
    assert exams.length.mean() < study(Certain().model_dump()).length.mean()


@pytest.mark.parametrize("rule", ["sprt", "glr"])
@pytest.mark.parametrize("side", [-1, 1])
def test_ratio_rules_err_little_more_than_asked_at_the_edge_of_indifference(rule, side):
    """Wald bounds the errors of those the ratio stopped; GLR may exceed them a little, its maximum being chosen."""
    cut, delta, wanted = -0.3, 0.4, 0.1
    stopping = {"rule": rule, "alpha": wanted, "beta": wanted, "indifference": delta}
    edge = Population(thetas=(cut + side * delta,) * N)
    exams = study(stopping, edge, length={"minimum": 1, "maximum": 150}, time_limit_minutes=None)
    assert (exams.reason == (5 if rule == "sprt" else 6)).mean() > 0.99
    wrong = (exams.passed == (side < 0)).mean()
    bound = wanted / (1 - wanted)
    assert wrong < (bound if rule == "sprt" else 1.25 * bound) + 4.5 * math.sqrt(bound * (1 - bound) / N)
    assert wrong > 0.02


def test_a_standard_error_reached_is_the_one_reported():
    exams = study({"rule": "standard_error", "target": 0.33})
    stopped = exams.reason == 7
    assert stopped.mean() > 0.5
    assert (exams.se[stopped] <= 0.33).all()
    assert (exams.se[~stopped] > 0.33).all()


def test_the_first_of_two_rules_gives_the_reason_and_the_exam_is_the_shorter_of_both():
    interval, precise = {"rule": "confidence_interval", "level": 0.9}, {"rule": "standard_error", "target": 0.34}
    one, other = study(interval).length, study(precise).length
    for order, name in (([interval, precise], 1), ([precise, interval], 7)):
        both = study(order)
        assert (both.length == np.minimum(one, other)).all()
        together = (one == other) & (one < 60)
        assert (both.reason[together] == name).all()
        assert together.any()


def test_items_set_aside_count_as_still_to_come():
    """Exposure control marks them by the number that the bound looks through."""
    admission = pytest.importorskip("issmp_cat.selection.admission")
    assert admission.HELD == HELD

"""A simulated exam and a real one take the same decisions: the compiled loop against the session, bit for bit."""

from typing import get_args

import numpy as np
import pytest

from issmp_cat import Exam
from issmp_cat.exam import begin, plan_exam
from issmp_cat.irt import probability_at
from issmp_cat.random import RESPONSE, SPEED, TIME, normal, uniform
from issmp_cat.selection import CriterionName
from issmp_cat.stopping import REASONS
from issmp_simulations.kernel import Pace, new_records, run_exams
from issmp_simulations.standard import standard_bank

NO_CLOCK = Pace(timed=False, log_median=0.0, log_sd=0.0, speed_sd=0.0)
BANKS = {name: standard_bank(name) for name in ("218", "1500")}


def variant(**changes):
    return Exam.model_validate({**Exam.load("issmp").model_dump(), **changes})


def compiled(exam, bank, theta, seed, pace=NO_CLOCK):
    plan = plan_exam(exam, bank)
    out = new_records(1, plan.rule.maximum)
    state = begin(plan)
    run_exams(plan, None, plan.pool.parameters, state, np.array([theta]), 0, seed, pace, out)
    return out


def live(exam, bank, theta, seed, pace=NO_CLOCK):
    """The same candidate sits the exam item by item."""
    session = exam.start(bank, seed=seed)
    while not session.finished:
        item, n = session.next_item, len(session.answers)
        right = uniform(seed, RESPONSE, 0, n) < probability_at(theta, item.a, item.b, item.c, item.d)
        tempo = pace.log_median + pace.speed_sd * normal(seed, SPEED, 0, 0)
        seconds = np.exp(tempo + pace.log_sd * normal(seed, TIME, 0, n)) if pace.timed else 0.0
        session = session.answer(item, int(right), seconds=float(seconds))
    return session


def assert_twins(exam, bank, theta, seed, pace=NO_CLOCK):
    out, session = compiled(exam, bank, theta, seed, pace), live(exam, bank, theta, seed, pace)
    n = int(out.length[0])
    assert [bank.ids[i] for i in out.items[0, :n]] == [answer.item for answer in session.answers]
    assert out.scores[0, :n].tolist() == [answer.score for answer in session.answers]
    assert (out.theta[0], out.se[0]) == (session.result.theta, session.result.se)
    assert REASONS[int(out.reason[0])] == session.result.reason
    assert out.unproven[0] == session.unproven
    return out, session


@pytest.mark.parametrize("name", BANKS)
@pytest.mark.parametrize("selection", [{"rule": "best"}, {"rule": "randomesque", "among": 5}])
@pytest.mark.parametrize("seed", range(4))
def test_same_items_estimates_and_stops_under_eap(name, selection, seed):
    theta = (-1.5, -0.3, 0.2, 1.8)[seed]
    assert_twins(variant(selection=selection), BANKS[name], theta, seed)


CRITERIA = [name for name in get_args(CriterionName) if name != "fisher_information"]


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("rule", ["best", "randomesque"])
def test_same_items_by_every_criterion(criterion, rule):
    exam = variant(selection={"criterion": criterion, "rule": rule}, length={"minimum": 20, "maximum": 30})
    assert_twins(exam, BANKS["218"], 0.3, 3)


@pytest.mark.parametrize("criterion", ["fisher_information", "mepv"])
def test_same_items_where_chance_weighs_at_the_start(criterion):
    selection = {"criterion": criterion, "rule": "best", "progressive": 1.0}
    out, _ = assert_twins(variant(selection=selection), BANKS["218"], 0.3, 3)
    plain, _ = assert_twins(variant(selection={**selection, "progressive": None}), BANKS["218"], 0.3, 3)
    assert out.items[0, 0] != plain.items[0, 0]


@pytest.mark.parametrize("estimator", ["map", "ml", "wle"])
@pytest.mark.parametrize("selection", [{"rule": "best"}, {"rule": "randomesque", "among": 5}])
def test_same_items_estimates_and_stops_under_the_maximum_likelihood_family(estimator, selection):
    """Short exams: the plain scan for the highest likelihood takes a second for a long one."""
    exam = variant(selection=selection, scoring={"estimator": estimator}, length={"minimum": 12, "maximum": 25})
    for seed, theta in ((1, -2.0), (2, 0.4)):
        assert_twins(exam, BANKS["218"], theta, seed)


def test_same_end_when_the_clock_runs_out():
    """The answer that comes too late does not count, and its seconds do."""
    pace = Pace(timed=True, log_median=float(np.log(110.0)), log_sd=0.5, speed_sd=0.3)
    reasons = set()
    for seed in range(4):
        out, session = assert_twins(variant(), BANKS["218"], -0.3, seed, pace)
        # 1e-9: Python 3.12 sums floats with compensation, the loop one by one.
        assert out.seconds[0] == pytest.approx(session.seconds, rel=1e-9)
        reasons.add(session.result.reason)
    assert "the time is up" in reasons


def test_same_exam_when_no_choice_is_simple():
    """Every item has an enemy in another domain, so each decision rests on the search."""
    bank = BANKS["218"]
    items, ids = list(bank.items), bank.ids
    for i in range(0, 218, 2):
        foes = {i: (ids[(i + 109) % 218],)}
        for k, enemies in foes.items():
            items[k] = items[k].model_copy(update={"enemies": (*items[k].enemies, *enemies)})
    crossed = type(bank).from_items(items)
    exam = variant(length={"minimum": 20, "maximum": 30})
    assert not plan_exam(exam, crossed).pool.simple or plan_exam(exam, crossed).pool.best > 1
    for selection in ({"rule": "best"}, {"rule": "randomesque", "among": 5}):
        assert_twins(variant(length={"minimum": 20, "maximum": 30}, selection=selection), crossed, 0.0, 5)

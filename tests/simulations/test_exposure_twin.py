"""Under exposure control too, a simulated exam and a real one take the same decisions, bit for bit."""

import numpy as np
import pytest

from issmp_cat.exam.exposure import plan_under
from issmp_cat.exam.plan import begin
from issmp_cat.exposure import ExposureTable
from issmp_cat.irt import probability_at
from issmp_cat.random import RESPONSE, uniform
from issmp_simulations.kernel import Pace, new_records, run_exams

NO_CLOCK = Pace(timed=False, log_median=0.0, log_sd=0.0, speed_sd=0.0)
BANDS = (-0.8, -0.3, 0.1, 0.9)


def table_for(exam, bank, admit, price=(), weight=()):
    return ExposureTable(
        exam.id, exam.version, bank.id, bank.version, exam.exposure, bank.ids, admit, np.array(price), np.array(weight)
    )


def compiled(exam, bank, table, theta, seed, person):
    plan = plan_under(exam, bank, table)
    out = new_records(1, plan.rule.maximum)
    run_exams(plan, None, plan.pool.parameters, begin(plan), np.array([theta]), person, seed, NO_CLOCK, out)
    return out


def live(exam, bank, table, theta, seed, person):
    session = exam.start(bank, seed=seed, person=person, exposure=table)
    while not session.finished:
        item, n = session.next_item, len(session.answers)
        right = uniform(seed, RESPONSE, person, n) < probability_at(theta, item.a, item.b, item.c, item.d)
        session = session.answer(item, int(right))
    return session


def assert_twins(exam, bank, table, theta, seed, person):
    out, session = compiled(exam, bank, table, theta, seed, person), live(exam, bank, table, theta, seed, person)
    n = int(out.length[0])
    assert [bank.ids[i] for i in out.items[0, :n]] == [answer.item for answer in session.answers]
    assert (out.theta[0], out.se[0]) == (session.result.theta, session.result.se)
    assert out.relaxed[0] == session.relaxed
    assert out.unproven[0] == session.unproven
    return session


@pytest.mark.parametrize("selection", [{"rule": "best"}, {"rule": "randomesque", "among": 5}])
@pytest.mark.parametrize("person", [0, 5, 4_000_000_000])
def test_same_exam_when_admission_changes_with_the_band(bank, variant, selection, person):
    method = {"control": "eligibility", "cap": 0.25, "bands": BANDS}
    exam = variant(selection=selection, exposure=method, length={"minimum": 60, "maximum": 90})
    rng = np.random.default_rng(person)
    table = table_for(exam, bank, np.clip(rng.uniform(0.0, 1.6, (5, len(bank))), 0.0, 1.0))
    for seed, theta in ((1, -0.8), (2, 0.1)):
        session = assert_twins(exam, bank, table, theta, seed, person)
        met = [0.0, *(row.theta for row in session.trace)]
        assert len(np.unique(np.searchsorted(BANDS, met))) > 1, "the case must cross a band"


@pytest.mark.parametrize("selection", [{"rule": "best"}, {"rule": "randomesque", "among": 5}])
def test_same_exam_when_domains_must_be_released(small_bank, variant, selection):
    exam = variant(
        selection=selection,
        exposure={"control": "eligibility", "cap": 0.9, "bands": BANDS},
        length={"minimum": 60, "maximum": 90},
    )
    table = table_for(exam, small_bank, np.random.default_rng(3).uniform(0.0, 0.7, (5, len(small_bank))))
    assert assert_twins(exam, small_bank, table, 0.0, 4, 2).relaxed > 0


def test_same_exam_with_prices(bank, variant):
    exam = variant(exposure={"control": "prices", "cap": 0.25}, length={"minimum": 60, "maximum": 90})
    rng = np.random.default_rng(4)
    admit = np.clip(rng.uniform(0.3, 2.0, (1, len(bank))), 0.0, 1.0)
    table = table_for(exam, bank, admit, rng.normal(0.0, 0.1, len(bank)), rng.uniform(0.2, 1.0, 161))
    assert_twins(exam, bank, table, -0.2, 8, 3)


@pytest.mark.parametrize("criterion", ["mpwi", "random"])
def test_same_exam_with_a_criterion_that_scores(small_bank, variant, criterion):
    exam = variant(
        selection={"criterion": criterion, "rule": "best"},
        exposure={"control": "sympson_hetter", "cap": 0.9},
        length={"minimum": 12, "maximum": 20},
    )
    table = table_for(exam, small_bank, np.random.default_rng(3).uniform(0.3, 1.0, (1, len(small_bank))))
    assert_twins(exam, small_bank, table, 0.3, 4, 2)

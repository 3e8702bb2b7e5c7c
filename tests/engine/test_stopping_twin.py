"""Every stopping rule and every way to run out of time: the compiled loop against the session, bit for bit."""

import itertools
import math

import numpy as np
import pytest

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.errors import ExamError
from issmp_cat.exam import begin, estimated, plan_exam, record
from issmp_cat.irt import category_probability, draw_score
from issmp_cat.random import RESPONSE, SPEED, TIME, normal, uniform
from issmp_cat.report import score_report
from issmp_cat.stopping import REASONS
from issmp_simulations import Clock, Population, simulate
from issmp_simulations.kernel import Pace, new_records, run_exams
from issmp_simulations.run import pace_of
from issmp_simulations.standard import standard_bank

BANK = standard_bank("218")
NO_CLOCK = Pace(timed=False, log_median=0.0, log_sd=0.0, speed_sd=0.0)
SLOW = Clock(median_seconds=140)


def variant(**changes):
    return Exam.model_validate({**Exam.load("issmp").model_dump(), "length": {"minimum": 20, "maximum": 60}, **changes})


def compiled(exam, thetas, seed, pace):
    plan = plan_exam(exam, BANK)
    out = new_records(len(thetas), plan.rule.maximum)
    run_exams(plan, None, plan.pool.parameters, begin(plan), thetas, 0, seed, pace, out)
    return out


def live(exam, theta, seed, pace):
    """The same candidate sits the exam item by item."""
    session = exam.start(BANK, seed=seed)
    parameters = plan_exam(exam, BANK).pool.parameters
    tempo = pace.log_median + pace.speed_sd * normal(seed, SPEED, 0, 0) if pace.timed else 0.0
    while not session.finished:
        item, n = session.next_item, len(session.answers)
        right = uniform(seed, RESPONSE, 0, n) < category_probability(parameters, BANK.index[item.id], 1, theta)
        seconds = math.exp(tempo + pace.log_sd * normal(seed, TIME, 0, n)) if pace.timed else 0.0
        session = session.answer(item, int(right), seconds=seconds)
    return session


def assert_twins(exam, theta, seed, pace=NO_CLOCK):
    out, session = compiled(exam, np.array([theta]), seed, pace), live(exam, theta, seed, pace)
    result, n = session.result, int(out.length[0])
    assert [BANK.ids[i] for i in out.items[0, :n]] == [answer.item for answer in session.answers]
    assert (out.theta[0], out.se[0]) == (result.theta, result.se)
    assert REASONS[int(out.reason[0])] == result.reason
    assert bool(out.passed[0]) is result.passed
    return session


RULES = {
    "confidence_interval": [{"rule": "confidence_interval", "level": 0.9, "sides": "one"}],
    "sprt": [{"rule": "sprt", "alpha": 0.1, "beta": 0.1, "indifference": 0.3}],
    "glr": [{"rule": "glr", "alpha": 0.1, "beta": 0.1, "indifference": 0.3}],
    "standard_error": [{"rule": "standard_error", "target": 0.34}],
    "predicted_se_reduction": [{"rule": "predicted_se_reduction", "hypo": 0.004, "target": 0.36, "hyper": 0.006}],
    "certain": [{"rule": "certain"}],
    "curtailed": [{"rule": "certain", "probability": 0.9}],
    "several": [
        {"rule": "predicted_se_reduction", "hypo": 0.003},
        {"rule": "confidence_interval", "level": 0.99},
        {"rule": "glr"},
    ],
}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_stops_both_ways_at_the_same_item_for_the_same_reason(name):
    reasons, lengths = set(), set()
    for seed, theta in enumerate((-1.5, -0.4, 0.2, 1.6)):
        session = assert_twins(variant(stopping=RULES[name]), theta, seed)
        reasons.add(session.result.reason)
        lengths.add(session.result.items)
    assert reasons - {"the maximum length is reached"}, "the rule never fired"
    assert min(lengths) < 60


def test_one_table_and_a_list_of_one_are_the_same_exam():
    rule = RULES["confidence_interval"][0]
    one, many = (live(variant(stopping=stopping), 0.3, 5, NO_CLOCK) for stopping in (rule, [rule]))
    assert [answer.item for answer in one.answers] == [answer.item for answer in many.answers]


@pytest.mark.parametrize("estimator", ["ml", "wle"])
def test_sprt_goes_with_every_estimator(estimator):
    exam = variant(stopping=RULES["sprt"], scoring={"estimator": estimator}, length={"minimum": 8, "maximum": 20})
    assert_twins(exam, 0.1, 3)


def test_the_score_follows_the_ratio_that_decided_and_the_report_says_so():
    """Exams that SPRT decides at the maximum length against the estimate: rare, and found in a thousand."""
    exam = variant(stopping={"rule": "sprt", "indifference": 0.5}, length={"minimum": 20, "maximum": 22})
    study = simulate(exam, BANK, Population(mean=-0.3, sd=0.3), n=3000, seed=4)
    exams, cut = study.exams, study.cut
    against = (exams.theta >= cut) != exams.passed
    assert 0 < against.mean() < 0.2
    assert study.pass_rate.value == exams.passed.mean()
    found = 0
    for seed in range(400):
        out = compiled(exam, np.array([-0.3]), seed, NO_CLOCK)
        if (out.theta[0] >= cut) != out.passed[0]:
            session = assert_twins(exam, -0.3, seed)
            result, report = session.result, score_report(session)
            assert result.score == (max if result.passed else min)(result.score, 700 if result.passed else 699)
            assert report.decision == ("pass" if result.passed else "fail")
            assert "rests on the likelihood ratio" in report.text()
            assert "opposite result" in report.text()
            found += 1
            if found == 3:
                return
    raise AssertionError("no exam was decided against its estimate")


def test_an_exam_that_the_estimate_decides_speaks_of_nothing_else():
    session = assert_twins(variant(), 1.0, 2)
    assert session.result.decided_by == ""
    assert "rests on" not in score_report(session).text()


def mixed_bank():
    """Right-or-wrong, graded and partial-credit items in every domain."""
    items = []
    for k, item in enumerate(BANK.items):
        model = ("2pl", "grm", "gpcm")[k % 3]
        several = {"steps": tuple(item.b + gap for gap in (-0.9, 0.1, 0.8))}
        more = {"b": item.b} if model == "2pl" else several
        items.append(Item(id=item.id, domain=item.domain, model=model, a=item.a, enemies=item.enemies, **more))
    return ItemBank.from_items(items, id="mixed")


@pytest.mark.parametrize("name", ["glr", "certain", "several"])
def test_rules_take_items_with_several_scores(name):
    bank, exam = mixed_bank(), variant(stopping=RULES[name], length={"minimum": 8, "maximum": 30})
    plan, ended = plan_exam(exam, bank), set()
    for seed, theta in enumerate((-1.6, -0.4, 1.2)):
        out = new_records(1, 30)
        run_exams(plan, None, plan.pool.parameters, begin(plan), np.array([theta]), 0, seed, NO_CLOCK, out)
        session = exam.start(bank, seed=seed)
        while not session.finished:
            item, n = session.next_item, len(session.answers)
            score = draw_score(bank.parameters, bank.index[item.id], theta, uniform(seed, RESPONSE, 0, n))
            session = session.answer(item, score)
        assert int(out.length[0]) == session.result.items
        assert out.theta[0] == session.result.theta
        assert REASONS[int(out.reason[0])] == session.result.reason
        assert bool(out.passed[0]) is session.result.passed
        ended.add(session.result.items)
    assert min(ended) < 30


# ---- running out of time


def timed(time_out, **more):
    return variant(time_limit_minutes=90, time_out=time_out, stopping={"rule": "certain"}, **more)


def test_when_time_runs_out_the_last_estimates_must_all_reach_the_cut():
    """Against the trace of the same sessions, each under both policies."""
    pace = pace_of(Population(clock=SLOW))
    seen = set()
    for seed, theta in itertools.product(range(12), (-0.4, 0.0, 0.4)):
        final = assert_twins(timed("final_estimate"), theta, seed, pace)
        strict = assert_twins(timed("last_n_consistent", last_n=15), theta, seed, pace)
        assert strict.answers == final.answers
        estimates = [row.theta for row in strict.trace]
        if strict.result.reason != "the time is up":
            assert strict.result.passed == final.result.passed == (estimates[-1] >= -0.3)
            continue
        assert final.result.passed == (estimates[-1] >= -0.3)
        assert strict.result.passed == (len(estimates) >= 20 and min(estimates[-15:]) >= -0.3)
        assert (strict.result.score >= 700) == strict.result.passed
        assert "last 15 estimates" in strict.result.decided_by
        seen.add((final.result.passed, strict.result.passed, len(estimates) >= 20))
    assert seen >= {(True, True, True), (True, False, True), (False, False, True)}


def test_below_the_minimum_length_nobody_passes_by_consistency():
    exam = timed("last_n_consistent", last_n=5)
    session = exam.start(BANK, seed=1)
    for _ in range(19):
        session = session.answer(session.next_item, 1, seconds=60)
    late = session.answer(session.next_item, 1, seconds=86_400)
    assert late.result.reason == "the time is up"
    assert late.result.theta > 1
    assert not late.result.passed
    assert late.result.score == 699
    assert "the score is held below the pass mark" in " ".join(score_report(late).text().split())
    resumed = type(late).replay(exam, BANK, late.answers, seed=1, extra_seconds=late.extra_seconds)
    assert resumed.result == late.result


def test_a_study_counts_the_decisions_of_the_policy():
    population = Population(clock=SLOW)
    final, strict = (
        simulate(timed(*policy[:1], **dict(policy[1:])), BANK, population, n=2000, seed=6)
        for policy in (("final_estimate",), ("last_n_consistent", ("last_n", 15)))
    )
    assert (final.exams.theta == strict.exams.theta).all()
    late = strict.exams.reason == 3
    assert 0.1 < late.mean() < 0.95
    assert (final.exams.passed == (final.exams.theta >= final.cut)).all()
    assert (strict.exams.passed <= final.exams.passed).all()
    assert (strict.exams.passed == final.exams.passed)[~late].all()
    assert strict.pass_rate.value < final.pass_rate.value
    assert sum(row["pass_rate"].value * row["n"] for row in strict.bands.rows()) == pytest.approx(
        strict.exams.passed.sum()
    )
    scores = strict.scores
    assert sum(n for value, n in zip(scores.values, scores.counts, strict=True) if value >= 700) == (
        strict.exams.passed.sum()
    )


def test_the_run_of_estimates_counts_the_last_one_whatever_ended_the_time():
    """Worked out again from the recorded answers; unscored questions may use up the time too."""
    items = [item.model_copy(update={"status": "pretest"}) if k % 7 == 0 else item for k, item in enumerate(BANK.items)]
    bank = ItemBank.from_items(items, id="tryout")
    slots = {"slots": 12, "target": 500, "first": 12, "last": 31}
    exam = timed("last_n_consistent", last_n=15, pretest=slots).model_copy(update={"time_limit_minutes": 76.0})
    population, cut = Population(mean=-0.3, sd=0.6, clock=SLOW), -0.3
    exams = simulate(exam, bank, population, n=1500, seed=9, keep_items=True).exams
    plan, late = plan_exam(exam, bank), np.flatnonzero(exams.reason == 3)
    assert len(late) > 100
    turned = 0
    for p in late:
        state, thetas = begin(plan), []
        for n in range(exams.length[p]):
            record(plan, state, n, int(exams.items[p, n]), int(exams.scores[p, n]))
            thetas.append(estimated(plan, state, n + 1)[0])
        assert thetas[-1] == exams.theta[p]
        assert exams.passed[p] == (len(thetas) >= 20 and min(thetas[-15:]) >= cut)
        # The estimate after the last answer alone makes the difference.
        turned += len(thetas) >= 20 and min(thetas[-16:-1]) >= cut > thetas[-1]
    assert turned > 0


# ---- what a bank refuses


def test_a_region_of_indifference_beyond_the_grid_is_refused_when_the_exam_meets_a_bank():
    scale = {"theta_cut": -3.8, "theta_min": -5.0}
    exam = variant(stopping={"rule": "sprt", "indifference": 0.4}, scale=scale)
    with pytest.raises(ExamError, match=r"sprt: θ_cut -3.8 ± 0.4 leaves the abilities .* Lower indifference by 0.2"):
        plan_exam(exam, BANK)

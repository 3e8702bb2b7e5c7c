"""Any candidate of a simulation can sit the same exam again, item by item, and ends at the same place."""

import math

import numpy as np
import pytest

from issmp_cat.errors import UsageError
from issmp_cat.irt import draw_score
from issmp_cat.random import RESPONSE, SPEED, TIME, normal, uniform
from issmp_cat.session import Session
from issmp_cat.stopping import REASONS
from issmp_simulations import Clock, Population, simulate
from issmp_simulations.run import Design, run_design

CLOCK = Clock(median_seconds=95)
TIMED = Population(clock=CLOCK)


def replay(design, person, theta):
    """The candidate as a session: the study's seed, the candidate's number, the candidate's answers."""
    session = design.exam.start(design.bank, seed=design.seed, person=person, seen=design.seen)
    tempo = math.log(CLOCK.median_seconds) + CLOCK.speed_sd * normal(design.seed, SPEED, person, 0)
    while not session.finished:
        n, index = len(session.answers), design.truth.index[session.next_item.id]
        score = draw_score(design.truth.parameters, index, theta, uniform(design.seed, RESPONSE, person, n))
        seconds = math.exp(tempo + CLOCK.log_sd * normal(design.seed, TIME, person, n))
        session = session.answer(session.next_item, int(score), seconds=seconds)
    return session


def assert_replayed(design, exams, persons):
    ids = [item.id for item in design.bank.items if item.status == "operational"]
    for person in persons:
        session = replay(design, person, exams.ability[person])
        n = exams.length[person]
        assert [answer.item for answer in session.answers] == [ids[i] for i in exams.items[person, :n]]
        assert [answer.score for answer in session.answers] == exams.scores[person, :n].tolist()
        assert (session.result.theta, session.result.se) == (exams.theta[person], exams.se[person])
        assert session.result.reason == REASONS[int(exams.reason[person])]


@pytest.mark.parametrize("rule", ["best", "randomesque"])
def test_candidates_of_a_simulation_replay_as_sessions(small_bank, variant, rule):
    """Identical items, scores, θ, SE and stop, the clock included; candidates from different chunks."""
    exam = variant(selection={"rule": rule}, length={"minimum": 20, "maximum": 40}, time_limit_minutes=45)
    design = Design(exam, small_bank, small_bank, TIMED, seed=12)
    exams = run_design(design, 60, chunk=25, keep_items=True)
    assert len(set(exams.reason.tolist())) > 1
    assert_replayed(design, exams, (0, 1, 24, 25, 59))


def test_persons_of_one_seed_differ_and_the_first_is_the_one_without_a_number(small_bank, variant):
    exam = variant()
    firsts = {exam.start(small_bank, seed=4, person=person).next_item.id for person in range(30)}
    assert len(firsts) > 1
    assert exam.start(small_bank, seed=4).next_item == exam.start(small_bank, seed=4, person=0).next_item


def test_the_person_is_kept_in_the_file(small_bank, variant, tmp_path):
    exam = variant(length={"minimum": 8, "maximum": 12})
    session = exam.start(small_bank, seed=4, person=17)
    for score in (1, 0, 1):
        session = session.answer(session.next_item, score)
    session.save(tmp_path / "s.json")
    again = Session.load(tmp_path / "s.json", exam, small_bank)
    assert again.opening.person == 17
    assert (again.answers, again.next_item, again.result) == (session.answers, session.next_item, session.result)


def test_take_replays_a_simulated_candidates_draws(small_bank, tmp_path, capsys):
    """The command's candidate gets the items of the simulated one: same seed, same number, same θ, same answers."""
    from issmp_cat.cli.main import run

    small_bank.save(tmp_path / "bank.json")
    study = simulate("issmp", small_bank, Population.from_thetas([0.1, -0.4, 0.7]), seed=9, keep_items=True)
    arguments = ["--exam", "issmp", "--bank", str(tmp_path / "bank.json"), "--seed", "9", "--person", "2", "--json"]
    assert run(["take", *arguments, "--simulee", "0.7", "--quiet"]) == 0
    assert f'"theta": {round(float(study.exams.theta[2]), 3)}' in capsys.readouterr().out


PREDICTED = {"background": [{"name": "prediction", "weight": 1, "center": 0}], "background_sd": 0.6}


@pytest.mark.parametrize("estimator", ["eap", "map"])
def test_candidates_with_background_and_a_drawn_start_replay(small_bank, variant, estimator):
    """Weight 1, centre 0: the value is the very shift that the simulation drew."""
    exam = variant(
        start={**PREDICTED, "theta_from": -1, "theta_to": 1},
        length={"minimum": 10, "maximum": 15},
        scoring={"estimator": estimator},
    )
    population = Population(predictor_correlation=0.8)
    design = Design(exam, small_bank, small_bank, population, seed=5)
    exams = run_design(design, 20, chunk=9, keep_items=True)
    for person in (0, 8, 9, 19):
        (shift,) = population.prior_means(exams.ability[[person]], 5, person, mean=0.0, spread=0.8)
        session = exam.start(small_bank, seed=5, person=person, background={"prediction": shift})
        while not session.finished:
            n, index = len(session.answers), small_bank.index[session.next_item.id]
            draw = uniform(5, RESPONSE, person, n)
            score = draw_score(small_bank.parameters, index, exams.ability[person], draw)
            session = session.answer(session.next_item, int(score))
        ids = [small_bank.ids[i] for i in exams.items[person, : exams.length[person]]]
        assert [answer.item for answer in session.answers] == ids
        assert (session.result.theta, session.result.se) == (exams.theta[person], exams.se[person])


def test_a_right_prediction_lowers_the_error_and_a_wrong_one_raises_it(small_bank, variant):
    """12 items, 4,000 candidates, common draws. Claimed correlation 0.8; true 0.8, 0 and none used.

    RMSE without prediction is some 0.5 with a standard error of 0.006: the differences are 5 and more of them.
    """
    fixed = {"length": {"minimum": 12, "maximum": 12}, "stopping": {"rule": "fixed_length"}}
    plain, used = variant(**fixed), variant(start=PREDICTED, **fixed)
    rmse = {}
    for rho in (None, 0.8, 0.0):
        people = Population(predictor_correlation=rho)
        rmse[rho] = simulate(plain if rho is None else used, small_bank, people, n=4000, seed=6).rmse.value
    assert rmse[0.8] < rmse[None] - 0.03
    assert rmse[0.0] > rmse[None] + 0.03


def test_the_predictor_has_its_correlation():
    """20,000 draws: the standard error of a correlation of 0.6 is 0.0045."""
    population = Population(mean=0.3, sd=1.2, predictor_correlation=0.6)
    theta = population.draw(1, 0, 20_000)
    means = population.prior_means(theta, 1, 0, mean=0.3, spread=0.5)
    assert abs(np.corrcoef(theta, means)[0, 1] - 0.6) < 0.02
    assert abs(means.std() - 0.5) < 0.01


@pytest.mark.parametrize("changes", [{"predictor_correlation": 1.5}, {"predictor_correlation": 0.5, "sd": 0.0}])
def test_an_impossible_predictor_is_refused(changes):
    with pytest.raises(UsageError):
        Population(**changes)


def test_a_predictor_needs_an_exam_that_predicts(small_bank):
    with pytest.raises(UsageError, match=r"start\.background"):
        simulate("issmp", small_bank, Population(predictor_correlation=0.5), n=10, seed=1)


@pytest.mark.parametrize(("rule", "n"), [("bar", 300), ("limit", 4)])
def test_candidates_who_saw_items_before_replay_and_keep_the_rule(small_bank, variant, rule, n):
    """Barred in the compiled loop; limited by a programme, in plain Python."""
    retakes = {"seen_items": rule, **({"at_most": 3} if rule == "limit" else {})}
    exam = variant(retakes=retakes, length={"minimum": 20, "maximum": 30})
    seen = small_bank.ids[::4]
    design = Design(exam, small_bank, small_bank, TIMED, seed=6, seen=seen)
    exams = run_design(design, n, keep_items=True, chunk=max(n // 3, 1))
    again = np.isin(exams.items, [small_bank.index[id_] for id_ in seen]).sum(axis=1)
    free = run_design(Design(exam, small_bank, small_bank, TIMED, seed=6), n, keep_items=True)
    assert np.isin(free.items, [small_bank.index[id_] for id_ in seen]).sum(axis=1).min() > 0
    assert again.max() <= (3 if rule == "limit" else 0)
    assert exams.compliance.violations == 0
    assert_replayed(design, exams, (0, n - 1))

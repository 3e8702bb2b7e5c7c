"""Any candidate of a simulation can sit the same exam again, item by item, and ends at the same place."""

import math

import pytest

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
    session = design.exam.start(design.bank, seed=design.seed, person=person)
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

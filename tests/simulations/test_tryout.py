"""Unscored slots in the compiled loop: those of a session, and nothing else changes."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest

from issmp_calibration import read_log
from issmp_cat import ItemBank
from issmp_cat.exam.pretest_plan import pretest_items
from issmp_cat.exposure import ExposureTable
from issmp_cat.irt import draw_score
from issmp_cat.random import PRETEST_RESPONSE, PRETEST_TIME, RESPONSE, SPEED, TIME, normal, uniform
from issmp_cat.session import response_log
from issmp_cat.stopping import REASONS
from issmp_simulations import Clock, Population, StudyResult, simulate
from issmp_simulations.log_files import write_log
from issmp_simulations.logs import sample_log
from issmp_simulations.run import Design, run_design

CLOCK = Clock(median_seconds=90)
SLOTS = {"slots": 6, "first": 2, "last": 20, "target": 300}


@pytest.fixture(scope="module")
def tried_bank(small_bank):
    """Every ninth item is being tried out; some of these have enemies among the others, and among themselves."""
    items = []
    for k, item in enumerate(small_bank.items):
        foes = {*item.enemies, *(small_bank.ids[(k + far) % 218] for far in (1, 9) if k % 27 == 0)}
        status = "pretest" if k % 9 == 0 else "operational"
        items.append(item.model_copy(update={"status": status, "enemies": tuple(sorted(foes))}))
    return ItemBank.from_items(items, id="tried")


def replay(design, person, theta):
    session = design.exam.start(design.bank, seed=design.seed, person=person, exposure=design.exposure)
    tempo = math.log(CLOCK.median_seconds) + CLOCK.speed_sd * normal(design.seed, SPEED, person, 0)
    while not session.finished:
        scored = session.slot is None
        n = len(session.answers) if scored else session.slot
        purpose, timing = (RESPONSE, TIME) if scored else (PRETEST_RESPONSE, PRETEST_TIME)
        draw = uniform(design.seed, purpose, person, n)
        score = draw_score(design.truth.parameters, design.truth.index[session.next_item.id], theta, draw)
        seconds = math.exp(tempo + CLOCK.log_sd * normal(design.seed, timing, person, n))
        session = session.answer(session.next_item, int(score), seconds=seconds)
    return session


@pytest.mark.parametrize("rule", ["best", "randomesque"])
@pytest.mark.parametrize("per_domain", [{}, {"D1": 2, "D3": 4}])
def test_candidates_replay_with_the_same_unscored_questions_in_the_same_places(tried_bank, variant, rule, per_domain):
    """Items, scores, places, θ, stop and time, with enemies and a clock that ends some exams."""
    exam = variant(
        selection={"rule": rule},
        length={"minimum": 20, "maximum": 35},
        time_limit_minutes=48,
        pretest={**SLOTS, "per_domain": per_domain},
    )
    design = Design(exam, tried_bank, tried_bank, Population(clock=CLOCK), seed=21)
    exams = run_design(design, 40, chunk=17, keep_items=True)
    assert len(set(exams.reason.tolist())) > 1
    operational = [item.id for item in tried_bank.items if item.status == "operational"]
    tried = [item.id for item in pretest_items(tried_bank)]
    for person in (0, 5, 16, 17, 39):
        session = replay(design, person, exams.ability[person])
        n = exams.length[person]
        assert [answer.item for answer in session.answers] == [operational[i] for i in exams.items[person, :n]]
        given = exams.pretest_items[person]
        assert [answer.item for answer in session.unscored] == [tried[t] for t in given if t >= 0]
        assert [answer.score for answer in session.unscored] == [s for s in exams.pretest_scores[person] if s >= 0]
        after = [int(a) for a, t in zip(exams.pretest_after[person], given, strict=True) if t >= 0]
        places = [k for k, (_, scored) in enumerate(session.events) if not scored]
        assert places == [a + k for k, a in enumerate(after)]
        assert (session.result.theta, session.result.se) == (exams.theta[person], exams.se[person])
        assert session.result.reason == REASONS[int(exams.reason[person])]
        assert exams.seconds[person] == pytest.approx(session.seconds, rel=1e-9)


def test_without_a_clock_and_enemies_a_study_is_the_same_with_and_without_slots(small_bank, variant):
    """Every field of 1,000 exams, bit for bit."""
    free = [item.model_copy(update={"status": "pretest", "enemies": ()}) for item in small_bank.items[::9]]
    gone = {item.id for item in free}
    rest = [
        item.model_copy(update={"enemies": tuple(foe for foe in item.enemies if foe not in gone)})
        for item in small_bank.items
        if item.id not in gone
    ]
    bank = ItemBank.from_items([*rest, *free])
    short = {"length": {"minimum": 20, "maximum": 40}}
    with_slots, without = (
        run_design(Design(variant(**short, **table), bank, bank, Population(), seed=3), 1000, keep_items=True)
        for table in ({"pretest": SLOTS}, {})
    )
    for field in dataclasses.fields(with_slots):
        if not field.name.startswith("pretest"):
            mine, theirs = getattr(with_slots, field.name), getattr(without, field.name)
            assert np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs, field.name
    assert with_slots.pretest_exposure.sum() == 6000
    assert without.pretest_exposure.sum() == 0


def test_no_enemies_meet_in_many_simulated_exams(tried_bank, variant):
    """2,000 exams of 125: counted from the records alone, scored and unscored together."""
    exam = variant(length={"minimum": 60, "maximum": 75}, pretest={"slots": 10, "target": 300})
    exams = run_design(Design(exam, tried_bank, tried_bank, Population(), seed=4), 2000, keep_items=True)
    operational = np.array([i for i, item in enumerate(tried_bank.items) if item.status == "operational"])
    tried = np.array([i for i, item in enumerate(tried_bank.items) if item.status == "pretest"])
    held = np.zeros((2000, len(tried_bank)), dtype=bool)
    for records, place in ((exams.items, operational), (exams.pretest_items, tried)):
        persons, columns = np.nonzero(records >= 0)
        held[persons, place[records[persons, columns]]] = True
    assert not any((held[:, i] & held[:, j]).any() for i, foes in enumerate(tried_bank.enemies) for j in foes if j > i)
    assert exams.compliance.violations == 0
    assert set(exams.reason.tolist()) <= {1, 2}
    assert exams.pretest_exposure.sum() > 0.5 * 20_000


@pytest.fixture(scope="module")
def tryout_study(tried_bank, variant):
    return simulate(variant(pretest=SLOTS), tried_bank, n=300, seed=2)


def test_a_study_counts_what_was_tried_out(tryout_study, tmp_path):
    use = tryout_study.pretest
    assert (use.slots, use.n, len(use.items)) == (6, 300, 25)
    assert sum(use.counts) == pytest.approx(use.filled * 1800)
    assert use.candidates_needed > 300
    assert "6 unscored questions" in tryout_study.summary()
    tryout_study.to_json(tmp_path / "s.json")
    assert StudyResult.from_json(tmp_path / "s.json").pretest == use


def test_a_study_without_slots_says_nothing_of_them(study, tmp_path):
    assert study.pretest is None
    assert "unscored" not in study.summary()
    study.to_json(tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text())["pretest"] is None


def test_a_written_log_tells_pretest_items_and_is_read_again(tried_bank, variant, tmp_path):
    """The column that marks them is told as not used by whoever reads the log; the answers are all there."""
    exam = variant(length={"minimum": 20, "maximum": 35}, pretest=SLOTS)
    sessions = []
    for person in range(3):
        session = exam.start(tried_bank, seed=8, person=person, candidate=f"C{person}")
        while not session.finished:
            session = session.answer(session.next_item, session.questions % 2)
        sessions.append(session)
    log = response_log(sessions)
    write_log(log, tmp_path / "log.csv")
    table = pd.read_csv(tmp_path / "log.csv")
    tried = {item.id for item in pretest_items(tried_bank)}
    assert len(table) == log.n_answers
    assert (table.item.isin(tried) == (table.item_status == "pretest")).all()
    assert (table.item_status == "pretest").sum() == sum(len(session.unscored) for session in sessions) > 12
    again = read_log(tmp_path / "log.csv")
    assert again.n_answers == log.n_answers


def test_candidates_replay_under_exposure_control_too(tried_bank, variant):
    """Half of the items held back, enemies among them and the pretest items, two bands of θ̂."""
    control = {"control": "conditional_sympson_hetter", "cap": 0.9, "bands": [0.0]}
    exam = variant(length={"minimum": 30, "maximum": 40}, pretest=SLOTS, exposure=control)
    ids = tuple(item.id for item in tried_bank.items if item.status == "operational")
    nothing = np.zeros(0)
    table = ExposureTable(
        exam.id, exam.version, tried_bank.id, tried_bank.version, exam.exposure, ids,
        np.full((2, len(ids)), 0.4), nothing, nothing,
    )  # fmt: skip
    design = Design(exam, tried_bank, tried_bank, Population(clock=CLOCK), seed=22, exposure=table)
    exams = run_design(design, 30, chunk=11, keep_items=True)
    tried = [item.id for item in pretest_items(tried_bank)]
    for person in (0, 10, 11, 29):
        session = replay(design, person, exams.ability[person])
        n = exams.length[person]
        assert [answer.item for answer in session.answers] == [ids[i] for i in exams.items[person, :n]]
        assert [answer.item for answer in session.unscored] == [tried[t] for t in exams.pretest_items[person] if t >= 0]
        assert (session.result.theta, session.relaxed) == (exams.theta[person], exams.relaxed[person])


def test_an_adaptive_log_of_such_an_exam_holds_scored_answers_only(tried_bank, variant):
    log = sample_log(tried_bank, 5, 30, design="adaptive", seed=1, exam=variant(pretest={**SLOTS, "last": 80}))
    assert log.n_answers == 150
    assert log.unscored is None

"""Unscored questions: where they stand, which items are tried out, and that they touch nothing else."""

import functools
import itertools
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issmp_cat import Exam, Item, ItemBank, Session
from issmp_cat.errors import BlueprintInfeasible, ExamError, SessionError
from issmp_cat.exam.pretest_plan import pretest_plan
from issmp_cat.exposure import ExposureTable
from issmp_cat.report import score_report
from issmp_cat.session import response_log

DOMAINS = ("D1", "D2", "D3")


@functools.cache
def bank(operational=16, pretest=5, enemies=()):
    """Rasch items by domain: D1-00, … may be scored, D1-P0, … are tried out; enemies as pairs of ids."""
    rng = np.random.default_rng(8)
    foes = {}
    for one, other in enemies:
        foes.setdefault(one, []).append(other)
    names = [f"{d}-{k:02d}" for d in DOMAINS for k in range(operational)]
    names += [f"{d}-P{k}" for d in DOMAINS for k in range(pretest)]
    return ItemBank.from_items(
        Item(
            id=name,
            domain=name[:2],
            b=float(rng.normal()),
            status="pretest" if "P" in name else "operational",
            enemies=tuple(foes.get(name, ())),
        )
        for name in names
    )


def exam(slots=4, rule="randomesque", time_limit=None, minimum=12, maximum=20, seen_items="allow", **pretest):
    table = {"slots": slots, "target": 100, **pretest} if slots else None
    return Exam.model_validate({
        "id": "tryout",
        "title": "Tryout",
        "blueprint": {
            "domains": [{"id": d, "weight": Decimal(w)} for d, w in zip(DOMAINS, ("0.4", "0.3", "0.3"), strict=True)]
        },
        "length": {"minimum": minimum, "maximum": maximum},
        "time_limit_minutes": time_limit,
        "selection": {"rule": rule, "among": 3},
        "stopping": {"rule": "confidence_interval", "level": Decimal("0.8")},
        "scale": {"theta_cut": Decimal("0.0")},
        "pretest": table,
        "retakes": {"seen_items": seen_items},
    })  # fmt: skip


def run(session, scored, unscored=None):
    """To the end; scored and unscored questions take their answers from lists of their own."""
    scored, unscored = iter(scored), iter(unscored or itertools.repeat(1))
    while not session.finished:
        answer = next(unscored if session.slot is not None else scored)
        session = session.answer(session.next_item, int(answer))
    return session


def answers(seed, n=20):
    return np.random.default_rng(seed).integers(0, 2, n).tolist()


def start(the_exam=None, the_bank=None, seed=1, **names):
    return (the_exam or exam()).start(the_bank or bank(), seed=seed, **names)


# ---- they touch nothing


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=20, max_size=20), st.lists(st.integers(0, 1), min_size=4, max_size=4),
       st.integers(0, 2**40), st.sampled_from(["best", "randomesque"]))  # fmt: skip
def test_the_scored_exam_is_the_same_with_and_without_them_whatever_is_answered(scored, unscored, seed, rule):
    tried = run(start(exam(rule=rule), seed=seed), scored, unscored)
    plain = run(start(exam(slots=0, rule=rule), seed=seed), scored)
    assert tried.answers == plain.answers
    assert tried.trace == plain.trace
    assert len(tried.unscored) == 4
    one, other = tried.result, plain.result
    assert (one.theta, one.se, one.passed, one.score, one.reason) == (
        other.theta, other.se, other.passed, other.score, other.reason,
    )  # fmt: skip
    assert (one.items, one.unscored, one.counts) == (other.items, 4, other.counts)


def test_only_pretest_items_are_tried_out_and_only_operational_ones_scored():
    for seed in range(20):
        session = run(start(seed=seed), answers(seed))
        assert all("P" in answer.item for answer in session.unscored)
        assert not any("P" in answer.item for answer in session.answers)
        assert len({answer.item for answer in session.unscored}) == 4


# ---- where they stand


def places(session):
    return [k + 1 for k, (_, scored) in enumerate(session.events) if not scored]


def test_places_are_drawn_evenly_between_first_and_last_for_each_candidate():
    """1,200 candidates, 4 of the questions 3 to 12: each place is expected 480 times, SD 17; 5 SDs miss once in 10⁵."""
    the_exam = exam(first=3, last=12)
    counts = Counter()
    for person in range(1200):
        session = start(the_exam, seed=3, person=person)
        after = session._trial.after
        counts.update(int(a) + k + 1 for k, a in enumerate(after))
    assert sorted(counts) == list(range(3, 13))
    assert max(abs(n - 480) for n in counts.values()) < 85


def test_every_candidate_gets_every_slot_in_its_place_even_in_the_shortest_exam():
    the_exam = exam(first=2, last=15)  # the last place there is: 12 scored questions and 4 unscored
    lengths = set()
    for seed in range(30):
        session = run(start(the_exam, seed=seed), [1] * 20)
        where = places(session)
        assert len(where) == 4
        assert where[0] >= 2
        assert where[-1] <= 15
        lengths.add(len(session.answers))
    assert 12 in lengths


@pytest.mark.parametrize(
    ("pretest", "words"),
    [
        ({"last": 16}, "would end before it; expected at most 15"),
        ({"first": 5, "last": 7}, "only 3 places"),
        ({"per_domain": {"D1": 3}}, "sums to 3; slots is 4"),
        ({"per_domain": {"D1": 3, "DX": 1}}, '"DX", which the exam does not know'),
        ({"target": 0}, "target"),
        ({"colour": 1}, "colour"),
    ],
)
def test_slots_that_cannot_be_are_refused(pretest, words):
    table = {"slots": 4, "target": 100, **pretest}
    with pytest.raises(ValueError, match=words):
        Exam.model_validate({**exam(slots=0).model_dump(), "pretest": table})


# ---- which items


def test_items_come_in_proportion_to_what_they_lack():
    """One slot; D1-P0 lacks 60 of 100, D1-P1 20, D1-P2 nothing more, the others have none left to give.

    900 candidates: 675 and 225 are expected, SD 13; 5 SDs miss once in 10⁶.
    """
    so_far = {item.id: 100 for item in bank().items if item.status == "pretest"}
    so_far |= {"D1-P0": 40, "D1-P1": 80, "D1-P2": 130}
    the_exam = exam(slots=1)
    counts = Counter()
    for person in range(900):
        session = start(the_exam, seed=2, person=person, pretest_answers=so_far)
        while session.slot is None:
            session = session.answer(session.next_item, 1)
        counts[session.next_item.id] += 1
    assert set(counts) == {"D1-P0", "D1-P1"}
    assert abs(counts["D1-P0"] - 675) < 65


def test_nobody_answers_what_nobody_needs():
    so_far = {item.id: 100 for item in bank().items if item.status == "pretest"}
    session = run(start(pretest_answers=so_far), answers(1))
    assert session.unscored == ()
    assert session.answers == run(start(exam(slots=0)), answers(1)).answers


def test_single_items_may_have_targets_of_their_own():
    plan = pretest_plan(exam(targets={"D2-P1": 7}), bank())
    assert sorted(plan.wanted.tolist()) == [7.0, *[100.0] * 14]
    with pytest.raises(ExamError, match="D2-00"):
        pretest_plan(exam(targets={"D2-00": 7}), bank())


def test_slots_of_a_domain_hold_its_items_in_every_order():
    the_exam = exam(per_domain={"D1": 1, "D3": 3})
    orders = set()
    for seed in range(60):
        tried = [answer.item[:2] for answer in run(start(the_exam, seed=seed), answers(seed)).unscored]
        assert sorted(tried) == ["D1", "D3", "D3", "D3"]
        orders.add(tried.index("D1"))
    assert orders == {0, 1, 2, 3}  # one is missed by 60 draws with chance 4 (3/4)⁶⁰ = 1e-7


def test_the_order_of_a_files_entries_means_nothing():
    one, other = ({"D1": 1, "D3": 3}, {"D3": 3, "D1": 1})
    assert exam(per_domain=one) == exam(per_domain=other)
    assert hash(exam(per_domain=one)) == hash(exam(per_domain=other))


def test_too_few_pretest_items_are_refused_with_the_counts():
    with pytest.raises(BlueprintInfeasible, match="tries out 4 items a candidate; bank bank has 3"):
        start(the_bank=bank(pretest=1))
    with pytest.raises(BlueprintInfeasible, match='"D2" has 4 unscored slots; the bank has 3'):
        start(exam(per_domain={"D2": 4}), bank(pretest=3))


def test_answers_so_far_of_an_unknown_item_are_refused():
    with pytest.raises(SessionError, match=r'"D1-P9", which is not in the bank \(did you mean'):
        start(pretest_answers={"D1-P9": 5})


def test_pretest_items_seen_before_do_not_come_again_where_the_exam_bars():
    seen = [f"D1-P{k}" for k in range(5)] + [f"D2-P{k}" for k in range(4)]
    for seed in range(10):
        session = run(start(exam(seen_items="bar"), seed=seed, seen=seen), answers(seed))
        assert not {answer.item for answer in session.unscored} & set(seen)


# ---- enemies


def pairs_of(the_bank):
    return [{the_bank.ids[i], the_bank.ids[j]} for i, foes in enumerate(the_bank.enemies) for j in foes]


@pytest.mark.parametrize("rule", ["best", "randomesque"])
@pytest.mark.parametrize("operational", [9, 16])
@pytest.mark.parametrize("crossed", [False, True])
def test_enemies_never_meet_and_every_exam_stays_whole(rule, operational, crossed):
    """Nine items where eight are needed, or plenty; each pretest item has enemies that the quotas may need."""
    enemies = [
        (f"{d}-P{k}", f"{e}-{k:02d}") for d, e in zip(DOMAINS, ("D2", "D1", "D3"), strict=True) for k in range(5)
    ]
    enemies += [(f"{d}-P{k}", f"{d}-{k + 1:02d}") for d in DOMAINS for k in range(5)]
    enemies += [("D1-P0", "D2-P0"), ("D1-P1", "D3-P1")]
    if crossed:  # then counting does not suffice, and a search proves what is left
        enemies += [("D1-06", "D2-06"), ("D1-07", "D2-07"), ("D1-06", "D2-07"), ("D2-05", "D3-05")]
    the_bank = bank(operational, 5, tuple(enemies))
    tried = 0
    for seed in range(12):
        session = run(start(exam(rule=rule), the_bank, seed=seed), answers(seed))
        held = {answer.item for answer, _ in session.events}
        assert not any(pair <= held for pair in pairs_of(the_bank))
        assert session.result.reason != "no further item can be given"
        if session.result.items == 20:
            assert list(session.result.counts.values()) == [8, 6, 6]
        tried += len(session.unscored)
    assert tried > 12  # slots lapse where an enemy is needed, but not all of them


def test_an_enemy_that_the_quotas_need_keeps_its_pretest_item_out():
    """Eight items in D1, all of them needed: no pretest item may block one."""
    enemies = tuple((f"{d}-P{k}", f"D1-{k:02d}") for d in DOMAINS for k in range(5))
    names = {f"D1-{k:02d}" for k in range(8, 16)}
    items = [item for item in bank(16, 5, enemies).items if item.id not in names]
    session = run(start(exam(minimum=20), ItemBank.from_items(items)), answers(2))
    assert session.unscored == ()
    assert session.result.counts["D1"] == 8


def test_enemies_that_the_exam_names_count_too():
    content = exam().model_dump()
    content["blueprint"]["enemy_sets"] = [{"items": ["D1-P0", "D1-P1", "D2-P0", "D2-P1", "D3-P0"]}]
    content["pretest"]["targets"] = {f"{d}-P{k}": 100_000 for d in DOMAINS for k in (0, 1)}
    the_exam = Exam.model_validate(content)
    for seed in range(10):
        held = {answer.item for answer in run(start(the_exam, seed=seed), answers(seed)).unscored}
        assert len(held & {"D1-P0", "D1-P1", "D2-P0", "D2-P1", "D3-P0"}) <= 1


# ---- sessions


def same(one, other):
    assert (one.answers, one.unscored, one.next_item, one.slot) == (
        other.answers, other.unscored, other.next_item, other.slot,
    )  # fmt: skip
    assert (one.result, one.trace, one.events) == (other.result, other.trace, other.events)


@pytest.mark.parametrize("stop", range(0, 17, 2))
def test_a_session_is_the_fold_of_its_answers_and_survives_its_file(stop, tmp_path):
    enemies = (("D1-P0", "D2-00"), ("D2-P1", "D1-03"), ("D3-P2", "D3-01"))
    the_bank, so_far = bank(16, 5, enemies), {"D1-P0": 3}
    session = start(the_bank=the_bank, seed=11, person=4, pretest_answers=so_far)
    for k in range(stop):
        if not session.finished:
            session = session.answer(session.next_item, k % 2)
    again = Session.replay(
        exam(), the_bank, session.answers, seed=11, opening=session.opening, unscored=session.unscored
    )
    same(again, session)
    session.save(tmp_path / "s.json")
    loaded = Session.load(tmp_path / "s.json", exam(), the_bank)
    same(loaded, session)
    same(run(loaded, answers(5)), run(session, answers(5)))
    # A question that was left took time, and is due again.
    left = replace(session, extra_seconds=7.0)
    left.save(tmp_path / "s.json")
    resumed = Session.load(tmp_path / "s.json", exam(), the_bank)
    assert (resumed.seconds, resumed.next_item, resumed.slot) == (left.seconds, left.next_item, left.slot)


def test_a_file_whose_unscored_answers_cannot_have_happened_is_refused(tmp_path):
    session = run(start(seed=11), answers(3))
    path = tmp_path / "s.json"
    session.save(path)
    content = json.loads(path.read_text())
    for broken, words in [
        ({"unscored": content["unscored"][::-1]}, "unscored answer 1 cannot have happened"),
        ({"unscored": [*content["unscored"], content["unscored"][0]]}, "cannot have happened"),
        ({"unscored": content["unscored"][:2]}, "cannot have happened"),
        ({"opening": {"pretest_answers": {content["unscored"][0]["item"]: 100}}}, "cannot have happened"),
    ]:
        path.write_text(json.dumps(content | broken))
        with pytest.raises(SessionError, match=words):
            Session.load(path, exam(), bank())


def test_a_replay_refuses_unscored_answers_that_were_not_due():
    session = run(start(seed=11), answers(3))
    with pytest.raises(SessionError, match="was not due there"):
        Session.replay(exam(), bank(), session.answers, seed=11, unscored=session.unscored[::-1])
    with pytest.raises(SessionError, match=r'unscored answer 1: item "D1-00" is not in the bank'):
        Session.replay(exam(), bank(), (), seed=11, unscored=[session.unscored[0].model_copy(update={"item": "D1-00"})])


def test_answers_come_in_order_to_unscored_questions_too():
    session = start(exam(first=1, last=4), seed=1)
    assert session.slot == 0
    other = next(item for item in bank().items if item.id != session.next_item.id)
    with pytest.raises(SessionError, match="is due; answers come in order"):
        session.answer(other, 1)


def test_the_clock_counts_them_and_one_that_is_late_ends_the_exam_uncounted():
    session = start(exam(time_limit=1, first=1, last=4), seed=1)
    for _ in range(2):
        session = session.answer(session.next_item, 1, seconds=25)
    assert session.seconds == 50
    late = session.answer(session.next_item, 1, seconds=11)
    assert late.finished
    assert len(late.unscored) == 2
    assert (late.result.reason, late.result.seconds) == ("the time is up", 61)


def test_earlier_sessions_live_on():
    session = start(exam(first=1, last=4), seed=1)
    after = session.answer(session.next_item, 1)
    before = (session.next_item, session.slot, session.unscored)
    run(after, answers(1))
    assert (session.next_item, session.slot, session.unscored) == before


# ---- what others see


def test_the_log_holds_them_in_their_places_marked_unscored():
    sessions = [run(start(seed=k, candidate=f"C{k}"), answers(k)) for k in range(3)]
    log = response_log(sessions)
    assert log.n_answers == sum(session.questions for session in sessions)
    for p, session in enumerate(sessions):
        rows = slice(log.start[p], log.start[p + 1])
        assert [log.items[i] for i in log.item[rows]] == [answer.item for answer, _ in session.events]
        assert log.position[rows].tolist() == list(range(session.questions))
        assert log.unscored[rows].tolist() == [not scored for _, scored in session.events]
    assert response_log([run(start(exam(slots=0)), answers(1))]).unscored is None


def test_the_report_says_how_many_did_not_count_and_counts_none_of_them():
    session = run(start(), answers(1))
    report, plain = score_report(session), score_report(run(start(exam(slots=0)), answers(1)))
    assert "4 further questions were unscored" in report.text()
    assert "scored questions (of 12 to 20)" in report.text()
    assert "unscored" not in plain.text()
    assert [(d.items, d.right, d.theta) for d in report.domains] == [(d.items, d.right, d.theta) for d in plain.domains]
    assert report.unscored == 4


# ---- under exposure control


@pytest.mark.parametrize("rule", ["best", "randomesque"])
@pytest.mark.parametrize("operational", [9, 10, 12])
def test_items_held_for_their_exposure_are_spared_too(rule, operational):
    """Half of the items are held back, θ̂ stays in one band, and pretest items block others: the quotas still fill."""
    enemies = [(f"{d}-P{k}", f"{d}-{k:02d}") for d in DOMAINS for k in range(5)]
    enemies += [(f"{d}-P{k}", f"{d}-{k + 4:02d}") for d in DOMAINS for k in range(5)]
    the_bank = bank(operational, 5, tuple(enemies))
    content = exam(slots=8, rule=rule, minimum=20).model_dump()
    content["exposure"] = {"control": "eligibility", "cap": 0.99}
    the_exam = Exam.model_validate(content)
    ids = tuple(item.id for item in the_bank.items if item.status == "operational")
    nothing = np.zeros(0)
    table = ExposureTable(
        the_exam.id, the_exam.version, the_bank.id, the_bank.version, the_exam.exposure, ids,
        np.full((1, len(ids)), 0.5), nothing, nothing,
    )  # fmt: skip
    for seed in range(25):
        session = run(start(the_exam, the_bank, seed=seed, exposure=table), answers(seed))
        held = {answer.item for answer, _ in session.events}
        assert not any(pair <= held for pair in pairs_of(the_bank))
        assert list(session.result.counts.values()) == [8, 6, 6]

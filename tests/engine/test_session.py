"""One candidate's exam as a value: replayable, resumable, unharmed by what is wrong, and true to its rules."""

import functools
import json
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issmp_cat import Exam, Item, ItemBank, Session
from issmp_cat.bank import Content
from issmp_cat.errors import SessionError
from issmp_cat.session import Answer, response_log

DOMAINS = ("D1", "D2", "D3")
WEIGHTS = ("0.5", "0.3", "0.2")


@functools.cache
def small_bank():
    """60 items in three domains: a tenth each pretest and retired, enemies within and across domains."""
    rng = np.random.default_rng(1)
    ids = [f"i{k:02d}" for k in range(60)]
    foes = {k: {(k * 7 + 3) % 60, (k + 1) % 60 if k % 5 == 0 else k} - {k} for k in range(0, 60, 2)}
    return ItemBank.from_items([
        Item(
            id=ids[k],
            domain=DOMAINS[k % 3],
            model="3pl",
            a=float(rng.uniform(0.7, 2)),
            b=float(rng.normal()),
            c=0.15,
            enemies=tuple(ids[j] for j in sorted(foes.get(k, ()))),
            status={3: "pretest", 7: "retired"}.get(k % 10, "operational"),
            content=Content(stem=f"Question {k}", options=("a", "b", "c", "d"), key="ABCD"[k % 4]) if k % 2 else None,
        )
        for k in range(60)
    ])  # fmt: skip


@functools.cache
def exam(minimum=6, maximum=12, rule="randomesque", estimator="eap", level="0.9", time_limit=None, title="Small exam"):
    fixed = minimum == maximum
    return Exam.model_validate({
        "id": "small",
        "title": title,
        "blueprint": {
            "domains": [{"id": d, "weight": Decimal(w)} for d, w in zip(DOMAINS, WEIGHTS, strict=True)]
        },
        "length": {"minimum": minimum, "maximum": maximum},
        "time_limit_minutes": time_limit,
        "selection": {"rule": rule, "among": 3},
        "scoring": {"estimator": estimator},
        "stopping": {"rule": "fixed_length"} if fixed else {"rule": "confidence_interval", "level": Decimal(level)},
        "scale": {"theta_cut": Decimal("-0.3")},
    })  # fmt: skip


def start(the_exam=None, seed=1, **names):
    return (the_exam or exam()).start(small_bank(), seed=seed, **names)


def run(session, scores):
    for score in scores:
        if session.finished:
            break
        session = session.answer(session.next_item, score)
    return session


def same(one, other):
    """Everything a person or a program can see of two sessions."""
    assert one.answers == other.answers
    assert one.result == other.result
    assert one.trace == other.trace
    assert one.next_item == other.next_item
    assert one.finished == other.finished
    return True


answers = st.lists(st.integers(0, 1), min_size=12, max_size=12)
seeds = st.integers(0, 2**63 - 1)
rules = st.sampled_from(["best", "randomesque"])
estimators = st.sampled_from(["eap", "map", "ml", "wle"])


# ---- replay


@settings(max_examples=50, deadline=None)
@given(answers, seeds, rules, estimators, st.integers(0, 12))
def test_replaying_the_answers_gives_the_same_session_at_every_point(scores, seed, rule, estimator, stop):
    the_exam = exam(rule=rule, estimator=estimator)
    live = run(start(the_exam, seed), scores[:stop])
    assert same(Session.replay(the_exam, small_bank(), live.answers, seed=seed), live)
    assert same(run(start(the_exam, seed), scores[:stop]), live)


@settings(max_examples=25, deadline=None)
@given(answers, seeds)
def test_resuming_half_way_changes_nothing(scores, seed):
    whole = run(start(seed=seed), scores)
    half = run(start(seed=seed), scores[:4])
    resumed = Session.replay(half.exam, half.bank, half.answers, seed=seed)
    assert same(run(resumed, scores[4:]), whole)


@settings(max_examples=25, deadline=None)
@given(scores=answers, seed=seeds)
def test_a_file_holds_the_session_whole(scores, seed, tmp_path_factory):
    path = tmp_path_factory.mktemp("session") / "session.json"
    session = run(start(seed=seed, candidate="Ana Ω"), scores[:5])
    session.save(path)
    again = Session.load(path, exam(), small_bank())
    assert same(again, session)
    assert (again.candidate, again.seed) == ("Ana Ω", seed)


def test_an_earlier_session_lives_on_when_a_later_one_branches_off():
    first = run(start(), [1, 0, 1])
    before = (first.result, first.next_item, first.trace)
    right, wrong = (run(first, [score] * 9) for score in (1, 0))
    assert right.result.theta > wrong.result.theta
    assert (first.result, first.next_item, first.trace) == before
    assert same(run(first, [1] * 9), right)


def test_another_seed_draws_other_items_and_the_best_item_needs_no_seed():
    firsts = {start(seed=seed).next_item.id for seed in range(40)}
    assert len(firsts) == 3  # randomesque among three; each is missed by 40 draws with chance 3 (2/3)^40 = 3e-7
    assert len({start(exam(rule="best"), seed).next_item.id for seed in range(10)}) == 1


def test_a_session_without_a_seed_draws_one_and_keeps_it():
    one, other = exam().start(small_bank()), exam().start(small_bank())
    assert one.seed != other.seed  # equal by chance once in 2³²
    assert same(start(seed=one.seed), one)


def test_numpys_whole_numbers_are_seeds_too():
    assert same(start(seed=np.int64(2**62 + 5)), start(seed=2**62 + 5))


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "1"])
def test_a_seed_that_a_file_could_not_hold_is_refused_at_the_start(seed):
    with pytest.raises(SessionError, match="seed"):
        start(seed=seed)


# ---- what is refused, and leaves the session as it was


@pytest.mark.parametrize(
    ("response", "seconds", "words"),
    [
        (2, 0, "score"),
        (-1, 0, "score"),
        (0.5, 0, "score"),
        (None, 0, "score"),
        ("", 0, "expected"),
        ("yes", 0, "expected"),
        (1, -1, "seconds"),
        (1, math.nan, "seconds"),
        (1, math.inf, "seconds"),
        (7, 1e9, "score"),
    ],
)
def test_an_impossible_answer_is_refused_and_changes_nothing(response, seconds, words):
    session = run(start(exam(time_limit=5)), [1, 0])
    before = (session.result, session.next_item, session.trace, session.seconds)
    with pytest.raises(SessionError, match=words):
        session.answer(session.next_item, response, seconds=seconds)
    assert (session.result, session.next_item, session.trace, session.seconds) == before
    assert same(session.answer(session.next_item, 1), run(start(exam(time_limit=5)), [1, 0, 1]))


def test_an_answer_to_another_item_is_refused_by_both_names():
    session = start()
    other = next(item for item in small_bank().items if item != session.next_item)
    for wrong in (other, other.id, "nonesuch", None):
        with pytest.raises(SessionError, match=f'"{session.next_item.id}" is due'):
            session.answer(wrong, 1)
    assert session.answers == ()


def test_an_answer_after_the_end_is_refused_with_the_reason():
    session = run(start(exam(6, 6)), [1] * 6)
    assert session.finished
    assert session.next_item is None
    with pytest.raises(SessionError, match="the exam has ended: the maximum length is reached"):
        session.answer(session.answers[-1].item, 1)
    with pytest.raises(SessionError, match="the exam has ended"):
        session.answer(session.next_item, 1)


def test_letters_are_scored_by_the_key_and_kept():
    session = start()
    while session.next_item.content is None:
        session = session.answer(session.next_item, 1)
    item = session.next_item
    wrong = next(letter for letter in "ABCD" if letter != item.content.key)
    assert session.answer(item, f" {item.content.key.lower()} ").answers[-1] == Answer(
        item=item.id, score=1, choice=item.content.key
    )
    assert session.answer(item, wrong).answers[-1].score == 0
    with pytest.raises(SessionError, match="one of A, B, C, D"):
        session.answer(item, "E")


def test_a_letter_for_an_item_without_a_key_is_refused():
    session = start()
    while session.next_item.content is not None:
        session = session.answer(session.next_item, 1)
    with pytest.raises(SessionError, match="has no key"):
        session.answer(session.next_item, "A")


def test_a_replay_lists_every_impossible_answer():
    retired = next(item.id for item in small_bank().items if item.status == "retired")
    pretest = next(item.id for item in small_bank().items if item.status == "pretest")
    good = start().next_item.id
    history = [Answer(item=name, score=1) for name in (good, "nonesuch", good, retired, pretest)]
    with pytest.raises(SessionError) as error:
        Session.replay(exam(), small_bank(), history, seed=1)
    assert [line.split(":")[0] for line in error.value.problems] == ["answer 2", "answer 3", "answer 4", "answer 5"]


def test_more_answers_than_the_exam_holds_are_refused():
    operational = [item.id for item in small_bank().items if item.status == "operational"]
    history = [Answer(item=name, score=1) for name in operational[:13]]
    with pytest.raises(SessionError, match="13 answers; the exam has 12 items"):
        Session.replay(exam(), small_bank(), history, seed=1)


# ---- files


def saved(tmp_path, **changes):
    path = tmp_path / "session.json"
    run(start(), [1, 0, 1]).save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def test_a_session_of_another_bank_version_is_refused(tmp_path):
    path = saved(tmp_path)
    first, *rest = small_bank().items
    harder = ItemBank.from_items([first.model_copy(update={"b": first.b + 0.1}), *rest])
    with pytest.raises(SessionError, match=f"bank .*{small_bank().version}.*{harder.version}"):
        Session.load(path, exam(), harder)
    # What decides nothing does not lock a candidate out.
    renamed = ItemBank.from_items([first.model_copy(update={"answers": 99}), *rest], title="renamed")
    assert same(Session.load(path, exam(), renamed), Session.load(path, exam(), small_bank()))


def test_a_session_of_another_exam_version_is_refused_and_of_a_retitled_one_is_not(tmp_path):
    path = saved(tmp_path)
    with pytest.raises(SessionError, match="exam"):
        Session.load(path, exam(level="0.8"), small_bank())
    assert len(Session.load(path, exam(title="New title"), small_bank()).answers) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "other"}, "format"),
        ({"format_version": 2}, "format_version"),
        ({"seed": -1}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"colour": "red"}, "colour: unknown field"),
        ({"extra_seconds": -1}, "extra_seconds"),
        ({"answers": [{"item": "i00", "score": 128}]}, "answers.0.score"),
        ({"answers": [{"item": "i00"}]}, "answers.0.score"),
        ({"answers": [{"item": "zz", "score": 1}]}, 'an answer to "zz", but'),
        ({"answers": "none"}, "answers"),
    ],
)
def test_a_broken_session_file_is_refused_and_left_as_it_is(tmp_path, changes, words):
    path = saved(tmp_path, **changes)
    before = path.read_bytes()
    with pytest.raises(SessionError, match=words.replace(".", r"\.")):
        Session.load(path, exam(), small_bank())
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"format": "issmp-cat/session"'])
def test_what_is_no_session_file_is_refused(tmp_path, content):
    path = tmp_path / "session.json"
    path.write_bytes(content)
    with pytest.raises(SessionError):
        Session.load(path, exam(), small_bank())


# ---- time


def test_an_answer_at_the_last_second_counts_and_one_after_it_ends_the_exam_uncounted():
    session = run(start(exam(time_limit=1)), [1, 1])
    item = session.next_item
    in_time = session.answer(item, 0, seconds=60.0)
    assert len(in_time.answers) == 3
    assert not in_time.finished
    late = session.answer(item, 0, seconds=60.001)
    assert late.finished
    assert late.next_item is None
    assert late.answers == session.answers
    assert late.result.reason == "the time is up"
    assert (late.result.theta, late.result.se) == (session.result.theta, session.result.se)
    assert late.result.seconds == pytest.approx(60.001)
    assert late.result.final
    with pytest.raises(SessionError, match="the time is up"):
        late.answer(item, 1)


def test_time_adds_up_over_answers():
    session = start(exam(time_limit=1))
    for _ in range(4):
        session = session.answer(session.next_item, 1, seconds=15)
    assert session.seconds == 60
    assert not session.finished
    assert session.answer(session.next_item, 1, seconds=0.5).result.reason == "the time is up"


def test_a_late_end_is_still_one_when_resumed(tmp_path):
    session = start(exam(time_limit=1))
    session = session.answer(session.next_item, 1, seconds=30)
    late = session.answer(session.next_item, 1, seconds=31)
    late.save(tmp_path / "s.json")
    assert same(Session.load(tmp_path / "s.json", exam(time_limit=1), small_bank()), late)


def test_without_a_limit_no_answer_is_late():
    session = start().answer(start().next_item, 1, seconds=1e9)
    assert len(session.answers) == 1
    assert not session.finished


# ---- the end


def test_a_fixed_length_exam_ends_at_its_length_on_its_quotas():
    session = run(start(exam(10, 10)), [1] * 20)
    assert session.result.items == 10
    assert session.result.counts == session.result.quotas == {"D1": 5, "D2": 3, "D3": 2}
    assert session.result.reason == "the maximum length is reached"


@settings(max_examples=40, deadline=None)
@given(answers, seeds, estimators)
def test_a_variable_exam_ends_as_soon_as_its_interval_excludes_the_cut_and_not_before(scores, seed, estimator):
    session = run(start(exam(estimator=estimator, level="0.8"), seed), scores)
    assert session.finished
    z = 1.2815515594457412  # two-sided 80 %: the 90th percentile of the normal
    outside = [abs(row.theta + 0.3) > z * row.se for row in session.trace]
    expected = next((n for n, out in enumerate(outside, 1) if out and n >= 6), 12)
    assert len(session.answers) == expected
    words = "the confidence interval excludes the cut" if outside[expected - 1] else "the maximum length is reached"
    assert session.result.reason == words


@settings(max_examples=40, deadline=None)
@given(answers, seeds)
def test_the_decision_the_score_and_the_estimate_agree(scores, seed):
    result = run(start(seed=seed), scores).result
    assert result.passed == (result.theta >= -0.3)
    assert (result.score >= 700) == result.passed


def test_a_session_under_way_says_that_it_is_provisional():
    result = run(start(), [1]).result
    assert not result.final
    assert result.reason == "the exam is under way"


def test_before_the_first_answer_the_estimate_is_the_populations():
    result = start().result
    assert result.theta == pytest.approx(0, abs=1e-12)
    # ±4 SDs hold all but 0.006 % of a normal: its SD there is smaller by 0.0011 × ½.
    assert result.se == pytest.approx(1, abs=1e-3)
    assert result.items == 0


def test_right_answers_raise_the_estimate_and_wrong_ones_lower_it():
    session = start(exam(rule="best"))
    item = session.next_item
    assert session.answer(item, 1).result.theta > session.result.theta > session.answer(item, 0).result.theta


def test_the_trace_tells_every_step():
    session = run(start(exam(12, 12)), [1, 0] * 6)
    assert [row.position for row in session.trace] == list(range(1, 13))
    assert [row.item for row in session.trace] == [answer.item for answer in session.answers]
    assert [row.score for row in session.trace] == [1, 0] * 6
    by_id = {item.id: item.domain for item in small_bank().items}
    assert [row.domain for row in session.trace] == [by_id[answer.item] for answer in session.answers]
    assert (session.trace[-1].theta, session.trace[-1].se) == (session.result.theta, session.result.se)
    for n, row in enumerate(session.trace):
        assert row.theta == run(start(exam(12, 12)), ([1, 0] * 6)[: n + 1]).result.theta


# ---- the blueprint, enemies, and who may be given


def check_contents(session, weights):
    """Strict blueprint at every permissible stop, no enemies, operational items only."""
    by_id = {item.id: item for item in session.bank.items}
    position = session.bank.index
    names = [answer.item for answer in session.answers]
    assert len(set(names)) == len(names)
    assert all(by_id[name].status == "operational" for name in names)
    given_items = {position[name] for name in names}
    assert not any(given_items.intersection(session.bank.enemies[i]) for i in given_items)
    counts = dict.fromkeys(weights, 0)
    for n, name in enumerate(names, 1):
        counts[by_id[name].domain] += 1
        if n >= session.exam.length.minimum:
            for domain, weight in weights.items():
                share = n * Fraction(weight)
                assert math.floor(share) <= counts[domain] <= math.ceil(share), (n, counts)
    if len(names) == session.exam.length.maximum:
        assert tuple(counts.values()) == session.exam.blueprint.quotas(len(names))


@settings(max_examples=80, deadline=None)
@given(answers, seeds, rules, st.sampled_from([(1, 12), (3, 9), (6, 12), (10, 10)]))
def test_every_stop_is_balanced_no_enemies_meet_and_only_operational_items_are_given(scores, seed, rule, lengths):
    # 99.99 %: exams run long, so that every length is met.
    session = run(start(exam(*lengths, rule=rule, level="0.9999"), seed), scores)
    assert session.finished
    assert len(session.answers) == lengths[1] or session.result.reason == "the confidence interval excludes the cut"
    check_contents(session, dict(zip(DOMAINS, WEIGHTS, strict=True)))
    assert session.unproven == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_whole_issmp_is_balanced_at_every_stop_of_a_bank_with_many_enemies(seed):
    rng = np.random.default_rng(seed)
    issmp = Exam.load("issmp")
    weights = {domain.id: domain.weight for domain in issmp.blueprint.domains}
    labels = [domain for domain, quota in zip(weights, issmp.blueprint.quotas(240), strict=True) for _ in range(quota)]
    foes = rng.integers(0, 240, (60, 2))
    bank = ItemBank.from_items([
        Item(
            id=f"i{k}",
            domain=labels[k],
            a=float(rng.uniform(0.6, 1.8)),
            b=float(rng.normal()),
            enemies=tuple(sorted({f"i{j}" for i, j in foes if i == k and j != k})),
        )
        for k in range(240)
    ])  # fmt: skip
    session = issmp.start(bank, seed=seed)
    while not session.finished:
        session = session.answer(session.next_item, int(rng.random() < 0.55))
    assert 75 <= len(session.answers) <= 125
    check_contents(session, weights)
    # The stop itself may come early; walk on to 125 through a rule that never decides.
    endless = issmp.model_copy(update={"stopping": issmp.stopping.model_copy(update={"level": 1 - 1e-15})})
    session = endless.start(bank, seed=seed)
    while not session.finished:
        session = session.answer(session.next_item, int(rng.random() < 0.55))
    assert len(session.answers) == 125
    check_contents(session, weights)


# ---- sessions as a log


def test_sessions_become_a_response_log():
    first = run(start(candidate="Ana"), [1, 0, 1])
    second = run(start(seed=2), [0])
    second = second.answer(second.next_item, 1, seconds=12.5)
    log = response_log([first, second])
    assert log.persons.tolist() == ["Ana", "C00002"]
    assert log.start.tolist() == [0, 3, 5]
    assert [log.items[i] for i in log.item] == [a.item for s in (first, second) for a in s.answers]
    assert log.score.tolist() == [1, 0, 1, 0, 1]
    assert log.position.tolist() == [0, 1, 2, 0, 1]
    assert log.seconds[-1] == pytest.approx(12.5)
    assert np.isnan(log.seconds[:-1]).all()


def test_sessions_on_different_banks_are_no_log():
    other = ItemBank.from_items([item.model_copy(update={"b": 0.0}) for item in small_bank().items])
    with pytest.raises(SessionError, match="2 bank versions"):
        response_log([start(), exam().start(other, seed=1)])
    with pytest.raises(SessionError, match="0 sessions"):
        response_log([])


def test_a_history_that_no_exam_of_ours_gives_ends_without_an_item_not_with_a_crash():
    first_domain = [i.id for i in small_bank().items if i.domain == "D1" and i.status == "operational"]
    history = [Answer(item=name, score=k % 2) for k, name in enumerate(first_domain[:8])]
    session = Session.replay(exam(level="0.9999"), small_bank(), history, seed=1)
    assert session.finished
    assert session.next_item is None
    assert session.result.reason == "no further item can be given"

"""What an exam file asks of exposure control, the table file, and what finished exams teach it."""

import json
import math
from importlib import resources

import numpy as np
import pytest
from pydantic import ValidationError

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.errors import BlueprintInfeasible, ExamError, SessionError, UsageError
from issmp_cat.exam import plan_exam
from issmp_cat.exam.exposure import plan_under
from issmp_cat.exposure import Counts, ExposureControl, ExposureTable, next_admission
from issmp_cat.selection.admission import lots
from issmp_cat.selection.pool import QUANTUM
from issmp_cat.session import Session, exposure_counts

CONTROLLED = {"control": "eligibility", "cap": 0.9}


def practice(**exposure):
    return Exam.model_validate({**Exam.load("practice").model_dump(), "exposure": exposure})


@pytest.fixture(scope="module")
def bank():
    return ItemBank.load_packaged("practice-bank")


def table_for(exam, bank, admit=None, **more):
    bands = len(exam.exposure.bands) + 1
    admit = np.full((bands, len(bank)), 0.8) if admit is None else admit
    none = np.zeros(0)
    return ExposureTable(
        exam.id, exam.version, bank.id, bank.version, exam.exposure, bank.ids, admit, none, none, **more
    )


def whole(exam, bank, table, seed, **names):
    session = exam.start(bank, seed=seed, exposure=table, **names)
    while not session.finished:
        session = session.answer(session.next_item, int(len(session.answers) % 3 > 0))
    return session


# ---- the exam file


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"cap": 0.3}, 'control is "none", so cap would do nothing'),
        ({"control": "prices"}, "needs a cap"),
        ({"control": "eligibility", "cap": 0.0}, "greater than 0"),
        ({"control": "eligibility", "cap": 1.2}, "less than or equal to 1"),
        ({"control": "eligibility", "cap": 0.2, "bands": [1.0, 0.0]}, "bands must ascend"),
        ({"control": "sympson_hetter", "cap": 0.2, "bands": [0.0]}, "caps the overall rate: drop bands"),
        ({"control": "conditional_sympson_hetter", "cap": 0.2}, "needs bands"),
        ({"control": "sympson_hetter", "cap": 0.01, "margin": 0.01}, "leaves nothing"),
        ({"control": "sympson_hetter", "cap": 0.2, "floor": 0.01}, 'floor belongs to control "prices"'),
        ({"control": "prices", "cap": 0.2, "floor": 0.19}, "not below the cap less its margin"),
        ({"control": "randomly", "cap": 0.2}, "sympson_hetter"),
    ],
)
def test_impossible_control_is_refused_with_the_reason(asked, fault):
    with pytest.raises(ValidationError, match=fault):
        ExposureControl.model_validate(asked)


def test_all_faults_at_once():
    with pytest.raises(ValidationError) as caught:
        ExposureControl(control="sympson_hetter", cap=0.2, bands=(1.0, 0.0), favour="decision")
    for part in ("bands must ascend", "drop bands", "favour belongs"):
        assert part in str(caught.value)


def test_an_exam_without_control_keeps_its_version():
    plain = Exam.load("practice")
    assert Exam.model_validate({**plain.model_dump(), "exposure": {"control": "none"}}).version == plain.version
    assert practice(**CONTROLLED).version != plain.version


def test_prices_need_information_at_theta():
    changed = {**practice(control="prices", cap=0.9).model_dump(), "selection": {"criterion": "fisher_at_cut"}}
    with pytest.raises(ValidationError, match="has no scale"):
        Exam.model_validate(changed)


def test_a_cap_below_the_mean_rate_is_refused_by_domain():
    """Quota 3 of 4 items: a mean rate of 0.75, whatever is chosen; 5 items more bring it to 1/3."""
    items = [Item(id=f"{d}{k}", domain=d, b=0.1 * k) for d, n in (("D1", 4), ("D2", 30)) for k in range(n)]
    base = Exam.load("practice").model_dump()
    domains = [{"id": d, "name": d, "weight": "0.5"} for d in ("D1", "D2")]
    changes = {
        "blueprint": {"domains": domains},
        "length": {"minimum": 6, "maximum": 6},
        "stopping": {"rule": "fixed_length"},
        "exposure": {"control": "sympson_hetter", "cap": 0.5},
    }
    exam = Exam.model_validate({**base, **changes})
    with pytest.raises(
        BlueprintInfeasible, match=r"3 of its 4 items .* mean rate of 0\.750\. Add 3 items.* cap to 0\.76"
    ):
        plan_exam(exam, ItemBank.from_items(items))
    enough = [*items, *(Item(id=f"D1-{k}", domain="D1", b=0.0) for k in range(3))]
    plan_exam(exam, ItemBank.from_items(enough))


# ---- the formula


def test_the_step_is_that_of_sympson_and_hetter():
    """P(S) = P(A) / K from one round; K = 1 where P(S) ≤ r, else r / P(S) (Sympson & Hetter, 1985)."""
    rng = np.random.default_rng(5)
    n, r = 4000, 0.2
    k = rng.uniform(0.2, 1.0, 30)
    selected = rng.uniform(0.0, 1.0, 30)
    counts = Counts(np.array([n]), n * k[None, :], n * (k * selected)[None, :])
    expected = [1.0 if p <= r else r / p for p in selected]
    np.testing.assert_allclose(next_admission(counts, r, k[None, :])[0], expected, rtol=1e-12)


def test_online_it_is_the_rule_of_van_der_linden_and_veldkamp():
    """Candidate by candidate: P(l+1) = r ε(l) / α(l) where α > 0, at most 1, and 1 before the first use (2004)."""
    rng = np.random.default_rng(6)
    r, popularity = 0.25, np.array([0.9, 0.5, 0.2, 0.0])
    counts, admit = Counts.none(1, 4), np.ones((1, 4))
    alpha, epsilon, p = np.zeros(4), np.zeros(4), np.ones(4)
    used = 0
    for _ in range(6000):
        eligible = rng.random(4) <= p
        given = eligible & (rng.random(4) < popularity)
        used += given
        epsilon, alpha = epsilon + eligible, alpha + given
        p = np.array([min(1.0, r * e / a) if a > 0 else 1.0 for e, a in zip(epsilon, alpha, strict=True)])
        counts = counts.then(Counts(np.ones(1), eligible[None, :].astype(float), given[None, :].astype(float)))
        admit = next_admission(counts, r, admit)
        np.testing.assert_allclose(admit[0], p, rtol=1e-12)
    # Rates rest at the cap or below; 4 standard errors: 1 false alarm in 8,000 for each of two items.
    assert np.all(used / 6000 <= r + 4 * math.sqrt(r * (1 - r) / 6000))


def test_earlier_exams_may_count_less():
    one = Counts(np.array([10.0]), np.array([[4.0]]), np.array([[2.0]]))
    both = one.then(one, keep=0.5)
    assert (both.candidates[0], both.eligible[0, 0], both.given[0, 0]) == (15.0, 6.0, 3.0)
    assert both.overall[0] == pytest.approx(0.2)


# ---- the table


def test_a_table_read_back_is_the_table_written(bank, tmp_path):
    rng = np.random.default_rng(1)
    exam = practice(control="eligibility", cap=0.9, bands=[-0.5, 0.5])
    counts = Counts(np.ones(3), rng.random((3, 60)), rng.random((3, 60)))
    table = table_for(exam, bank, rng.random((3, 60)), counts=counts, provenance={"issmp-cat": "x"})
    table.save(tmp_path / "table.json")
    again = ExposureTable.load(tmp_path / "table.json")
    assert again.version == table.version
    np.testing.assert_array_equal(again.admit, table.admit)
    np.testing.assert_array_equal(again.counts.given, counts.given)
    assert again.edges.tolist() == [-0.5, 0.5]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"format": "something"}, "not an exposure table"),
        ({"admit": [[0.5] * 59]}, r"admit has 1 rows of \[59\] numbers; expected 1 of 60"),
        ({"admit": [[1.5] * 60]}, "less than or equal to 1"),
        ({"admit": [[0.5] * 60]}, "it was edited"),
        ({"price": [0.1]}, "price has 1 numbers; expected none or 60"),
        ({"colour": "red"}, "unknown field"),
    ],
)
def test_a_damaged_table_is_refused(bank, tmp_path, change, fault):
    path = tmp_path / "table.json"
    table_for(practice(**CONTROLLED), bank).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ExamError, match=fault):
        ExposureTable.load(path)


def test_a_table_of_another_exam_or_bank_is_refused(bank):
    table = table_for(practice(**CONTROLLED), bank)
    with pytest.raises(ExamError, match="made for exam"):
        plan_under(practice(control="eligibility", cap=0.8), bank, table)
    other = ItemBank.from_items(bank.items[::-1], id=bank.id)
    with pytest.raises(ExamError, match="made for bank"):
        plan_under(practice(**CONTROLLED), other, table)


def test_prices_shift_information_and_nothing_else(bank):
    """value = information − price / weight, raised to start at 0, in multiples of the quantum."""
    exam = practice(control="prices", cap=0.9)
    rng = np.random.default_rng(3)
    price, weight = np.round(rng.normal(0, 0.1, 60), 4), np.round(rng.uniform(0.2, 1, 161), 4)
    table = ExposureTable(
        exam.id, exam.version, bank.id, bank.version, exam.exposure, bank.ids, np.ones((1, 60)), price, weight
    )
    plain, priced = plan_exam(exam, bank).pool, plan_under(exam, bank, table).pool
    worth = plain.information - price / weight[:, None]
    np.testing.assert_allclose(priced.information, worth - worth.min(axis=1, keepdims=True), atol=QUANTUM)
    row = priced.information[70]
    assert priced.ranking[70].tolist() == sorted(range(60), key=lambda i: (-row[i], i))
    assert priced.order[70].tolist() == sorted(range(60), key=lambda i: (plain.domain[i], -row[i], i))


# ---- sessions


def test_a_session_needs_the_table_that_its_exam_asks_for(bank):
    with pytest.raises(ExamError, match="issmp-cat exposure calibrate practice"):
        practice(**CONTROLLED).start(bank, seed=1)
    with pytest.raises(ExamError, match="drop one of the two"):
        Exam.load("practice").start(bank, seed=1, exposure=table_for(practice(**CONTROLLED), bank))


def test_a_session_gives_only_items_its_candidate_is_admitted_to(bank):
    exam = practice(**CONTROLLED)
    table = table_for(exam, bank)
    for seed in range(5):
        session = whole(exam, bank, table, seed)
        given = [bank.index[answer.item] for answer in session.answers]
        assert session.relaxed == 0
        assert (lots(60, seed, np.array([0]))[0][given] <= 0.8).all()


def test_a_session_goes_on_only_under_its_own_table(bank, tmp_path):
    exam = practice(**CONTROLLED)
    table = table_for(exam, bank)
    session = exam.start(bank, seed=3, exposure=table)
    for _ in range(4):
        session = session.answer(session.next_item, 1)
    session.save(tmp_path / "s.json")
    again = Session.load(tmp_path / "s.json", exam, bank, table)
    assert again.next_item == session.next_item
    assert json.loads((tmp_path / "s.json").read_text())["exposure_version"] == table.version
    with pytest.raises(SessionError, match=f"begun with exposure table {table.version}; given is exposure table"):
        Session.load(tmp_path / "s.json", exam, bank, table_for(exam, bank, np.full((1, 60), 0.7)))
    with pytest.raises(SessionError, match="given is none"):
        Session.load(tmp_path / "s.json", exam, bank)


def test_a_decision_rebuilt_from_the_answers_is_the_same(bank):
    exam = practice(control="eligibility", cap=0.9, bands=[-0.4, 0.0, 0.4])
    table = table_for(exam, bank, np.random.default_rng(2).uniform(0.4, 1.0, (4, 60)))
    session = exam.start(bank, seed=9, exposure=table)
    while not session.finished:
        cold = Session.replay(exam, bank, session.answers, seed=9, exposure=table)
        assert cold.next_item == session.next_item
        session = session.answer(session.next_item, int(len(session.answers) % 2))


# ---- learning from sessions


def test_sessions_teach_the_table_whatever_their_order(bank):
    exam = practice(**CONTROLLED)
    table = table_for(exam, bank)
    sessions = [whole(exam, bank, table, seed) for seed in range(6)]
    one, other = (table.learn(exposure_counts(table, lot)) for lot in (sessions, sessions[::-1]))
    assert one.version == other.version != table.version
    assert one.counts.candidates.sum() == 6
    assert one.counts.given.sum() == sum(len(session.answers) for session in sessions)
    # An item that all six were given, though admitted to 80 % of candidates at most, is held back more from now on.
    given, eligible = one.counts.given[0], one.counts.eligible[0]
    expected = [min(1.0, 0.89 * e / g) if g else (1.0 if e else 0.8) for g, e in zip(given, eligible, strict=True)]
    np.testing.assert_allclose(one.admit[0], expected, atol=1e-7)


def test_only_finished_sessions_of_the_same_table_teach(bank):
    exam = practice(**CONTROLLED)
    table = table_for(exam, bank)
    begun = exam.start(bank, seed=1, candidate="C1", exposure=table)
    foreign = whole(exam, bank, table_for(exam, bank, np.full((1, 60), 0.7)), 2, candidate="C2")
    with pytest.raises(SessionError, match=r"(?s)C1: not finished.*C2: of another table"):
        exposure_counts(table, [begun, foreign])


def test_a_calibrated_table_does_not_learn(bank):
    exam = practice(control="sympson_hetter", cap=0.9)
    with pytest.raises(UsageError, match="calibrate it again"):
        table_for(exam, bank).learn(Counts.none(1, 60))


# ---- together with what else an exam may ask for


def with_row(**exposure):
    """At least 7 of 20 items keyed A: a row across the domains, so that a programme chooses."""
    base = practice(**exposure).model_dump()
    row = {"id": "key-A", "attribute": "key", "value": "A", "minimum": 7, "maximum": 9}
    return Exam.model_validate({**base, "blueprint": {**base["blueprint"], "rows": [row]}})


def test_rows_hold_under_control_and_come_before_it(bank):
    exam = with_row(**CONTROLLED)
    keyed = {item.id for item in bank.items if item.content.key == "A"}
    half = table_for(exam, bank, np.full((1, 60), 0.75))
    shut = table_for(exam, bank, np.zeros((1, 60)))
    for table in (half, shut):
        session = whole(exam, bank, table, 4)
        assert len(session.answers) == exam.length.maximum
        assert 7 <= sum(answer.item in keyed for answer in session.answers) <= 9
    assert session.relaxed > 0


def test_items_barred_after_an_earlier_attempt_and_items_held_back_leave_a_whole_test(bank):
    base = practice(**CONTROLLED).model_dump()
    exam = Exam.model_validate({**base, "retakes": {**base["retakes"], "seen_items": "bar"}})
    table = table_for(exam, bank, np.full((1, 60), 0.6))
    for seed in range(4):
        first = whole(exam, bank, table, seed)
        seen = [answer.item for answer in first.answers[:8]]
        second = whole(exam, bank, table, seed + 100, seen=seen)
        assert len(second.answers) >= exam.length.minimum
        assert not set(seen).intersection(answer.item for answer in second.answers)


def test_take_asks_for_the_table_and_takes_it(bank, tmp_path):
    from issmp_cat.cli.main import run

    text = (resources.files("issmp_cat") / "data" / "practice.toml").read_text("utf-8")
    (tmp_path / "exam.toml").write_text(text + '\n[exposure]\ncontrol = "eligibility"\ncap = 0.9\n', "utf-8")
    exam = Exam.load(tmp_path / "exam.toml")
    table_for(exam, bank).save(tmp_path / "table.json")
    words = ["take", "--exam", str(tmp_path / "exam.toml"), "--bank", "practice-bank", "--simulee", "0", "-q"]
    assert run([*words, "--seed", "1"]) == 3
    assert run([*words, "--seed", "1", "--exposure", str(tmp_path / "table.json")]) == 0

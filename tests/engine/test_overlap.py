"""What a candidate saw before is barred or limited, and the exam stays whole."""

import functools
import json
from decimal import Decimal

import numpy as np
import pytest

from issmp_cat import Exam, Item, ItemBank, Session
from issmp_cat.errors import BlueprintInfeasible, SessionError
from issmp_cat.report import score_report

DOMAINS = ("D1", "D2", "D3")


@functools.cache
def bank(per_domain=14, enemies=0):
    """Rasch items by domain; so many enemy pairs, within and across domains."""
    rng = np.random.default_rng(3)
    names = [f"{d}-{k:02d}" for d in DOMAINS for k in range(per_domain)]
    foes = {}
    for _ in range(enemies):
        one, other = rng.choice(len(names), 2, replace=False)
        foes.setdefault(names[one], set()).add(names[other])
    return ItemBank.from_items(
        [
            Item(id=name, domain=name[:2], b=float(rng.normal()), enemies=tuple(sorted(foes.get(name, ()))))
            for name in names
        ],
        id="overlap",
    )


@functools.cache
def exam(seen_items="bar", at_most=None, rule="randomesque", minimum=12):
    return Exam.model_validate({
        "id": "overlap",
        "title": "Overlap",
        "blueprint": {
            "domains": [{"id": d, "weight": Decimal(w)} for d, w in zip(DOMAINS, ("0.4", "0.3", "0.3"), strict=True)]
        },
        "length": {"minimum": minimum, "maximum": 20},
        "selection": {"rule": rule, "among": 3},
        "stopping": {"rule": "confidence_interval", "level": Decimal("0.999")},
        "scale": {"theta_cut": Decimal("0.0")},
        "retakes": {"seen_items": seen_items, "at_most": at_most},
    })  # fmt: skip


def run(session, scores):
    for score in scores:
        if session.finished:
            break
        session = session.answer(session.next_item, score)
    return session


def answers(seed):
    return np.random.default_rng(seed).integers(0, 2, 20).tolist()


def first_attempt(the_bank, seed=1):
    return [answer.item for answer in run(exam("allow").start(the_bank, seed=seed), answers(seed)).answers]


@pytest.mark.parametrize("rule", ["best", "randomesque"])
@pytest.mark.parametrize("enemies", [0, 12])
@pytest.mark.parametrize("seed", range(4))
def test_a_barred_exam_is_the_exam_on_a_bank_without_these_items(rule, enemies, seed):
    """The truth by another way: the items seen are taken out of the bank, and the same answers given."""
    the_bank = bank(16, enemies)
    seen = set(first_attempt(the_bank, seed)[:12])
    rest = ItemBank.from_items(
        [
            item.model_copy(update={"enemies": tuple(foe for foe in item.enemies if foe not in seen)})
            for item in the_bank.items
            if item.id not in seen
        ]
    )
    barred = run(exam(rule=rule).start(the_bank, seed=9, seen=seen), answers(seed + 50))
    without = run(exam("allow", rule=rule).start(rest, seed=9), answers(seed + 50))
    assert [answer.item for answer in barred.answers] == [answer.item for answer in without.answers]
    assert barred.result == without.result


def test_when_few_items_are_left_no_choice_leads_into_a_dead_end():
    """Eight unseen items where eight are needed, and a pair of enemies across domains that could block one of them."""
    names = {d: [f"{d}-{k:02d}" for k in range(14)] for d in DOMAINS}
    items = [
        item.model_copy(update={"enemies": ("D2-00", "D2-01")}) if item.id == "D1-00" else item for item in bank().items
    ]
    tight = ItemBank.from_items(items)
    seen = [*names["D1"][9:], *names["D2"][7:], *names["D3"][6:]]
    for seed in range(20):
        session = run(exam().start(tight, seed=seed, seen=seen), answers(seed))
        assert session.result.reason != "no further item can be given"
        assert not {answer.item for answer in session.answers} & set(seen)


def test_too_few_unseen_items_are_refused_with_counts_and_the_way_out():
    seen = [*(f"D1-{k:02d}" for k in range(8)), *(f"D2-{k:02d}" for k in range(10))]
    with pytest.raises(BlueprintInfeasible) as error:
        exam().start(bank(), seed=1, seen=seen)
    told = str(error.value)
    assert 'domain "D1" needs 8 items; 6 of its 14 operational ones are unseen' in told
    assert 'domain "D2" needs 6 items; 4 of its 14 operational ones are unseen' in told
    assert "at_most = 4 or more" in told
    # What the message offers works, and one less does not.
    session = run(exam("limit", 4).start(bank(), seed=1, seen=seen), answers(1))
    assert sum(answer.item in seen for answer in session.answers) == 4
    with pytest.raises(BlueprintInfeasible, match="may be given 3 of them again"):
        exam("limit", 3).start(bank(), seed=1, seen=seen)


def test_enemies_among_the_unseen_are_seen_through():
    """Enough unseen items by count, but three of the eight exclude each other."""
    trio = ("D1-00", "D1-01", "D1-02")
    items = [
        item.model_copy(update={"enemies": tuple(t for t in trio if t != item.id)}) if item.id in trio else item
        for item in bank().items
    ]
    with pytest.raises(BlueprintInfeasible, match="enemies"):
        exam().start(ItemBank.from_items(items), seed=1, seen=[f"D1-{k:02d}" for k in range(9, 14)])


@pytest.mark.parametrize("rule", ["best", "randomesque"])
@pytest.mark.parametrize("at_most", [1, 3])
def test_a_limit_is_kept_and_so_are_the_quotas(rule, at_most):
    """What the candidate would be given again, all of it, was seen before."""
    seen = [answer.item for answer in run(exam("allow", rule=rule).start(bank(18), seed=5), answers(7)).answers]
    session = run(exam("limit", at_most, rule).start(bank(18), seed=5, seen=seen), answers(7))
    assert len(seen) == session.result.items == 20
    assert sum(answer.item in seen for answer in session.answers) == at_most
    assert list(session.result.counts.values()) == [8, 6, 6]


def test_a_limit_that_cannot_bind_costs_nothing():
    session = exam("limit", 5).start(bank(), seed=1, seen=["D1-00", "D1-01", "not in this bank"])
    assert session._terms.programme is None
    assert session.next_item == exam("allow").start(bank(), seed=1).next_item


def test_what_was_seen_is_kept_in_the_file_and_checked_on_load(tmp_path):
    seen = first_attempt(bank(18), 2)
    session = run(exam().start(bank(18), seed=5, seen=seen), answers(7)[:6])
    path = tmp_path / "s.json"
    session.save(path)
    again = Session.load(path, exam(), bank(18))
    assert (again.answers, again.next_item, again.trace) == (session.answers, session.next_item, session.trace)
    content = json.loads(path.read_text())
    content["opening"]["seen"] = [session.answers[2].item]
    path.write_text(json.dumps(content))
    with pytest.raises(SessionError, match="cannot have happened"):
        Session.load(path, exam(), bank(18))


def test_allowing_changes_nothing_and_the_report_counts():
    seen = first_attempt(bank(18), 2)
    one = run(exam("allow").start(bank(18), seed=5, seen=seen), answers(7))
    other = run(exam("allow").start(bank(18), seed=5), answers(7))
    assert one.result == other.result
    again = sum(answer.item in seen for answer in one.answers)
    assert score_report(one).seen_again == again > 0
    assert f"{again} of the questions had been seen" in score_report(one).text()


@pytest.mark.parametrize("retakes", [{"seen_items": "limit"}, {"seen_items": "bar", "at_most": 3}, {"at_most": 2}])
def test_a_limit_and_its_number_belong_together(retakes):
    with pytest.raises(ValueError, match="belong together"):
        Exam.model_validate({**exam().model_dump(), "retakes": retakes})

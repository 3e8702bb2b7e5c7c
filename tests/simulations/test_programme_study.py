"""Studies whose rows cross and whose items travel in sets: no rule is broken, and planted faults are found."""

import dataclasses

import numpy as np
import pytest

from issmp_cat import Exam, ItemBank
from issmp_simulations import Population, simulate
from issmp_simulations.compliance import count_violations, rules_of
from issmp_simulations.run import Design, run_design
from issmp_simulations.standard import standard_bank

ROWS = [
    {"id": "key-A", "attribute": "key", "value": "A", "minimum": 6, "maximum": 9},
    {"id": "words", "attribute": "words", "measure": "sum", "maximum": 1900},
]


def exam(**changes):
    base = Exam.load("issmp").model_dump()
    base["blueprint"] |= {"rows": ROWS, "enemy_sets": [{"items": ["D1-0001", "D2-0001", "D3-0001"]}]}
    return Exam.model_validate({**base, "length": {"minimum": 18, "maximum": 30}, **changes})


@pytest.fixture(scope="module")
def content():
    """The bank of 218 with attributes, and eight sets of two and three items that are more informative than others."""
    rng = np.random.default_rng(3)
    items = []
    for i, item in enumerate(standard_bank("218").items):
        place = i % 27
        together = f"S{i // 27}" if place < 2 + (i // 27) % 2 and not item.enemies else None
        attributes = {"key": "ABCD"[rng.integers(4)], "words": int(rng.integers(40, 100))}
        change = {"attributes": attributes, "item_set": together, "a": 2.4 if together else item.a}
        items.append(item.model_copy(update=change))
    return ItemBank.from_items(items)


@pytest.fixture(scope="module", params=[{"rule": "best"}, {"rule": "randomesque", "among": 3}])
def study(request, content):
    return simulate(exam(selection=request.param), content, n=12, seed=4, keep_items=True)


def test_no_exam_breaks_a_row_a_set_or_a_window(study, content):
    assert study.compliance.violations == 0
    assert study.unproven == 0
    inside = np.isin(study.exams.items, [i for i, item in enumerate(content.items) if item.item_set])
    assert inside.any(axis=1).all(), "every exam meets a set, or the test says little about them"


def test_what_is_remembered_from_other_candidates_changes_nothing(content):
    """The last of several, alone and from a programme that remembers nothing: the very same items."""
    together = simulate(exam(), content, n=4, seed=4, keep_items=True).exams
    fresh = ItemBank.from_items(content.items)
    design = Design(Exam.load("issmp"), fresh, fresh, Population(), 4)
    alone = run_design(dataclasses.replace(design, exam=exam()), 4, keep_items=True, threads=2, chunk=1)
    np.testing.assert_array_equal(together.items, alone.items)


def test_planted_faults_are_found(study, content):
    """One exam is spoilt by hand; the count sees exactly that."""
    rules, items, reason = rules_of(exam(), content), study.exams.items, study.exams.reason
    found = count_violations(rules, items, reason)
    assert (found.rows, found.sets, found.enemies) == (0, 0, 0)
    full = int(np.flatnonzero((items >= 0).all(axis=1))[0])
    names = [content.items[i].item_set for i in items[full]]
    one = next(k for k, name in enumerate(names) if name and names.count(name) > 1)

    def broken(change):
        spoilt = items.copy()
        change(spoilt[full])
        return count_violations(rules, spoilt, reason)

    def tear(row):
        away = next(k for k in range(len(row)) if content.items[row[k]].item_set is None and abs(k - one) > 3)
        row[one], row[away] = row[away], row[one]

    def meet(row):
        row[[0, 1]] = content.index["D1-0001"], content.index["D2-0001"]

    def wordy(row):
        heavy = [i for i, item in enumerate(content.items) if item.attributes["words"] > 85 and not item.item_set]
        row[:] = heavy[: len(row)]

    assert broken(tear).sets == 1
    assert broken(meet).enemies == 1
    assert broken(wordy).rows == 1

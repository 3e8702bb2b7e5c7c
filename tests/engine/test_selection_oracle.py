"""Decisions of simulated exams against the whole integer programme, solved to the end: a small share of ``make proof``.

The bank of 10,000 items has one state here: one of its programmes takes six seconds.
"""

import dataclasses

import numpy as np
import pytest

from issmp_cat import Exam
from issmp_cat.exam import begin, plan_exam
from issmp_cat.selection import at_point
from issmp_cat.selection.shadow import search
from oracle.compare import candidates, faults
from oracle.designs import CASES, DESIGNS, HOSTILE, bank_of, exam_of
from oracle.programme import Balance, FullProgramme
from oracle.states import decide

SEED = 11
STATES = {"218": 15, "1500": 8, "1500-unequal": 12, "10000": 1, "218-hostile": 8, "1500-attributes": 1}


@pytest.mark.parametrize(("design", "name"), [(case.design, case.bank) for case in CASES])
def test_every_decision_is_the_oracles(design, name):
    """Same objective, same item: it is in some optimal whole test, and no open item before it is in any."""
    exam, bank = exam_of(design), bank_of(name)
    programme, balance = FullProgramme(exam, bank), Balance(exam)
    wrong = {person: faults(programme, balance, decide(exam, bank, person, SEED)) for person in range(STATES[name])}
    assert {person: found for person, found in wrong.items() if found} == {}


def test_some_decisions_need_the_search():
    """Else the proof would say nothing about it."""
    assert any(decide(exam_of("best"), bank_of(HOSTILE), person, SEED).searched for person in range(12))


@pytest.mark.parametrize("design", [design for design in DESIGNS if not design.startswith("crossing")])
def test_the_oracle_refuses_every_other_item(design):
    """The test of the test: with the next best item in its place, the same decision is wrong."""
    exam, bank = exam_of(design), bank_of("218")
    programme, balance = FullProgramme(exam, bank), Balance(exam)
    decision = decide(exam, bank, 3, SEED)
    others = [item for item in candidates(programme, balance, decision) if item != decision.item]
    for item in (others[0], others[1], others[-1]):
        assert faults(programme, balance, dataclasses.replace(decision, item=item)), item


def test_the_oracle_refuses_another_objective():
    exam, bank = exam_of("best"), bank_of("218")
    decision = decide(exam, bank, 3, SEED)
    worse = dataclasses.replace(decision, whole=decision.whole - 2.0**-38)
    assert "the optimum is" in faults(FullProgramme(exam, bank), Balance(exam), worse)[0]


def test_search_finds_the_optimum_of_the_programme_from_the_first_item():
    """The whole test itself, not only its first item."""
    exam, bank = Exam.load("issmp"), bank_of("218")
    plan, programme = plan_exam(exam, bank), FullProgramme(exam, bank)
    state = begin(plan)
    for point in range(20, 141, 15):
        value = plan.pool.information[point]
        best = at_point(plan.pool, point)
        length, proved = search(plan.pool, state, plan.windows.quota, best, 0, state.items, first_only=False)
        assert proved
        assert length == plan.rule.maximum
        assert value[state.items].sum() == programme.best(value, np.array([], dtype=int))[0]

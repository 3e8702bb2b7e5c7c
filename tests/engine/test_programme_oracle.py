"""Rows that cross, on the standard banks, against the whole integer programme (HiGHS, relative gap 0).

The oracle is written from the items' attributes alone: one row a domain, one or two a blueprint row, one an enemy pair.
``ISSMP_ORACLE_STATES`` sets how many states each bank contributes.
"""

import os

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from issmp_cat import Exam, ItemBank
from issmp_cat.blueprint import open_domains
from issmp_cat.exam import plan_exam, record, standing
from issmp_cat.exam.programmes import programme_of
from issmp_cat.random import RESPONSE, normal, uniform
from issmp_cat.selection import at_point, new_state
from issmp_cat.selection.pool import grid_point
from issmp_simulations.standard import standard_bank

STATES = int(os.environ.get("ISSMP_ORACLE_STATES", "4"))
ROWS = [
    *({"id": f"key-{key}", "attribute": "key", "value": key, "minimum": 28, "maximum": 34} for key in "ABCD"),
    {"id": "recall", "attribute": "level", "value": "recall", "minimum": 35, "maximum": 42},
    {"id": "apply", "attribute": "level", "value": ["apply"], "minimum": 50, "maximum": 58},
    {"id": "analyse", "attribute": "level", "value": "analyse", "minimum": 28, "maximum": 34},
    {"id": "words", "attribute": "words", "measure": "sum", "maximum": 8500},
]


def with_attributes(bank, *, sets=0, seed=7):
    """Key position, cognitive level and word count drawn for each item; and some sets of 2 to 4 items of a domain."""
    rng = np.random.default_rng(seed)
    n = len(bank)
    key, level = rng.choice(list("ABCD"), n), rng.choice(["recall", "apply", "analyse"], n, p=[0.3, 0.45, 0.25])
    words, set_of = rng.integers(30, 121, n), [None] * n
    for number in range(sets):
        start = int(rng.integers(n - 4))
        for k in range(start, start + int(rng.integers(2, 5))):
            alone = set_of[k] is None and bank.items[k].domain == bank.items[start].domain and not bank.items[k].enemies
            set_of[k] = f"S{number}" if alone else set_of[k]
    return ItemBank.from_items(
        item.model_copy(
            update={
                "attributes": {"key": str(key[i]), "level": str(level[i]), "words": int(words[i])},
                "item_set": set_of[i],
            }
        )
        for i, item in enumerate(bank.items)
    )


def exam_with_rows():
    base = Exam.load("issmp").model_dump()
    base["blueprint"]["rows"] = ROWS
    base["selection"] = {"rule": "best"}
    return Exam.model_validate(base)


class Oracle:
    """The whole programme, item by item."""

    def __init__(self, exam, bank):
        place = {id_: k for k, id_ in enumerate(bank.ids)}
        table, low, high = [], [], []

        def demand(coefficient, least, most):
            table.append(np.asarray(coefficient, dtype=float))
            low.append(-np.inf if least is None else least)
            high.append(np.inf if most is None else most)

        for domain, quota in zip(exam.blueprint.ids, exam.blueprint.quotas(exam.length.maximum), strict=True):
            demand([item.domain == domain for item in bank.items], quota, quota)
        for row in exam.blueprint.rows:
            found = [item.attributes[row.attribute] for item in bank.items]
            counted = found if row.measure == "sum" else [x in row.value for x in found]
            demand(counted, row.minimum, row.maximum)
        for i, item in enumerate(bank.items):
            for foe in item.enemies:
                pair = np.zeros(len(bank))
                pair[[i, place[foe]]] = 1
                demand(pair, None, 1)
        for name in {item.item_set for item in bank.items} - {None}:
            members = [i for i, item in enumerate(bank.items) if item.item_set == name]
            for other in members[1:]:
                tie = np.zeros(len(bank))
                tie[members[0]], tie[other] = 1, -1
                demand(tie, 0, 0)
        self.rows = LinearConstraint(np.array(table), low, high)

    def best(self, value, fixed):
        """Worth of the best whole test that holds ``fixed``, added up again on the values; −1 if there is none."""
        least = np.zeros(len(value))
        least[fixed] = 1.0
        found = milp(
            -value,
            integrality=np.ones(len(value)),
            bounds=Bounds(least, 1.0),
            constraints=self.rows,
            options={"mip_rel_gap": 0.0},
        )
        return -1.0 if found.x is None else float(value[found.x > 0.5].sum())


def states(bank, plan, programme, wanted, seed):
    """States of simulated exams that the programme itself chose for, at lengths drawn over the exam."""
    random = np.random.default_rng(seed)
    for person in range(wanted):
        state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
        theta = normal(seed, 9, person, 0)
        stop = int(random.integers(plan.rule.maximum))
        for n in range(stop):
            preference = at_point(plan.pool, grid_point(standing(plan, state, n).theta))
            picked = programme.choose(plan, state, n, preference, 0.0)
            item = bank.items[picked]
            right = item.c + (1 - item.c) / (1 + np.exp(-item.a * (theta - item.b)))
            record(plan, state, n, picked, int(uniform(seed, RESPONSE, person, n) < right))
        yield state, stop, at_point(plan.pool, grid_point(standing(plan, state, stop).theta))


@pytest.mark.parametrize("name", ["218", "1500", "1500-unequal"])
def test_the_choice_belongs_to_the_best_whole_test_and_no_better_open_item_does(name):
    exam, bank = exam_with_rows(), with_attributes(standard_bank(name))
    plan, programme = plan_exam(exam, bank), programme_of(exam, bank)
    oracle = Oracle(exam, bank)
    for state, n, preference in states(bank, plan, programme, STATES, seed=21):
        value, given = preference.value, state.items[:n].copy()
        picked = programme.choose(plan, state, n, preference, 0.0)
        optimum = oracle.best(value, given)
        assert optimum > 0
        assert oracle.best(value, np.append(given, picked)) == optimum
        open_now = open_domains(plan.windows, state.counts, n)
        index = np.arange(len(bank))
        ahead = (value > value[picked]) | ((value == value[picked]) & (index < picked))
        may = (state.blocked == 0) & ((open_now >> plan.pool.domain) & 1 == 1) & ahead
        for other in np.flatnonzero(may):
            assert oracle.best(value, np.append(given, other)) < optimum


def test_with_item_sets_whole_tests_are_worth_what_the_oracle_says():
    """Whatever order they are given in: sets all or none, rows, quotas and enemies together."""
    exam, bank = exam_with_rows(), with_attributes(standard_bank("218"), sets=12)
    plan, programme = plan_exam(exam, bank), programme_of(exam, bank)
    assert programme.order is not None
    oracle = Oracle(exam, bank)
    for point in range(30, 140, 30):
        value = plan.pool.information[point]
        test = programme.whole_test(value)
        assert len(test) == exam.length.maximum
        assert value[test].sum() == oracle.best(value, [])

"""The decision against the whole integer programme, solved to the end by HiGHS (relative gap 0).

The oracle knows nothing of greedy lists, exchange arguments or branch and bound: it is handed the rounded information,
the quotas, the enemy pairs and what was given, and states the best whole test. ``ISSMP_ORACLE_STATES`` sets how many
states each bank contributes; the default fits a continuous-integration run.
"""

import os
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from issmp_cat import Exam, ItemBank
from issmp_cat.blueprint import open_domains
from issmp_cat.exam import Plan, next_item, plan_exam, record, standing
from issmp_cat.irt import probability_at
from issmp_cat.random import RESPONSE, normal, uniform
from issmp_cat.selection import State, at_point, new_state
from issmp_cat.selection.pick import _best_available, _is_settled
from issmp_cat.selection.pool import grid_point
from issmp_cat.selection.shadow import search
from issmp_simulations.standard import standard_bank

STATES = int(os.environ.get("ISSMP_ORACLE_STATES", "25"))


@dataclass(frozen=True)
class Programme:
    """The shadow-test programme of one bank: one row a domain, one row an enemy pair."""

    plan: Plan
    rows: coo_array
    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, plan: Plan) -> "Programme":
        pool, quota = plan.pool, plan.windows.quota
        items = len(pool.domain)
        pairs = [
            (i, int(j)) for i in range(items) for j in pool.foe[pool.foe_begin[i] : pool.foe_begin[i + 1]] if j > i
        ]
        row = np.concatenate([pool.domain, np.repeat(len(quota) + np.arange(len(pairs)), 2)])
        column = np.concatenate([np.arange(items), np.array(pairs, dtype=int).ravel()])
        rows = coo_array((np.ones(len(row)), (row, column)), shape=(len(quota) + len(pairs), items))
        return cls(
            plan,
            rows,
            np.concatenate([quota, np.full(len(pairs), -np.inf)]),
            np.concatenate([quota, np.ones(len(pairs))]),
        )

    def best(self, point: int, fixed: np.ndarray) -> float:
        """Information of the best whole test that holds ``fixed``, recomputed on the rounded solution; −1 if none."""
        info = self.plan.pool.information[point]
        low = np.zeros(len(info))
        low[fixed] = 1.0
        solution = milp(
            -info,
            integrality=np.ones(len(info)),
            bounds=Bounds(low, 1.0),
            constraints=LinearConstraint(self.rows, self.lower, self.upper),
            options={"mip_rel_gap": 0.0},
        )
        return -1.0 if solution.x is None else float(info[solution.x > 0.5].sum())


def states(exam: Exam, bank: ItemBank, wanted: int, seed: int):
    """States of simulated exams: (plan, state, n, grid point), at lengths drawn evenly over the exam."""
    plan = plan_exam(exam, bank)
    state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
    a, b, c, d = plan.pool.parameters[:4]
    random = np.random.default_rng(seed)
    for person in range(wanted):
        theta = normal(seed, 9, person, 0)
        state.blocked[:], state.counts[:], state.weights[:] = 0, 0, plan.grid.prior
        stop = int(random.integers(plan.rule.maximum))
        for n in range(stop):
            item = next_item(plan, state, n, standing(plan, state, n).theta, seed, person)
            right = uniform(seed, RESPONSE, person, n) < probability_at(theta, a[item], b[item], c[item], d[item])
            record(plan, state, n, item, int(right))
        yield plan, state, stop, grid_point(standing(plan, state, stop).theta), person


@pytest.mark.parametrize("name", ["218", "1500", "1500-unequal"])
def test_next_item_belongs_to_the_best_whole_test(name):
    """Same objective, same item: ours is in some optimal test, and no more informative open item is in any."""
    exam = Exam.load("issmp").model_copy(
        update={"selection": Exam.load("issmp").selection.model_copy(update={"rule": "best"})}
    )
    searched = 0
    for plan, state, n, point, person in states(exam, standard_bank(name), STATES, seed=11):
        programme = Programme.of(plan)
        given = state.items[:n].copy()
        item = next_item(plan, state, n, standing(plan, state, n).theta, 11, person)
        optimum = programme.best(point, given)
        assert programme.best(point, np.append(given, item)) == optimum
        searched += not _is_settled(
            plan.pool, state, _best_available(plan.pool, plan.windows, state, n, at_point(plan.pool, point))
        )
        for better in more_informative_open_items(plan, state, n, point, item):
            assert programme.best(point, np.append(given, better)) < optimum
        assert state.unproven[0] == 0
    assert searched > 0, "no state needed the search: the proof would say nothing about it"


def more_informative_open_items(plan: Plan, state: State, n: int, point: int, item: int) -> np.ndarray:
    """Open items ahead of ``item`` in the stated order, which a tie or an oversight could have hidden."""
    info = plan.pool.information[point]
    open_now = open_domains(plan.windows, state.counts, n)
    free = (state.blocked == 0) & ((open_now >> plan.pool.domain) & 1 == 1)
    index = np.arange(len(info))
    return np.flatnonzero(free & ((info > info[item]) | ((info == info[item]) & (index < item))))


def test_search_finds_the_optimum_of_the_programme_from_the_first_item():
    """The whole test itself, not only its first item."""
    exam = Exam.load("issmp")
    plan = plan_exam(exam, standard_bank("218"))
    programme = Programme.of(plan)
    state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
    for point in range(20, 141, 15):
        length, proved = search(
            plan.pool, state, plan.windows.quota, at_point(plan.pool, point), 0, state.items, first_only=False
        )
        assert proved
        assert length == plan.rule.maximum
        assert plan.pool.information[point, state.items].sum() == programme.best(point, np.array([], dtype=int))

"""The best whole test: linear programme, reduced-cost fixing, and an integer programme over the few units left.

A unit that the linear programme leaves out (takes in) at a reduced cost larger than the gap between its bound and a
test at hand is out of (in) every test that is better (Dantzig, Fulkerson & Johnson, 1954; Balas & Zemel, 1980, for the
core). What is left is some dozens of units, which HiGHS solves with relative gap 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.selection.core import LARGEST_CORE, within
from issmp_cat.selection.relaxation import TINY, Problem, Relaxed, relax

__all__ = ["Solved", "best_rest", "solve_core"]

CORE, STEP = 14, 4
# Solvers prove optimality to an absolute 1e-6 of the objective; values are scaled up to make that negligible.
MAGNIFIED = 4096.0


@dataclass(frozen=True, eq=False)
class Solved:
    """The best rest of a test.

    Attributes:
        x: which free units come. Shape ``(free,)``.
        value: their worth, added up exactly.
        relaxed: the linear programme's answer.
        core: free units that may differ between this test and one that is as good. Shape ``(core,)``.
        ties: every rest that is as good, if they are known. Shape ``(rests, free)``.
    """

    x: Bools
    value: float
    relaxed: Relaxed
    core: Ints
    ties: Bools | None = None


def best_rest(problem: Problem, known: Bools | None = None) -> Solved | None:
    """The best units to come; None when nothing fills the test.

    Args:
        problem: what is left.
        known: units that would fill it, if any are known. Shape ``(free,)``.
    """
    if not len(problem.free):
        empty = np.zeros(0)
        done = bool((problem.lower <= TINY).all() and (problem.upper >= -TINY).all())
        return Solved(empty > 0, 0.0, Relaxed(empty, empty, 0.0), np.zeros(0, dtype=np.int64)) if done else None
    relaxed = relax(problem, None if known is None else np.flatnonzero(known))
    if relaxed is None:
        return None
    near = np.argsort(np.abs(relaxed.cost), kind="stable")
    return _enumerated(problem, relaxed, near, known) or _solved(problem, relaxed, near, known)


def _enumerated(problem: Problem, relaxed: Relaxed, near: Ints, known: Bools | None) -> Solved | None:
    """Go through all rests within a gap, wider until one is found and none outside can be better."""
    costs = np.abs(relaxed.cost)[near]
    free = int(np.searchsorted(costs, TINY, side="right"))
    reach = min(free + CORE, len(near))
    worst = np.inf if known is None else relaxed.bound - float(problem.value[known].sum())
    while True:
        outside = float(costs[reach]) if reach < len(near) else np.inf
        gap = min(worst, outside) + TINY
        reach = int(np.searchsorted(costs, gap, side="right"))
        found = within(problem, relaxed, near[:reach], gap) if reach <= LARGEST_CORE else None
        if found is None:
            return None
        base, rests = found
        if len(rests):
            values = float(problem.value[base].sum()) + rests @ problem.value[near[:reach]]
            best = float(values.max())
            if relaxed.bound - best <= gap:
                ties = np.repeat(base[None], np.count_nonzero(values == best), axis=0)
                ties[:, near[:reach]] = rests[values == best]
                return Solved(ties[0], best, relaxed, near[:reach], ties)
            worst = min(worst, relaxed.bound - best)
        if reach >= len(near):
            return None
        reach = min(reach + STEP, len(near))


def _solved(problem: Problem, relaxed: Relaxed, near: Ints, known: Bools | None) -> Solved | None:
    """Fix what reduced costs allow, and hand the others to an integer programme."""
    best = known
    value = float(problem.value[known].sum()) if known is not None else -np.inf
    size = 2 * CORE + int(np.count_nonzero(np.abs(relaxed.cost) < TINY))
    while True:
        core = near[: min(size, _undecided(relaxed, near, value))]
        found = solve_core(problem, relaxed, core)
        if found is not None and problem.value[found].sum() > value:
            best, value = found, float(problem.value[found].sum())
        if _undecided(relaxed, near, value) <= len(core) or len(core) == len(near):
            break
        size = max(2 * size, len(core) + 1) if best is None else len(near)
    if best is None:
        return None
    return Solved(best, value, relaxed, near[: _undecided(relaxed, near, value)])


def _undecided(relaxed: Relaxed, near: Ints, value: float) -> int:
    """How many units, of those sorted by reduced cost, a test of this value leaves open."""
    if value == -np.inf:
        return len(near)
    return int(np.searchsorted(np.abs(relaxed.cost)[near], relaxed.bound - value + TINY, side="right"))


def solve_core(
    problem: Problem, relaxed: Relaxed, core: Ints, row: Floats | None = None, least: float = 1.0
) -> Bools | None:
    """The best rest that differs from the linear programme's answer in the core only; None when there is none.

    Args:
        problem: what is left; ``relaxed``: its linear programme.
        core: units to decide. Shape ``(core,)``.
        row: coefficients of one more row, whose sum must reach ``least``. Shape ``(free,)``.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    x: Bools = relaxed.x > 0.5
    x[core] = False
    rows, lower, upper = problem.rows, problem.lower, problem.upper
    if row is not None:
        rows, lower, upper = np.vstack([rows, row]), np.append(lower, least), np.append(upper, np.inf)
    taken = rows[:, x].sum(axis=1)
    left = 1.0 - problem.total(x)
    if (left < 0).any():
        return None
    held = np.zeros(len(x), dtype=np.bool_)
    held[core] = True
    tight = np.flatnonzero(problem.total(held) > left)
    together = problem.together(tight)[:, core]
    if not len(core):
        return x if bool((taken >= lower - TINY).all() and (taken <= upper + TINY).all()) else None
    largest = float(problem.value.max(initial=0.0))
    answer = milp(
        -problem.value[core] * (MAGNIFIED / largest if largest > 0.0 else 1.0),
        integrality=np.ones(len(core), dtype=np.int64),
        bounds=Bounds(0.0, 1.0),
        constraints=LinearConstraint(
            np.vstack([rows[:, core], together]),
            np.concatenate([lower - taken, np.full(len(tight), -np.inf)]),
            np.concatenate([upper - taken, left[tight]]),
        ),
        options={"mip_rel_gap": 0.0},
    )
    if answer.x is None:
        return None
    x[core] = np.asarray(answer.x) > 0.5
    return x

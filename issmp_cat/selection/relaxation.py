"""The whole test from here on, as a linear programme: a bound, and what forcing any unit in or out would cost.

The programme has few rows and many columns, so it is solved on a few hundred columns, and the others are priced by its
duals; any column that would help is taken in (column generation, Gilmore & Gomory, 1961). Enemies enter as rows only
where a solution holds two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.selection.structure import Structure

__all__ = ["TINY", "Problem", "Relaxed", "relax", "rest_of"]

ROUNDS = 40
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Problem:
    """What is left to decide.

    Attributes:
        free: units that may still come. Shape ``(free,)``; every other array here is in this order.
        value: what each adds to the objective. Shape ``(free,)``.
        rows: coefficients, domains first, scaled. Shape ``(rows, free)``.
        lower: what is still missing at least; ``upper``: what may come at most. Shape ``(rows,)``.
        members: positions in ``free`` of units that have enemies, one group after the other; ``group``: which group
            each stands in. At most one of a group may come.
        groups: how many groups there are.
    """

    free: Ints
    value: Floats
    rows: Floats
    lower: Floats
    upper: Floats
    members: Ints
    group: Ints
    groups: int

    def total(self, x: Floats | Bools) -> Floats:
        """What the units of each group add up to. Shape ``(groups,)``."""
        return np.bincount(self.group, weights=x[self.members], minlength=self.groups).astype(np.float64)

    def together(self, chosen: Ints) -> Floats:
        """Some groups as rows. Shape ``(chosen, free)``."""
        rows = np.zeros((len(chosen), len(self.free)))
        for k, number in enumerate(chosen):
            rows[k, self.members[self.group == number]] = 1.0
        return rows


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The linear programme's answer.

    Attributes:
        x: share of each free unit, 0 to 1. Shape ``(free,)``.
        cost: what the objective loses at least for a unit not as in ``x``, from 0; below 0 for a unit that is in.
        bound: no whole test is worth more.
    """

    x: Floats
    cost: Floats
    bound: float


def rest_of(
    structure: Structure,
    value: Floats,
    fixed: Bools,
    allowed: Bools,
    extra: tuple[tuple[Floats, float, float], ...] = (),
) -> Problem | None:
    """What is left to decide when some units are in; None when these alone break a bound.

    Args:
        structure: units and rows.
        value: worth of each unit. Shape ``(units,)``.
        fixed: units that are in. Shape ``(units,)``.
        allowed: units that may come. Shape ``(units,)``.
        extra: further rows: coefficients of shape ``(units,)``, least and greatest sum.
    """
    left = structure.quota - structure.domains @ fixed
    if (left < 0).any():
        return None
    barred = fixed | ~allowed | (structure.domains > left[:, None]).any(axis=0)
    barred[[foe for u in np.flatnonzero(fixed) for foe in structure.foes[u]]] = True
    free = np.flatnonzero(~barred)
    scale, slack = structure.scale, structure.tolerance
    used = structure.rows @ fixed
    rows = [structure.domains[:, free], structure.rows[:, free] / scale[:, None]]
    lower = [left, (structure.lower - slack - used) / scale]
    upper = [left, (structure.upper + slack - used) / scale]
    for coefficient, least, most in extra:
        taken = float(coefficient @ fixed)
        rows.append(coefficient[None, free])
        lower.append(np.array([least - taken]))
        upper.append(np.array([most - taken]))
    place = np.full(len(fixed), -1)
    place[free] = np.arange(len(free))
    members, group = structure.grouped
    members = place[members]
    many = np.bincount(group[members >= 0], minlength=len(structure.groups))
    kept = (members >= 0) & (many[group] > 1)
    _, group = np.unique(group[kept], return_inverse=True)
    bounds = np.concatenate(lower), np.concatenate(upper)
    return Problem(free, value[free], np.vstack(rows), *bounds, members[kept], group, int(group.max(initial=-1)) + 1)


def relax(problem: Problem, start: Ints | None = None) -> Relaxed | None:
    """Solve the linear programme; None when even that has no answer.

    Args:
        problem: what is left.
        start: positions in ``free`` to begin with, if known; they should admit a solution.
    """
    n = len(problem.free)
    inside = np.zeros(n, dtype=np.bool_)
    inside[_promising(problem)] = True
    if start is not None:
        inside[start] = True
    active = np.zeros(0, dtype=np.int64)
    for _ in range(ROUNDS):
        columns = np.flatnonzero(inside)
        found = _solve(problem, columns, active)
        if found is None:
            if inside.all():
                return None
            inside[:] = True
            continue
        x, cost, bound = found
        missing = ~inside & (cost < -TINY)
        broken = np.flatnonzero(problem.total(x) > 1.0 + 1e-7)
        if not missing.any() and not len(broken):
            return Relaxed(x, cost, bound)
        inside |= missing
        active = np.union1d(active, broken)
    return None if found is None else Relaxed(x, cost, bound)


def _promising(problem: Problem) -> Ints:
    """The most valuable units of each domain, half as many again as are needed and some."""
    domains = np.flatnonzero(problem.lower == problem.upper)
    best = np.argsort(-problem.value, kind="stable")
    chosen = []
    for row in domains:
        members = best[problem.rows[row, best] > 0]
        chosen.append(members[: int(1.5 * problem.lower[row]) + 12])
    return np.concatenate(chosen) if chosen else best[:100]


def _solve(problem: Problem, columns: Ints, active: Ints) -> tuple[Floats, Floats, float] | None:
    """The programme on some columns; reduced costs and the bound over all of them."""
    from scipy.optimize import linprog

    equal = problem.lower == problem.upper
    high, low = ~equal & (problem.upper < np.inf), ~equal & (problem.lower > -np.inf)
    most = np.vstack([problem.rows[high], -problem.rows[low], problem.together(active)])
    limits = np.concatenate([problem.upper[high], -problem.lower[low], np.ones(len(active))])
    same, exact = problem.rows[equal], problem.lower[equal]
    answer = linprog(
        -problem.value[columns],
        A_ub=most[:, columns] if len(most) else None,
        b_ub=limits if len(most) else None,
        A_eq=same[:, columns] if len(same) else None,
        b_eq=exact if len(same) else None,
        bounds=(0.0, 1.0),
        method="highs-ds",
    )
    if answer.x is None or answer.status != 0:
        return None
    up = np.minimum(np.asarray(answer.ineqlin.marginals), 0.0) if len(most) else np.zeros(0)
    at = np.asarray(answer.eqlin.marginals) if len(same) else np.zeros(0)
    # Any duals of the right sign give a bound (Lagrange); these give the best one.
    cost = -problem.value - up @ most - at @ same
    bound = -float(up @ limits + at @ exact + np.minimum(cost, 0.0).sum())
    x = np.zeros(len(problem.free))
    x[columns] = answer.x
    return x, cost, bound

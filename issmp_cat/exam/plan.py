"""An exam and a bank, worked out together: the tables every decision looks things up in."""

from __future__ import annotations

import functools
from collections import Counter
from typing import NamedTuple

import numpy as np

from issmp_cat.ability import Grid, build_grid, estimator_code, part_above
from issmp_cat.arrays import Ints
from issmp_cat.bank import ItemBank
from issmp_cat.blueprint import Windows, build_windows
from issmp_cat.errors import ExamError
from issmp_cat.exam.content import content_of, pool_of
from issmp_cat.exam.definition import Exam
from issmp_cat.exam.infeasible import require_whole_test
from issmp_cat.exam.programmes import build_programme
from issmp_cat.exam.start import StartRule, build_start_rule, start_faults
from issmp_cat.exam.supply import require_compatible_items, require_enough_items
from issmp_cat.exposure.limits import require_keepable_cap
from issmp_cat.irt import category_curves
from issmp_cat.selection import Criterion, Pool, State, at_point, build_criterion, build_pool, new_state
from issmp_cat.selection.admission import Admission, admit_all
from issmp_cat.selection.pool import grid_point
from issmp_cat.selection.shadow import search
from issmp_cat.stopping import BankTables, StopRule, build_stop_rule, unreachable

__all__ = ["Plan", "begin", "plan_exam", "pool_of"]


class Plan(NamedTuple):
    """What the kernels need, and nothing else.

    Attributes:
        pool: the operational items; ``windows``: the blueprint's table; ``grid``: posterior tables.
        rule: when to stop.
        method: code of the estimator.
        prior: mean and SD of the population, logits.
        focus: grid point at which information counts, −1 for the one at θ̂.
        start: the θ of the first item, and how much background narrows the prior.
        criterion: what scores the items at each decision; None where information at a grid point does.
        admission: who is admitted to which item.
    """

    pool: Pool
    windows: Windows
    grid: Grid
    rule: StopRule
    method: int
    prior: tuple[float, float]
    focus: int
    start: StartRule
    criterion: Criterion | None
    admission: Admission


def begin(plan: Plan, barred: Ints | None = None) -> State:
    """An exam before its first item, the items at the positions ``barred`` being out."""
    points = plan.rule.evidence.shape[1]
    state = new_state(plan.pool, plan.windows.quota, plan.grid.prior, plan.criterion, points)
    if barred is not None:
        state.barred[barred] = state.blocked[barred] = 1
    return state


@functools.lru_cache(maxsize=8)
def plan_exam(exam: Exam, bank: ItemBank) -> Plan:
    """Tabulate an exam on a bank; kept for the next call with the same two.

    Raises:
        ExamError: the bank has a domain that the exam does not know, or lacks what a row or a set names.
        BlueprintInfeasible: a domain lacks items, enemies leave too few that go together, or rows and item sets
            leave no whole test.
    """
    operational = pool_of(bank)
    domain = _domain_of_items(exam, operational)
    windows = build_windows(exam.blueprint, exam.length.minimum, exam.length.maximum)
    require_enough_items(exam, domain, windows.quota)
    require_keepable_cap(exam.exposure, exam.blueprint.ids, domain, windows)
    mean = bank.metric.latent_mean if exam.scoring.prior_mean is None else float(exam.scoring.prior_mean)
    sd = bank.metric.latent_sd if exam.scoring.prior_sd is None else float(exam.scoring.prior_sd)
    content = content_of(exam, bank)
    pool = build_pool(operational.parameters, domain, content.enemies, windows.quota, best=exam.selection.best)
    limit = float(exam.scoring.limit) * sd
    grid = build_grid(operational.parameters, nodes=exam.scoring.nodes, limit=limit, mean=mean, sd=sd)
    _require_reachable_cut(exam, grid)
    if faults := start_faults(exam.start_from, float(grid.nodes[0]), float(grid.nodes[-1]), sd):
        raise ExamError(exam.id, faults)
    plan = Plan(
        pool=pool,
        windows=windows,
        grid=grid,
        rule=build_stop_rule(
            exam.stopping,
            minimum=exam.length.minimum,
            maximum=exam.length.maximum,
            cut=exam.scale.theta_cut,
            seconds=exam.time_limit_seconds,
            last_n=exam.last_n or 0,
            above=part_above(grid.nodes, exam.scale.theta_cut) if exam.scoring.decide_by != "estimate" else None,
            bank=BankTables(
                functools.partial(category_curves, parameters=operational.parameters),
                nodes=grid.nodes,
                likelihood=grid.likelihood,
                first=grid.first,
                domain=domain,
                most=windows.quota,
            ),
        ),
        method=estimator_code(exam.scoring.estimator),
        prior=(mean, sd),
        focus=grid_point(exam.scale.theta_cut) if exam.selection.criterion == "fisher_at_cut" else -1,
        start=build_start_rule(exam.start_from, sd),
        criterion=_criterion_of(exam, operational, grid),
        admission=admit_all(len(domain)),
    )
    if not pool.simple:
        _require_a_whole_test(exam, content.enemies, domain, plan)
    if (programme := build_programme(exam, bank, pool)) is not None:
        require_whole_test(exam, bank, pool, programme)
    return plan


def _criterion_of(exam: Exam, operational: ItemBank, grid: Grid) -> Criterion | None:
    """Tables of a criterion that scores items at each decision; None where rows of the pool's tables do."""
    chosen = exam.selection
    if chosen.tabulated:
        return None
    return build_criterion(
        chosen.criterion,
        operational.parameters,
        grid,
        cut=exam.scale.theta_cut,
        length=exam.length.maximum,
        progressive=None if chosen.progressive is None else float(chosen.progressive),
    )


def _domain_of_items(exam: Exam, bank: ItemBank) -> Ints:
    place = {name: exam.blueprint.place(name) for name in {item.domain for item in bank.items}}
    foreign = Counter(item.domain for item in bank.items if place[item.domain] is None)
    if foreign:
        known = ", ".join(exam.blueprint.ids)
        raise ExamError(
            f"{exam.id} with bank {bank.id}",
            [
                f'{n} items of domain "{name}", which the exam does not know; it has {known}'
                for name, n in foreign.items()
            ],
        )
    return np.array([place[item.domain] for item in bank.items], dtype=np.int64)


def _require_a_whole_test(exam: Exam, enemies: tuple[tuple[int, ...], ...], domain: Ints, plan: Plan) -> None:
    """Search for one whole test; ask the integer programme only when the search finds none."""
    state = begin(plan)
    length, _ = search(plan.pool, state, plan.windows.quota, at_point(plan.pool, 0), 0, state.items, first_only=True)
    if length < 0:
        require_compatible_items(exam, domain, plan.windows.quota, enemies)


def _require_reachable_cut(exam: Exam, grid: Grid) -> None:
    low, high = float(grid.nodes[0]), float(grid.nodes[-1])
    if not low < exam.scale.theta_cut < high:
        seen = f"{low:g} to {high:g}"
        problem = f"theta_cut {exam.scale.theta_cut:g} lies outside the abilities that scoring considers, {seen}"
        raise ExamError(exam.id, [f"{problem}. Move the cut, or raise scoring.limit."])
    if problems := unreachable(exam.stopping, exam.scale.theta_cut, low, high):
        raise ExamError(exam.id, problems)

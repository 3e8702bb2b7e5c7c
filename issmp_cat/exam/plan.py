"""An exam and a bank, worked out together: the tables every decision looks things up in."""

from __future__ import annotations

import functools
from collections import Counter
from typing import NamedTuple

import numpy as np

from issmp_cat.ability import Grid, build_grid, estimator_code
from issmp_cat.arrays import Floats, Ints
from issmp_cat.bank import ItemBank
from issmp_cat.blueprint import Windows, build_windows
from issmp_cat.errors import BlueprintInfeasible, ExamError
from issmp_cat.exam.definition import Exam
from issmp_cat.selection import Pool, build_pool, new_state
from issmp_cat.selection.shadow import search
from issmp_cat.stopping import StopRule, build_stop_rule

__all__ = ["Plan", "most_compatible", "plan_exam", "pool_of"]


class Plan(NamedTuple):
    """What the kernels need, and nothing else.

    Attributes:
        pool: the operational items; ``windows``: the blueprint's table; ``grid``: posterior tables.
        rule: when to stop.
        method: code of the estimator.
        prior: mean and SD of the population, logits.
    """

    pool: Pool
    windows: Windows
    grid: Grid
    rule: StopRule
    method: int
    prior: tuple[float, float]


@functools.lru_cache(maxsize=16)
def pool_of(bank: ItemBank) -> ItemBank:
    """The items that may be scored."""
    return bank.where(status="operational")


@functools.lru_cache(maxsize=8)
def plan_exam(exam: Exam, bank: ItemBank) -> Plan:
    """Tabulate an exam on a bank; kept for the next call with the same two.

    Raises:
        ExamError: the bank has a domain that the exam does not know.
        BlueprintInfeasible: a domain lacks items, or enemies leave too few that go together.
    """
    operational = pool_of(bank)
    domain = _domain_of_items(exam, operational)
    windows = build_windows(exam.blueprint, exam.length.minimum, exam.length.maximum)
    _require_enough_items(exam, operational, domain, windows.quota)
    parameters = (operational.a, operational.b, operational.c, operational.d)
    mean = bank.metric.latent_mean if exam.scoring.prior_mean is None else float(exam.scoring.prior_mean)
    sd = bank.metric.latent_sd if exam.scoring.prior_sd is None else float(exam.scoring.prior_sd)
    pool = build_pool(parameters, domain, operational.enemies, windows.quota, best=exam.selection.best)
    grid = build_grid(parameters, nodes=exam.scoring.nodes, limit=float(exam.scoring.limit) * sd, mean=mean, sd=sd)
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
        ),
        method=estimator_code(exam.scoring.estimator),
        prior=(mean, sd),
    )
    if not pool.simple:
        _require_compatible_items(exam, operational, domain, plan)
    return plan


def _domain_of_items(exam: Exam, bank: ItemBank) -> Ints:
    place = {id_: k for k, id_ in enumerate(exam.blueprint.ids)}
    foreign = Counter(item.domain for item in bank.items if item.domain not in place)
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


def _require_enough_items(exam: Exam, bank: ItemBank, domain: Ints, quota: Ints) -> None:
    have = np.bincount(domain, minlength=len(quota)) if len(bank) else np.zeros(len(quota), dtype=np.int64)
    short = [
        f'domain "{id_}" needs {need} items at length {exam.length.maximum}; the bank has {got} operational ones. '
        f"Add {need - got}, or lower the weight."
        for id_, need, got in zip(exam.blueprint.ids, quota, have, strict=True)
        if got < need
    ]
    if short:
        raise BlueprintInfeasible("\n  ".join([f"{len(short)} domains fall short:", *short] if short[1:] else short))


def _require_compatible_items(exam: Exam, bank: ItemBank, domain: Ints, plan: Plan) -> None:
    """Search for one whole test; when enemies leave none, say in which domain and by how many."""
    state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
    length, _ = search(plan.pool, state, plan.windows.quota, 0, 0, state.items, first_only=True)
    if length >= 0:
        return
    short = []
    for k, id_ in enumerate(exam.blueprint.ids):
        members = np.flatnonzero(domain == k)
        together = most_compatible(members, bank.enemies)
        if together < plan.windows.quota[k]:
            short.append(
                f'domain "{id_}" needs {plan.windows.quota[k]} items at length {exam.length.maximum}; the bank has '
                f"{together} operational ones that are not enemies of each other. "
                f"Add {plan.windows.quota[k] - together}, or lower the weight."
            )
    across = "each domain can be filled alone, but enemies across domains leave no whole test. Drop or add items there."
    raise BlueprintInfeasible("\n  ".join(short) or across)


def most_compatible(members: Ints, enemies: tuple[tuple[int, ...], ...]) -> int:
    """The largest number of items no two of which are enemies, by integer programming (HiGHS)."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    place = {int(item): k for k, item in enumerate(members)}
    pairs = [(k, place[foe]) for item, k in place.items() for foe in enemies[item] if foe in place and place[foe] > k]
    if not pairs:
        return len(members)
    rows: Floats = np.zeros((len(pairs), len(members)))
    for row, (i, j) in enumerate(pairs):
        rows[row, [i, j]] = 1.0
    solution = milp(
        -np.ones(len(members)),
        integrality=np.ones(len(members), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, -np.inf, 1.0),
    )
    return int(np.rint(np.asarray(solution.x)).sum())

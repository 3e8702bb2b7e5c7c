"""What a bank can do for an exam: supply by domain, the path of selection, precision at the cut."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from issmp_cat.bank import ItemBank
from issmp_cat.cli.exam_rows import (
    RowSupply,
    SetSupply,
    path_of_programme,
    row_supplies,
    set_supply,
    supply_warnings,
)
from issmp_cat.exam import Exam, Plan, begin, plan_exam
from issmp_cat.exam.content import content_of
from issmp_cat.exam.pretest_plan import pretest_plan
from issmp_cat.exam.programmes import programme_of
from issmp_cat.exam.supply import most_compatible
from issmp_cat.selection import at_point
from issmp_cat.selection.pool import NO_CLIQUE, grid_point
from issmp_cat.selection.shadow import fill

__all__ = ["DomainRow", "ExamCheck", "Precision", "check_exam", "domain_rows"]

# The largest set of compatible items is an integer programme; with this many times the quota it hardly matters.
PLENTY = 20
# Nodes of the EAP grid, in posterior SDs apart: too far for a good mean, and close enough for any purpose.
FARTHEST, CLOSE = 2.0, 1.25


@dataclass(frozen=True, slots=True)
class DomainRow:
    """A domain of the blueprint, and what the bank has for it.

    Attributes:
        quota: items at the maximum length; ``windows``: fewest and most items at each length looked at.
        operational: items that may be scored; ``compatible``: the most of them that are not enemies of each other.
    """

    id: str
    name: str
    weight: float
    quota: int
    windows: dict[int, tuple[int, int]]
    operational: int | None = None
    compatible: int | None = None


@dataclass(frozen=True, slots=True)
class Precision:
    """What the best balanced test of a length knows of a candidate at the cut.

    Attributes:
        information: Fisher information, per logit².
        se: standard error of the answers alone, logits; ``posterior_sd``: with the population as prior.
    """

    length: int
    information: float
    se: float
    posterior_sd: float


@dataclass(frozen=True, slots=True)
class ExamCheck:
    """All that can be said before anybody takes the exam."""

    domains: tuple[DomainRow, ...]
    precision: tuple[Precision, ...] = ()
    path: str = ""
    enemy_pairs: int = 0
    pretest_items: int = 0
    rows: tuple[RowSupply, ...] = ()
    sets: SetSupply = field(default_factory=SetSupply)
    warnings: tuple[str, ...] = ()


def domain_rows(exam: Exam, wider: int = 0) -> tuple[DomainRow, ...]:
    """The blueprint in whole numbers: quotas at the maximum length, windows on the way there.

    Args:
        exam: the exam.
        wider: by how much item sets widen the windows: the size of the largest less one.
    """
    lengths = looked_at(exam)
    quotas = exam.blueprint.quotas(exam.length.maximum)
    rows = []
    for domain, quota in zip(exam.blueprint.domains, quotas, strict=True):
        shares = {n: domain.weight * n for n in lengths}
        windows = {n: (max(math.floor(share) - wider, 0), math.ceil(share) + wider) for n, share in shares.items()}
        windows[exam.length.maximum] = (quota, quota)
        rows.append(DomainRow(domain.id, domain.name, float(domain.weight), quota, windows))
    return tuple(rows)


def looked_at(exam: Exam) -> tuple[int, ...]:
    """A few of the lengths at which the exam may stop: the first, the last, and some between.

    >>> looked_at(Exam.load("issmp"))
    (75, 88, 100, 112, 125)
    """
    return tuple(int(n) for n in np.unique(np.linspace(exam.length.minimum, exam.length.maximum, 5).round()))


def check_exam(exam: Exam, bank: ItemBank) -> ExamCheck:
    """Work out what a bank can do for an exam.

    Raises:
        BlueprintInfeasible: the bank cannot fill the blueprint.
        ExamError: the bank has a domain that the exam does not know.
    """
    plan = plan_exam(exam, bank)
    enemies = content_of(exam, bank).enemies
    domains = []
    rows, sets = row_supplies(exam, bank, plan), set_supply(exam, bank)
    for k, row in enumerate(domain_rows(exam, sets.largest - 1)):
        members = np.flatnonzero(plan.pool.domain == k)
        small = len(members) <= PLENTY * row.quota
        compatible = most_compatible(members, enemies) if small else None
        domains.append(
            DomainRow(row.id, row.name, row.weight, row.quota, row.windows, len(members), compatible)
        )  # fmt: skip
    precision = tuple(
        _precision(exam, bank, plan, n) for n in dict.fromkeys((exam.length.minimum, exam.length.maximum))
    )
    return ExamCheck(
        domains=tuple(domains),
        precision=precision,
        path=path_of_programme(exam, bank, plan) or _path(plan),
        enemy_pairs=len(plan.pool.foe) // 2,
        pretest_items=len(pretest_plan(exam, bank).domain),
        rows=rows,
        sets=sets,
        warnings=(*supply_warnings(exam, bank, plan, rows), *_coarse_grid(exam, plan, precision[-1].posterior_sd)),
    )


def _coarse_grid(exam: Exam, plan: Plan, sd: float) -> Iterator[str]:
    """Nodes more than two posterior SDs apart: sums over them miss the integrals by more than 5 % of an SD.

    By Poisson's formula a sum over nodes h apart misses a normal mean by up to ``4π (σ/h) exp(−2π² (σ/h)²)`` SDs.
    """
    nodes = plan.grid.nodes
    apart = float(nodes[1] - nodes[0])
    if exam.scoring.estimator == "eap" and apart > FARTHEST * sd:
        enough = math.ceil(float(nodes[-1] - nodes[0]) / (CLOSE * sd)) + 1
        yield (
            f"scoring.nodes = {len(nodes)} puts the abilities that EAP weighs {apart:.2g} logits apart, but these "
            f"items can tell θ to {sd:.2g}: take {enough} nodes or more"
        )


def _precision(exam: Exam, bank: ItemBank, plan: Plan, length: int) -> Precision:
    """The greedy test at the cut: an upper bound where enemies cross, the optimum elsewhere.

    Rows hold at the maximum length; there the best test is that of the programme.
    """
    preference = at_point(plan.pool, grid_point(exam.scale.theta_cut))
    programme = programme_of(exam, bank)
    if programme is not None and length == exam.length.maximum:
        info = float(preference.value[programme.whole_test(preference.value)].sum())
    else:
        quota = np.array(exam.blueprint.quotas(length), dtype=np.int64)
        info, _ = fill(plan.pool, begin(plan), quota, preference, 0)
    return Precision(length, info, info**-0.5, (info + plan.prior[1] ** -2) ** -0.5)


def _path(plan: Plan) -> str:
    """How the next item is found, in words."""
    pool = plan.pool
    crossing = sum(1 for i, c in enumerate(pool.clique) if c == NO_CLIQUE and pool.foe_begin[i] < pool.foe_begin[i + 1])
    if pool.best > 1:
        draw = f"one drawn evenly among the {pool.best} best items"
        if pool.simple:
            return f"{draw}; each domain has enough items without enemies, so no choice leads into a dead end"
        return f"{draw} that leave a whole test possible; a search proves it for each"
    if crossing:
        return f"the best item by look-up; a search where {crossing} items with enemies elsewhere demand one"
    return "the best item by look-up, provably optimal: no enemies, or enemy sets inside one domain"

"""Which path decides: the fast one, or a programme where rows cross or items travel in sets."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np

from issmp_cat.bank import ItemBank
from issmp_cat.blueprint import Row
from issmp_cat.exam.content import content_of, planned_rows, pool_of
from issmp_cat.exam.definition import Exam
from issmp_cat.selection import Pool
from issmp_cat.selection.order import build_order
from issmp_cat.selection.programme import Programme
from issmp_cat.selection.structure import build_structure

__all__ = ["build_programme", "programme_of"]


@functools.lru_cache(maxsize=32)
def programme_of(exam: Exam, bank: ItemBank, extra: tuple[Row, ...] = ()) -> Programme | None:
    """The programme that chooses; None when the tabulated path does.

    Args:
        exam: the exam; ``bank``: its items.
        extra: rows of one candidate, as "at most 20 of the items seen before":
            ``Row(id="seen", attribute="id", value=[…], maximum=20)``. Ids that are not in the bank count nothing.

    Raises:
        ExamError: what rows or sets name is not in the bank.
        BlueprintInfeasible: no whole test keeps all of it; says why, and what would mend it.
    """
    from issmp_cat.exam.plan import plan_exam

    plan = plan_exam(exam, bank)
    programme = build_programme(exam, bank, plan.pool, extra)
    if extra and programme is not None:
        from issmp_cat.exam.infeasible import require_whole_test

        require_whole_test(exam, bank, plan.pool, programme, extra)
    return programme


def build_programme(exam: Exam, bank: ItemBank, pool: Pool, extra: tuple[Row, ...] = ()) -> Programme | None:
    """The programme of the rows that bind and the sets that travel; None when there are none."""
    content, operational = content_of(exam, bank), pool_of(bank)
    quota = np.array(exam.blueprint.quotas(exam.length.maximum), dtype=np.int64)
    rows = [row for row in planned_rows(exam, operational, pool.domain, quota, extra) if row.binds]
    if not rows and not content.sets:
        return None
    foes = tuple(
        tuple(pool.foe[pool.foe_begin[i] : pool.foe_begin[i + 1]].tolist()) for i in range(len(operational.items))
    )
    structure = build_structure(
        pool.domain,
        quota,
        content.sets,
        foes,
        np.array([row.coefficient for row in rows]).reshape(len(rows), len(pool.domain)),
        np.array([-np.inf if row.row.minimum is None else row.row.minimum for row in rows]),
        np.array([np.inf if row.row.maximum is None else row.row.maximum for row in rows]),
    )
    weights = tuple(Fraction(weight) for weight in exam.blueprint.weights)
    lengths = exam.length.minimum, exam.length.maximum
    order = build_order(weights, tuple(map(int, quota)), *lengths, structure.domains) if structure.has_sets else None
    return Programme(structure, order, tuple(row.row.id for row in rows))

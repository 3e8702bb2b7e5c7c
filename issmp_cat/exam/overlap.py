"""Items that a candidate saw in earlier attempts: allowed, barred, or at most so many of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Ints
from issmp_cat.bank import ItemBank
from issmp_cat.blueprint import Row
from issmp_cat.errors import BlueprintInfeasible
from issmp_cat.exam.choose import Programme
from issmp_cat.exam.content import content_of, pool_of
from issmp_cat.exam.definition import Exam
from issmp_cat.exam.plan import Plan, begin, plan_exam
from issmp_cat.exam.pretest import PretestPlan
from issmp_cat.exam.pretest_plan import pretest_plan, safe_items
from issmp_cat.exam.programmes import programme_of
from issmp_cat.exam.supply import most_compatible
from issmp_cat.selection import at_point
from issmp_cat.selection.shadow import search

__all__ = ["Terms", "terms_for"]

SEEN = "seen before"


class Terms(NamedTuple):
    """An exam as it is given to one candidate.

    Attributes:
        plan: the exam's tables; ``programme``: what chooses where rows cross, None elsewhere.
        barred: positions of the operational items that may not be given again. Shape ``(barred,)``.
        pretest: the exam's unscored slots.
    """

    plan: Plan
    programme: Programme | None
    barred: Ints
    pretest: PretestPlan


def terms_for(exam: Exam, bank: ItemBank, seen: Sequence[str] = ()) -> Terms:
    """The exam for a candidate who saw these items before.

    Items that are not in the bank, or no longer operational, count nothing. A limit is a row across the domains: an
    integer programme then chooses, unless so many of the items can never come together.

    Args:
        exam: whose ``[retakes] seen_items`` decides; ``bank``: its items.
        seen: ids of the items seen in earlier attempts.

    Raises:
        BlueprintInfeasible: no whole test is left; with the counts, and what would leave one.
    """
    plan, rule = plan_exam(exam, bank), exam.retakes.seen_items
    index = pool_of(bank).index
    known = sorted({index[id_] for id_ in seen if id_ in index})
    pretest, nothing = pretest_plan(exam, bank), np.zeros(0, dtype=np.int64)
    if not known or rule == "allow":
        return Terms(plan, programme_of(exam, bank), nothing, pretest)
    if rule == "limit":
        limited = _limited(exam, bank, known)
        return Terms(plan, limited, nothing, pretest._replace(crossed=limited is not None))
    barred = np.array(known, dtype=np.int64)
    programme = programme_of(exam, bank)
    _require_enough_unseen(exam, plan, barred)
    quota = plan.windows.quota
    # Unseen items that no choice can block, beyond what the quotas need.
    spare = np.bincount(plan.pool.domain[safe_items(plan.pool, barred)], minlength=len(quota)) - quota
    simple = bool((spare >= 0).all())
    if not simple or programme is not None:
        _require_a_whole_test(exam, bank, plan, barred)
    plan = plan._replace(pool=plan.pool._replace(simple=plan.pool.simple and simple))
    return Terms(plan, programme, barred, pretest._replace(spare=spare))


def _limited(exam: Exam, bank: ItemBank, known: list[int]) -> Programme | None:
    """The exam's rows, and one more."""
    ids = tuple(pool_of(bank).items[i].id for i in known)
    row = Row(id=SEEN, attribute="id", value=ids, maximum=exam.retakes.at_most)
    try:
        return programme_of(exam, bank, (row,))
    except BlueprintInfeasible as fault:
        head = f"this candidate saw {len(known)} of the items, and may be given {exam.retakes.at_most} of them again"
        raise BlueprintInfeasible(f"{head}: {fault}") from None


def _require_enough_unseen(exam: Exam, plan: Plan, barred: Ints) -> None:
    """Count the unseen items of each domain."""
    quota = plan.windows.quota
    have = np.bincount(plan.pool.domain, minlength=len(quota))
    left = have - np.bincount(plan.pool.domain[barred], minlength=len(quota))
    short = [
        f'domain "{id_}" needs {need} items; {got} of its {all_} operational ones are unseen'
        for id_, need, got, all_ in zip(exam.blueprint.ids, quota, left, have, strict=True)
        if got < need
    ]
    if short:
        missing = int(np.maximum(quota - left, 0).sum())
        _refuse(exam, barred, short, f"with at_most = {missing} or more")


def _refuse(exam: Exam, barred: Ints, reasons: Sequence[str], how: str) -> None:
    head = f"this candidate saw {len(barred)} of the operational items before"
    left = f"without them no whole test of {exam.length.maximum} items is left:"
    mend = f'Set [retakes] seen_items = "limit" {how}, or "allow"; or add items.'
    raise BlueprintInfeasible("\n  ".join([f"{head}, and {left}", *reasons, mend]))


def _require_a_whole_test(exam: Exam, bank: ItemBank, plan: Plan, barred: Ints) -> None:
    """Search for a whole test of unseen items; where none is found, ask an integer programme."""
    programme = programme_of(exam, bank)
    value = at_point(plan.pool, len(plan.pool.information) // 2)
    if programme is not None:
        found = len(programme.whole_test(value.value, barred)) > 0
    else:
        state = begin(plan)
        state.blocked[barred] = 1
        quota = plan.windows.quota
        length, _ = search(plan.pool, state, quota, value, 0, state.items, first_only=True)
        unseen = np.setdiff1d(np.arange(len(plan.pool.domain)), barred)
        found = (
            length >= 0
            or most_compatible(unseen, content_of(exam, bank).enemies, plan.pool.domain[unseen], quota) == quota.sum()
        )
    if not found:
        reason = "each domain has enough unseen items, but enemies, rows or item sets leave no test of them"
        _refuse(exam, barred, [reason], "with an at_most that leaves one")

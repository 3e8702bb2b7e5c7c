"""An exam's unscored slots on a bank, as the kernels need them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from itertools import combinations

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints, read_only
from issmp_cat.bank import Item, ItemBank
from issmp_cat.blueprint import EnemySet
from issmp_cat.blueprint.attributes import matching
from issmp_cat.errors import BlueprintInfeasible, ExamError
from issmp_cat.exam.content import pool_of
from issmp_cat.exam.definition import Exam
from issmp_cat.exam.plan import plan_exam
from issmp_cat.exam.pretest import PretestPlan, no_pretest
from issmp_cat.exam.programmes import programme_of
from issmp_cat.selection import Pool
from issmp_cat.selection.pool import NO_CLIQUE
from issmp_cat.spelling import did_you_mean

__all__ = ["missing_answers", "pretest_items", "pretest_plan", "safe_items"]


@functools.lru_cache(maxsize=16)
def pretest_items(bank: ItemBank) -> tuple[Item, ...]:
    """The items that are being tried out, in the order in which the kernels number them."""
    return tuple(item for item in bank.items if item.status == "pretest")


def safe_items(pool: Pool, barred: Ints | None = None) -> Ints:
    """The items that no choice can block: those without enemies, and one of each enemy set inside one domain.

    Args:
        pool: the operational items.
        barred: positions of items that are out from the start.
    """
    unseen: Bools = np.ones(len(pool.domain), dtype=np.bool_)
    unseen[[] if barred is None else barred] = False
    alone = np.flatnonzero(unseen & (np.diff(pool.foe_begin) == 0))
    in_sets = np.flatnonzero(unseen & (pool.clique != NO_CLIQUE))
    one_each = in_sets[np.unique(pool.clique[in_sets], return_index=True)[1]]
    return np.sort(np.concatenate([alone, one_each]))


@functools.lru_cache(maxsize=16)
def pretest_plan(exam: Exam, bank: ItemBank) -> PretestPlan:
    """Tabulate the slots; of no slots when the exam has no table ``[pretest]``.

    Raises:
        ExamError: a pretest item of a domain that the exam does not know, or a target for an item that is none.
        BlueprintInfeasible: fewer pretest items than slots, in all or in a domain.
    """
    if exam.pretest is None:
        return no_pretest()
    items, plan = pretest_items(bank), plan_exam(exam, bank)
    _require_known(exam, bank, items)
    domain = np.array([exam.blueprint.place(item.domain) for item in items], dtype=np.int64)
    share = np.array([exam.pretest.per_domain.get(id_, 0) for id_ in exam.blueprint.ids], dtype=np.int64)
    _require_enough(exam, bank, domain, share if exam.pretest.per_domain else None)
    foes, rivals = _enemies(exam, bank, items)
    safe = safe_items(plan.pool)
    flags = np.zeros(len(plan.pool.domain), dtype=np.int64)
    # Any item of an enemy set may be its one: blocking any of them counts.
    flags[np.union1d(safe, np.flatnonzero(plan.pool.clique != NO_CLIQUE))] = 1
    quota = plan.windows.quota
    return PretestPlan(
        slots=exam.pretest.slots,
        first=exam.pretest.first,
        last=exam.pretest.latest(exam.length.minimum),
        share=read_only(share if exam.pretest.per_domain else share[:0].copy()),
        wanted=read_only(np.array([exam.pretest.targets.get(item.id, exam.pretest.target) for item in items], float)),
        domain=read_only(domain),
        foe_begin=_offsets(foes),
        foe=_flat(foes),
        rival_begin=_offsets(rivals),
        rival=_flat(rivals),
        safe=read_only(flags),
        spare=read_only(np.bincount(plan.pool.domain[safe], minlength=len(quota)) - quota),
        crossed=programme_of(exam, bank) is not None,
    )


def missing_answers(pretest: PretestPlan, bank: ItemBank, answers: Mapping[str, int]) -> Floats:
    """Answers that each pretest item lacks. Shape ``(pretest items,)``.

    Args:
        pretest: the exam's slots; ``bank``: its items.
        answers: collected so far, by id; none of an item that is not named.
    """
    so_far = np.array([answers.get(item.id, 0) for item in pretest_items(bank)], dtype=np.float64)
    return np.maximum(pretest.wanted - so_far, 0.0) if pretest.slots else np.zeros(0)


def _require_known(exam: Exam, bank: ItemBank, items: tuple[Item, ...]) -> None:
    ids = [item.id for item in items]
    targets = exam.pretest.targets if exam.pretest else {}
    faults = [
        f'pretest item "{item.id}" is of domain "{item.domain}", which the exam does not know'
        for item in items
        if exam.blueprint.place(item.domain) is None
    ]
    faults += [
        f'pretest.targets names "{name}", which is no pretest item of the bank{did_you_mean(name, ids)}'
        for name in targets
        if name not in ids
    ]
    if faults:
        raise ExamError(f"{exam.id} with bank {bank.id}", faults)


def _require_enough(exam: Exam, bank: ItemBank, domain: Ints, share: Ints | None) -> None:
    slots = exam.pretest.slots if exam.pretest else 0
    short = []
    if len(domain) < slots:
        short.append(
            f"the exam tries out {slots} items a candidate; bank {bank.id} has {len(domain)} with status pretest"
        )
    if share is not None:
        have = np.bincount(domain, minlength=len(share))
        short += [
            f'domain "{id_}" has {want} unscored slots; the bank has {got} pretest items there'
            for id_, want, got in zip(exam.blueprint.ids, share, have, strict=True)
            if got < want
        ]
    if short:
        raise BlueprintInfeasible("\n  ".join(short))


def _enemies(
    exam: Exam, bank: ItemBank, items: tuple[Item, ...]
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Of each pretest item: positions of its operational enemies, and numbers of those among the pretest items."""
    if exam.blueprint.enemies == "ignore":
        return [()] * len(items), [()] * len(items)
    pairs = {frozenset((bank.ids[i], bank.ids[j])) for i, foes in enumerate(bank.enemies) for j in foes}
    for part in exam.blueprint.enemy_sets:
        for one, other in combinations(_groups(part, bank), 2):
            pairs |= {frozenset((i, j)) for i in one for j in other}
    of: dict[str, set[str]] = {}
    for pair in pairs:
        for id_ in pair:
            of.setdefault(id_, set()).update(pair - {id_})
    operational, number = pool_of(bank).index, {item.id: t for t, item in enumerate(items)}
    foes = [tuple(sorted(operational[foe] for foe in of.get(item.id, ()) if foe in operational)) for item in items]
    rivals = [tuple(sorted(number[foe] for foe in of.get(item.id, ()) if foe in number)) for item in items]
    return foes, rivals


def _groups(part: EnemySet, bank: ItemBank) -> list[list[str]]:
    """Ids that exclude each other: items one by one, sets as wholes. What is unknown was refused with the plan."""
    if part.items:
        return [[name] for name in part.items if name in bank.index]
    if part.sets:
        return [[item.id for item in bank.items if item.item_set == name] for name in part.sets]
    held = matching(part.attribute or "", part.wanted, bank.items, [], part.name)
    return [[bank.ids[int(i)]] for i in np.flatnonzero(held)]


def _offsets(lists: list[tuple[int, ...]]) -> Ints:
    return read_only(np.concatenate([[0], np.cumsum([len(part) for part in lists])]).astype(np.int64))


def _flat(lists: list[tuple[int, ...]]) -> Ints:
    return read_only(np.array([k for part in lists for k in part], dtype=np.int64))

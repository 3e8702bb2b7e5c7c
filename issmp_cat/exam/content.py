"""Rows, item sets and enemies of an exam on a bank: what they come to, or every fault at once."""

from __future__ import annotations

import functools
from itertools import combinations
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.bank import ItemBank
from issmp_cat.blueprint import EnemySet, Row
from issmp_cat.blueprint.attributes import coefficients, matching, shown
from issmp_cat.errors import ExamError
from issmp_cat.exam.definition import Exam
from issmp_cat.spelling import did_you_mean

__all__ = ["Content", "PlannedRow", "content_of", "planned_rows", "pool_of"]

# An enemy set is kept as its pairs; beyond this a row with maximum 1 says the same.
LARGEST_ENEMY_SET = 200


class PlannedRow(NamedTuple):
    """A row on a bank.

    Attributes:
        row: as the exam file holds it.
        coefficient: what each item adds. Shape ``(items,)``.
        items: how many items add anything.
        least: the least sum of any test that fills the domain quotas; ``greatest``: the greatest.
        binds: whether some such test is outside the bounds. Where none is, the quotas imply the row.
    """

    row: Row
    coefficient: Floats
    items: int
    least: float
    greatest: float
    binds: bool


class Content(NamedTuple):
    """What an exam demands of a bank beyond domains.

    Attributes:
        enemies: positions of each operational item's enemies: the bank's, and those of the exam's enemy sets.
        sets: positions of the items that travel together.
        names: what these sets are called.
    """

    enemies: tuple[tuple[int, ...], ...]
    sets: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]


@functools.lru_cache(maxsize=16)
def pool_of(bank: ItemBank) -> ItemBank:
    """The items that may be scored."""
    return bank.where(status="operational")


@functools.lru_cache(maxsize=16)
def content_of(exam: Exam, bank: ItemBank) -> Content:
    """Look up what rows, item sets and enemy sets name.

    Raises:
        ExamError: an unknown attribute, value, item or set; a number that is none; a set that holds enemies.
    """
    items = pool_of(bank).items
    faults: list[str] = []
    for row in _active(exam):
        coefficients(row, items, faults)
    sets, names = _travelling(exam, bank, faults)
    enemies = _enemies(exam, bank, faults)
    for together, name in zip(sets, names, strict=True):
        inside = [(i, j) for i, j in combinations(together, 2) if j in enemies[i]]
        if inside:
            one, other = (items[i].id for i in inside[0])
            faults.append(
                f'item set "{name}" travels together but holds the enemies {one} and {other}; it could never be given'
            )
    if faults:
        raise ExamError(f"{exam.id} with bank {bank.id}", faults)
    return Content(enemies, sets, names)


def planned_rows(
    exam: Exam, operational: ItemBank, domain: Ints, quota: Ints, extra: tuple[Row, ...] = ()
) -> tuple[PlannedRow, ...]:
    """The active rows with their coefficients, and whether they demand more than the quotas do.

    Args:
        exam: whose rows they are.
        operational: the items that may be scored.
        domain: domain of each item. Shape ``(items,)``.
        quota: items of each domain at the maximum length. Shape ``(domains,)``.
        extra: further rows, of one candidate; what they name need not be in the bank.
    """
    planned = []
    for row in (*_active(exam), *extra):
        coefficient = coefficients(row, operational.items, [])
        least, greatest = _range(coefficient, domain, quota)
        low = -np.inf if row.minimum is None else row.minimum
        high = np.inf if row.maximum is None else row.maximum
        binds = bool(least < low or greatest > high)
        planned.append(PlannedRow(row, coefficient, int(np.count_nonzero(coefficient)), least, greatest, binds))
    return tuple(planned)


def _active(exam: Exam) -> list[Row]:
    return [row for row in exam.blueprint.rows if row.active]


def _range(coefficient: Floats, domain: Ints, quota: Ints) -> tuple[float, float]:
    """The least and the greatest sum over tests that fill the quotas; enemies and other rows left aside."""
    parts = [np.sort(coefficient[domain == k]) for k in range(len(quota))]
    least = sum(float(part[:q].sum()) for part, q in zip(parts, quota, strict=True))
    greatest = sum(float(part[len(part) - q :].sum()) for part, q in zip(parts, quota, strict=True))
    return least, greatest


def _travelling(exam: Exam, bank: ItemBank, faults: list[str]) -> tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]:
    """Items of each set that travels, of two items and more."""
    everywhere = dict.fromkeys(item.item_set for item in bank.items if item.item_set)
    members: dict[str, list[int]] = {}
    for i, item in enumerate(pool_of(bank).items):
        if item.item_set:
            members.setdefault(item.item_set, []).append(i)
    faults += [
        f'set "{part.id}": no item of the bank names it{_or_known(part.id, list(everywhere))}'
        for part in exam.blueprint.sets
        if part.id not in everywhere
    ]
    stay = {part.id for part in exam.blueprint.sets if not part.travel}
    kept = {name: tuple(each) for name, each in members.items() if name not in stay and len(each) > 1}
    return tuple(kept.values()), tuple(kept)


def _or_known(name: str, known: list[str]) -> str:
    """A guess at the set that was meant, or the sets there are."""
    return did_you_mean(name, known) or (f"; the bank has {shown(known)}" if known else "; the bank has no item sets")


def _enemies(exam: Exam, bank: ItemBank, faults: list[str]) -> tuple[tuple[int, ...], ...]:
    """The bank's enemies and the exam's; none where the blueprint ignores enemies."""
    operational = pool_of(bank)
    if exam.blueprint.enemies == "ignore":
        return ((),) * len(operational)
    if not exam.blueprint.enemy_sets:
        return operational.enemies
    foes = [set(others) for others in operational.enemies]
    for part in exam.blueprint.enemy_sets:
        groups = _groups(part, bank, faults)
        if sum(map(len, groups)) > LARGEST_ENEMY_SET:
            faults.append(
                f"{part.name}: {sum(map(len, groups))} items; beyond {LARGEST_ENEMY_SET} write a row with maximum = 1"
            )
            continue
        for one, other in combinations(groups, 2):
            for i in one:
                foes[i].update(other)
            for j in other:
                foes[j].update(one)
    for i, others in enumerate(foes):
        if i in others:
            faults.append(f'item "{operational.items[i].id}" would be its own enemy: two sets that exclude each other')
    return tuple(tuple(sorted(others)) for others in foes)


def _groups(part: EnemySet, bank: ItemBank, faults: list[str]) -> list[list[int]]:
    """Positions that exclude each other: items one by one, sets as wholes."""
    operational = pool_of(bank)
    if part.items:
        unknown = [name for name in part.items if name not in bank.index]
        faults += [f'{part.name}: item "{name}" is not in the bank{did_you_mean(name, bank.ids)}' for name in unknown]
        return [[operational.index[name]] for name in part.items if name in operational.index]
    if part.sets:
        known = sorted({item.item_set for item in bank.items if item.item_set})
        for name in part.sets:
            if name not in known:
                faults.append(f'{part.name}: no item names the set "{name}"{_or_known(name, known)}')
        return [[i for i, item in enumerate(operational.items) if item.item_set == name] for name in part.sets]
    held: Bools = matching(part.attribute or "", part.wanted, operational.items, faults, part.name)
    return [[int(i)] for i in np.flatnonzero(held)]

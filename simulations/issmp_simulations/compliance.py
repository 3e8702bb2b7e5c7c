"""Whether simulated exams kept the rules, counted from the recorded items alone.

Nothing here looks at the tables by which items were chosen: weights, enemies and lengths are read from the exam and
the bank again, so that a fault of the selection cannot hide itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from issmp_cat import Exam, ItemBank
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.blueprint import Row
from issmp_cat.blueprint.attributes import attribute_of
from issmp_cat.blueprint.rows import label
from issmp_cat.stopping import NO_ITEM, TIME_OUT

__all__ = ["Compliance", "Rules", "count_violations", "rules_of", "total"]


@dataclass(frozen=True, slots=True)
class Compliance:
    """Exams that broke a rule; all but those cut short must be 0.

    Attributes:
        off_blueprint: stopped by rule with a domain outside floor or ceiling of its share at that length (with item
            sets: by more than the largest set less one), or, at the maximum length, off its quota.
        enemies: held two items that are enemies, of the bank or of an enemy set of the exam.
        repeats: held an item twice.
        wrong_length: stopped by rule below the minimum or above the maximum.
        cut_short: ended by the clock, or for lack of items; ``cut_short_off_blueprint`` of these were off the
            blueprint when they ended.
        rows: reached the maximum length with a row outside its bounds.
        sets: held an item set in part (unless cut short), or with other items in between.
    """

    off_blueprint: int = 0
    enemies: int = 0
    repeats: int = 0
    wrong_length: int = 0
    cut_short: int = 0
    cut_short_off_blueprint: int = 0
    rows: int = 0
    sets: int = 0

    @property
    def violations(self) -> int:
        """How often a rule was broken; 0 unless the program is wrong."""
        return self.off_blueprint + self.enemies + self.repeats + self.wrong_length + self.rows + self.sets


@dataclass(frozen=True, slots=True)
class Rules:
    """What is counted against.

    Attributes:
        domain: index of each item's domain. Shape ``(items,)``.
        floor: fewest items of each domain, by length from 0. Shape ``(maximum length + 1, domains)``.
        ceiling: most items of each domain. Same shape.
        foes: enemy pairs, positions. Shape ``(pairs, 2)``.
        minimum: shortest length; ``maximum``: the longest.
        coefficients: what each item adds to each row. Shape ``(rows, items)``.
        bounds: least and greatest sum of each row. Shape ``(rows, 2)``.
        sets: items that travel together, by set.
    """

    domain: Ints
    floor: Ints
    ceiling: Ints
    foes: Ints
    minimum: int
    maximum: int
    coefficients: Floats
    bounds: Floats
    sets: tuple[Ints, ...]


def rules_of(exam: Exam, operational: ItemBank) -> Rules:
    """The rules of an exam on the items that may be scored."""
    sets = _travelling(exam, operational)
    wider = max((len(members) for members in sets), default=1) - 1
    shares = [Fraction(weight) for weight in exam.blueprint.weights]
    lengths = range(exam.length.maximum + 1)
    floor = np.array([[n * w // 1 - wider for w in shares] for n in lengths], dtype=np.int64)
    ceiling = np.array([[-(-n * w // 1) + wider for w in shares] for n in lengths], dtype=np.int64)
    floor[-1] = ceiling[-1] = exam.blueprint.quotas(exam.length.maximum)
    rows = [row for row in exam.blueprint.rows if row.active]
    return Rules(
        domain=np.array([exam.blueprint.place(item.domain) for item in operational.items], dtype=np.int64),
        floor=floor,
        ceiling=ceiling,
        foes=_foes(exam, operational),
        minimum=exam.length.minimum,
        maximum=exam.length.maximum,
        coefficients=np.array([_adds(row, operational) for row in rows]).reshape(len(rows), len(operational)),
        bounds=np.array(
            [
                (-np.inf if row.minimum is None else row.minimum, np.inf if row.maximum is None else row.maximum)
                for row in rows
            ]
        ).reshape(len(rows), 2),
        sets=sets,
    )


def _travelling(exam: Exam, operational: ItemBank) -> tuple[Ints, ...]:
    """Items of each set that is given whole, of two items and more."""
    loose = {part.id for part in exam.blueprint.sets if not part.travel}
    names = {item.item_set for item in operational.items} - loose - {None, ""}
    every = [np.array([i for i, item in enumerate(operational.items) if item.item_set == name]) for name in names]
    return tuple(members for members in every if len(members) > 1)


def _foes(exam: Exam, operational: ItemBank) -> Ints:
    """Enemy pairs of the bank, and of the exam's enemy sets. Shape ``(pairs, 2)``."""
    if exam.blueprint.enemies != "apart":
        return np.zeros((0, 2), dtype=np.int64)
    place = {item.id: i for i, item in enumerate(operational.items)}
    pairs = {frozenset((i, place[foe])) for i, item in enumerate(operational.items) for foe in item.enemies}
    for part in exam.blueprint.enemy_sets:
        side: dict[str, set[int]] = {}
        for i, item in enumerate(operational.items):
            if item.id in part.items or (part.attribute and label(attribute_of(item, part.attribute)) in part.wanted):
                side[item.id] = {i}
            elif item.item_set and item.item_set in part.sets:
                side.setdefault(item.item_set, set()).add(i)
        pairs |= {frozenset((i, j)) for a, b in combinations(side.values(), 2) for i in a for j in b}
    return np.array(sorted(sorted(pair) for pair in pairs), dtype=np.int64).reshape(-1, 2)


def _adds(row: Row, operational: ItemBank) -> list[float]:
    """What each item adds to a row."""
    values = [attribute_of(item, row.attribute) for item in operational.items]
    if row.measure == "sum":
        return [float(str(value)) for value in values]
    return [float(value is not None and label(value) in row.wanted) for value in values]


def count_violations(rules: Rules, items: NDArray[np.int32], reason: NDArray[np.int8]) -> Compliance:
    """Check some exams.

    Args:
        rules: what to count against.
        items: positions of the items given, negative beyond the end. Shape ``(persons, maximum length)``.
        reason: why each exam ended. Shape ``(persons,)``.
    """
    answered = items >= 0
    given = items[answered]
    length = np.count_nonzero(answered, axis=1)
    persons = np.repeat(np.arange(len(items)), length)
    domains = rules.floor.shape[1]
    counts = np.bincount(persons * domains + rules.domain[given], minlength=len(items) * domains).reshape(-1, domains)
    inside = (counts >= rules.floor[length]) & (counts <= rules.ceiling[length])
    off = ~inside.all(axis=1)
    by_rule = (reason != TIME_OUT) & (reason != NO_ITEM)
    # Only items that somebody saw, a tenth of a large bank. In rows: one candidate's column is scattered, but each
    # enemy pair then compares two contiguous rows.
    used = np.flatnonzero(np.bincount(given, minlength=len(rules.domain)))
    place = np.full(len(rules.domain), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    held = np.zeros((len(used), len(items)), dtype=np.bool_)
    held[place[given], persons] = True
    foes = place[rules.foes]
    foes = foes[(foes >= 0).all(axis=1)]
    wrong_length = by_rule & ((length < rules.minimum) | (length > rules.maximum))
    return Compliance(
        off_blueprint=_count(off & by_rule),
        enemies=_count(_with_enemies(held, foes)),
        repeats=_count(np.count_nonzero(held, axis=0) < length) if np.count_nonzero(held) < len(given) else 0,
        wrong_length=_count(wrong_length),
        cut_short=_count(~by_rule),
        cut_short_off_blueprint=_count(off & ~by_rule),
        rows=_count(_off_rows(rules, used, held) & by_rule & (length == rules.maximum)),
        sets=_count(_broken_sets(rules, items, by_rule)),
    )


def _off_rows(rules: Rules, used: Ints, held: Bools) -> Bools:
    """Which exams are outside a bound. ``held`` has the shape ``(used items, persons)``."""
    found = np.zeros(held.shape[1], dtype=np.bool_)
    for coefficient, (least, most) in zip(rules.coefficients[:, used], rules.bounds, strict=True):
        sums = coefficient @ held
        slack = 1e-6 * max(1.0, float(np.abs(coefficient).max()))
        found |= (sums < least - slack) | (sums > most + slack)
    return found


def _broken_sets(rules: Rules, items: NDArray[np.int32], by_rule: Bools) -> Bools:
    """Which exams hold a part of a set though they were not cut short, or a set with other items in between."""
    found = np.zeros(len(items), dtype=np.bool_)
    for members in rules.sets:
        inside = np.isin(items, members)
        many = inside.sum(axis=1)
        first, last = inside.argmax(axis=1), inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
        found |= (many > 0) & (last - first + 1 != many)
        found |= (many > 0) & (many != len(members)) & by_rule
    return found


def _with_enemies(held: Bools, foes: Ints) -> Bools:
    """Which exams hold both items of an enemy pair. Shape ``(persons,)``."""
    found = np.zeros(held.shape[1], dtype=np.bool_)
    for one, other in foes:
        found |= held[one] & held[other]
    return found


def _count(hits: Bools) -> int:
    return int(np.count_nonzero(hits))


def total(parts: list[Compliance]) -> Compliance:
    """Counts of several lots of exams together."""
    names = Compliance.__dataclass_fields__
    return Compliance(**{name: sum(getattr(part, name) for part in parts) for name in names})

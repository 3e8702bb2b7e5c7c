"""Whether simulated exams kept the rules, counted from the recorded items alone.

Nothing here looks at the tables by which items were chosen: weights, enemies and lengths are read from the exam and
the bank again, so that a fault of the selection cannot hide itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from issmp_cat import Exam, ItemBank
from issmp_cat.arrays import Bools, Ints
from issmp_cat.stopping import NO_ITEM, TIME_OUT

__all__ = ["Compliance", "Rules", "count_violations", "rules_of", "total"]


@dataclass(frozen=True, slots=True)
class Compliance:
    """Exams that broke a rule; the first four must be 0.

    Attributes:
        off_blueprint: stopped by rule with a domain outside floor or ceiling of its share at that length, or, at the
            maximum length, off its quota.
        enemies: held two items that are enemies.
        repeats: held an item twice.
        wrong_length: stopped by rule below the minimum or above the maximum.
        cut_short: ended by the clock, or for lack of items; ``cut_short_off_blueprint`` of these were off the
            blueprint when they ended.
    """

    off_blueprint: int = 0
    enemies: int = 0
    repeats: int = 0
    wrong_length: int = 0
    cut_short: int = 0
    cut_short_off_blueprint: int = 0

    @property
    def violations(self) -> int:
        """How often a rule was broken; 0 unless the program is wrong."""
        return self.off_blueprint + self.enemies + self.repeats + self.wrong_length


@dataclass(frozen=True, slots=True)
class Rules:
    """What is counted against.

    Attributes:
        domain: index of each item's domain. Shape ``(items,)``.
        floor: fewest items of each domain, by length from 0. Shape ``(maximum length + 1, domains)``.
        ceiling: most items of each domain. Same shape.
        foes: enemy pairs, positions. Shape ``(pairs, 2)``.
        minimum: shortest length; ``maximum``: the longest.
    """

    domain: Ints
    floor: Ints
    ceiling: Ints
    foes: Ints
    minimum: int
    maximum: int


def rules_of(exam: Exam, operational: ItemBank) -> Rules:
    """The rules of an exam on the items that may be scored."""
    shares = [Fraction(weight) for weight in exam.blueprint.weights]
    lengths = range(exam.length.maximum + 1)
    floor = np.array([[n * w // 1 for w in shares] for n in lengths], dtype=np.int64)
    ceiling = np.array([[-(-n * w // 1) for w in shares] for n in lengths], dtype=np.int64)
    floor[-1] = ceiling[-1] = exam.blueprint.quotas(exam.length.maximum)
    place = {item.id: i for i, item in enumerate(operational.items)}
    apart = exam.blueprint.enemies == "apart"
    pairs = {
        tuple(sorted((i, place[foe]))) for i, item in enumerate(operational.items) for foe in item.enemies if apart
    }
    return Rules(
        domain=np.array([exam.blueprint.place(item.domain) for item in operational.items], dtype=np.int64),
        floor=floor,
        ceiling=ceiling,
        foes=np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2),
        minimum=exam.length.minimum,
        maximum=exam.length.maximum,
    )


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
    # Items in rows: one candidate's column is scattered, but each enemy pair then compares two contiguous rows.
    held = np.zeros((len(rules.domain), len(items)), dtype=np.bool_)
    held[given, persons] = True
    wrong_length = by_rule & ((length < rules.minimum) | (length > rules.maximum))
    return Compliance(
        off_blueprint=_count(off & by_rule),
        enemies=_count(_with_enemies(held, rules.foes)),
        repeats=_count(np.count_nonzero(held, axis=0) < length) if np.count_nonzero(held) < len(given) else 0,
        wrong_length=_count(wrong_length),
        cut_short=_count(~by_rule),
        cut_short_off_blueprint=_count(off & ~by_rule),
    )


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

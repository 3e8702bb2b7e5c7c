"""What a bank has for the rows and item sets of an exam, and what these make of the selection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_cat.bank import ItemBank
from issmp_cat.exam import Exam, Plan
from issmp_cat.exam.content import PlannedRow, content_of, planned_rows, pool_of
from issmp_cat.exam.programmes import programme_of

__all__ = ["RowSupply", "SetSupply", "path_of_programme", "row_supplies", "set_supply", "supply_warnings"]

BINDS, IMPLIED, OFF = "binds", "implied by the domains", "switched off"
# A minimum that asks for more than this share of the items that qualify will give every candidate the same ones.
SCARCE = 0.5


@dataclass(frozen=True, slots=True)
class RowSupply:
    """A row of the blueprint, and what the bank has for it.

    Attributes:
        counts: what is counted or summed, in words.
        items: operational items that add to it.
        least: the least sum of tests that fill the domain quotas; ``greatest``: the greatest.
        effect: whether the row binds, the domains imply it, or it is switched off.
    """

    id: str
    counts: str
    minimum: float | None
    maximum: float | None
    items: int | None
    least: float | None
    greatest: float | None
    effect: str


@dataclass(frozen=True, slots=True)
class SetSupply:
    """The item sets that travel: how many, of how many items in all, and the largest."""

    sets: int = 0
    items: int = 0
    largest: int = 1


def row_supplies(exam: Exam, bank: ItemBank, plan: Plan) -> tuple[RowSupply, ...]:
    """Every row of the exam on a bank, in the order of the exam file."""
    planned = {row.row.id: row for row in planned_rows(exam, pool_of(bank), plan.pool.domain, plan.windows.quota)}
    return tuple(_supply(exam, k, planned) for k in range(len(exam.blueprint.rows)))


def _supply(exam: Exam, k: int, planned: dict[str, PlannedRow]) -> RowSupply:
    row = exam.blueprint.rows[k]
    wanted = ", ".join(row.wanted[:3]) + (", …" if row.wanted[3:] else "")
    counts = f"items with {row.attribute} {wanted}" if row.measure == "count" else f"sum of {row.attribute}"
    if row.id not in planned:
        return RowSupply(row.id, counts, row.minimum, row.maximum, None, None, None, OFF)
    found = planned[row.id]
    effect = BINDS if found.binds else IMPLIED
    return RowSupply(row.id, counts, row.minimum, row.maximum, found.items, found.least, found.greatest, effect)


def set_supply(exam: Exam, bank: ItemBank) -> SetSupply:
    """The sets that travel."""
    sizes = [len(members) for members in content_of(exam, bank).sets]
    return SetSupply(len(sizes), sum(sizes), max(sizes, default=1))


def supply_warnings(exam: Exam, bank: ItemBank, plan: Plan, rows: tuple[RowSupply, ...]) -> tuple[str, ...]:
    """What works, but not as its author may think."""
    said = [
        f'row "{row.id}" asks for {row.minimum:g} of only {row.items} items: every candidate meets most of them'
        for row in rows
        if row.items and row.minimum and row.counts.startswith("items") and row.minimum > SCARCE * row.items
    ]
    said += [f'row "{row.id}" is switched off' for row in rows if row.effect == OFF]
    content = content_of(exam, bank)
    for name, members in zip(content.names, content.sets, strict=True):
        held = np.bincount(plan.pool.domain[list(members)], minlength=len(plan.windows.quota))
        if (held > plan.windows.quota).any():
            said.append(f'item set "{name}" has more items of a domain than a whole test and is never given')
    return tuple(said)


def path_of_programme(exam: Exam, bank: ItemBank, plan: Plan) -> str | None:
    """How the next item is found where rows cross or sets travel, in words; None on the fast path."""
    programme = programme_of(exam, bank)
    if programme is None:
        return None
    reasons = []
    if programme.ids:
        names = ", ".join(f'"{name}"' for name in programme.ids)
        crossing = "rows cross" if programme.ids[1:] else "a row crosses"
        reasons.append(f"{crossing} the domains ({names})")
    if programme.order is not None:
        several = "item sets travel" if len(content_of(exam, bank).sets) > 1 else "an item set travels"
        reasons.append(f"{several} together")
    best = plan.pool.best
    rule = f"one drawn evenly among the {best} best that leave a whole test possible" if best > 1 else "the best one"
    return f"{rule}, by an integer programme a decision (some 10 ms), because {' and '.join(reasons)}"

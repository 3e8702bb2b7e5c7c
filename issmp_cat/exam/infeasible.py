"""A blueprint that no test keeps, explained: which rows conflict, how many items there are, what would mend it."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats
from issmp_cat.bank import ItemBank
from issmp_cat.blueprint import Row
from issmp_cat.errors import BlueprintInfeasible
from issmp_cat.exam.content import PlannedRow, content_of, planned_rows, pool_of
from issmp_cat.exam.definition import Exam
from issmp_cat.selection import Pool
from issmp_cat.selection.conflict import ADD, LOWER, Demand, Relief, System, least_relief, smallest_conflict
from issmp_cat.selection.programme import Programme

__all__ = ["explain", "require_whole_test"]


def require_whole_test(
    exam: Exam, bank: ItemBank, pool: Pool, programme: Programme, extra: tuple[Row, ...] = ()
) -> None:
    """Find one whole test, and an order to give it in.

    Args:
        exam: whose blueprint it is; ``bank``: its items.
        pool: the items as selection sees them; ``programme``: rows and sets.
        extra: rows of one candidate.

    Raises:
        BlueprintInfeasible: there is none; with the smallest conflict and the least change that mends it.
    """
    if len(programme.whole_test(pool.information[len(pool.information) // 2])):
        return
    raise BlueprintInfeasible(explain(exam, bank, pool, programme, extra))


def explain(exam: Exam, bank: ItemBank, pool: Pool, programme: Programme, extra: tuple[Row, ...] = ()) -> str:
    """Say why no whole test exists."""
    demands, words = _demands(exam, bank, pool, extra)
    system = System.of(demands)
    conflict = smallest_conflict(system)
    head = f"no test of {exam.length.maximum} items keeps the whole blueprint"
    if not conflict:
        within = programme.order.wider + 1 if programme.order else 1
        return (
            f"whole tests exist, but none can be given so that every domain stays within {within} items of its share "
            f"wherever the exam may stop from {exam.length.minimum} items on. Add single items to the domains that "
            "have few, make the item sets smaller, or raise the minimum length."
        )
    domains = [k for k, demand in enumerate(demands) if demand.name.startswith("domain ")]
    mend = least_relief(system, domains, 0)
    lines = [f"{head}. {len(conflict)} demands conflict:" if conflict[1:] else f"{head}. One demand cannot be met:"]
    lines += [words[k] for k in conflict]
    if mend:
        lines.append(f"The least change that mends it: {', '.join(_change(demands, move) for move in mend)}.")
    return "\n  ".join(lines)


def _demands(exam: Exam, bank: ItemBank, pool: Pool, extra: tuple[Row, ...]) -> tuple[list[Demand], list[str]]:
    """The demands, the length first, and what is said of each when it is part of a conflict."""
    operational, content = pool_of(bank), content_of(exam, bank)
    items, maximum = len(operational.items), exam.length.maximum
    quota = np.array(exam.blueprint.quotas(maximum), dtype=np.int64)
    everyone = np.ones((1, items))
    demands = [Demand("length", everyone, np.array([float(maximum)]), np.array([float(maximum)]))]
    words = [f"the test has {maximum} items; the bank has {items} operational ones"]
    for planned in planned_rows(exam, operational, pool.domain, quota, extra):
        for least, most in _sides(planned.row):
            price = 1.0 if planned.row.measure == "count" else _price(planned)
            name = f'row "{planned.row.id}"'
            table = planned.coefficient[None]
            demands.append(Demand(name, table, np.array([least]), np.array([most]), price))
            words.append(f"{name} asks for {_bound(least, most)} {_of_what(planned, items)}")
    for k, (id_, wanted) in enumerate(zip(exam.blueprint.ids, quota, strict=True)):
        member = (pool.domain == k).astype(np.float64)[None]
        both = np.array([float(wanted)])
        demands.append(Demand(f'domain "{id_}"', member, both, both))
        words.append(f'domain "{id_}" asks for exactly {wanted} items; the bank has {int(member.sum())}')
    pairs = [(i, j) for i, foes in enumerate(content.enemies) for j in foes if j > i]
    if pairs:
        held = np.zeros((len(pairs), items))
        for k, pair in enumerate(pairs):
            held[k, list(pair)] = 1.0
        demands.append(Demand("enemies", held, np.full(len(pairs), -np.inf), np.ones(len(pairs))))
        words.append(f"no two enemies may meet; there are {len(pairs)} pairs of them")
    links = [(together[0], other) for together in content.sets for other in together[1:]]
    if links:
        tied = np.zeros((len(links), items))
        for k, (one, other) in enumerate(links):
            tied[k, [one, other]] = 1.0, -1.0
        demands.append(Demand("sets", tied, np.zeros(len(links)), np.zeros(len(links))))
        inside = sum(map(len, content.sets))
        words.append(f"item sets are given whole or not at all; there are {len(content.sets)}, of {inside} items")
    return demands, words


def _sides(row: Row) -> list[tuple[float, float]]:
    """Minimum and maximum apart: either may be what conflicts."""
    found = [] if row.minimum is None else [(row.minimum, np.inf)]
    return found if row.maximum is None else [*found, (-np.inf, row.maximum)]


def _price(planned: PlannedRow) -> float:
    """A bound on a sum moves by about one item's share at the price of one item."""
    held: Floats = np.abs(planned.coefficient[planned.coefficient != 0])
    return 1.0 / float(np.median(held)) if len(held) else 1.0


def _bound(least: float, most: float) -> str:
    return f"at least {least:,.10g}" if most == np.inf else f"at most {most:,.10g}"


def _of_what(planned: PlannedRow, items: int) -> str:
    """What a row counts, and what the bank offers."""
    row = planned.row
    reach = f"{planned.least:,.10g} to {planned.greatest:,.10g}"
    if row.measure == "sum":
        return f'of "{row.attribute}" in all; tests that fill the domains have {reach}'
    wanted = ", ".join(row.wanted[:3]) + (", …" if row.wanted[3:] else "")
    return (
        f"items with {row.attribute} {wanted}; {planned.items} of {items} items qualify, "
        f"tests that fill the domains hold {reach}"
    )


def _change(demands: list[Demand], move: Relief) -> str:
    demand = demands[move.demand]
    if move.what == ADD:
        return f"add {move.by:g} single items without enemies to {demand.name}"
    if move.what == LOWER:
        return f"lower the minimum of {demand.name} by {move.by:,.10g} to {demand.least[0] - move.by:,.10g}"
    return f"raise the maximum of {demand.name} by {move.by:,.10g} to {demand.most[0] + move.by:,.10g}"

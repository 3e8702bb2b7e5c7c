"""Can the bank fill the blueprint at all? If not: which domain, by how much, and what would mend it."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Ints
from issmp_cat.errors import BlueprintInfeasible
from issmp_cat.exam.definition import Exam

__all__ = ["most_compatible", "require_compatible_items", "require_enough_items"]

Enemies = tuple[tuple[int, ...], ...]


def require_enough_items(exam: Exam, domain: Ints, quota: Ints) -> None:
    """Count the items of each domain.

    Args:
        exam: whose blueprint it is.
        domain: domain of each operational item. Shape ``(items,)``.
        quota: items each domain needs at the maximum length. Shape ``(domains,)``.

    Raises:
        BlueprintInfeasible: naming every domain that falls short.
    """
    have = np.bincount(domain, minlength=len(quota))
    short = [
        f'domain "{id_}" needs {need} items at length {exam.length.maximum}; the bank has {got} operational ones. '
        f"Add {need - got}, or lower the weight."
        for id_, need, got in zip(exam.blueprint.ids, quota, have, strict=True)
        if got < need
    ]
    if short:
        raise BlueprintInfeasible("\n  ".join([f"{len(short)} domains fall short:", *short] if short[1:] else short))


def require_compatible_items(exam: Exam, domain: Ints, quota: Ints, enemies: Enemies) -> None:
    """Ask the integer programme whether a whole test without enemies exists.

    Args:
        exam: whose blueprint it is.
        domain: domain of each operational item. Shape ``(items,)``.
        quota: items each domain needs at the maximum length. Shape ``(domains,)``.
        enemies: positions of each item's enemies, mutual.

    Raises:
        BlueprintInfeasible: there is none; names the domains that cannot be filled even alone.
    """
    if most_compatible(np.arange(len(domain)), enemies, domain, quota) == quota.sum():
        return
    short = []
    for k, id_ in enumerate(exam.blueprint.ids):
        together = most_compatible(np.flatnonzero(domain == k), enemies)
        if together < quota[k]:
            short.append(
                f'domain "{id_}" needs {quota[k]} items at length {exam.length.maximum}; the bank has '
                f"{together} operational ones that are not enemies of each other. "
                f"Add {quota[k] - together}, or lower the weight."
            )
    across = "each domain can be filled alone, but enemies across domains leave no whole test. Drop or add items there."
    raise BlueprintInfeasible("\n  ".join(short) or across)


def most_compatible(members: Ints, enemies: Enemies, domain: Ints | None = None, quota: Ints | None = None) -> int:
    """The largest number of items no two of which are enemies, by integer programming (HiGHS).

    Args:
        members: positions of the items to choose from.
        enemies: positions of each item's enemies, mutual.
        domain: domain of each member, when no domain may give more than its ``quota``.
        quota: items of each domain. Shape ``(domains,)``.

    >>> most_compatible(np.arange(3), ((1, 2), (0,), (0,)))
    2
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    place = {int(item): k for k, item in enumerate(members)}
    rows = [[k, place[foe]] for item, k in place.items() for foe in enemies[item] if foe in place and place[foe] > k]
    most = [1.0] * len(rows)
    if domain is not None and quota is not None:
        rows += [np.flatnonzero(domain == k).tolist() for k in range(len(quota))]
        most += quota.tolist()
    if not rows or not len(members):
        return len(members)
    row = np.repeat(np.arange(len(rows)), [len(items) for items in rows])
    column = np.concatenate([np.asarray(items, dtype=np.int64) for items in rows])
    matrix = coo_array((np.ones(len(row)), (row, column)), shape=(len(rows), len(members)))
    solution = milp(
        -np.ones(len(members)),
        integrality=np.ones(len(members), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, -np.inf, most),
        options={"mip_rel_gap": 0.0},
    )
    return int(np.rint(np.asarray(solution.x)).sum())

"""Everything about a bank that selection looks up, tabulated once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints, Ints32, read_only
from issmp_cat.irt import Parameters, item_information

__all__ = ["LOWEST", "NO_CLIQUE", "POINTS", "QUANTUM", "STEP", "Pool", "build_pool", "grid_point"]

# Information is looked up on 161 points from −4 to 4 logits: 0.05 apart, far finer than θ is ever known.
LOWEST, STEP, POINTS = -4.0, 0.05, 161
# Information is rounded to multiples of 2⁻³⁸ (4e-12): sums up to 32,768 are then exact in any order, ties are ties,
# and every solver adds up the same objective.
QUANTUM = 2.0**-38
NO_CLIQUE = -1


class Pool(NamedTuple):
    """A bank as selection sees it. Items are numbered as in the bank; domains as in the blueprint.

    Attributes:
        parameters: the items' parameters.
        information: Fisher information, rounded. Shape ``(points, items)``.
        ranking: items, most informative first, ties to the lower index. Shape ``(points, items)``.
        order: the same within each domain, one domain after the other. Shape ``(points, items)``.
        begin: where each domain's items stand in a row of ``order``. Shape ``(domains + 1,)``.
        domain: domain of each item. Shape ``(items,)``.
        foe_begin: where each item's enemies stand in ``foe``. Shape ``(items + 1,)``.
        foe: enemies, flat.
        clique: number of the item's enemy set when it is a clique inside one domain, else −1. Shape ``(items,)``.
        cliques: how many such sets there are.
        simple: whether each domain has enough items without enemies to fill its quota: then no choice can lead
            into a dead end.
        best: how many of the best to draw among (randomesque); 1 takes the best.
    """

    parameters: Parameters
    information: Floats
    ranking: Ints32
    order: Ints32
    begin: Ints
    domain: Ints
    foe_begin: Ints
    foe: Ints
    clique: Ints
    cliques: int
    simple: bool
    best: int


def grid_point(theta: float) -> int:
    """The grid point nearest to θ.

    >>> grid_point(-4.2), grid_point(0.0), grid_point(0.026)
    (0, 80, 81)
    """
    return min(max(int((theta - LOWEST) / STEP + 0.5), 0), POINTS - 1)


def build_pool(
    parameters: Parameters,
    domain: Ints,
    enemies: tuple[tuple[int, ...], ...],
    quota: Ints,
    *,
    best: int = 1,
) -> Pool:
    """Tabulate a bank.

    Args:
        parameters: the items' parameters.
        domain: index of each item's domain. Shape ``(items,)``.
        enemies: positions of each item's enemies, mutual.
        quota: items of each domain at full length. Shape ``(domains,)``.
        best: draw among this many of the best (Kingsbury & Zara, 1989).
    """
    points = LOWEST + STEP * np.arange(POINTS, dtype=np.float64)
    info: Floats = np.rint(item_information(points, parameters) / QUANTUM) * QUANTUM
    ranking = np.argsort(-info, axis=1, kind="stable")
    # A stable sort by domain keeps the ranking within each.
    order = np.take_along_axis(ranking, np.argsort(domain[ranking], axis=1, kind="stable"), axis=1)
    clique, cliques = _cliques(domain, enemies)
    flat = [foe for foes in enemies for foe in foes]
    return Pool(
        parameters=parameters,
        information=read_only(info),
        ranking=read_only(ranking.astype(np.int32)),
        order=read_only(order.astype(np.int32)),
        begin=read_only(np.searchsorted(np.sort(domain), np.arange(len(quota) + 1)).astype(np.int64)),
        domain=read_only(domain),
        foe_begin=read_only(np.concatenate([[0], np.cumsum([len(foes) for foes in enemies])]).astype(np.int64)),
        foe=read_only(np.array(flat, dtype=np.int64)),
        clique=read_only(clique),
        cliques=cliques,
        simple=_is_simple(domain, enemies, clique, quota),
        best=best,
    )


def _cliques(domain: Ints, enemies: tuple[tuple[int, ...], ...]) -> tuple[Ints, int]:
    """Number the enemy sets that lie in one domain and in which everyone is everyone's enemy."""
    clique = np.full(len(domain), NO_CLIQUE, dtype=np.int64)
    found = 0
    for i, foes in enumerate(enemies):
        circle = {i, *foes}
        closed = all({j, *enemies[j]} == circle for j in foes)
        if foes and min(circle) == i and closed and len({int(domain[j]) for j in circle}) == 1:
            clique[sorted(circle)] = found
            found += 1
    return clique, found


def _is_simple(domain: Ints, enemies: tuple[tuple[int, ...], ...], clique: Ints, quota: Ints) -> bool:
    """Whether items that no choice can block suffice: those without enemies, and one of each clique."""
    free = np.zeros(len(quota), dtype=np.int64)
    for i, foes in enumerate(enemies):
        if not foes or (clique[i] != NO_CLIQUE and min(i, *foes) == i):
            free[domain[i]] += 1
    return bool((free >= quota).all())

"""The best whole test that can be given in a balanced order, where items travel in sets.

Where the best whole test cannot be ordered, one kind of set must come less often than in it: each kind in turn is
capped below that, and the best of the capped programmes counts (best first, so the first that can be ordered is
optimal). Sets that cross domains may be capped from below too.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.selection.order import Kind, Order
from issmp_cat.selection.relaxation import Problem, Relaxed, rest_of
from issmp_cat.selection.structure import Structure
from issmp_cat.selection.whole_test import best_rest

__all__ = ["Ordered", "best_ordered", "kinds_left", "opening"]

NODES = 200


class Ordered(NamedTuple):
    """The best whole test that can be given in order.

    Attributes:
        test: its units; None when there is none. Shape ``(units,)``.
        value: what it is worth; ``proved``: whether nothing is worth more.
        reach: what a test with each unit is worth at most, given ones included. Shape ``(units,)``.
    """

    test: Bools | None
    value: float
    proved: bool
    reach: Floats


MANY = 1 << 20
Caps = tuple[tuple[int, int, int], ...]


def kinds_left(order: Order, units: Bools) -> Counter[int]:
    """How many units of each kind. ``units`` has the shape ``(units,)``."""
    return Counter(order.kind[u] for u in np.flatnonzero(units))


def opening(order: Order, rest: Bools, counts: Kind, rank: Ints) -> int:
    """The first unit, by rank, that may come next of those left of a whole test; −1 when none may.

    Args:
        order: windows.
        rest: units of the test that are still to come. Shape ``(units,)``.
        counts: items given by domain.
        rank: place of each unit in the stated order. Shape ``(units,)``.
    """
    left = kinds_left(order, rest)
    units = np.flatnonzero(rest)
    tried: set[int] = set()
    for unit in units[np.argsort(rank[units], kind="stable")]:
        kind = order.kind[unit]
        if kind in tried:
            continue
        tried.add(kind)
        following = order.after(counts, kind)
        if order.fits(following) and order.can_finish(following, left - Counter([kind]))[0]:
            return int(unit)
    return -1


def best_ordered(
    structure: Structure,
    order: Order,
    value: Floats,
    given: Bools,
    allowed: Bools,
    counts: Kind,
    first: int = -1,
    known: Bools | None = None,
) -> Ordered:
    """The best whole test from here that can be given in order.

    Args:
        structure: units and rows.
        order: windows.
        value: worth of each unit. Shape ``(units,)``.
        given: units given; ``allowed``: units that may come. Shape ``(units,)``.
        counts: items given by domain.
        first: a unit that comes next, if any.
        known: a whole test that holds all these, if one is known.
    """
    inside = given.copy()
    nothing = np.full(len(value), -np.inf)
    if first >= 0:
        inside[first] = True
        counts = order.after(counts, order.kind[first])
        if not order.alive(counts):
            return Ordered(None, -np.inf, proved=True, reach=nothing)
    tree = _Tree(structure, order, value, inside, allowed)
    root = tree.push((), known)
    reach = nothing
    if root is not None:
        problem, relaxed = root
        reach[problem.free] = relaxed.bound - np.maximum(relaxed.cost, 0.0) + float(value[inside].sum())
    proved = True
    for _ in range(NODES):
        if not tree.heap:
            return Ordered(None, -np.inf, proved, reach)
        worth, _, caps, test = heapq.heappop(tree.heap)
        can, sure = order.can_finish(counts, kinds_left(order, test & ~inside))
        if can:
            return Ordered(test, -worth, proved, reach)
        proved &= sure
        tree.branch(caps, test)
    return Ordered(None, -np.inf, proved=False, reach=reach)


@dataclass(frozen=True, eq=False)
class _Tree:
    """Programmes with caps on kinds of sets, the most valuable first."""

    structure: Structure
    order: Order
    value: Floats
    inside: Bools
    allowed: Bools
    heap: list[tuple[float, int, Caps, Bools]] = field(default_factory=list)
    seen: set[Caps] = field(default_factory=set)

    def push(self, caps: Caps, known: Bools | None = None) -> tuple[Problem, Relaxed] | None:
        """Solve under caps; (kind, least, most) each."""
        if caps in self.seen:
            return None
        self.seen.add(caps)
        kind = np.array(self.order.kind)
        extra = tuple(((kind == k).astype(np.float64), float(low), float(high)) for k, low, high in caps)
        problem = rest_of(self.structure, self.value, self.inside, self.allowed, extra)
        if problem is None:
            return None
        solved = best_rest(problem, None if known is None else known[problem.free])
        if solved is None:
            return None
        test = self.inside.copy()
        test[problem.free[solved.x]] = True
        _prefer_earlier(self.structure, self.value, test, problem.free)
        heapq.heappush(self.heap, (-float(self.value[test].sum()), len(self.seen), caps, test))
        return problem, solved.relaxed

    def branch(self, caps: Caps, test: Bools) -> None:
        """Everything but tests with as many sets of each kind as this one, or more."""
        held = kinds_left(self.order, test)
        sets = [k for k, kind in enumerate(self.order.kinds) if sum(kind) > 1]
        for k in sets:
            if held[k]:
                self.push(_capped(caps, k, 0, held[k] - 1))
            if not self.order.local:
                self.push(_capped(caps, k, held[k] + 1, MANY))


def _prefer_earlier(structure: Structure, value: Floats, test: Bools, free: Ints) -> None:
    """Of units that are alike in every respect, let the earlier ones be in: which test was found is then no accident.

    Args:
        structure: units and rows.
        value: worth of each unit. Shape ``(units,)``.
        test: a whole test, changed in place. Shape ``(units,)``.
        free: its units that may be exchanged, and those that may come for them. Shape ``(free,)``.
    """
    inside, outside = free[test[free]], free[~test[free]]
    tied = np.concatenate([inside, outside[np.isin(value[outside], value[inside])]])
    alike: dict[bytes, list[int]] = {}
    for unit in np.sort(tied):
        if not structure.foes[unit]:
            key = np.concatenate([[value[unit]], structure.domains[:, unit], structure.rows[:, unit]]).tobytes()
            alike.setdefault(key, []).append(int(unit))
    for units in alike.values():
        many = int(test[units].sum())
        test[units] = False
        test[units[:many]] = True


def _capped(caps: Caps, kind: int, low: int, high: int) -> Caps:
    """The caps with one more, the tighter of two for the same kind."""
    held = {k: (a, b) for k, a, b in caps}
    a, b = held.get(kind, (0, MANY))
    held[kind] = (max(a, low), min(b, high))
    return tuple(sorted((k, a, b) for k, (a, b) in held.items()))

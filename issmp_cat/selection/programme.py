"""Choosing where rows cross or items travel in sets: an integer programme a decision, made small first.

See ``docs/selection.md``, "Rows that cross, and item sets".
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.blueprint import Windows, open_domains
from issmp_cat.selection.exchange import as_bad, hopeless, swapped
from issmp_cat.selection.order import Order
from issmp_cat.selection.ordered import Ordered, best_ordered, kinds_left, opening
from issmp_cat.selection.pool import Pool
from issmp_cat.selection.preference import Preference
from issmp_cat.selection.relaxation import TINY, Problem, rest_of
from issmp_cat.selection.state import State
from issmp_cat.selection.structure import Structure
from issmp_cat.selection.whole_test import Solved, best_rest, solve_core

__all__ = ["Programme", "Tables"]

NOTHING = -1
REMEMBERED = 12


class Tables(Protocol):
    """What is read of a plan."""

    @property
    def pool(self) -> Pool:
        """The items."""

    @property
    def windows(self) -> Windows:
        """The blueprint's table."""


@dataclass(frozen=True, eq=False)
class Standing:
    """An exam under way, in units.

    Attributes:
        given: units given; ``allowed``: units that may still come. Shape ``(units,)``.
        counts: items given by domain; ``n``: their sum.
        value: worth of each unit. Shape ``(units,)``.
    """

    given: Bools
    allowed: Bools
    counts: tuple[int, ...]
    n: int
    value: Floats


@dataclass(frozen=True, eq=False)
class Programme:
    """The constraints of an exam on a bank, ready to choose by.

    Attributes:
        structure: units and rows.
        order: the windows between units; None when every unit is one item.
        ids: what the rows are called.

    What is remembered (whole tests found before) makes decisions faster and never different.
    """

    structure: Structure
    order: Order | None
    ids: tuple[str, ...] = ()
    _tests: deque[Bools] = field(default_factory=lambda: deque(maxlen=REMEMBERED), repr=False)

    def choose(self, plan: Tables, state: State, n: int, preference: Preference, draw: float) -> int:
        """The item to give next; the meaning is that of :func:`~issmp_cat.selection.pick`.

        The best unit, by value per item, of the best whole test among those that may come next; with ``pool.best``
        above 1, one drawn evenly among the best that leave a whole test possible. A set that has begun goes on.

        Args:
            plan: pool and windows.
            state: the exam under way.
            n: items given so far.
            preference: what each item is worth.
            draw: a uniform number, used only when drawing.

        Returns:
            The item's position, or −1 when no item can be given.
        """
        if (item := self.next_of_set(state, n)) != NOTHING:
            return item
        if n >= plan.windows.maximum:
            return NOTHING
        given = np.zeros(len(self.structure.size), dtype=np.bool_)
        given[self.structure.unit[state.items[:n]]] = True
        allowed = self.structure.untouched(state.blocked) & ~given
        counts = tuple(int(count) for count in state.counts)
        here = Standing(given, allowed, counts, n, self.structure.by_unit(preference.value))
        if plan.pool.best > 1:
            unit = self._drawn(plan, here, draw)
        elif self.order is None:
            unit = self._best(plan, here)
        else:
            unit = self._best_between(self.order, state, here)
        return NOTHING if unit == NOTHING else self.structure.members[unit][0]

    def next_of_set(self, state: State, n: int) -> int:
        """The next item of a set that has begun; −1 between units. The exam may stop between units only."""
        if n == 0 or self.order is None:
            return NOTHING
        members = self.structure.members[self.structure.unit[state.items[n - 1]]]
        place = members.index(int(state.items[n - 1])) + 1
        return members[place] if place < len(members) else NOTHING

    def may_stop(self, state: State, n: int) -> bool:
        """Whether the exam stands between units."""
        return self.next_of_set(state, n) == NOTHING

    def whole_test(self, value: Floats, barred: Ints | None = None) -> Ints:
        """The items of the best whole test, ascending; none when there is no whole test.

        Args:
            value: worth of each item, multiples of the quantum. Shape ``(items,)``.
            barred: items that may not come.
        """
        structure = self.structure
        blocked = np.zeros(len(structure.unit), dtype=np.int64)
        blocked[[] if barred is None else barred] = 1
        nothing = np.zeros(len(structure.size), dtype=np.bool_)
        start = Standing(
            nothing, structure.untouched(blocked), (0,) * len(structure.quota), 0, structure.by_unit(value)
        )
        test = self._test(start)
        return np.zeros(0, dtype=np.int64) if test is None else np.flatnonzero(test[structure.unit])

    def _test(self, here: Standing, first: int = NOTHING) -> Bools | None:
        """The best whole test from here, ``first`` coming next if given. Shape ``(units,)``."""
        if self.order is not None:
            return self._ordered(here, self.order, first).test
        given = here.given.copy()
        if first != NOTHING:
            given[first] = True
        found = self._rest(here, given)
        return None if found is None else found[0]

    def _ordered(self, here: Standing, order: Order, first: int = NOTHING) -> Ordered:
        """The best whole test from here that can be given in order, ``first`` coming next if given."""
        given = here.given.copy()
        if first != NOTHING:
            given[first] = True
        known = self._remembered(given, here.allowed)
        found = best_ordered(self.structure, order, here.value, here.given, here.allowed, here.counts, first, known)
        if found.test is not None:
            self._tests.append(found.test)
        return found

    def _rest(self, here: Standing, given: Bools) -> tuple[Bools, Problem, Solved] | None:
        """The best whole test that holds ``given``; with the programme of the rest, and its solution."""
        problem = rest_of(self.structure, here.value, given, here.allowed)
        if problem is None:
            return None
        known = self._remembered(given, here.allowed)
        solved = best_rest(problem, None if known is None else known[problem.free])
        if solved is None:
            return None
        test = given.copy()
        test[problem.free[solved.x]] = True
        self._tests.append(test)
        return test, problem, solved

    def _remembered(self, given: Bools, allowed: Bools) -> Bools | None:
        """A whole test found before that is possible from here."""
        for test in reversed(self._tests):
            if not (given & ~test).any() and not (test & ~given & ~allowed).any():
                return test
        return None

    def _best(self, plan: Tables, here: Standing) -> int:
        """The best open item of the optimal whole test, the first in the stated order that is in any optimal one."""
        structure = self.structure
        open_now = open_domains(plan.windows, np.array(here.counts), here.n)
        found = self._rest(here, here.given) if open_now else None
        if found is None:
            return NOTHING
        _, problem, solved = found
        free = problem.free
        may = ((open_now >> plan.pool.domain[structure.first[free]]) & 1) == 1
        place = np.empty(len(free), dtype=np.int64)
        place[np.argsort(-problem.value, kind="stable")] = np.arange(len(free))
        if solved.ties is not None:
            first = np.flatnonzero(solved.ties.any(axis=0) & may)
            return int(free[first[np.argmin(place[first])]])
        ours = np.flatnonzero(solved.x & may)
        best = int(ours[np.argmin(place[ours])])
        inside = np.zeros(len(free), dtype=np.bool_)
        inside[solved.core] = True
        while True:
            # A unit ahead of ours, outside ours, is in another optimal test only if the bound leaves it open.
            ahead = inside & may & ~solved.x & (place < place[best])
            if not ahead.any():
                return int(free[best])
            other = solve_core(problem, solved.relaxed, solved.core, ahead.astype(np.float64))
            if other is None or problem.value[other].sum() < solved.value:
                return int(free[best])
            tied = np.flatnonzero(other & ahead)
            best = int(tied[np.argmin(place[tied])])

    def _best_between(self, order: Order, state: State, here: Standing) -> int:
        """The best unit that may open the best whole test, where units have sizes."""
        found = self._ordered(here, order)
        state.unproven[0] += not found.proved
        if found.test is None:
            return NOTHING
        rank = self._ranks(here)
        best = opening(order, found.test & ~here.given, here.counts, rank)
        if best == NOTHING:
            return NOTHING
        # A unit ahead of ours, outside ours, opens another optimal test only if the bound leaves it open.
        ahead = ~found.test & (rank < rank[best]) & (found.reach >= found.value - TINY)
        for unit in np.flatnonzero(ahead)[np.argsort(rank[ahead], kind="stable")]:
            other = self._ordered(here, order, int(unit))
            if other.test is not None and other.value == found.value:
                return int(unit)
        return best

    def _ranks(self, here: Standing) -> Ints:
        """Place of each unit by value per item, ties to the earlier. Shape ``(units,)``."""
        rank = np.empty(len(here.value), dtype=np.int64)
        rank[np.argsort(-here.value / self.structure.size, kind="stable")] = np.arange(len(rank))
        return rank

    def _drawn(self, plan: Tables, here: Standing, draw: float) -> int:
        """Walk down the ranking until ``pool.best`` units are found that may come, then draw one evenly."""
        structure, order = self.structure, self.order
        test = self._remembered(here.given, here.allowed)
        test = self._test(here) if test is None else test
        if test is None:
            return NOTHING
        left = structure.quota - np.array(here.counts, dtype=np.int64)
        barred = hopeless(structure, here.given, here.allowed, left)
        if order is None:
            open_now = open_domains(plan.windows, np.array(here.counts), here.n)
            barred |= ((open_now >> plan.pool.domain[structure.first]) & 1) == 0
        drawn: list[int] = []
        refused: list[int] = []
        for unit in np.argsort(self._ranks(here), kind="stable"):
            if barred[unit] or (order and not order.alive(order.after(here.counts, order.kind[unit]))):
                continue
            if as_bad(structure, unit, refused):
                continue
            if self._leaves_a_test(here, test, int(unit)):
                drawn.append(int(unit))
                if len(drawn) == plan.pool.best:
                    break
            elif not any(here.allowed[foe] for foe in structure.foes[unit]):
                refused.append(int(unit))
        return drawn[int(draw * len(drawn))] if drawn else NOTHING

    def _leaves_a_test(self, here: Standing, test: Bools, unit: int) -> bool:
        """Whether a whole test holds ``unit`` and can be given with it next; ``test`` is one that is possible."""
        other = swapped(self.structure, test, here.given, unit)
        if other is not None and self.order is not None:
            counts = self.order.after(here.counts, self.order.kind[unit])
            rest = other & ~here.given
            rest[unit] = False
            if not self.order.alive(counts) or not self.order.can_finish(counts, kinds_left(self.order, rest))[0]:
                other = None
        if other is None:
            other = self._test(here, unit)
        if other is None:
            return False
        if other is not test:
            self._tests.append(other)
        return True

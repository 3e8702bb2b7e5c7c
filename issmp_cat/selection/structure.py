"""A bank as an integer programme sees it: units that come as a whole, and the rows over them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints

__all__ = ["Structure", "build_structure"]


@dataclass(frozen=True, eq=False)
class Structure:
    """Units, and what a whole test of them must satisfy. A unit is one item, or a set of items that travels.

    Attributes:
        members: items of each unit, in bank order.
        unit: the unit of each item. Shape ``(items,)``.
        size: items of each unit. Shape ``(units,)``; ``first``: its first item.
        domains: items of each unit by domain. Shape ``(domains, units)``.
        quota: items of each domain in a whole test. Shape ``(domains,)``.
        rows: what each unit adds to each row. Shape ``(rows, units)``; ``items``: what each item adds.
        domain: domain of each item. Shape ``(items,)``.
        lower: bounds of the rows, −inf where there is none; ``upper``: +inf. Shape ``(rows,)``.
        foes: units that must not meet, by unit.
        groups: the same as sets of units of which at most one may come; each pair stands in one of them.
    """

    members: tuple[tuple[int, ...], ...]
    unit: Ints
    size: Ints
    first: Ints
    domains: Floats
    quota: Ints
    rows: Floats
    items: Floats
    domain: Ints
    lower: Floats
    upper: Floats
    foes: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]

    @functools.cached_property
    def grouped(self) -> tuple[Ints, Ints]:
        """The members of all groups, one after the other, and the group each belongs to."""
        members = np.array([u for group in self.groups for u in group], dtype=np.int64)
        return members, np.repeat(np.arange(len(self.groups)), [len(group) for group in self.groups])

    @functools.cached_property
    def has_sets(self) -> bool:
        """Whether any unit is more than one item."""
        return bool((self.size > 1).any())

    @functools.cached_property
    def scale(self) -> Floats:
        """The largest coefficient of each row, by which solvers see it divided. Shape ``(rows,)``."""
        return np.asarray(np.maximum(np.abs(self.rows).max(axis=1, initial=0.0), 1e-12), dtype=np.float64)

    @functools.cached_property
    def tolerance(self) -> Floats:
        """How finely each row is compared: half a unit where all numbers are whole, six digits elsewhere."""
        whole = (self.rows == np.rint(self.rows)).all(axis=1)
        return np.where(whole, 1e-9, 1e-6 * np.maximum(self.scale * self.quota.sum(), 1.0))

    def by_unit(self, value: Floats) -> Floats:
        """Sums over the items of each unit. Shape ``(units,)``."""
        if not self.has_sets:
            return value
        return np.bincount(self.unit, weights=value, minlength=len(self.size)).astype(np.float64)

    def untouched(self, blocked: Ints) -> Bools:
        """Units none of whose items is blocked. Shape ``(units,)``."""
        return np.asarray(self.by_unit((blocked > 0).astype(np.float64)) == 0.0)

    def holds(self, test: Bools) -> bool:
        """Whether a set of units is a whole test.

        Args:
            test: the units. Shape ``(units,)``.
        """
        sums = self.rows @ test
        inside = (sums >= self.lower - self.tolerance) & (sums <= self.upper + self.tolerance)
        exact = np.array_equal(self.domains @ test, self.quota)
        return exact and bool(inside.all()) and not any(test[f] for u in np.flatnonzero(test) for f in self.foes[u])


def build_structure(
    domain: Ints,
    quota: Ints,
    sets: tuple[tuple[int, ...], ...],
    enemies: tuple[tuple[int, ...], ...],
    rows: Floats,
    lower: Floats,
    upper: Floats,
) -> Structure:
    """Put items together into units, and what is said of items into what holds for units.

    Args:
        domain: domain of each item. Shape ``(items,)``.
        quota: items of each domain. Shape ``(domains,)``.
        sets: items that travel together, disjoint.
        enemies: positions of each item's enemies, mutual.
        rows: coefficients of the items. Shape ``(rows, items)``.
        lower: least sums; ``upper``: greatest. Shape ``(rows,)``.
    """
    items = len(domain)
    head = np.arange(items)
    for together in sets:
        head[list(together)] = min(together)
    first, unit = np.unique(head, return_inverse=True)
    members: list[list[int]] = [[] for _ in first]
    for item in range(items):
        members[unit[item]].append(item)
    foes: list[set[int]] = [set() for _ in first]
    for item, others in enumerate(enemies):
        foes[unit[item]].update(int(unit[other]) for other in others)
    adjacent = tuple(tuple(sorted(others - {u})) for u, others in enumerate(foes))
    belongs = np.zeros((len(quota), items))
    belongs[domain, np.arange(items)] = 1.0
    return Structure(
        members=tuple(tuple(each) for each in members),
        unit=unit.astype(np.int64),
        size=np.bincount(unit).astype(np.int64),
        first=first.astype(np.int64),
        domains=_summed(belongs, unit, len(first)),
        quota=quota,
        rows=_summed(rows.reshape(len(lower), items), unit, len(first)),
        items=rows.reshape(len(lower), items),
        domain=domain,
        lower=lower,
        upper=upper,
        foes=adjacent,
        groups=_cover(adjacent),
    )


def _summed(table: Floats, unit: Ints, units: int) -> Floats:
    """Columns of items added up to columns of units."""
    out = np.zeros((len(table), units))
    for k, row in enumerate(table):
        out[k] = np.bincount(unit, weights=row, minlength=units)
    return out


def _cover(foes: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """Sets in which everyone is everyone's enemy, found greedily, that hold each pair at least once."""
    near = [set(others) for others in foes]
    covered: set[tuple[int, int]] = set()
    groups = []
    for u, others in enumerate(foes):
        for v in others:
            if v < u or (u, v) in covered:
                continue
            group = [u, v]
            for w in sorted(near[u] & near[v]):
                if all(w in near[x] for x in group):
                    group.append(w)
            group.sort()
            covered.update((a, b) for k, a in enumerate(group) for b in group[k + 1 :])
            groups.append(tuple(group))
    return tuple(groups)

"""Whether a whole test with item sets can be given in an order that is balanced at every stop.

With sets the exam stops between units only, and each domain's window is wider by the size of the largest set less one.
An order is looked for depth first, the unit that keeps the counts nearest to their shares first; states that lead
nowhere are remembered. Where the exam may stop already, a set of one domain can always give way to single items of it:
what cannot be ordered cannot be ordered with more sets either.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints

__all__ = ["Kind", "Order", "build_order"]

STEPS = 20_000
REMEMBERED = 20_000
Kind = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Order:
    """Windows by length, and the kinds of units there are.

    Attributes:
        kinds: items by domain that a unit of each kind brings.
        kind: kind of each unit.
        least: fewest items of each domain by length from 0; ``most`` alike. Below the minimum length these are
            nothing and what the minimum allows.
        minimum: shortest length at which the exam may stop.
        shares: weights of the domains; ``quota``: items of each at the maximum length.
        wider: by how much the windows are wider than without sets.
        local: whether every set stays inside one domain.
    """

    kinds: tuple[Kind, ...]
    kind: tuple[int, ...]
    least: tuple[Kind, ...]
    most: tuple[Kind, ...]
    minimum: int
    shares: tuple[float, ...]
    quota: Kind
    wider: int
    local: bool

    def after(self, counts: Kind, kind: int) -> Kind:
        """The counts after one more unit of a kind."""
        return tuple(a + b for a, b in zip(counts, self.kinds[kind], strict=True))

    def fits(self, counts: Kind) -> bool:
        """Whether the exam may stand between units with these counts."""
        table = np.array([counts])
        return bool(self._fitting(table, table.sum(axis=1))[0])

    def _fitting(self, counts: Ints, n: Ints) -> Bools:
        """Which counts are within the windows, and not too far below those of the first stop to get there in time."""
        out = n >= len(self.least)
        n = np.where(out, 0, n)
        inside = ((counts >= self._low[n]) & (counts <= self._high[n])).all(axis=1)
        missing = np.maximum(self._low[self.minimum] - counts, 0).sum(axis=1)
        early = n < self.minimum
        return np.asarray(inside & ~out & (~early | (missing <= self.minimum + self.wider - n)))

    def alive(self, counts: Kind) -> bool:
        """Whether the exam may stand between units with these counts, and single items at least could follow.

        What single items cannot finish, no test can (but for sets across domains, where this says nothing).
        """
        if counts not in self._alive:
            singles = [self._single.get(k) for k in range(len(counts))]
            left = [quota - count for quota, count in zip(self.quota, counts, strict=True)]
            known = self.local and not any(kind is None and many for kind, many in zip(singles, left, strict=True))
            rest = Counter({kind: many for kind, many in zip(singles, left, strict=True) if kind is not None})
            can, sure = self.can_finish(counts, rest) if known and min(left) >= 0 else (min(left) >= 0, True)
            self._alive[counts] = self.fits(counts) and (can or not sure)
        return self._alive[counts]

    @functools.cached_property
    def _alive(self) -> dict[Kind, bool]:
        return {}

    @functools.cached_property
    def _single(self) -> dict[int, int]:
        """The kind of single items of each domain that has any."""
        return {kind.index(1): k for k, kind in enumerate(self.kinds) if sum(kind) == 1}

    def can_finish(self, counts: Kind, left: Counter[int]) -> tuple[bool, bool]:
        """Whether the units left can be given from here, and whether that is proved.

        Args:
            counts: items given by domain.
            left: how many units of each kind are still to come.
        """
        key = (counts, tuple(left[kind] for kind in range(len(self.kinds))))
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = self._search(*key)
        return self._known[key]

    @functools.cached_property
    def _known(self) -> dict[tuple[Kind, Kind], tuple[bool, bool]]:
        return {}

    def _search(self, counts: Kind, left: Kind) -> tuple[bool, bool]:
        """Depth first."""
        rest = list(left)
        path = [self._moves(counts, rest)]
        trail = [counts]
        dead: set[Kind] = set()
        for _ in range(STEPS):
            if not any(rest):
                return True, True
            if not path[-1]:
                dead.add(tuple(rest))
                path.pop()
                trail.pop()
                if not path:
                    return False, True
                rest[path[-1].pop()] += 1
                continue
            kind = path[-1][-1]
            rest[kind] -= 1
            if dead and tuple(rest) in dead:
                rest[kind] += 1
                path[-1].pop()
                continue
            trail.append(self.after(trail[-1], kind))
            path.append(self._moves(trail[-1], rest))
        return False, False

    def _moves(self, counts: Kind, rest: list[int]) -> list[int]:
        """Kinds that may come next, the most balanced last."""
        kinds = np.flatnonzero(np.array(rest) > 0)
        after = self._table[kinds] + counts
        n = after.sum(axis=1)
        fits = self._fitting(after, n)
        kinds, after, n = kinds[fits], after[fits], n[fits]
        off = ((after - n[:, None] * np.array(self.shares)) ** 2).sum(axis=1)
        return [int(kind) for kind in kinds[np.lexsort((kinds, self._sizes[kinds], -off))]]

    @functools.cached_property
    def _table(self) -> Ints:
        return np.array(self.kinds)

    @functools.cached_property
    def _sizes(self) -> Ints:
        return np.asarray(self._table.sum(axis=1))

    @functools.cached_property
    def _low(self) -> Ints:
        return np.array(self.least)

    @functools.cached_property
    def _high(self) -> Ints:
        return np.array(self.most)


def build_order(weights: tuple[Fraction, ...], quota: Kind, minimum: int, maximum: int, domains: Floats) -> Order:
    """Tabulate the windows.

    Args:
        weights: shares of the domains; ``quota``: items of each at the maximum length.
        minimum: shortest permissible length; ``maximum``: the longest.
        domains: items of each unit by domain. Shape ``(domains, units)``.
    """
    columns = [tuple(int(part) for part in column) for column in domains.T]
    kinds = tuple(dict.fromkeys(columns))
    place = {kind: k for k, kind in enumerate(kinds)}
    wider = int(domains.sum(axis=0).max(initial=1.0)) - 1
    free = tuple(0 for _ in weights)
    lengths = range(maximum + 1)
    return Order(
        kinds=kinds,
        kind=tuple(place[column] for column in columns),
        least=tuple(tuple(int(n * w) - wider for w in weights) if n >= minimum else free for n in lengths),
        most=tuple(tuple(-int(-max(n, minimum) * w // 1) + wider for w in weights) for n in lengths),
        minimum=minimum,
        shares=tuple(float(w) for w in weights),
        quota=quota,
        wider=wider,
        local=bool((np.count_nonzero(domains, axis=0) <= 1).all()),
    )

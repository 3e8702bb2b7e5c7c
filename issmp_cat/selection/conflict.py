"""Why no whole test exists: the smallest set of demands that conflict, and the least change that would mend it.

A smallest conflict hits the complement of every satisfiable set of demands, and the smallest set that hits all
complements found so far is a conflict itself, or gives a further complement (implicit hitting sets: Reiter, 1987;
Ignatiev, Previti, Liffiton & Marques-Silva, 2015). The least change is an elastic programme (Brown & Graves, 1975):
each bound may give way, at a price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints

__all__ = ["ADD", "LOWER", "RAISE", "Demand", "Relief", "System", "least_relief", "smallest_conflict"]

# Beyond this many rounds a conflict that cannot be made smaller by leaving one demand out is told instead.
ROUNDS = 150
LOWER, RAISE, ADD = "lower", "raise", "add"
# An item that has to be written costs more than a bound that is moved by one.
NEW_ITEM = 100.0


class Demand(NamedTuple):
    """Something a whole test must satisfy.

    Attributes:
        name: how it is called.
        rows: coefficients of the items, one row or several. Shape ``(rows, items)``.
        least: the least sums; ``most``: the greatest. Shape ``(rows,)``.
        price: what moving a bound by one costs; 0: it cannot be moved.
    """

    name: str
    rows: Floats
    least: Floats
    most: Floats
    price: float = 0.0


class Relief(NamedTuple):
    """One change that helps: ``what`` happens to the bound of ``demand``, or how many items are added to it."""

    demand: int
    what: str
    by: float


@dataclass(frozen=True, eq=False)
class System:
    """Demands over items, items that are alike to all of them counted together.

    Attributes:
        demands: what must hold.
        kinds: an item of each kind. Shape ``(kinds,)``; ``many``: how many there are.
    """

    demands: tuple[Demand, ...]
    kinds: Ints
    many: Ints

    @classmethod
    def of(cls, demands: Sequence[Demand]) -> System:
        """Put items together that no demand tells apart."""
        table = np.vstack([demand.rows for demand in demands])
        _, kinds, many = np.unique(table, axis=1, return_index=True, return_counts=True)
        return cls(tuple(demands), kinds, many)

    def witness(self, chosen: Sequence[int]) -> Floats | None:
        """How many of each kind satisfy some of the demands; None when nothing does. Shape ``(kinds,)``."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        if not chosen:
            return np.zeros(len(self.kinds))
        rows = np.vstack([self.demands[k].rows[:, self.kinds] for k in chosen])
        least = np.concatenate([self.demands[k].least for k in chosen])
        most = np.concatenate([self.demands[k].most for k in chosen])
        slack = 1e-9 * np.maximum(1.0, np.abs(rows).max(axis=1, initial=0.0))
        answer = milp(
            np.zeros(len(self.kinds)),
            integrality=np.ones(len(self.kinds), dtype=np.int64),
            bounds=Bounds(0.0, self.many.astype(np.float64)),
            constraints=LinearConstraint(rows, least - slack, most + slack),
        )
        return None if answer.x is None else np.rint(np.asarray(answer.x))

    def kept_by(self, witness: Floats) -> set[int]:
        """The demands that a witness satisfies."""
        kept = set()
        for k, demand in enumerate(self.demands):
            sums = demand.rows[:, self.kinds] @ witness
            slack = 1e-9 * np.maximum(1.0, np.abs(sums))
            if bool(((sums >= demand.least - slack) & (sums <= demand.most + slack)).all()):
                kept.add(k)
        return kept


def smallest_conflict(system: System) -> tuple[int, ...]:
    """The fewest demands that no set of items satisfies together; none when all can be satisfied.

    Args:
        system: the demands.
    """
    everything = range(len(system.demands))
    if system.witness(everything) is not None:
        return ()
    to_hit: list[set[int]] = []
    for _ in range(ROUNDS):
        chosen = _smallest_hitting(to_hit, len(system.demands))
        witness = system.witness(chosen)
        if witness is None:
            return tuple(chosen)
        kept = system.kept_by(witness) | set(chosen)
        for k in everything:
            if k not in kept and (more := system.witness(sorted(kept | {k}))) is not None:
                kept |= system.kept_by(more) | {k}
        to_hit.append(set(everything) - kept)
    return _irreducible(system)


def _smallest_hitting(sets: list[set[int]], n: int) -> list[int]:
    """The smallest set that has a member in each of these, the earlier members first where several are as small."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    if not sets:
        return []
    table = np.zeros((len(sets), n))
    for k, members in enumerate(sets):
        table[k, sorted(members)] = 1.0
    price = 1.0 + np.arange(n) * 1e-4 / n
    answer = milp(
        price,
        integrality=np.ones(n, dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(table, 1.0, np.inf),
    )
    return [int(k) for k in np.flatnonzero(np.asarray(answer.x) > 0.5)]


def _irreducible(system: System) -> tuple[int, ...]:
    """Demands that conflict, none of which can be left out (deletion filter, Chinneck & Dravnieks, 1991)."""
    kept = list(range(len(system.demands)))
    for k in list(kept):
        rest = [j for j in kept if j != k]
        if system.witness(rest) is None:
            kept = rest
    return tuple(kept)


def least_relief(system: System, domains: Sequence[int], length: int) -> tuple[Relief, ...]:
    """The cheapest changes after which all demands can be satisfied.

    Args:
        system: the demands.
        domains: which of them are domain quotas: items can be added there that count in no other row.
        length: which of them is the length; an added item counts there too.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    rows, least, most, price, meaning = [], [], [], [], []
    columns: list[Floats] = []
    height = sum(len(demand.least) for demand in system.demands)
    start = np.cumsum([0, *(len(demand.least) for demand in system.demands)])
    for k, demand in enumerate(system.demands):
        rows.append(demand.rows[:, system.kinds])
        least.append(demand.least)
        most.append(demand.most)
        sides = [(LOWER, 1.0, demand.least[0] > -np.inf), (RAISE, -1.0, demand.most[0] < np.inf)]
        for what, sign, bounded in sides if demand.price else []:
            if bounded:
                columns.append(_unit(height, {start[k]: sign}))
                price.append(demand.price)
                meaning.append((k, what))
    for k in domains:
        columns.append(_unit(height, {start[k]: 1.0, start[length]: 1.0}))
        price.append(NEW_ITEM)
        meaning.append((k, ADD))
    kinds = len(system.kinds)
    whole = np.array([_is_whole(system.demands[k]) for k, _ in meaning], dtype=np.int64)
    answer = milp(
        np.concatenate([np.zeros(kinds), price]),
        integrality=np.concatenate([np.ones(kinds, dtype=np.int64), whole]),
        bounds=Bounds(0.0, np.concatenate([system.many, np.full(len(meaning), np.inf)])),
        constraints=LinearConstraint(
            np.hstack([np.vstack(rows), np.array(columns).T]), np.concatenate(least), np.concatenate(most)
        ),
        options={"mip_rel_gap": 0.0},
    )
    if answer.x is None:
        return ()
    moved = np.asarray(answer.x)[kinds:]
    return tuple(Relief(k, what, float(by)) for (k, what), by in zip(meaning, moved, strict=True) if by > 1e-6)


def _is_whole(demand: Demand) -> bool:
    bounds = np.concatenate([demand.least, demand.most])
    return bool((demand.rows == np.rint(demand.rows)).all() and (np.isinf(bounds) | (bounds == np.rint(bounds))).all())


def _unit(height: int, entries: dict[int, float]) -> Floats:
    column = np.zeros(height)
    for row, entry in entries.items():
        column[row] = entry
    return column

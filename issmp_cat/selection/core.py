"""Every rest of a test that is nearly as good as the linear programme's bound, enumerated.

Any whole test is worth the bound less the reduced costs of the units in which it differs from the linear programme's
answer, less what its slack costs. So all tests within a gap of the bound differ in units whose costs add up to no more
than the gap: a few thousand combinations, built up domain by domain and dropped as soon as their cost, or the range of
what can still come, rules them out. Unlike an integer programme this has no tolerance, and it finds every tie.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.selection.relaxation import TINY, Problem, Relaxed

__all__ = ["LARGEST_CORE", "within"]

LARGEST_CORE = 60
MOST = 60_000
Bits = NDArray[np.int64]


class Parts(NamedTuple):
    """Choices over some of the units.

    Attributes:
        cost: what each loses. Shape ``(choices,)``.
        sums: what each adds to the rows. Shape ``(choices, rows)``.
        bits: which units of the core are in, one bit each. Shape ``(choices,)``.
    """

    cost: Floats
    sums: Floats
    bits: Bits

    def take(self, kept: Bools | Ints) -> Parts:
        """Some of the choices."""
        return Parts(self.cost[kept], self.sums[kept], self.bits[kept])


def within(problem: Problem, relaxed: Relaxed, core: Ints, gap: float) -> tuple[Bools, Bools] | None:
    """All rests of a test that differ from the linear programme's answer in the core, at a cost of at most ``gap``.

    Args:
        problem: what is left; ``relaxed``: its linear programme.
        core: units that may differ, at most 60. Shape ``(core,)``.
        gap: the most that reduced costs may add up to.

    Returns:
        The units that all of them hold, shape ``(free,)``, and which of the core each holds, shape ``(rests, core)``;
        None when there are too many combinations to go through.
    """
    base = relaxed.x > 0.5
    base[core] = False
    if (problem.total(base) > 1).any():
        return base, np.zeros((0, len(core)), dtype=np.bool_)
    rows, lower, upper = _bounds(problem, core, base)
    home = np.argmax(problem.rows[:, core] > 0, axis=0) if len(core) else core
    blocks = []
    for k in np.unique(home):
        members = np.flatnonzero(home == k)
        parts = _choices(rows[:, members].T, relaxed.cost[core[members]], members, gap)
        if parts is None:
            return None
        blocks.append(parts)
    found = _joined(blocks, lower, upper, gap)
    return None if found is None else (base, (found.bits[:, None] >> np.arange(len(core))) & 1 == 1)


def _bounds(problem: Problem, core: Ints, base: Bools) -> tuple[Floats, Floats, Floats]:
    """What the core adds to the rows, "at most one" of enemies among them, and what it must come to."""
    taken = problem.rows[:, base].sum(axis=1)
    held = np.zeros(len(base), dtype=np.bool_)
    held[core] = True
    left = 1.0 - problem.total(base)
    tight = np.flatnonzero(problem.total(held) > left)
    together, most = problem.together(tight)[:, core], left[tight]
    lower = np.concatenate([problem.lower - taken, np.full(len(tight), -np.inf)])
    upper = np.concatenate([problem.upper - taken, most])
    return np.vstack([problem.rows[:, core], together]), lower - TINY, upper + TINY


def _choices(rows: Floats, cost: Floats, places: Ints, gap: float) -> Parts | None:
    """All subsets of a block whose cost is within the gap. ``rows`` has the shape ``(members, rows)``."""
    found = Parts(np.zeros(1), np.zeros((1, rows.shape[1])), np.zeros(1, dtype=np.int64))
    for j in np.argsort(-np.abs(cost), kind="stable"):
        out = found.cost + max(-cost[j], 0.0)
        inside = found.cost + max(cost[j], 0.0)
        found = Parts(
            np.concatenate([out, inside]),
            np.concatenate([found.sums, found.sums + rows[j]]),
            np.concatenate([found.bits, found.bits | (1 << int(places[j]))]),
        )
        found = found.take(found.cost <= gap)
        if len(found.cost) > MOST:
            return None
    return found


def _joined(blocks: list[Parts], lower: Floats, upper: Floats, gap: float) -> Parts | None:
    """One choice of each block: those whose costs are within the gap and whose sums are within the bounds."""
    blocks = [_possible(block, others, lower, upper) for block, others in _each(blocks)]
    blocks = [_possible(block, others, lower, upper) for block, others in _each(blocks)]
    if any(not len(block.cost) for block in blocks):
        return Parts(np.zeros(0), np.zeros((0, len(lower))), np.zeros(0, dtype=np.int64))
    found = Parts(np.zeros(1), np.zeros((1, len(lower))), np.zeros(1, dtype=np.int64))
    waiting = sorted(blocks, key=lambda block: len(block.cost))
    while waiting:
        block = waiting.pop(0)
        dearest = gap - sum(float(other.cost.min()) for other in waiting)
        cheapest = np.argsort(block.cost, kind="stable")
        many = np.searchsorted(block.cost[cheapest], dearest - found.cost, side="right")
        if many.sum() > 6 * MOST:
            return None
        i = np.repeat(np.arange(len(found.cost)), many)
        j = cheapest[np.arange(len(i)) - np.repeat(np.cumsum(many) - many, many)]
        joined = Parts(found.cost[i] + block.cost[j], found.sums[i] + block.sums[j], found.bits[i] | block.bits[j])
        found = _possible(joined, waiting, lower, upper)
    return found


def _each(blocks: list[Parts]) -> list[tuple[Parts, list[Parts]]]:
    """Each block with all others."""
    return [(block, blocks[:k] + blocks[k + 1 :]) for k, block in enumerate(blocks)]


def _possible(parts: Parts, others: list[Parts], lower: Floats, upper: Floats) -> Parts:
    """Those whose sums the others can still bring within the bounds."""
    if any(not len(other.cost) for other in others):
        return parts.take(np.zeros(0, dtype=np.int64))
    least = parts.sums + sum((other.sums.min(axis=0) for other in others), np.zeros(len(lower)))
    most = parts.sums + sum((other.sums.max(axis=0) for other in others), np.zeros(len(lower)))
    return parts.take(np.flatnonzero(((most >= lower) & (least <= upper)).all(axis=1)))

"""Balance at every length at which an exam may stop.

At each length n between the minimum and the maximum, domain k must hold ⌊n·w⌋ or ⌈n·w⌉ items; at the maximum it
must hold exactly its largest-remainder quota. A state at length n is then one bit a domain: does it stand one above
its floor? Which states can still reach the end is worked out backwards, once, when the exam is loaded. A sequence
that keeps within quota at every length always exists for some end (Balinski & Young, 1975); for a prescribed end
it is proved here or refused.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Bools, Ints, read_only
from issmp_cat.blueprint.blueprint import Blueprint
from issmp_cat.errors import BlueprintInfeasible

__all__ = ["Windows", "build_windows", "open_domains"]


class Windows(NamedTuple):
    """The table of states that can still reach a balanced end.

    Attributes:
        minimum: shortest length at which the exam may stop; ``maximum``: the longest.
        floor: items each domain must hold at least, by length from the minimum. Shape ``(lengths, domains)``.
        live: which sets of domains may stand one above their floor. Shape ``(lengths, 2 ** domains)``.
        reach: before the minimum, which sets may already exceed their floor there. Shape ``(2 ** domains,)``.
        quota: items of each domain at the maximum. Shape ``(domains,)``.
    """

    minimum: int
    maximum: int
    floor: Ints
    live: Bools
    reach: Bools
    quota: Ints


def open_domains(windows: Windows, counts: Ints, n: int) -> int:
    """The domains of which an item may come next, one bit each, ``n`` items having been given as ``counts`` tells.

    Args:
        windows: the table.
        counts: items given by domain. Shape ``(domains,)``.
        n: their sum.
    """
    if n >= windows.maximum:
        return 0
    early = n + 1 < windows.minimum
    row = 0 if early else n + 1 - windows.minimum
    floor = windows.floor
    state = 0
    below = 0
    short = 0
    for k in range(len(counts)):
        above = counts[k] - floor[row, k]
        if above > 1:
            return 0
        if above == 1:
            state |= 1 << k
        elif above < 0:
            below |= 1 << k
            short -= above
    # Before the minimum a domain below its floor may always grow; from there on nothing else may come first.
    if early:
        return (below | (_growing(windows.reach, state) & ~below)) if windows.reach[state] else 0
    live = windows.live[row]
    if below:
        return below if short == 1 and live[state] else 0
    return _growing(live, state)


def _growing(live: Bools, state: int) -> int:
    """The domains, among those not in ``state``, that may rise above their floor."""
    found = 0
    bit = 1
    while bit < len(live):
        if not state & bit and live[state | bit]:
            found |= bit
        bit <<= 1
    return found


def build_windows(blueprint: Blueprint, minimum: int, maximum: int) -> Windows:
    """Tabulate the live states of a blueprint.

    Args:
        blueprint: domains and weights.
        minimum: shortest permissible length, ≥ 1; ``maximum`` the longest.

    Raises:
        BlueprintInfeasible: no order of domains keeps every window and ends on the quotas.
    """
    shares = [Fraction(weight) for weight in blueprint.weights]
    floor = np.array([[int(n * w) for w in shares] for n in range(minimum, maximum + 1)], dtype=np.int64)
    quota = np.array(blueprint.quotas(maximum), dtype=np.int64)
    states = np.arange(1 << len(shares))
    bits = (states[:, None] >> np.arange(len(shares))) & 1
    live = np.zeros((len(floor), len(states)), dtype=np.bool_)
    live[-1, int(((quota - floor[-1]) << np.arange(len(shares))).sum())] = True
    for row in range(len(floor) - 2, -1, -1):
        n = minimum + row
        whole = np.array([(n * w).denominator == 1 for w in shares])
        legal = (bits.sum(axis=1) == n - floor[row].sum()) & ~(bits[:, whole] == 1).any(axis=1)
        live[row] = legal & _has_live_successor(bits, floor[row], floor[row + 1], live[row + 1])
    if not live[0].any():
        msg = (
            f"no order of domains keeps each within one item of its weight at every length from {minimum} to {maximum} "
            f"and ends on the quotas {', '.join(map(str, quota))}. Change a weight, or the maximum length by one."
        )
        raise BlueprintInfeasible(msg)
    reach = np.array([bool((live[0] & ((states & state) == state)).any()) for state in states])
    return Windows(
        minimum=minimum,
        maximum=maximum,
        floor=read_only(floor),
        live=read_only(live),
        reach=read_only(reach),
        quota=read_only(quota),
    )


def _has_live_successor(bits: Ints, floor: Ints, next_floor: Ints, next_live: Bools) -> Bools:
    """Which states have a domain whose next item leads to a live state."""
    domains = bits.shape[1]
    found = np.zeros(len(bits), dtype=np.bool_)
    for k in range(domains):
        above = floor + bits - next_floor
        above[:, k] += 1
        inside = ((above == 0) | (above == 1)).all(axis=1)
        after = (np.clip(above, 0, 1) << np.arange(domains)).sum(axis=1)
        found |= inside & next_live[after]
    return found

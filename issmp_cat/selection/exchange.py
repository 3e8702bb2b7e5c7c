"""Quick answers to "may this unit come?": one exchange in a whole test at hand, or a bound that no test can meet."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Bools, Ints
from issmp_cat.selection.structure import Structure

__all__ = ["as_bad", "hopeless", "swapped"]


def swapped(structure: Structure, test: Bools, given: Bools, unit: int) -> Bools | None:
    """A whole test that holds ``unit``, made from another by one exchange; None when no single exchange does.

    Args:
        structure: units and rows.
        test: a whole test; ``given``: its units that must stay. Shape ``(units,)``.
        unit: the unit to take in.
    """
    if test[unit]:
        return test
    leaving = np.flatnonzero(test & ~given)
    leaving = leaving[(structure.domains[:, leaving] == structure.domains[:, unit, None]).all(axis=0)]
    foes = [foe for foe in structure.foes[unit] if test[foe]]
    if foes:
        leaving = leaving[leaving == foes[0]] if len(foes) == 1 else leaving[:0]
    sums = (structure.rows @ test + structure.rows[:, unit])[:, None] - structure.rows[:, leaving]
    low, high = structure.lower - structure.tolerance, structure.upper + structure.tolerance
    ways = np.flatnonzero(((sums >= low[:, None]) & (sums <= high[:, None])).all(axis=0))
    if not len(ways):
        return None
    other = test.copy()
    other[unit], other[leaving[ways[0]]] = True, False
    return other


def hopeless(structure: Structure, given: Bools, allowed: Bools, left: Ints) -> Bools:
    """Units that no whole test can hold, because a row would be off whatever else came. Shape ``(units,)``.

    The least and the greatest sum of each row over the quotas are sums of the smallest and largest coefficients of each
    domain; an item that is not among these moves them by the difference.

    Args:
        structure: units and rows.
        given: units given; ``allowed``: units that may come. Shape ``(units,)``.
        left: items still to come by domain. Shape ``(domains,)``.
    """
    rows, may = structure.items, allowed[structure.unit]
    lost = ~may
    used = structure.rows @ given
    least, greatest = used.copy(), used.copy()
    over, under = np.zeros_like(rows), np.zeros_like(rows)
    for k, wanted in enumerate(left):
        members = np.flatnonzero(may & (structure.domain == k))
        if wanted <= 0 or len(members) < wanted:
            lost[members] = True
            continue
        table = rows[:, members]
        ranked = np.sort(table, axis=1)
        least += ranked[:, :wanted].sum(axis=1)
        greatest += ranked[:, -wanted:].sum(axis=1)
        over[:, members] = np.maximum(table - ranked[:, [wanted - 1]], 0.0)
        under[:, members] = np.minimum(table - ranked[:, [-wanted]], 0.0)
    high = least[:, None] + over > (structure.upper + structure.tolerance)[:, None]
    low = greatest[:, None] + under < (structure.lower - structure.tolerance)[:, None]
    lost |= (high | low).any(axis=0)
    return np.bincount(structure.unit, weights=lost, minlength=len(structure.size)) > 0


def as_bad(structure: Structure, unit: int, refused: list[int]) -> bool:
    """Whether a unit is at best as fit as one that no test can hold: the same domains, and no row it is better for.

    Args:
        structure: units and rows.
        unit: the unit in question.
        refused: units, without enemies that may still come, that no whole test can hold.
    """
    if not refused:
        return False
    alike = (structure.domains[:, refused] == structure.domains[:, [unit]]).all(axis=0)
    more = structure.rows[:, [unit]] - structure.rows[:, refused]
    only_up, only_down = np.isinf(structure.lower)[:, None], np.isinf(structure.upper)[:, None]
    worse = (more == 0) | (only_up & (more > 0)) | (only_down & (more < 0))
    return bool((alike & worse.all(axis=0)).any())

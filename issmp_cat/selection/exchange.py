"""Quick answers to "may this unit come?": one exchange in a whole test at hand, or a bound that no test can meet."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Bools, Ints
from issmp_cat.selection.structure import Structure

__all__ = ["hopeless", "swapped"]


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

    Where every unit is one item, the least and the greatest sum of each row over the quotas are sums of the smallest
    and largest coefficients of each domain; a unit that is not among these moves them by the difference.

    Args:
        structure: units and rows.
        given: units given; ``allowed``: units that may come. Shape ``(units,)``.
        left: items still to come by domain. Shape ``(domains,)``.
    """
    out = ~allowed
    used = structure.rows @ given
    least, greatest = used.copy(), used.copy()
    over, under = np.zeros_like(structure.rows), np.zeros_like(structure.rows)
    for k, wanted in enumerate(left):
        members = np.flatnonzero(allowed & (structure.domains[k] > 0))
        if wanted <= 0 or len(members) < wanted:
            out[members] = True
            continue
        table = structure.rows[:, members]
        ranked = np.sort(table, axis=1)
        least += ranked[:, :wanted].sum(axis=1)
        greatest += ranked[:, -wanted:].sum(axis=1)
        over[:, members] = np.maximum(table - ranked[:, [wanted - 1]], 0.0)
        under[:, members] = np.minimum(table - ranked[:, [-wanted]], 0.0)
    high = least[:, None] + over > (structure.upper + structure.tolerance)[:, None]
    low = greatest[:, None] + under < (structure.lower - structure.tolerance)[:, None]
    return np.asarray(out | (high | low).any(axis=0))

"""Weighted sums over the nodes of a grid, for many columns at once. Plain kernels; nothing is allocated."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats, Ints

__all__ = ["average", "fold", "normalise"]

# Nodes with less than this part of the likeliest node's weight are left out: 1e-15, far below the quantum.
NEGLIGIBLE = 2.0**-50


def normalise(share: Floats) -> float:
    """Make the weights of nodes sum to 1, in place, negligible ones 0; returns what they summed to.

    Where nothing weighs anything, nothing is changed.
    """
    top = 0.0
    for k in range(len(share)):
        top = max(top, share[k])
    total = 0.0
    for k in range(len(share)):
        if share[k] < NEGLIGIBLE * top:
            share[k] = 0.0
        total += share[k]
    if total == 0.0:
        return 0.0
    for k in range(len(share)):
        share[k] /= total
    return total


def average(table: Floats, share: Floats, term: Floats, out: Floats) -> None:
    """Weighted sum of the rows of a table, in their order. Shapes ``(nodes, columns)``, ``(nodes,)``, ``(columns,)``.

    Of Fisher information: maximum posterior weighted information (van der Linden, 1998) or, with likelihood
    for weights, maximum likelihood weighted information (Veerkamp & Berger, 1997).
    """
    out[:] = 0.0
    for k in range(len(share)):
        if share[k] != 0.0:
            np.multiply(table[k], share[k], term)
            np.add(out, term, out)


def fold(first: Ints, columns: Floats, out: Floats) -> None:
    """Add up what belongs to the scores of each item. Shapes ``(columns,)``, ``(items,)``."""
    for i in range(len(out)):
        total = columns[first[i]]
        for r in range(first[i] + 1, first[i + 1]):
            total += columns[r]
        out[i] = total

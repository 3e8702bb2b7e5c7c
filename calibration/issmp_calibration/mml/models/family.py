"""What every family of models says about itself, in Python; its kernels stand beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from issmp_cat.arrays import Floats

__all__ = ["GRADED", "LOGISTIC", "NOMINAL", "PARTIAL", "Family"]

LOGISTIC, GRADED, PARTIAL, NOMINAL = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Family:
    """One family; a number of steps is the highest score of an item.

    Attributes:
        kind: by which kernels tell families apart.
        cells: names of the working parameters of an item with so many steps.
        slopes: which of them multiply θ.
        start: where the search begins, from answers by score (items, scores); shape ``(items, cells)``.
        bounds: lowest and highest value of each cell, shape ``(2, cells)``: beyond them an item says nothing more.
        names: what people call the parameters, b1, b2 … counted from 1.
        natural: these, from the cells of items with equally many steps (items, cells), and their Jacobians by the
            cells; shapes ``(items, names)`` and ``(items, names, cells)``.
        working: the way back.
        shift: how each cell changes when the population's mean is taken out: the cell of the slope that is added, and
            how often; −1 for none. Shape ``(2, cells)``.
    """

    kind: int
    cells: Callable[[int], tuple[str, ...]]
    slopes: Callable[[int], tuple[int, ...]]
    start: Callable[[Floats], Floats]
    bounds: Callable[[int], Floats]
    names: Callable[[int], tuple[str, ...]]
    natural: Callable[[Floats], tuple[Floats, Floats]]
    working: Callable[[Floats], Floats]
    shift: Callable[[int], Floats]

"""Plausible values: draws from each candidate's posterior (Mislevy, 1991).

Estimates for persons are the wrong thing to describe populations by: EAPs vary too little, ML estimates too much.
Draws from the posteriors have the population's own distribution, and the differences between a person's draws carry
the error of measurement into whatever is computed from them.

A draw inverts the posterior's distribution function at a uniform number that depends on the seed, the candidate's name
and the draw's number alone. Between the nodes the log posterior is interpolated by a polynomial through six of them,
and the area under it summed by Simpson's rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_cat import random
from issmp_cat.arrays import Floats
from issmp_cat.compiled import compile_kernels, jit

__all__ = ["Draws", "draw_values"]

PARTS = 4  # of each distance between nodes; the posterior is computed at twice as many points
POINTS = 6  # through which a polynomial goes
DEEPEST = 80.0  # below the highest log weight, where it is −∞
OVERSHOOT = 0.5  # of the polynomial above or below both neighbours: a histogram's ends are no smooth curve
NEGLIGIBLE = 1e-11  # weight, relative to the highest, of nodes between which nothing is drawn
OFFSET, PRIME, WORD = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFF
SEEDS = 0xFFFFFFFFFFFFFFFF

compile_kernels(random.philox, random.uniform)


def _lagrange() -> Floats:
    """Weights of six neighbouring nodes at points between each two of them. Shape ``(5, 2 · PARTS, 6)``."""
    points = np.arange(POINTS, dtype=np.float64)
    weights = np.empty((POINTS - 1, 2 * PARTS, POINTS))
    for cell in range(POINTS - 1):
        for part in range(2 * PARTS):
            at = cell + part / (2 * PARTS)
            for k in range(POINTS):
                others = np.delete(points, k)
                weights[cell, part, k] = np.prod((at - others) / (points[k] - others))
    return weights


LAGRANGE = _lagrange()


@dataclass(frozen=True, slots=True)
class Draws:
    """Plausible values in the making.

    Attributes:
        values: logits; NaN until drawn. Shape ``(persons, draws)``.
        stream: of each person: seed and number, as :func:`issmp_cat.random.uniform` takes them. Shape ``(persons, 2)``.
    """

    values: Floats
    stream: NDArray[np.int64]

    def of(self, persons: slice) -> Draws:
        """Those of some of the persons, in the same place."""
        return Draws(self.values[persons], self.stream[persons])

    @property
    def number(self) -> int:
        """Draws a person."""
        return int(self.values.shape[1])

    @classmethod
    def prepared(cls, persons: NDArray[Any], number: int, seed: int) -> Draws:
        """Room for a number of draws, and the random streams of the persons of these names."""
        values = np.full((len(persons), number), np.nan)
        stream = np.zeros((len(persons), 2), np.int64)
        if number:
            names = np.ascontiguousarray(persons.astype(np.str_))
            letters = names.view(np.uint32).reshape(len(names), -1)
            _name_streams(letters, np.array([seed & SEEDS], np.uint64), stream)
        return cls(values, stream)


@jit()
def _name_streams(letters: Any, seed: Any, stream: Any) -> None:
    """64-bit FNV-1a of each name (Fowler, Noll & Vo): its lower half is the person, its upper half joins the seed.

    So a candidate's draws depend neither on the order of the log nor on who else is in it.
    """
    for person in range(letters.shape[0]):
        value = np.uint64(OFFSET)
        for place in range(letters.shape[1]):
            if letters[person, place] == 0:
                break
            value = (value ^ np.uint64(letters[person, place])) * np.uint64(PRIME)
        stream[person, 0] = np.int64(seed[0] ^ (value >> np.uint64(32) << np.uint64(32)))
        stream[person, 1] = np.int64(value & np.uint64(WORD))


@jit(error_model="numpy")
def draw_values(weights: Any, first: float, spacing: float, stream: Any, values: Any) -> None:
    """Draw from a posterior known at equally spaced nodes.

    Args:
        weights: of the posterior at the nodes, in any unit. Shape ``(nodes,)``, at least 6.
        first: the first node, logits; ``spacing``: distance of the nodes, logits.
        stream: the person's, see :class:`Draws`.
        values: filled, logits. Shape ``(draws,)``.
    """
    n = weights.size
    top = 0.0
    for k in range(n):
        top = max(top, weights[k])
    begin, end = 0, n - 1
    while weights[begin + 1] <= NEGLIGIBLE * top:
        begin += 1
    while weights[end - 1] <= NEGLIGIBLE * top:
        end -= 1
    heights = np.empty((end - begin) * 2 * PARTS + 1)
    floor = math.log(top) - DEEPEST
    log = np.empty(n)
    for k in range(n):
        log[k] = max(math.log(weights[k]) if weights[k] > 0.0 else floor, floor)
    for cell in range(begin, end):
        base = min(max(cell - 2, 0), n - POINTS)
        heights[(cell - begin) * 2 * PARTS] = weights[cell]
        for part in range(1, 2 * PARTS):
            total = 0.0
            for k in range(POINTS):
                total += LAGRANGE[cell - base, part, k] * log[base + k]
            total = min(
                max(total, min(log[cell], log[cell + 1]) - OVERSHOOT), max(log[cell], log[cell + 1]) + OVERSHOOT
            )
            heights[(cell - begin) * 2 * PARTS + part] = math.exp(total)
    heights[-1] = weights[end]
    area = np.empty((heights.size - 1) // 2 + 1)
    area[0] = 0.0
    for part in range(area.size - 1):
        area[part + 1] = area[part] + (heights[2 * part] + 4.0 * heights[2 * part + 1] + heights[2 * part + 2]) / 6.0
    for draw in range(values.size):
        wanted = random.uniform(stream[0], random.PLAUSIBLE, stream[1], draw) * area[-1]
        part = min(max(np.searchsorted(area, wanted) - 1, 0), area.size - 2)
        inside = _invert(heights[2 * part : 2 * part + 3], wanted - area[part])
        values[draw] = first + spacing * (begin + (part + inside) / PARTS)


@jit(error_model="numpy")
def _invert(heights: Any, wanted: float) -> float:
    """Where the area under a parabola through three heights, at 0, ½ and 1, reaches what is wanted."""
    rise = -3.0 * heights[0] + 4.0 * heights[1] - heights[2]
    bend = 2.0 * heights[0] - 4.0 * heights[1] + 2.0 * heights[2]
    low, high, at = 0.0, 1.0, 0.5
    for _ in range(40):
        short = wanted - at * (heights[0] + at * (rise / 2.0 + at * bend / 3.0))
        if short > 0.0:
            low = at
        else:
            high = at
        slope = heights[0] + at * (rise + at * bend)
        following = at + short / slope if slope > 0.0 else 0.5 * (low + high)
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - at) < 1e-12:
            break
        at = following
    return at

"""Posterior means and SDs at volume, in single precision, on nodes that the posteriors were asked for.

Log likelihoods are summed at every second node only. In between they are interpolated: they are smooth on the scale of
the items' slopes, which does not change with the number of answers. Equally spaced sums of a smooth bell are exact
as soon as the nodes are one SD apart (Trefethen & Weideman, 2014). Whose posterior turns out narrower than that, or
reaches an end of the nodes, is left to be integrated more carefully.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.lanes import LANES, add_rows
from issmp_calibration.scoring.answers import Answers
from issmp_calibration.scoring.plausible import Draws, draw_values
from issmp_calibration.scoring.priors import Prior
from issmp_calibration.scoring.tables import aligned, log_chances
from issmp_calibration.scoring.vectors import SIDE, TAPS, blend, weigh
from issmp_cat.arrays import Floats, Ints
from issmp_cat.compiled import jit
from issmp_cat.irt import Parameters

__all__ = ["gridded", "halfway", "in_chunks", "node_count"]

REACH = 5.5  # population SDs to each side
CHUNK = 4096  # persons to a task
SEGMENT = 160  # answers summed in single precision: rounding then moves no mean by more than 5e-6
RUN = 256  # persons whose sums are kept at once: small enough for the processor's cache
COARSEST = 1.15  # spacing at most, in posterior SDs: sums are then exact to 1e-5 SDs
TOLERANCE = 2e-6  # population SDs: what lies beyond the ends may add to a mean or an SD
ROUGH = 3e-5  # log units: what interpolation may do to a person's log likelihood
NOTHING = 1e-13  # share of the posterior at an end that needs no second look
OUTER = 2  # places at each end where interpolation is poor,
SHARE = 1e-5  # and the most of a posterior's mass that a node there may have
MOST_PANELS = 16


@jit(error_model="numpy")
def _sum_up(
    tables: Any, taps: Any, density: Any, offset: Any, middle: float, spacing: float, tolerance: float, codes: Any,
    start: Any, mean: Any, sd: Any, pattern: Any, moments: Any, stream: Any, draws: Any,
) -> None:  # fmt: skip
    """Moments of the persons of one chunk, NaN for those it does not serve; and their draws."""
    half = tables.shape[0] * LANES
    total = np.zeros((RUN, half + TAPS), np.float32)
    exact, part = np.empty((RUN, half)), np.empty(LANES, np.float32)
    weights, ordered, sums = np.empty(2 * half, np.float32), np.empty(2 * half - 1, np.float32), np.empty(3)
    for begin in range(0, moments.shape[0], RUN):
        end = min(begin + RUN, moments.shape[0])
        _gather(tables, codes, start[begin : end + 1], exact, part, total)
        for person in range(begin, end):
            moments[person, 0] = moments[person, 1] = math.nan
            if start[person + 1] == start[person]:
                continue
            weights[:half] = total[person - begin, SIDE - 1 : SIDE - 1 + half]
            blend(total[person - begin], taps, weights[half:], tables.shape[0])
            pull = spacing / (sd[person] * sd[person])
            lift, bend = np.float32((mean[person] - middle) * pull), np.float32(-0.5 * spacing * pull)
            weigh(weights, density[pattern[person]], offset, lift, bend, 2 * tables.shape[0], sums)
            first = sums[1] / sums[0]
            width = math.sqrt(max(sums[2] / sums[0] - first * first, 0.0))
            reach = offset[half - 1] - abs(first)
            left = _tail(weights[0], weights[1], sums[0], reach, width)
            right = _tail(weights[half - 1], weights[half - 2], sums[0], reach, width)
            outside = max(weights[OUTER], weights[half - 1 - OUTER]) > SHARE * sums[0]
            if width * COARSEST >= 1.0 and (left + right) * spacing <= tolerance and not outside:
                moments[person, 0] = middle + spacing * first
                moments[person, 1] = spacing * width
                if draws.shape[1] > 0:
                    ordered[::2], ordered[1::2] = weights[:half], weights[half : 2 * half - 1]
                    draw_values(ordered, middle + spacing * offset[0], spacing, stream[person], draws[person])


@jit(error_model="numpy")
def _gather(tables: Any, codes: Any, start: Any, exact: Any, part: Any, total: Any) -> None:
    """Log likelihoods of some persons, up to a constant, in ``total`` with room on both sides; ``exact``: workspace."""
    persons, half = start.size - 1, tables.shape[0] * LANES
    for panel in range(tables.shape[0]):
        for person in range(persons):
            first, last = start[person], start[person + 1]
            if last - first <= SEGMENT:
                add_rows(total[person, SIDE - 1 + panel * LANES :], tables[panel], codes, first, last)
            else:
                _add_many(exact[person, panel * LANES :], part, tables[panel], codes, first, last)
    for person in range(persons):
        if start[person + 1] - start[person] > SEGMENT:
            peak = exact[person].max()
            for k in range(half):
                total[person, SIDE - 1 + k] = exact[person, k] - peak


@jit(error_model="numpy")
def _add_many(total: Any, part: Any, table: Any, codes: Any, first: int, last: int) -> None:
    """Sums of many answers: in single precision of some at a time, those in double."""
    total[:LANES] = 0.0
    for begin in range(first, last, SEGMENT):
        add_rows(part, table, codes, begin, min(begin + SEGMENT, last))
        for lane in range(LANES):
            total[lane] += part[lane]


@jit(error_model="numpy")
def _tail(edge: float, inner: float, mass: float, distance: float, sd: float) -> float:
    """What the nodes beyond an end would add to mean or SD, in spacings, if they fall as the last two.

    Those two are two spacings apart.
    """
    if edge < NOTHING * mass:
        return 0.0
    if not edge < 0.9 * inner:
        return math.inf
    ratio = math.sqrt(edge / inner)
    beyond = edge * ratio / (1.0 - ratio) / mass
    return beyond * distance * max(1.0, 0.5 * distance / sd)


def node_count(narrowest: float, answers: Answers, prior: Prior) -> int:
    """How many nodes to sum at, a multiple of 16, so that interpolation is exact and posteriors as narrow are held.

    Args:
        narrowest: posterior SD, logits.
        answers: what counts.
        prior: of each person.
    """
    low, high = prior.span(REACH)
    longest = int(np.diff(answers.start).max(initial=0))
    for count in range(2 * LANES, MOST_PANELS * LANES + 1, LANES):
        spacing = (high - low) / (2 * count - 2)
        if spacing <= COARSEST * narrowest and longest * _roughness(low, high, count, answers.parameters) <= ROUGH:
            return count
    return MOST_PANELS * LANES


def _roughness(low: float, high: float, count: int, parameters: Parameters) -> float:
    """What interpolation does to the log chance of an answer, averaged over the answers where it is worst."""
    table = log_chances(np.linspace(low, high, 2 * count - 1), parameters)
    known = np.pad(table[:, ::2], ((0, 0), (SIDE - 1, SIDE)))
    found = sum(factors * known[:, tap : tap + count] for tap, factors in enumerate(halfway(count)))
    return float(np.abs(found[:, :-1] - table[:, 1::2]).mean(axis=0)[OUTER:-OUTER].max())


def halfway(count: int) -> Floats:
    """Factors by which values at equally spaced nodes give those halfway to each one's right neighbour.

    Lagrange's polynomial through six nodes on each side, near an end through as many as there are; none for the last.

    Returns:
        Shape ``(12, count)``: row t goes with the node 5 − t places to the left.

    >>> halfway(32)[4:8, 1].round(4)
    array([-0.0625,  0.5625,  0.5625, -0.0625])
    """
    factors = np.zeros((TAPS, count))
    node = np.arange(count)
    sides = np.minimum(np.minimum(node + 1, count - 1 - node), SIDE)
    for side in range(1, SIDE + 1):
        points = np.arange(1 - side, side + 1) - 0.5
        own = [math.prod(other / (other - point) for other in points if other != point) for point in points]
        factors[SIDE - side : SIDE + side, sides == side] = np.array(own)[:, None]
    return factors


def gridded(
    answers: Answers, prior: Prior, count: int, moments: Floats, draws: Draws, executor: Executor | None
) -> None:
    """Mean and SD of each person's posterior, NaN where these nodes do not serve.

    Args:
        answers: what counts.
        prior: of each person.
        count: nodes to sum at, see :func:`node_count`; as many less one are interpolated.
        moments: filled. Shape ``(persons, 2)``.
        draws: plausible values, filled where the nodes serve.
        executor: threads; they do not change the result.
    """
    low, high = prior.span(REACH)
    nodes = np.linspace(low, high, 2 * count - 1)
    spacing, middle = nodes[1] - nodes[0], 0.5 * (low + high)
    table = log_chances(nodes[::2], answers.parameters)
    table -= table.mean(axis=1, keepdims=True)
    tables = aligned((count // LANES, len(table), LANES), np.float32)
    for panel, part in enumerate(tables):
        part[:] = table[:, panel * LANES : (panel + 1) * LANES]
    tables = tables.reshape(len(tables), -1)
    taps = halfway(count).astype(np.float32).ravel()
    offset = _halves(np.arange(2 * count, dtype=np.float64) - (count - 1))
    density = _halves(_relative(prior.log_density(nodes)))
    tolerance = TOLERANCE * float(prior.moments[:, 1].min())

    def work(mine: slice, start: Ints) -> None:
        _sum_up(
            tables, taps, density, offset, middle, spacing, tolerance, answers.codes, start, prior.mean[mine],
            prior.sd[mine], prior.pattern[mine], moments[mine], draws.stream[mine], draws.values[mine],
        )  # fmt: skip

    in_chunks(work, answers.start, executor)


def _relative(density: Floats) -> Floats:
    """Log densities by group, the highest of each 0, none −∞; one node more, that nobody is at."""
    top = np.maximum(density - density.max(axis=1, keepdims=True), -1e4)
    return np.pad(top, ((0, 0), (0, 1)), constant_values=-1e4)


def _halves(values: Floats) -> NDArray[np.float32]:
    """Numbers at all nodes in the kernel's order: first those summed at, then those between."""
    return np.concatenate([values[..., ::2], values[..., 1::2]], axis=-1).astype(np.float32)


def in_chunks(work: Callable[[slice, Ints], None], start: Ints, executor: Executor | None) -> None:
    """Call ``work`` with each chunk of persons and the offsets of their answers."""

    def one(first: int) -> None:
        last = min(first + CHUNK, len(start) - 1)
        work(slice(first, last), start[first : last + 1])

    run: Callable[..., Any] = map if executor is None else executor.map
    for _ in run(one, range(0, len(start) - 1, CHUNK)):
        pass

"""Abilities of many persons at once, with item parameters known."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.estep import cut_out, posterior
from issmp_calibration.mml.lanes import LANES, add_rows
from issmp_cat.ability import maximum
from issmp_cat.ability.maximum import MAP, WLE, score_terms
from issmp_cat.arrays import Floats, Ints
from issmp_cat.compiled import compile_kernels, jit
from issmp_cat.exam.kernels import kernels
from issmp_cat.irt import Parameters, answer_terms

__all__ = ["highest_points", "posterior_means"]

CHUNK = 8192  # persons to a task
CELLS = 64  # the search looks at 65 abilities before it closes in on one, as a single session's does
STEPS = 60
PRECISE = 1e-12

compile_kernels(*kernels("issmp_cat.irt.curves", "issmp_cat.irt.categories"), maximum.score_terms)


@jit(error_model="numpy")
def _gather(table: Any, codes: Any, start: Any, total: Any) -> None:
    """Sums of the rows of each person's answers. ``table`` (codes × lanes), ``total`` (persons × lanes)."""
    panel = np.empty(table.shape[0] * LANES, table.dtype)
    for row in range(0, table.shape[1], LANES):
        cut_out(table, row, panel)
        for person in range(total.shape[0]):
            add_rows(total[person, row:], panel, codes, start[person], start[person + 1])


@jit(error_model="numpy")
def _means(table: Any, log_density: Any, nodes: Any, codes: Any, start: Any, moments: Any) -> None:
    total = np.empty((moments.shape[0], nodes.size), table.dtype)
    _gather(table, codes, start, total)
    for person in range(moments.shape[0]):
        posterior(total[person], log_density, nodes, moments[person])


def posterior_means(
    start: Ints,
    codes: NDArray[Any],
    table: NDArray[Any],
    log_density: NDArray[Any],
    nodes: Floats,
    executor: Executor | None,
) -> Floats:
    """Mean and SD of each person's posterior (Bock & Mislevy, 1982). Shape ``(persons, 2)``.

    Args:
        start: offsets of each person's answers; ``codes``: rows of the table.
        table: log probability of each code at each node, float32 or float64. Shape ``(codes, nodes)``.
        log_density: log weight of each node, of the same kind; ``nodes``: abilities. Shape ``(nodes,)``.
        executor: threads; they do not change the result.
    """
    moments = np.empty((len(start) - 1, 2))

    def work(first: int) -> None:
        last = min(first + CHUNK, len(moments))
        _means(table, log_density, nodes, codes, start[first : last + 1], moments[first:last])

    _for_each(work, len(moments), executor)
    return moments


@jit(allocates=False, error_model="numpy")
def _slope_at(method: int, theta: float, mean: float, sd: float, terms: Any) -> float:
    """What must vanish at the maximum: the score function, the prior's pull (MAP), Warm's correction (WLE)."""
    _, gradient, info, j = terms
    pull: float = gradient
    if method == MAP:
        pull -= (theta - mean) / (sd * sd)
    if method == WLE and info > 0.0:
        pull += 0.5 * j / info
    return pull


@jit(allocates=False, error_model="numpy")
def _root(
    method: int,
    left: float,
    right: float,
    prior: Any,
    parameters: Any,
    items: Any,
    scores: Any,
) -> float:
    """Where the slope changes from + to − between two abilities, by scoring steps kept inside; an end if nowhere."""
    mean, sd = prior
    n = items.size
    if _slope_at(method, left, mean, sd, score_terms(left, parameters, items, scores, n)) <= 0.0:
        return left
    if _slope_at(method, right, mean, sd, score_terms(right, parameters, items, scores, n)) >= 0.0:
        return right
    theta = 0.5 * (left + right)
    for _ in range(STEPS):
        terms = score_terms(theta, parameters, items, scores, n)
        uphill = _slope_at(method, theta, mean, sd, terms)
        if uphill > 0.0:
            left = theta
        else:
            right = theta
        curvature = terms[2] + (1.0 / (sd * sd) if method == MAP else 0.0)
        step = uphill / curvature if curvature > 0.0 else 0.0
        following = theta + step
        if not left < following < right:
            following = 0.5 * (left + right)
        if abs(following - theta) < PRECISE or right - left < PRECISE:
            return following
        theta = following
    return theta


@jit(allocates=False, error_model="numpy")
def _best_cell(method: int, grid: Any, prior: Any, value: Any, info: Any, j: Any) -> int:
    """The scanned ability where likelihood, times prior or Warm's weight, is highest.

    Warm's weight has no closed form with guessing: its logarithm is integrated along the scan.
    """
    mean, sd = prior
    best, top, weight, before = 0, -math.inf, 0.0, 0.0
    for k in range(grid.size):
        if method == MAP:
            weight = -0.5 * ((grid[k] - mean) / sd) ** 2
        elif method == WLE:
            extra = 0.5 * j[k] / info[k] if info[k] > 0.0 else 0.0
            weight += 0.5 * (grid[1] - grid[0]) * (before + extra) if k > 0 else 0.0
            before = extra
        if value[k] + weight > top:
            best, top = k, value[k] + weight
    return best


@jit(allocates=False, error_model="numpy")
def _highest(
    method: int, sums: Any, grid: Any, prior: Any, parameters: Any, owner: Any, codes: Any, start: Any, answers: Any,
    found: Any,
) -> None:  # fmt: skip
    """Choose the highest point of each person's scan and close in.

    ``sums``: log likelihood, information and J by person and scanned ability; ``answers``: room for the items and
    scores of one person.
    """
    for person in range(found.shape[0]):
        best = _best_cell(method, grid, prior, sums[0, person], sums[1, person], sums[2, person])
        n = start[person + 1] - start[person]
        for answer in range(n):
            code = codes[start[person] + answer]
            answers[0, answer] = owner[code]
            answers[1, answer] = code - parameters.first[owner[code]]
        items, scores = answers[0, :n], answers[1, :n]
        left, right = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
        theta = _root(method, left, right, prior, parameters, items, scores)
        known = score_terms(theta, parameters, items, scores, n)[2]
        if method == MAP:
            known += 1.0 / (prior[1] * prior[1])
        found[person, 0] = theta
        found[person, 1] = 1.0 / math.sqrt(known) if known > 0.0 else math.inf


def highest_points(
    method: int,
    start: Ints,
    codes: NDArray[Any],
    parameters: Parameters,
    fences: tuple[float, float],
    prior: tuple[float, float],
    executor: Executor | None,
) -> Floats:
    """θ at the highest point between the fences, and its asymptotic standard error. Shape ``(persons, 2)``.

    The engine's ``maximise`` for many persons: the same scan and the same root, found in fewer steps.

    Args:
        method: 1 ML, 2 MAP, 3 WLE.
        start: offsets of each person's answers; ``codes``: ``parameters.first[item] + score``.
        parameters: the items' parameters.
        fences: lowest and highest θ admitted, logits.
        prior: mean and SD of the population (MAP only).
        executor: threads; they do not change the result.
    """
    found = np.empty((len(start) - 1, 2))
    grid = np.linspace(*fences, CELLS + 1)
    owner = np.repeat(np.arange(len(parameters.a)), np.diff(parameters.first))
    tables = np.zeros((3, len(owner), -(-len(grid) // LANES) * LANES))
    _tabulate(tables, grid, parameters, owner)

    def work(first: int) -> None:
        last = min(first + CHUNK, len(found))
        mine = start[first : last + 1]
        sums = np.zeros((3, last - first, tables.shape[2]))
        for kind in range(3 if method == WLE else 1):
            _gather(tables[kind], codes, mine, sums[kind])
        answers = np.empty((2, int(np.diff(mine).max())), dtype=np.int64)
        _highest(method, sums, grid, prior, parameters, owner, codes, mine, answers, found[first:last])

    _for_each(work, len(found), executor)
    return found


@jit(error_model="numpy")
def _tabulate(tables: Any, grid: Any, parameters: Any, owner: Any) -> None:
    """Log probability, information and Warm's J of each row at the scanned abilities. Shape ``(3, rows, lanes)``."""
    for row in range(owner.size):
        item = owner[row]
        for k in range(grid.size):
            log_chance, _, info, j = answer_terms(parameters, item, row - parameters.first[item], grid[k])
            tables[0, row, k] = log_chance
            tables[1, row, k] = info
            tables[2, row, k] = j


def _for_each(work: Callable[[int], None], n: int, executor: Executor | None) -> None:
    run: Callable[..., Any] = map if executor is None else executor.map
    for _ in run(work, range(0, n, CHUNK)):
        pass

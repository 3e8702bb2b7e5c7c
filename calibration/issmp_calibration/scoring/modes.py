"""Highest points of many likelihoods or posteriors, with item parameters known."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from typing import Any

import numpy as np

from issmp_calibration.mml.lanes import LANES, add_rows
from issmp_calibration.scoring.answers import Answers
from issmp_calibration.scoring.gridded import in_chunks
from issmp_calibration.scoring.priors import Prior
from issmp_calibration.scoring.tables import panels
from issmp_cat.ability import maximum
from issmp_cat.ability.maximum import MAP, WLE, score_terms
from issmp_cat.arrays import Floats, Ints
from issmp_cat.compiled import compile_kernels, jit
from issmp_cat.errors import UsageError
from issmp_cat.exam.kernels import kernels
from issmp_cat.irt import answer_terms

__all__ = ["highest_points"]

CELLS = 64  # the search looks at 65 abilities before it closes in on one, as a single session's does
STEPS = 60
PRECISE = 1e-12

compile_kernels(*kernels("issmp_cat.irt.curves", "issmp_cat.irt.categories"), maximum.score_terms)


@jit(error_model="numpy")
def _gather(tables: Any, codes: Any, start: Any, total: Any) -> None:
    """Sums of the rows of each person's answers. ``tables``: panels of 16 abilities. ``total``: persons × abilities."""
    for panel in range(tables.shape[0]):
        for person in range(total.shape[0]):
            add_rows(total[person, panel * LANES :], tables[panel], codes, start[person], start[person + 1])


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
    method: int, sums: Any, grid: Any, mean: Any, sd: Any, parameters: Any, owner: Any, codes: Any, start: Any,
    answers: Any, found: Any,
) -> None:  # fmt: skip
    """Choose the highest point of each person's scan and close in.

    ``sums``: log likelihood, information and J by person and scanned ability; ``answers``: room for the items and
    scores of one person.
    """
    for person in range(found.shape[0]):
        if start[person + 1] == start[person]:
            found[person, 0] = found[person, 1] = math.nan
            continue
        prior = (mean[person], sd[person])
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
    method: int, answers: Answers, prior: Prior, fences: tuple[float, float], executor: Executor | None
) -> Floats:
    """θ at the highest point between the fences, and its asymptotic standard error; NaN without answers.

    The engine's ``maximise`` for many persons: the same scan and the same root, found in fewer steps.

    Args:
        method: 1 ML, 2 MAP, 3 WLE.
        answers: what counts.
        prior: of each person, normal (MAP only).
        fences: lowest and highest θ admitted, logits.
        executor: threads; they do not change the result.

    Returns:
        Shape ``(persons, 2)``.

    Raises:
        UsageError: MAP under a prior that is not normal.
    """
    if method == MAP and not prior.normal:
        raise UsageError("map takes normal priors only; eap takes any")
    parameters = answers.parameters
    found = np.empty((answers.n_persons, 2))
    grid = np.linspace(*fences, CELLS + 1)
    owner = np.repeat(np.arange(len(parameters.a)), np.diff(parameters.first))
    tables = np.zeros((3, len(owner), len(grid)))
    _tabulate(tables, grid, parameters, owner)
    looks = [panels(table) for table in tables[: 3 if method == WLE else 1]]

    def work(mine: slice, start: Ints) -> None:
        sums = np.empty((3, len(start) - 1, looks[0].shape[0] * LANES))
        for total, look in zip(sums, looks, strict=False):
            _gather(look, answers.codes, start, total)
        room = np.empty((2, int(np.diff(start).max())), dtype=np.int64)
        _highest(
            method, sums, grid, prior.mean[mine], prior.sd[mine], parameters, owner, answers.codes, start, room,
            found[mine],
        )  # fmt: skip

    in_chunks(work, answers.start, executor)
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

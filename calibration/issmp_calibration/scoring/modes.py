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
POINTS = 12  # scanned abilities through which a polynomial goes
BINOMIAL = np.array([(-1) ** k * math.comb(POINTS - 1, k) for k in range(POINTS)], dtype=np.float64)
ROUGHLY = 1e-9  # steps of the scan
SETTLED = 1e-8  # logits: a step so short ends where rounding does

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
def _through_scan(uphill: Any, first: int, at: float) -> float:
    """The slope between scanned abilities, by the polynomial through twelve of them; ``at``: in steps of the scan.

    The barycentric formula (Berrut & Trefethen, 2004, eq. 4.2).
    """
    above, below = 0.0, 0.0
    for k in range(POINTS):
        away = at - (first + k)
        if away == 0.0:
            return float(uphill[first + k])
        weight = BINOMIAL[k] / away
        above += weight * uphill[first + k]
        below += weight
    return above / below


@jit(allocates=False, error_model="numpy")
def _between(uphill: Any, first: int, left: float, right: float) -> float:
    """Where that polynomial vanishes between two places where it is + and −: regula falsi (Illinois)."""
    low, high = _through_scan(uphill, first, left), _through_scan(uphill, first, right)
    at = 0.5 * (left + right)
    for _ in range(STEPS):
        before, at = at, (left * high - right * low) / (high - low)
        here = _through_scan(uphill, first, at)
        if abs(at - before) < ROUGHLY:
            break
        if here > 0.0:
            left, low, high = at, here, 0.5 * high
        else:
            right, high, low = at, here, 0.5 * low
    return at


@jit(allocates=False, error_model="numpy")
def _root(
    method: int, best: int, uphill: Any, grid: Any, prior: Any, parameters: Any, items: Any, scores: Any,
) -> tuple[float, float]:  # fmt: skip
    """Where the slope changes from + to − beside the best scanned ability, and the information there.

    An end if it does not change. The slopes at the scanned abilities say where to an error of 1e-7 or so; the slope
    computed there, and once more if need be, takes that to rounding. Steps are kept inside what is known to hold it.
    """
    mean, sd = prior
    last = grid.size - 1
    one, two = max(best - 1, 0), min(best + 1, last)
    left, right, cell = grid[one], grid[two], grid[1] - grid[0]
    theta, slope = left, 0.0
    inside = uphill[one] > 0.0 and uphill[two] < 0.0
    if inside:
        first = min(max(best - POINTS // 2, 0), last + 1 - POINTS)
        at = _between(uphill, first, float(one), float(two))
        theta = grid[0] + cell * at
        slope = (_through_scan(uphill, first, at + 0.05) - _through_scan(uphill, first, at - 0.05)) / (0.1 * cell)
    elif uphill[one] > 0.0:
        theta = right
    known, before, there = 0.0, theta, 0.0
    for turn in range(STEPS):
        terms = score_terms(theta, parameters, items, scores, items.size)
        known = terms[2]
        if not inside:
            break
        here = _slope_at(method, theta, mean, sd, terms)
        if here > 0.0:
            left = theta
        else:
            right = theta
        if turn > 0 and theta != before:
            slope = (here - there) / (theta - before)
        before, there = theta, here
        following = theta - here / slope if slope < 0.0 else 0.5 * (left + right)
        if not left <= following <= right:
            following = 0.5 * (left + right)
        theta = following
        if abs(following - before) < SETTLED:
            break
    return theta, known


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
    answers: Any, uphill: Any, found: Any,
) -> None:  # fmt: skip
    """Choose the highest point of each person's scan and close in.

    ``sums``: log likelihood, its slope, information and J by person and scanned ability; ``answers``: room for the
    items and scores of one person; ``uphill``: room for the slopes of what is maximised.
    """
    for person in range(found.shape[0]):
        if start[person + 1] == start[person]:
            found[person, 0] = found[person, 1] = math.nan
            continue
        prior = (mean[person], sd[person])
        info, j = sums[2 % sums.shape[0], person], sums[3 % sums.shape[0], person]
        best = _best_cell(method, grid, prior, sums[0, person], info, j)
        for k in range(grid.size):
            uphill[k] = _slope_at(method, grid[k], prior[0], prior[1], (0.0, sums[1, person, k], info[k], j[k]))
        n = start[person + 1] - start[person]
        for answer in range(n):
            code = codes[start[person] + answer]
            answers[0, answer] = owner[code]
            answers[1, answer] = code - parameters.first[owner[code]]
        theta, known = _root(method, best, uphill, grid, prior, parameters, answers[0, :n], answers[1, :n])
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
    tables = np.zeros((4, len(owner), len(grid)))
    _tabulate(tables, grid, parameters, owner)
    looks = [panels(table) for table in tables[: 4 if method == WLE else 2]]

    def work(mine: slice, start: Ints) -> None:
        sums = np.empty((len(looks), len(start) - 1, looks[0].shape[0] * LANES))
        for total, look in zip(sums, looks, strict=True):
            _gather(look, answers.codes, start, total)
        room = np.empty((2, int(np.diff(start).max())), dtype=np.int64)
        _highest(
            method, sums, grid, prior.mean[mine], prior.sd[mine], parameters, owner, answers.codes, start, room,
            np.empty(len(grid)), found[mine],
        )  # fmt: skip

    in_chunks(work, answers.start, executor)
    return found


@jit(error_model="numpy")
def _tabulate(tables: Any, grid: Any, parameters: Any, owner: Any) -> None:
    """Log probability, its slope, information and Warm's J of each row at the scanned abilities; the latter last."""
    for row in range(owner.size):
        item = owner[row]
        for k in range(grid.size):
            log_chance, rise, info, j = answer_terms(parameters, item, row - parameters.first[item], grid[k])
            tables[0, row, k] = log_chance
            tables[1, row, k] = rise
            tables[2, row, k] = info
            tables[3, row, k] = j

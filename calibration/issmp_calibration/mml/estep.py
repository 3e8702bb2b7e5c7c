"""The E-step: each person's posterior on the nodes, and the answers expected at each node.

Bock, R. D., & Aitkin, M. (1981). Marginal maximum likelihood estimation of item parameters: application of an EM
algorithm. Psychometrika, 46, 443–459, eq. 14–16.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.blocks import Blocks, Rows, fold_patterns, tabulate_patterns
from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.lanes import LANES, add_row, add_rows, spread_row
from issmp_calibration.mml.sources.source import Answers, Expectation, Request
from issmp_calibration.mml.weights import posterior, tilted_posterior
from issmp_calibration.mml.windows import REACH, RUN, Windows
from issmp_cat.arrays import Floats, Ints
from issmp_cat.compiled import jit

__all__ = ["Expectation", "cut_out", "expect", "expect_answers", "posterior"]

PATTERNS_RUN = 4096  # persons in a run where a table of patterns must pay
PATTERNS_STEP = 4  # windows begin at multiples of so many nodes there, or of 16 where even that would be too many
WINDOWS = 10  # about as many there will be


# Kernels get all their room from outside: numba then counts no references, which costs more than a dozen additions.
@jit(allocates=False)
def cut_out(table: Any, first: int, panel: Any) -> None:
    """Copy 16 columns of a table into one compact panel that stays in the processor's cache."""
    for code in range(table.shape[0]):
        for lane in range(LANES):
            panel[code * LANES + lane] = table[code, first + lane]


@jit(allocates=False)
def _gather(
    table: Any, rows: Any, start: Any, blocks: Any, persons: Any, first: int, width: int, panel: Any, total: Any
) -> None:
    """Log likelihood of each person at each node of their window."""
    for column in range(0, width, LANES):
        cut_out(table, first + column, panel)
        tabulate_patterns(panel, *blocks)
        for place in range(persons.size):
            person = persons[place]
            add_rows(total[place * width + column :], panel, rows, start[person], start[person + 1])


@jit(allocates=False)
def _weigh(
    total: Any,
    log_density: Any,
    nodes: Any,
    tilt: Any,
    shift: Any,
    group: Any,
    persons: Any,
    first: int,
    width: int,
    sums: Any,
    population: Any,
    moments: Any,
) -> float:
    """Posterior weights in place of log likelihoods; returns the sum of the log marginal likelihoods."""
    log_likelihood = 0.0
    here = nodes[first : first + width]
    sums[:, :] = 0.0
    for place in range(persons.size):
        person = persons[place]
        which = group[person] if group.size > 0 else 0
        mine, density = total[place * width : (place + 1) * width], log_density[which, first : first + width]
        if tilt.size > 0:
            log_likelihood += tilted_posterior(mine, density, here, tilt[person], shift[person], moments[person])
        else:
            log_likelihood += posterior(mine, density, here, moments[person])
        for column in range(0, width, LANES):
            add_row(sums[which, column:], sums[which, column:], mine[column:])
    for which in range(population.shape[0]):
        for node in range(width):
            population[which, first + node] += sums[which, node]
    return log_likelihood


@jit(allocates=False)
def _spread(
    total: Any, rows: Any, start: Any, blocks: Any, persons: Any, first: int, width: int, panel: Any, counts: Any
) -> None:
    """Add each person's weights to the counts of their answers."""
    for column in range(0, width, LANES):
        panel[:] = 0.0
        for place in range(persons.size):
            person = persons[place]
            spread_row(panel, total[place * width + column :], rows, start[person], start[person + 1])
        fold_patterns(panel, *blocks)
        for code in range(counts.shape[0]):
            for lane in range(LANES):
                counts[code, first + column + lane] += panel[code * LANES + lane]


@jit(allocates=False)
def _expect_chunk(
    table: Any,
    log_density: Any,
    nodes: Any,
    tilt: Any,
    shift: Any,
    group: Any,
    rows: Any,
    start: Any,
    blocks: Any,
    order: Any,
    runs: Any,
    panel: Any,
    total: Any,
    sums: Any,
    counts: Any,
    population: Any,
    moments: Any,
) -> float:
    """Runs of one chunk, one after the other; returns their log likelihood.

    ``panel`` (rows · 16), ``total`` (persons of the longest run · its nodes) and ``sums`` (groups, nodes) are room.
    """
    log_likelihood = 0.0
    for run in range(runs.shape[0]):
        persons, first, width = order[runs[run, 0] : runs[run, 1]], runs[run, 2], runs[run, 3] * LANES
        _gather(table, rows, start, blocks, persons, first, width, panel, total)
        log_likelihood += _weigh(
            total, log_density, nodes, tilt, shift, group, persons, first, width, sums, population, moments
        )
        _spread(total, rows, start, blocks, persons, first, width, panel, counts)
    return log_likelihood


def _windows(rows: Rows, persons: Ints, request: Request, moments: NDArray[Any]) -> Windows:
    """Which nodes each of these persons gets."""
    longest, step = RUN, 1
    if len(rows.blocks.row):  # a table of patterns must pay: few windows, many persons in each
        additions = 2 * len(rows.row) // max(len(moments), 1) * len(persons)
        longest, step = PATTERNS_RUN, PATTERNS_STEP if additions > WINDOWS * 3 * rows.blocks.n_rows else LANES
    everyone = len(persons) == len(moments)
    n_rows = len(rows.row) * len(persons) // max(len(moments), 1)
    if not request.windowed:
        windows = Windows.whole(len(persons), n_rows, request.grid, longest=longest)
    else:
        mean, sd = (moments if everyone else moments[persons]).T
        reach = REACH[request.table.dtype.itemsize]
        windows = Windows.around(mean, sd, n_rows, request.grid, reach=reach, longest=longest, step=step)
    return windows if everyone else windows.of(persons)


def expect_answers(
    answers: Answers, rows: Rows, request: Request, moments: NDArray[Any], executor: Executor | None = None
) -> Expectation:
    """Posterior of every person and expected counts of every code.

    Args:
        answers: of some persons.
        rows: the same, packed.
        request: what is asked.
        moments: mean and SD of each person's posterior in the last pass, NaN where there was none; those of this pass
            are written. In the precision of the table. Shape ``(persons, 2)``.
        executor: threads that work on chunks; the result does not depend on them.
    """
    stride = max(round(1.0 / request.share), 1)
    windows = _windows(rows, np.arange(0, answers.n_persons, stride), request, moments)
    return _summed(answers, rows, request, windows, moments, executor)


def _summed(
    answers: Answers,
    rows: Rows,
    request: Request,
    windows: Windows,
    moments: NDArray[Any],
    executor: Executor | None,
) -> Expectation:
    """Chunks worked through and added up in their order."""
    table, density = request.table, request.log_density.astype(request.table.dtype)
    if answers.pattern.size and int(answers.pattern.max()) >= len(density):
        msg = f"answers of population {int(answers.pattern.max())}, but densities of {len(density)} only"
        raise ValueError(msg)
    nothing = np.zeros(0)
    tilt, shift = (nothing, nothing) if request.regression is None else request.regression.lines(answers)
    blocks = (rows.blocks.row, rows.blocks.scores, rows.blocks.bounds, rows.blocks.begin)

    def chunk(number: int) -> tuple[Floats, Floats, float]:
        counts, population = np.zeros(table.shape), np.zeros(density.shape)
        runs = windows.runs[windows.chunks[number] : windows.chunks[number + 1]]
        panel = np.empty(rows.blocks.n_rows * LANES, table.dtype)
        total = np.empty(int(((runs[:, 1] - runs[:, 0]) * runs[:, 3]).max(initial=0)) * LANES, table.dtype)
        value = _expect_chunk(
            table, density, request.grid.nodes, tilt, shift, answers.pattern, rows.row, rows.start, blocks,
            windows.order, runs, panel, total, np.empty_like(density), counts, population, moments,
        )  # fmt: skip
        return counts, population, value

    run: Callable[..., Any] = map if executor is None else executor.map
    counts, population, log_likelihood = np.zeros(table.shape), np.zeros(density.shape), 0.0
    for part in run(chunk, range(len(windows.chunks) - 1)):
        counts += part[0]
        population += part[1]
        log_likelihood += part[2]
    scale = answers.n_persons / max(len(windows.order), 1)
    return Expectation(
        counts=counts * scale,
        population=population * scale,
        log_likelihood=log_likelihood * scale,
        mean=moments[:, 0],
        sd=moments[:, 1],
        by_covariate=scale * _by_covariate(answers, windows.order, moments, len(density)),
    )


def expect(
    codes: Codes, grid: Grid, windows: Windows, log_probabilities: NDArray[Any], executor: Executor | None = None
) -> Expectation:
    """One standard normal population, windows given: :func:`expect_answers` for those who hold all codes.

    The expectation's ``population`` has shape ``(nodes,)`` here.
    """
    answers = Answers.of(codes.start, codes.code)
    rows = Rows(answers.start, answers.code, Blocks.none(len(log_probabilities)))
    request = Request(log_probabilities, grid, grid.log_density[None])
    moments = np.full((answers.n_persons, 2), np.nan, log_probabilities.dtype)
    found = _summed(answers, rows, request, windows, moments, executor)
    return replace(found, population=found.population[0])


def _by_covariate(answers: Answers, persons: Ints, moments: NDArray[Any], n_groups: int) -> Floats:
    """Sum over these persons of covariate times posterior mean, by group."""
    sums = np.zeros((n_groups, answers.covariates.shape[1]))
    if sums.size:
        products = answers.covariates[persons] * moments[persons, :1]
        np.add.at(sums, answers.groups()[persons], products)
    return sums

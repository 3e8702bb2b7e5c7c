"""The E-step: each person's posterior on the nodes, and the answers expected at each node.

Bock, R. D., & Aitkin, M. (1981). Marginal maximum likelihood estimation of item parameters: application of an EM
algorithm. Psychometrika, 46, 443–459, eq. 14–16.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.lanes import LANES, add_rows, spread_row
from issmp_calibration.mml.windows import Windows
from issmp_cat.arrays import Floats
from issmp_cat.compiled import jit

__all__ = ["Expectation", "cut_out", "expect", "posterior"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the E-step knows.

    Attributes:
        counts: expected answers of each code at each node. Shape ``(codes, nodes)``.
        population: expected persons at each node. Shape ``(nodes,)``.
        log_likelihood: sum of the log marginal likelihoods of the persons.
        mean: posterior means, logits; ``sd``: posterior SDs. Shape ``(persons,)``.
    """

    counts: Floats
    population: Floats
    log_likelihood: float
    mean: Floats
    sd: Floats


@jit()
def cut_out(table: Any, first: int, panel: Any) -> None:
    """Copy 16 columns of a table into one compact panel that stays in the processor's cache."""
    for code in range(table.shape[0]):
        for lane in range(LANES):
            panel[code * LANES + lane] = table[code, first + lane]


@jit()
def posterior(total: Any, log_density: Any, nodes: Any, moments: Any) -> float:
    """Turn log likelihoods into posterior weights in place; returns the log marginal likelihood."""
    peak = total[0] + log_density[0]
    for node in range(total.size):
        total[node] += log_density[node]
        peak = max(peak, total[node])
    mass, first, second = 0.0, 0.0, 0.0
    for node in range(total.size):
        weight = math.exp(total[node] - peak)
        total[node] = weight
        mass += weight
        first += weight * nodes[node]
    moments[0] = first / mass
    for node in range(total.size):
        second += total[node] * (nodes[node] - moments[0]) ** 2
        total[node] /= mass
    moments[1] = math.sqrt(second / mass)
    return float(peak) + math.log(mass)


@jit()
def _expect_run(
    table: Any,
    log_density: Any,
    nodes: Any,
    codes: Any,
    start: Any,
    persons: Any,
    first: int,
    total: Any,
    panel: Any,
    counts: Any,
    population: Any,
    moments: Any,
) -> float:
    """One run of persons who share a window: gather, normalise, spread."""
    width = total.shape[1]
    for row in range(0, width, LANES):
        cut_out(table, first + row, panel)
        for place in range(persons.size):
            person = persons[place]
            add_rows(total[place, row:], panel, codes, start[person], start[person + 1])
    log_likelihood = 0.0
    for place in range(persons.size):
        log_likelihood += posterior(
            total[place], log_density[first : first + width], nodes[first : first + width], moments[persons[place]]
        )
        for node in range(width):
            population[first + node] += total[place, node]
    for row in range(0, width, LANES):
        panel[:] = 0
        for place in range(persons.size):
            person = persons[place]
            spread_row(panel, total[place, row:], codes, start[person], start[person + 1])
        for code in range(table.shape[0]):
            for lane in range(LANES):
                counts[code, first + row + lane] += panel[code * LANES + lane]
    return log_likelihood


@jit()
def _expect_chunk(
    table: Any,
    log_density: Any,
    nodes: Any,
    codes: Any,
    start: Any,
    order: Any,
    runs: Any,
    counts: Any,
    population: Any,
    moments: Any,
) -> float:
    """Runs of one chunk, one after the other; returns their log likelihood."""
    panel = np.empty(table.shape[0] * LANES, table.dtype)
    log_likelihood = 0.0
    for run in range(runs.shape[0]):
        begin, end, first, rows = runs[run, 0], runs[run, 1], runs[run, 2], runs[run, 3]
        total = np.empty((end - begin, rows * LANES), table.dtype)
        log_likelihood += _expect_run(
            table, log_density, nodes, codes, start, order[begin:end], first, total, panel, counts, population, moments
        )
    return log_likelihood


def expect(
    codes: Codes,
    grid: Grid,
    windows: Windows,
    log_probabilities: NDArray[Any],
    executor: Executor | None = None,
) -> Expectation:
    """Posterior of every person and expected counts of every code.

    Args:
        codes: the answers.
        grid: the nodes.
        windows: which of them each person needs.
        log_probabilities: of each code at each node, float32 or float64, which is what the kernel then works in.
            Shape ``(codes, nodes)``.
        executor: threads that work on chunks; the result does not depend on them.
    """
    kind = log_probabilities.dtype
    density, nodes = grid.log_density.astype(kind), grid.nodes
    moments = np.empty((codes.n_persons, 2))

    def chunk(number: int) -> tuple[Floats, Floats, float]:
        counts, population = np.zeros(log_probabilities.shape), np.zeros(len(nodes))
        runs = windows.runs[windows.chunks[number] : windows.chunks[number + 1]]
        value = _expect_chunk(
            log_probabilities,
            density,
            nodes,
            codes.code,
            codes.start,
            windows.order,
            runs,
            counts,
            population,
            moments,
        )
        return counts, population, value

    run: Callable[..., Any] = map if executor is None else executor.map
    numbers = range(len(windows.chunks) - 1)
    counts, population, log_likelihood = np.zeros(log_probabilities.shape), np.zeros(len(nodes)), 0.0
    for part in run(chunk, numbers):
        counts += part[0]
        population += part[1]
        log_likelihood += part[2]
    return Expectation(counts, population, log_likelihood, moments[:, 0], moments[:, 1])

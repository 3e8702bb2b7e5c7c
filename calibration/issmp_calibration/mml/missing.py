"""Sums over persons of products of scores: what the answers leave open about abilities, and the cross-product.

Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. Journal of the Royal
Statistical Society B, 44, 226–233, eq. 3.2: the missing part is the posterior covariance of each person's
complete-data score, summed over persons. The cross-product is the sum of the products of its posterior means.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.cells import Cells
from issmp_calibration.mml.lanes import LANES
from issmp_calibration.mml.pairs import Dense, Sparse
from issmp_calibration.mml.projection import MEAN, NODES, POLYNOMIALS, directions, project, project_population, weigh
from issmp_calibration.mml.sources.source import Answers
from issmp_calibration.mml.windows import Windows
from issmp_cat.arrays import Floats, Ints
from issmp_cat.compiled import jit

__all__ = ["Scored", "cross_product", "missing_information"]

DENSE = 0.3  # share of all person–item pairs answered from which multiplying whole matrices is cheaper
ORDERS = 4  # components that are multiplied and summed at a time
MOST_ORDERS = 24


@dataclass(frozen=True, slots=True)
class Scored:
    """What is needed to rebuild every person's posterior, and the scores under it.

    Attributes:
        nodes: abilities. Shape ``(nodes,)``.
        table: log probability of each code at each node, in the precision to work in. Shape ``(codes, nodes)``.
        log_density: log weight of each node in each group. Shape ``(groups, nodes)``.
        coefficients: of the covariates, logits; none without a regression. Shape ``(covariates,)``.
        sd: of each group, logits. Shape ``(groups,)``.
        cells: which parameters are wanted.
        first: row of score 0 of each item in ``table``. Shape ``(items + 1,)``.
        scores: derivative of the log probability, see :meth:`Cells.table`. Shape ``(width, rows, nodes)``.
        population: derivative of the log density by the mean and by the logarithm of the SD of each group. Shape
            ``(2, groups, nodes)``.
        exact: take every node as a component, whatever it costs.
        windowed: leave out nodes far from each person's posterior.
    """

    nodes: Floats
    table: NDArray[Any]
    log_density: NDArray[Any]
    coefficients: Floats
    sd: Floats
    cells: Cells
    first: Ints
    scores: NDArray[Any]
    population: NDArray[Any]
    exact: bool
    windowed: bool

    def persons(self, answers: Answers) -> tuple[NDArray[Any], Floats, Floats, Floats]:
        """Group of each person, and by how much the log density differs from that of the group: e, tilt, shift."""
        group = answers.groups()
        away = answers.covariates @ self.coefficients if len(self.coefficients) else np.zeros(answers.n_persons)
        tilt = away / np.square(self.sd[group])
        # The constant only moves the likelihood, which is not asked for here.
        return group, away, tilt, np.zeros_like(tilt)


@jit()
def _expand(
    start: Any, code: Any, persons: Any, group: Any, row_first: Any, block_of: Any, population: Any, rows: Any,
    blocks: Any, begin: Any, answered: Any, ends: Any,
) -> int:  # fmt: skip
    """Write a row and a block for each block of each answer of some persons, then their population's.

    Blocks are in rising order; returns how many there are.
    """
    written = 0
    for place in range(persons.size):
        person = persons[place]
        begin[place] = written
        rising = True
        for answer in range(start[person], start[person + 1]):
            for row in range(row_first[code[answer]], row_first[code[answer] + 1]):
                rows[written] = row
                rising = rising and (written == begin[place] or rows[written - 1] < row)
                written += 1
        if not rising:
            rows[begin[place] : written].sort()
        answered[place] = written - begin[place]
        for entry in range(begin[place], written):
            blocks[entry] = block_of[rows[entry]]
        for block in range(population[group[person]], population[group[person] + 1]):
            rows[written], blocks[written] = 0, block
            written += 1
        ends[begin[place] : written] = written
    begin[persons.size] = written
    return written


@jit()
def _add_squares(blocks: Any, parts: Any, order: int, squares: Any) -> None:
    for entry in range(blocks.size):
        for cell in range(squares.shape[1]):
            squares[blocks[entry], cell] += parts[entry, order, cell] ** 2


class _Pass:
    """One pass over some answers, on a fixed set of components."""

    def __init__(self, answers: Answers, scored: Scored, what: int, orders: int) -> None:
        self.answers, self.scored, self.what, self.orders = answers, scored, what, orders
        self.row_first, self.block_of = scored.cells.rows(scored.first), scored.cells.block_of(scored.first)
        self.most = int(np.diff(self.row_first).max(initial=0))
        self.extra = int(np.diff(scored.cells.population).max(initial=0))
        self.group, self.away, self.tilt, self.shift = scored.persons(answers)

    def components(self, run: NDArray[np.int64], persons: Ints, skip: int) -> tuple[Any, Any, Any, Any]:
        """Begin of each person's entries, the block of each entry, where its person's end, and its components."""
        scored, answers = self.scored, self.answers
        first, width = int(run[2]), int(run[3]) * LANES
        n_answers = int((answers.start[persons + 1] - answers.start[persons]).sum())
        room = n_answers * self.most + len(persons) * self.extra
        rows, ends = np.empty(room, np.uint32), np.empty(room, np.int64)
        blocks = np.empty(room, np.uint16 if scored.cells.n_blocks <= np.iinfo(np.uint16).max else np.uint32)
        begin, answered = np.empty(len(persons) + 1, np.int64), np.empty(len(persons), np.int64)
        written = _expand(
            answers.start, answers.code, persons, self.group, self.row_first, self.block_of, scored.cells.population,
            rows, blocks, begin, answered, ends,
        )  # fmt: skip
        kind = scored.table.dtype
        weights, moments = np.empty((len(persons), width), kind), np.empty((len(persons), 2))
        panel = np.empty(max(len(scored.table), len(self.block_of)) * LANES, kind)
        weigh(
            scored.table, scored.log_density, self.group, self.tilt, self.shift, scored.nodes, answers.code,
            answers.start, persons, first, panel, weights, moments,
        )  # fmt: skip
        along = np.empty((len(persons), self.orders, width), kind)
        directions(weights, moments, scored.nodes[first : first + width], self.what, skip, along)
        parts = np.zeros((written, self.orders, scored.cells.width), kind)
        project(scored.scores, first, along, rows, begin, answered, panel, parts)
        project_population(
            scored.population[0], scored.population[1], first, along, self.what, persons, self.group,
            answers.covariates, self.away, scored.sd, begin, answered, parts,
        )  # fmt: skip
        return begin, blocks[:written], ends[:written], parts

    def add_to(self, sums: Dense | Sparse, windows: Windows, skip: int) -> Floats:
        """Add the products of all persons; returns the squares of the last order by block and cell."""
        squares = np.zeros(self.scored.cells.place.shape)
        for run in windows.runs:
            persons = windows.order[run[0] : run[1]]
            begin, blocks, ends, parts = self.components(run, persons, skip)
            _add_squares(blocks, parts, self.orders - 1, squares)
            sums.add(begin, blocks, ends, parts)
        return squares


def _sums(answers: Answers, scored: Scored, executor: Executor | None) -> Dense | Sparse:
    n_items = len(scored.first) - 1
    dense = answers.n_answers > DENSE * answers.n_persons * n_items
    return Dense(scored.cells) if dense else Sparse(scored.cells, scored.table.dtype, executor)


def missing_information(
    answers: Answers,
    scored: Scored,
    windows: Windows,
    allowed: Floats,
    executor: Executor | None = None,
) -> tuple[Floats, int]:
    """Sum over persons of the posterior covariance of the score.

    Args:
        answers: of the persons.
        scored: their posteriors and scores.
        windows: which nodes each person needs.
        allowed: information about each parameter that the last polynomial may still take away; without meaning for an
            exact sum. Shape ``(parameters,)``.
        executor: threads; they do not change the result.

    Returns:
        The matrix, its upper triangle only, shape ``(parameters, parameters)``; and the number of components used.
    """
    sums = _sums(answers, scored, executor)
    part = _Pass(answers, scored, NODES if scored.exact else POLYNOMIALS, ORDERS)
    place = scored.cells.place
    most = len(scored.nodes) if scored.exact else MOST_ORDERS
    for skip in range(0, most, ORDERS):
        squares = part.add_to(sums, windows, skip)
        left = np.bincount(place[place >= 0], squares[place >= 0], minlength=scored.cells.size)
        if not scored.exact and (left <= allowed).all():
            break
    return sums.matrix(), skip + ORDERS


def cross_product(answers: Answers, scored: Scored, windows: Windows, executor: Executor | None = None) -> Floats:
    """Sum over persons of the products of the posterior means of the score, its upper triangle only."""
    sums = _sums(answers, scored, executor)
    _Pass(answers, scored, MEAN, 1).add_to(sums, windows, 0)
    return sums.matrix()

"""What the answers leave open about abilities, as information about items that is missing.

Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. Journal of the Royal
Statistical Society B, 44, 226–233, eq. 3.2: the missing part is the posterior covariance of each person's
complete-data score, summed over persons.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.lanes import LANES
from issmp_calibration.mml.products import ORDERS, add_products, width_for
from issmp_calibration.mml.projection import project_run
from issmp_calibration.mml.windows import Windows
from issmp_cat.arrays import Floats
from issmp_cat.compiled import jit

__all__ = ["Posterior", "missing_information"]

DENSE = 0.3  # share of all person–item pairs answered from which multiplying whole matrices is cheaper
ROW_TASKS = 8
MOST_ORDERS = 24


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is needed to rebuild every person's posterior, and the scores under it.

    Attributes:
        codes: the answers.
        windows: which nodes each person needs.
        nodes: abilities. Shape ``(nodes,)``.
        log_density: log weight of each node. Shape ``(nodes,)``.
        table: log probability of each code at each node, in the precision to work in. Shape ``(codes, nodes)``.
        scores: derivative of ``table`` by each parameter of the code's item. Shape ``(parameters, codes, nodes)``.
        exact: take every node as a component, whatever it costs.
    """

    codes: Codes
    windows: Windows
    nodes: Floats
    log_density: NDArray[Any]
    table: NDArray[Any]
    scores: NDArray[Any]
    exact: bool


@jit()
def _answers(start: Any, code: Any, owner: Any, persons: Any, items: Any, ends: Any) -> None:
    """Item of each answer of some persons, and where the answers of its person end; in the order of ``persons``."""
    written = 0
    for place in range(persons.size):
        person = persons[place]
        end = written + start[person + 1] - start[person]
        for answer in range(start[person], start[person + 1]):
            items[written] = owner[code[answer]]
            ends[written] = end
            written += 1


@jit()
def _add_squares(items: Any, parts: Any, order: int, squares: Any) -> None:
    for answer in range(items.size):
        for parameter in range(squares.shape[1]):
            squares[items[answer], parameter] += parts[answer, order, parameter] ** 2


@jit()
def _fill(items: Any, ends: Any, parts: Any, matrix: Any) -> None:
    """Components as a matrix with a row for each person and order. Shape ``(persons, orders, items · parameters)``."""
    person, parameters = 0, parts.shape[2]
    for answer in range(items.size):
        for order in range(parts.shape[1]):
            for parameter in range(parameters):
                matrix[person, order, items[answer] * parameters + parameter] = parts[answer, order, parameter]
        if answer + 1 == ends[answer]:
            person += 1


@jit()
def _add_pairs(shape: Any, by_item: Any, bounds: Any, items: Any, ends: Any, parts: Any, sums: Any) -> None:
    """Products of each answer with itself and those behind it, summed by the pair of items.

    Item after item, so that its row of sums stays in the processor's cache.
    """
    for item in range(bounds.size - 1):
        for place in range(bounds[item], bounds[item + 1]):
            answer = by_item[place]
            add_products(shape, sums[item], items, parts, answer, answer, ends[answer])


class _Dense:
    """Sums of products by whole matrices."""

    def __init__(self, n_items: int, width: int, kind: Any) -> None:
        self.kind, self.size = kind, n_items * width
        self.sums = np.zeros((self.size, self.size))

    def add(self, n_persons: int, items: NDArray[Any], ends: NDArray[Any], parts: NDArray[Any]) -> None:
        rows = np.zeros((n_persons, ORDERS, self.size), self.kind)
        _fill(items, ends, parts, rows)
        flat = rows.reshape(-1, self.size)
        self.sums += flat.T @ flat

    def matrix(self) -> Floats:
        return self.sums


class _Sparse:
    """Sums of products answer by answer; each task owns some rows, so threads do not change the result."""

    def __init__(self, n_items: int, width: int, kind: Any, executor: Executor | None) -> None:
        self.n_items, self.width = n_items, width
        self.sums = np.zeros((n_items, n_items * width * width), kind)
        self.map: Callable[..., Any] = map if executor is None else executor.map

    def add(self, n_persons: int, items: NDArray[Any], ends: NDArray[Any], parts: NDArray[Any]) -> None:
        del n_persons
        by_item = np.argsort(items, kind="stable")
        bounds = np.searchsorted(items[by_item], np.arange(self.n_items + 1))
        cuts = np.arange(ROW_TASKS + 1) * self.n_items // ROW_TASKS
        shape = (0,) * self.width

        def rows(task: int) -> None:
            first, last = cuts[task], cuts[task + 1]
            _add_pairs(shape, by_item, bounds[first : last + 1], items, ends, parts, self.sums[first:last])

        for _ in self.map(rows, range(ROW_TASKS)):
            pass

    def matrix(self) -> Floats:
        n, w = self.n_items, self.width
        half = self.sums.reshape(n, n, w, w).transpose(0, 2, 1, 3).reshape(n * w, n * w)
        full = half.astype(np.float64)
        full += half.T
        own = full.reshape(n, w, n, w)
        index = np.arange(n)
        own[index, :, index] *= 0.5  # an answer met itself once, and was doubled
        return full


def missing_information(
    posterior: Posterior, scale: Floats, tolerance: float, executor: Executor | None = None
) -> tuple[Floats, int]:
    """Sum over persons of the posterior covariance of the score.

    Args:
        posterior: of every person.
        scale: complete-data information about each parameter, against which what is left out is judged. Shape
            ``(items, parameters)``.
        tolerance: share of it that the last polynomial may still contribute; without meaning for an exact sum.
        executor: threads; they do not change the result.

    Returns:
        The matrix, items outside and parameters (filled up to 1, 2 or 4) inside, shape ``(items · width, items ·
        width)``; and the number of components used.
    """
    codes, kind = posterior.codes, posterior.table.dtype
    n_parameters = posterior.scores.shape[0]
    width = width_for(n_parameters)
    dense = len(codes.code) > DENSE * codes.n_persons * codes.n_items
    sums = _Dense(codes.n_items, width, kind) if dense else _Sparse(codes.n_items, width, kind, executor)
    most = len(posterior.nodes) if posterior.exact else MOST_ORDERS
    for skip in range(0, most, ORDERS):
        squares = np.zeros((codes.n_items, n_parameters))
        for run in posterior.windows.runs:
            _add_run(posterior, run, skip, width, sums, squares)
        if not posterior.exact and (squares <= tolerance * scale).all():
            break
    return sums.matrix(), skip + ORDERS


def _add_run(
    posterior: Posterior, run: NDArray[np.int64], skip: int, width: int, sums: _Dense | _Sparse, squares: Floats
) -> None:
    codes, (begin, end, first, rows) = posterior.codes, run
    persons = posterior.windows.order[begin:end]
    n_answers = int((codes.start[persons + 1] - codes.start[persons]).sum())
    items = np.empty(n_answers, np.uint16 if codes.n_items <= np.iinfo(np.uint16).max else np.uint32)
    ends = np.empty(n_answers, np.int64)
    _answers(codes.start, codes.code, codes.owner, persons, items, ends)
    parts = np.zeros((n_answers, ORDERS, width), posterior.table.dtype)
    project_run(
        posterior.table,
        posterior.log_density,
        posterior.nodes,
        posterior.scores,
        codes.code,
        codes.start,
        persons,
        first,
        rows * LANES,
        skip,
        posterior.exact,
        parts,
    )
    _add_squares(items, parts, ORDERS - 1, squares)
    sums.add(len(persons), items, ends, parts)

"""Sums of products of the components of every two blocks that one person has."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.cells import Cells
from issmp_calibration.mml.products import add_products
from issmp_cat.arrays import Floats
from issmp_cat.compiled import jit

__all__ = ["Dense", "Sparse"]

ROW_TASKS = 16


@jit()
def _fill(begin: Any, blocks: Any, parts: Any, place: Any, matrix: Any) -> None:
    """Components as a matrix with a row for each person and order; equal places are added up."""
    for person in range(begin.size - 1):
        for entry in range(begin[person], begin[person + 1]):
            for order in range(parts.shape[1]):
                for cell in range(parts.shape[2]):
                    there = place[blocks[entry], cell]
                    if there >= 0:
                        matrix[person, order, there] += parts[entry, order, cell]


@jit()
def _add_pairs(
    shape: Any, depth: Any, by_block: Any, bounds: Any, block: int, n_blocks: int, blocks: Any, ends: Any, parts: Any,
    sums: Any,
) -> None:  # fmt: skip
    """Products of each entry with itself and those behind it, summed by the pair of blocks.

    Block after block, so that its row of sums stays in the processor's cache. Only blocks from the own one on have a
    place there: the row of block i begins i blocks earlier than its first number.
    """
    size = parts.shape[2] * parts.shape[2]
    for own in range(bounds.size - 1):
        number = block + own
        row = sums[(number * n_blocks - number * (number - 1) // 2 - number) * size :]
        for place in range(bounds[own], bounds[own + 1]):
            entry = by_block[place]
            add_products(shape, depth, row, blocks, parts, entry, entry, ends[entry])


@jit()
def _fold(sums: Any, place: Any, matrix: Any) -> None:
    """Sums by pairs of blocks as a matrix by pairs of places, upper triangle."""
    n, width = place.shape
    row = 0
    for i in range(n):
        for p in range(width):
            a = place[i, p]
            if a < 0:
                continue
            for j in range(i, n):
                base = ((row + j - i) * width + p) * width
                for q in range(width):
                    b = place[j, q]
                    if b < 0:
                        continue
                    if i == j:
                        if a <= b:
                            matrix[a, b] += sums[base + q]
                    elif a == b:
                        matrix[a, a] += 2.0 * sums[base + q]
                    else:
                        matrix[min(a, b), max(a, b)] += sums[base + q]
        row += n - i


class Dense:
    """Sums of products by whole matrices."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.sums = np.zeros((cells.size, cells.size))

    def add(self, begin: NDArray[Any], blocks: NDArray[Any], ends: NDArray[Any], parts: NDArray[Any]) -> None:
        """Add the entries of some persons."""
        del ends
        rows = np.zeros((len(begin) - 1, parts.shape[1], self.cells.size), parts.dtype)
        _fill(begin, blocks, parts, self.cells.place, rows)
        flat = rows.reshape(-1, self.cells.size)
        self.sums += flat.T @ flat

    def matrix(self) -> Floats:
        """By pairs of places, upper triangle."""
        return np.triu(self.sums)


class Sparse:
    """Sums of products entry by entry; each task owns some rows, so threads do not change the result."""

    def __init__(self, cells: Cells, kind: Any, executor: Executor | None) -> None:
        self.cells = cells
        n = cells.n_blocks
        self.sums = np.zeros(n * (n + 1) // 2 * cells.width**2, kind)
        self.map: Callable[..., Any] = map if executor is None else executor.map
        # Rows get shorter towards the end: the same number of pairs for each task.
        shares = np.sqrt(1.0 - np.arange(ROW_TASKS + 1) / ROW_TASKS)
        self.cuts = np.rint(n * (1.0 - shares)).astype(np.int64)

    def add(self, begin: NDArray[Any], blocks: NDArray[Any], ends: NDArray[Any], parts: NDArray[Any]) -> None:
        """Add the entries of some persons."""
        del begin
        n = self.cells.n_blocks
        by_block = np.argsort(blocks, kind="stable")
        bounds = np.searchsorted(blocks[by_block], np.arange(n + 1))
        shape, depth = (0,) * parts.shape[2], (0,) * parts.shape[1]

        def rows(task: int) -> None:
            first, last = self.cuts[task], self.cuts[task + 1]
            own = bounds[first : last + 1]
            _add_pairs(shape, depth, by_block, own, first, n, blocks, ends, parts, self.sums)

        for _ in self.map(rows, range(ROW_TASKS)):
            pass

    def matrix(self) -> Floats:
        """By pairs of places, upper triangle."""
        matrix = np.zeros((self.cells.size, self.cells.size))
        _fold(self.sums, self.cells.place, matrix)
        return matrix

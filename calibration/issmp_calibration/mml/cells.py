"""The parameters a matrix is wanted for, cut into blocks of equal width that fill the processor's registers.

An item with two parameters is one block of two, one with five is two blocks of four. The population a person is drawn
from counts as one more item that the person answered: its blocks come last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.mml.products import WIDTHS
from issmp_cat.arrays import Floats, Ints, read_only

__all__ = ["Cells"]

COST = {1: 1.0, 2: 1.3, 4: 2.0}  # of the products of two blocks, measured


@dataclass(frozen=True, slots=True)
class Cells:
    """Which parameter stands where.

    Attributes:
        column: of a table of scores, for each cell of a block of an item; −1 fills up. Shape ``(blocks of items,
            width)``.
        place: row of the matrix, for each cell of a block; −1 fills up. Equal places are one parameter. Shape
            ``(blocks, width)``.
        first: first block of each item, and the number of blocks of items. Shape ``(items + 1,)``.
        population: first block of each group, and the number of blocks. Shape ``(groups + 1,)``.
        size: rows of the matrix.
    """

    column: Ints
    place: Ints
    first: Ints
    population: Ints
    size: int

    @classmethod
    def of(cls, items: Ints, population: Ints) -> Cells:
        """The blocks for given places.

        Args:
            items: place of each parameter, −1 where none is wanted. Shape ``(items, parameters)``.
            population: place of each group's parameters, −1 alike. Shape ``(groups, parameters)``.

        >>> cells = Cells.of(np.array([[0, 1, -1], [2, 3, 4]]), np.array([[-1, 5]]))
        >>> cells.width, cells.place.tolist()
        (4, [[0, 1, -1, -1], [2, 3, 4, -1], [-1, 5, -1, -1]])
        """
        wanted = (items >= 0).sum(axis=1)
        width = min(WIDTHS, key=lambda w: int((-(-wanted // w)).sum()) ** 2 * COST[w])
        blocks = -(-wanted // width)
        column = np.full((int(blocks.sum()), width), -1, np.int64)
        item, cell = np.nonzero(items >= 0)
        first = np.concatenate([[0], np.cumsum(blocks)])
        rank = np.arange(len(item)) - np.repeat(np.cumsum(wanted) - wanted, wanted)
        column[first[item] + rank // width, rank % width] = cell
        owner = np.repeat(np.arange(len(items)), blocks)
        place = np.where(column >= 0, items[owner[:, None], column], -1)
        places, bounds = [place], [int(first[-1])]
        for group in population:
            own = -(-len(group) // width) if (group >= 0).any() else 0
            filled = np.full(own * width, -1, np.int64)
            filled[: len(group)] = group[: own * width]
            places.append(filled.reshape(own, width))
            bounds.append(bounds[-1] + own)
        whole = np.concatenate(places)
        return cls(
            read_only(column),
            read_only(whole),
            read_only(first),
            read_only(np.array(bounds)),
            int(whole.max(initial=-1)) + 1,
        )

    @property
    def width(self) -> int:
        """Parameters in a block."""
        return int(self.place.shape[1])

    @property
    def n_blocks(self) -> int:
        """Blocks of items and of populations."""
        return len(self.place)

    def rows(self, first: Ints) -> Ints:
        """First row of each code in a table with a row for each code and block of its item. Shape ``(codes + 1,)``.

        Args:
            first: row of score 0 of each item in a table by code. Shape ``(items + 1,)``.
        """
        blocks = np.repeat(np.diff(self.first), np.diff(first))
        return np.concatenate([[0], np.cumsum(blocks)])

    def block_of(self, first: Ints) -> Ints:
        """Block of each such row. Shape ``(rows,)``."""
        items = range(len(first) - 1)
        each = [np.tile(np.arange(self.first[k], self.first[k + 1]), first[k + 1] - first[k]) for k in items]
        return np.concatenate(each) if each else np.zeros(0, np.int64)

    def table(self, scores: Floats, first: Ints) -> Floats:
        """Scores by such rows, the cells of the block first. Shape ``(width, rows, nodes)``.

        Args:
            scores: by parameter, code and node.
            first: as above.
        """
        block = self.block_of(first)
        start = self.rows(first)
        code = np.repeat(np.arange(len(start) - 1), np.diff(start))
        table = np.zeros((self.width, len(block), scores.shape[2]), scores.dtype)
        for cell in range(self.width):
            column = self.column[block, cell]
            used = column >= 0
            table[cell, used] = scores[column[used], code[used]]
        return table

"""Which nodes each person's posterior needs, and in which order persons are worked through."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.lanes import LANES
from issmp_cat.arrays import Floats, Ints, read_only

__all__ = ["Windows"]

REACH = 5.5  # posterior SDs on each side; the mass outside is below 1e-7
RUN = 1024  # persons whose posteriors are kept at once: small enough for the cache
CHUNK_ANSWERS = 250_000
MOST_CHUNKS = 16


@dataclass(frozen=True, slots=True)
class Windows:
    """Persons in working order, cut into runs that share a window, and chunks of runs.

    Chunks depend on the data only, never on the number of threads: sums are reduced in chunk order, so any number of
    threads gives the same bits.

    Attributes:
        order: persons, those with the same window together. Shape ``(persons,)``.
        runs: first and last place in ``order``, first node, rows of 16 nodes. Shape ``(runs, 4)``.
        chunks: first run of each chunk, and the number of runs. Shape ``(chunks + 1,)``.
    """

    order: Ints
    runs: Ints
    chunks: Ints

    @classmethod
    def whole(cls, n_persons: int, n_answers: int, grid: Grid) -> Windows:
        """Every node for every person."""
        zeros = np.zeros(n_persons, np.int64)
        return cls._cut(zeros, zeros + len(grid.nodes) // LANES, n_answers)

    @classmethod
    def around(cls, mean: Floats, sd: Floats, n_answers: int, grid: Grid) -> Windows:
        """As many rows of 16 nodes as reach 5.5 posterior SDs to each side.

        Args:
            mean: posterior means, logits; ``sd``: posterior SDs. Shape ``(persons,)``.
            n_answers: total number of answers, which sets the number of chunks.
            grid: the nodes.
        """
        needed = 2.0 * REACH * sd / grid.spacing + 1.0
        rows = np.clip(np.ceil(needed / LANES).astype(np.int64), 1, len(grid.nodes) // LANES)
        middle = np.rint((mean - grid.nodes[0]) / grid.spacing).astype(np.int64)
        first = np.clip(middle - LANES * rows // 2, 0, len(grid.nodes) - LANES * rows)
        return cls._cut(first, rows, n_answers)

    @classmethod
    def _cut(cls, first: Ints, rows: Ints, n_answers: int) -> Windows:
        n_persons = len(first)
        key = rows * (int(first.max(initial=0)) + 1) + first
        order = np.argsort(key.astype(np.int16 if key.max() < np.iinfo(np.int16).max else np.int64), kind="stable")
        n_chunks = min(max(-(-n_answers // CHUNK_ANSWERS), 1), MOST_CHUNKS, n_persons)
        bounds = np.arange(n_chunks + 1) * n_persons // n_chunks
        changes = np.flatnonzero(np.diff(key[order])) + 1
        begins = np.union1d(bounds, changes)
        cuts = np.unique(np.concatenate([np.arange(a, b, RUN) for a, b in itertools.pairwise(begins)]))
        lasts = np.append(cuts[1:], n_persons)
        runs = np.stack([cuts, lasts, first[order[cuts]], rows[order[cuts]]], axis=1)
        return cls(read_only(order), read_only(runs), read_only(np.searchsorted(cuts, bounds)))

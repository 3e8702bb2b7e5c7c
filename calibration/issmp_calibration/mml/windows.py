"""Which nodes each person's posterior needs, and in which order persons are worked through."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.lanes import LANES
from issmp_cat.arrays import Ints, read_only

__all__ = ["Windows"]

# Posterior SDs on each side: the mass outside a normal posterior is below 1e-7 and 1e-11.
REACH = {4: 5.5, 8: 7.0}
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
    def whole(cls, n_persons: int, n_answers: int, grid: Grid, *, longest: int = RUN) -> Windows:
        """Every node for every person.

        Args:
            n_persons: how many persons.
            n_answers: their answers, or the rows these are packed in, which sets the number of chunks.
            grid: the nodes.
            longest: the most persons in a run.
        """
        zeros = np.zeros(n_persons, np.int64)
        return cls._cut(zeros, zeros + len(grid.nodes) // LANES, n_answers, longest)

    @classmethod
    def around(
        cls,
        mean: NDArray[Any],
        sd: NDArray[Any],
        n_answers: int,
        grid: Grid,
        *,
        reach: float = REACH[4],
        longest: int = RUN,
        step: int = 1,
    ) -> Windows:
        """As many rows of 16 nodes as reach so many posterior SDs to each side.

        Args:
            mean: posterior means, logits; ``sd``: posterior SDs; NaN gets every node. Shape ``(persons,)``.
            n_answers: as above; ``grid`` and ``longest`` too.
            reach: posterior SDs.
            step: windows begin at multiples of it, so that there are fewer of them.
        """
        known = np.isfinite(sd)
        middle, width = np.where(known, mean, 0.0), np.where(known, sd, np.inf)
        needed = np.minimum(2.0 * reach * width / grid.spacing + step, len(grid.nodes))
        rows = np.maximum(np.ceil(needed / LANES).astype(np.int64), 1)
        begin = (middle - grid.nodes[0]) / grid.spacing - 0.5 * (LANES * rows - 1)
        first = step * np.rint(begin / step).astype(np.int64)
        return cls._cut(np.clip(first, 0, len(grid.nodes) - LANES * rows), rows, n_answers, longest)

    def of(self, persons: Ints) -> Windows:
        """The same windows where the persons counted so far are but some of all: their places among all are given."""
        return Windows(read_only(persons[self.order]), self.runs, self.chunks)

    @classmethod
    def _cut(cls, first: Ints, rows: Ints, n_answers: int, longest: int) -> Windows:
        n_persons = len(first)
        key = rows * (int(first.max(initial=0)) + 1) + first
        order = np.argsort(key.astype(np.int16 if key.max() < np.iinfo(np.int16).max else np.int64), kind="stable")
        n_chunks = min(max(-(-n_answers // CHUNK_ANSWERS), 1), MOST_CHUNKS, n_persons)
        bounds = np.arange(n_chunks + 1) * n_persons // n_chunks
        changes = np.flatnonzero(np.diff(key[order])) + 1
        begins = np.union1d(bounds, changes)
        cuts = np.unique(np.concatenate([np.arange(a, b, longest) for a, b in itertools.pairwise(begins)]))
        lasts = np.append(cuts[1:], n_persons)
        runs = np.stack([cuts, lasts, first[order[cuts]], rows[order[cuts]]], axis=1)
        return cls(read_only(order), read_only(runs), read_only(np.searchsorted(cuts, bounds)))

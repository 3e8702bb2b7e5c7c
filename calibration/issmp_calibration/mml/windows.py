"""Which nodes each person's posterior needs, and in which order persons are worked through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.lanes import LANES
from issmp_cat.arrays import Ints, read_only
from issmp_cat.compiled import jit

__all__ = ["REACH", "RUN", "Windows"]

# Posterior SDs on each side: the mass outside a normal posterior is below 1e-6 and 1e-11.
REACH = {4: 5.0, 8: 7.0}
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
        return cls._cut(np.zeros(n_persons, np.int32), len(grid.nodes), n_answers, longest, whole=True)

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
        key = np.empty(len(sd), np.int32)
        _place(mean, sd, grid.low, grid.spacing, reach, step, len(grid.nodes), key)
        return cls._cut(key, len(grid.nodes), n_answers, longest)

    def of(self, persons: Ints) -> Windows:
        """The same windows where the persons counted so far are but some of all: their places among all are given."""
        return Windows(read_only(persons[self.order]), self.runs, self.chunks)

    @classmethod
    def _cut(
        cls, key: NDArray[np.int32], n_nodes: int, n_answers: int, longest: int, *, whole: bool = False
    ) -> Windows:
        """Sort persons by their key, (rows − 1) · nodes + first node, and cut where it changes and at chunks' ends."""
        n_persons = len(key)
        tally, order = np.zeros(int(key.max(initial=0)) + 2, np.int64), np.empty(n_persons, np.int64)
        np.cumsum(np.bincount(key, minlength=len(tally) - 1), out=tally[1:])
        n_chunks = min(max(-(-n_answers // CHUNK_ANSWERS), 1), MOST_CHUNKS, n_persons)
        bounds = np.arange(n_chunks + 1) * n_persons // max(n_chunks, 1)
        most = min(len(tally) - 1, n_persons) + n_chunks + n_persons // longest
        runs, chunks = np.empty((most, 4), np.int64), np.zeros(n_chunks + 1, np.int64)
        written = _cut_runs(tally, bounds, longest, n_nodes, runs, chunks)
        if whole:
            runs[:, 3] = n_nodes // LANES
        _sort(key, tally, order)
        return cls(read_only(order), read_only(runs[:written]), read_only(chunks))


@jit(allocates=False)
def _cut_runs(ends: Any, bounds: Any, longest: int, n_nodes: int, runs: Any, chunks: Any) -> int:
    """Write runs of one key that do not cross a chunk's bounds; returns how many.

    ``ends``: where each key's persons begin in working order, and their number.
    """
    written, chunk = 0, 1
    for key in range(ends.size - 1):
        place = ends[key]
        while place < ends[key + 1]:
            last = min(place + longest, ends[key + 1], bounds[chunk])
            runs[written, 0], runs[written, 1] = place, last
            runs[written, 2], runs[written, 3] = key % n_nodes, key // n_nodes + 1
            place, written = last, written + 1
            while chunk < bounds.size and bounds[chunk] == place:
                chunks[chunk] = written
                chunk += 1
    return written


@jit(allocates=False)
def _place(mean: Any, sd: Any, low: float, spacing: float, reach: float, step: int, n_nodes: int, key: Any) -> None:
    """Where each person's window begins and how many rows it has, as one number."""
    for person in range(key.size):
        key[person] = n_nodes // LANES * n_nodes - n_nodes
        needed = 2.0 * reach * sd[person] / spacing + step
        if needed <= n_nodes - LANES:  # and not NaN
            rows = max(math.ceil(needed / LANES), 1)
            begin = (mean[person] - low) / spacing - 0.5 * (LANES * rows - 1)
            first = step * math.floor(begin / step + 0.5)
            key[person] = (rows - 1) * n_nodes + min(max(first, 0), n_nodes - LANES * rows)


@jit(allocates=False)
def _sort(key: Any, place: Any, order: Any) -> None:
    """Persons by their key, those of one key in their own order; ``place``: where each key begins, used up."""
    for person in range(key.size):
        order[place[key[person]]] = person
        place[key[person]] += 1

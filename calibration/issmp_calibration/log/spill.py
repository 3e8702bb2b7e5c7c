"""Rows on disk: written in the order of the source, then dealt out to the shards that their candidates belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.stream import Part
from issmp_cat.arrays import Ints
from issmp_cat.compiled import jit

__all__ = ["ROW_BYTES", "Spill", "deal", "read_part"]

BLOCK = 1 << 20  # rows in memory at a time
ROW_BYTES = 8  # of a row, spilled or dealt
FILES = ("rows.person", "rows.pair")


@jit(allocates=False)
def _count_persons(person: Any, length: Any) -> None:
    """Add up rows by candidate."""
    for row in range(person.size):
        length[person[row]] += 1


@jit(allocates=False)
def _count_shards(person: Any, pair: Any, rank: Any, shard: Any, length: Any) -> None:
    """Add up the rows that are kept by shard."""
    for row in range(person.size):
        length[shard[person[row]]] += rank[pair[row]] >= 0


@jit(allocates=False)
def _deal(person: Any, pair: Any, rank: Any, place: Any, shard: Any, free: Any, rows: Any) -> None:
    """Write each kept row, place and rank in one number, behind the others of its shard."""
    for row in range(person.size):
        ranked = rank[pair[row]]
        if ranked >= 0:
            into = shard[person[row]]
            rows[free[into]] = (place[person[row]] << 32) | ranked
            free[into] += 1


class Spill:
    """Rows on disk, candidate and pair of each.

    Args:
        folder: where its files are, or will be.

    Attributes:
        rows: how many there are.
        length: rows by candidate. Shape ``(persons,)``, or longer.
    """

    def __init__(self, folder: Path) -> None:
        self.paths = [folder / name for name in FILES]
        self.rows = self.paths[0].stat().st_size // 4 if self.paths[0].exists() else 0
        self.length = np.zeros(1024, np.int64)

    def write(self, read: Callable[[Callable[[Part], None]], object], told: Callable[[int], object]) -> None:
        """Write what ``read`` hands over, from the beginning; ``told`` hears how many rows there are so far."""
        self.rows = 0
        self.length[:] = 0
        with self.paths[0].open("wb") as persons, self.paths[1].open("wb") as pairs:

            def take(part: Part) -> None:
                self._count(part.person)
                persons.write(part.person.data)
                pairs.write(part.pair.astype(np.int32).data)
                self.rows += len(part.person)
                told(self.rows)

            read(take)

    def _count(self, person: NDArray[np.int32]) -> None:
        most = int(person.max(initial=-1)) + 1
        if most > len(self.length):
            self.length = np.concatenate([self.length, np.zeros(max(most, len(self.length)), np.int64)])
        if person.min(initial=0) >= 0:  # else the log is refused anyway
            _count_persons(person, self.length)

    def blocks(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """Candidate and pair of the rows, block by block."""
        with self.paths[0].open("rb") as persons, self.paths[1].open("rb") as pairs:
            while len(person := np.fromfile(persons, np.int32, BLOCK)):
                yield person, np.fromfile(pairs, np.int32, BLOCK)

    def remove(self) -> None:
        """Delete the files."""
        for path in self.paths:
            path.unlink(missing_ok=True)


def deal(spill: Spill, rank: Ints, place: Ints, shard: Ints, parts: list[Path]) -> None:
    """Deal rows out to one file a shard, each row as place · 2³² + rank.

    Args:
        spill: the rows.
        rank: of each pair; −1 leaves its rows out. Shape ``(pairs,)``.
        place: of each candidate among all. Shape ``(persons,)``.
        shard: of each candidate. Shape ``(persons,)``.
        parts: the files, written anew.
    """
    for path in parts:
        path.unlink(missing_ok=True)
        path.touch()
    for person, pair in spill.blocks():
        length = np.zeros(len(parts), np.int64)
        _count_shards(person, pair, rank, shard, length)
        ends = np.cumsum(length)
        rows = np.empty(int(ends[-1]), np.int64)
        _deal(person, pair, rank, place, shard, ends - length, rows)
        for number in np.flatnonzero(length):
            with parts[number].open("ab") as file:
                file.write(rows[ends[number] - length[number] : ends[number]].data)


def read_part(path: Path, first: int) -> list[Part]:
    """The rows of one shard, candidates counted from the ``first`` of the shard, pairs already ranked."""
    parts = []
    with path.open("rb") as file:
        while len(rows := np.fromfile(file, np.int64, BLOCK)):
            parts.append(Part(((rows >> 32) - first).astype(np.int32), (rows & 0xFFFFFFFF).astype(np.int32)))
    return parts

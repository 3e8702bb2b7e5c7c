"""One shard of a store: its rows sorted, coded and written, with what is counted on the way."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.codes import has_duplicates, sort_rows
from issmp_calibration.log.spill import read_part
from issmp_cat.arrays import Ints
from issmp_cat.compiled import jit

__all__ = ["Coding", "TwiceError", "part_path", "shard_path", "write_array", "write_shard"]


class TwiceError(Exception):
    """A candidate answered an item twice."""


@dataclass(frozen=True, slots=True)
class Coding:
    """What becomes of ranks.

    Attributes:
        item: item of each rank. Shape ``(ranks,)``, as the following.
        score: its score, −1 for none.
        option: its option, 255 for omitted; None in a log of scores.
        first: code of each item's score 0, and the number of codes. Shape ``(items + 1,)``.
    """

    item: Ints
    score: Ints
    option: NDArray[np.uint8] | None
    first: Ints

    @property
    def code(self) -> Ints:
        """Code of each rank, −1 for an answer without a score."""
        return np.where(self.score >= 0, self.first[self.item] + self.score, -1)

    @property
    def type(self) -> str:
        """The type of codes."""
        return "uint16" if self.first[-1] <= np.iinfo(np.uint16).max else "uint32"


def part_path(folder: Path, number: int) -> Path:
    """Where the rows of a shard wait."""
    return folder / f"part-{number:04d}.rows"


def shard_path(folder: Path, number: int, kind: str) -> Path:
    """Where a file of a shard is."""
    return folder / f"shard-{number:04d}.{kind}"


@jit(allocates=False)
def _code_shard(start: Any, rank: Any, code_of: Any, option_of: Any, scored: Any, code: Any, option: Any) -> int:
    """Codes (and options) of the answers that have a score, and their offsets; returns how many there are."""
    written = 0
    for person in range(start.size - 1):
        scored[person] = written
        for row in range(start[person], start[person + 1]):
            if code_of[rank[row]] >= 0:
                code[written] = code_of[rank[row]]
                if option.size:
                    option[written] = option_of[rank[row]]
                written += 1
    scored[start.size - 1] = written
    return written


def write_shard(folder: Path, number: int, coding: Coding, persons: tuple[int, int]) -> tuple[dict[str, Any], Ints]:
    """Sort and write the shard whose rows wait in the folder.

    Args:
        folder: of the store.
        number: of the shard.
        coding: what becomes of ranks.
        persons: the first of its candidates, and the one behind the last.

    Returns:
        Its line in the index, with the hash of its options apart, and its answers by rank.

    Raises:
        TwiceError: a candidate answered an item twice.
    """
    first, last = persons
    ranks = np.arange(len(coding.item))
    rows = sort_rows(read_part(part_path(folder, number), first), np.arange(last - first), ranks)
    if has_duplicates(rows.start, rows.pair, coding.item):
        raise TwiceError
    code = np.empty(len(rows.pair), coding.type)
    option = np.empty(0 if coding.option is None else len(rows.pair), np.uint8)
    options = option if coding.option is None else coding.option
    start = np.empty(last - first + 1, np.int64)
    n = _code_shard(rows.start, rows.pair, coding.code, options, start, code, option)
    files = {"start": start, "codes": code[:n]}
    sha256 = {kind: write_array(shard_path(folder, number, kind), part) for kind, part in files.items()}
    line: dict[str, Any] = {"persons": last - first, "answers": n, "sha256": sha256}
    if coding.option is not None:
        line["options"] = write_array(shard_path(folder, number, "options"), option[:n])
    return line, np.bincount(rows.pair, minlength=len(ranks))


def write_array(path: Path, values: NDArray[Any]) -> str:
    """Write values little-endian and return the SHA-256 of their bytes."""
    raw = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    with path.open("wb") as file:
        file.write(raw.data)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(raw.data).hexdigest()

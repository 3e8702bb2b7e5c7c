"""A folder of shards: answers of some persons each, as flat files that are mapped into memory.

``store.json`` names the items and the shards; of shard 0 the codes stand in ``shard-0000.codes`` (uint16 or uint32,
little-endian), the offsets of its persons in ``shard-0000.start`` (int64), and, where there are several, their
populations in ``shard-0000.pattern`` (int16) and their covariates in ``shard-0000.covariates`` (float64, person after
person).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.sources.source import Answers
from issmp_cat.arrays import Ints
from issmp_cat.errors import InputRejected
from issmp_cat.files import read_json, write_json

__all__ = ["FORMAT", "INDEX", "Shard", "Store", "cut", "write_shards"]

FORMAT = "issmp-cat store 1"
INDEX = "store.json"
KINDS = {"codes": None, "start": "<i8", "pattern": "<i2", "covariates": "<f8"}


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard, as the index has it: numbers of persons and answers, and the SHA-256 of each of its files."""

    persons: int
    answers: int
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Store:
    """What the index of a folder says.

    Attributes:
        folder: where the shards are.
        items: names of the items.
        categories: scores of each item. Shape ``(items,)``.
        code: type of the codes, ``"uint16"`` or ``"uint32"``.
        groups: names of the populations.
        covariates: names of the covariates.
        shards: in order.
    """

    folder: Path
    items: tuple[str, ...]
    categories: tuple[int, ...]
    code: str
    groups: tuple[str, ...]
    covariates: tuple[str, ...]
    shards: tuple[Shard, ...]

    @classmethod
    def open(cls, folder: str | Path) -> Store:
        """Read the index and see that every file is there in its full length.

        Raises:
            InputRejected: no index, one of another format, or files that are missing or too short.
        """
        folder = Path(folder)
        told = read_json(folder / INDEX, InputRejected)
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise InputRejected(str(folder / INDEX), [f'expected "format": "{FORMAT}"'])
        try:
            names = {name: tuple(told[name]) for name in ("items", "categories", "groups", "covariates")}
            store = cls(folder, code=told["code"], shards=tuple(Shard(**shard) for shard in told["shards"]), **names)
        except (KeyError, TypeError) as fault:
            raise InputRejected(str(folder / INDEX), [f"not as it was written: {fault}"]) from fault
        faults = [fault for number in range(len(store.shards)) for fault in store._faults(number)]
        if faults:
            raise InputRejected(str(folder), faults)
        return store

    @property
    def first(self) -> Ints:
        """Code of each item's score 0, and the number of codes. Shape ``(items + 1,)``."""
        return np.concatenate([[0], np.cumsum(self.categories)]).astype(np.int64)

    def load(self, number: int) -> Answers:
        """The answers of a shard, mapped: nothing is read before it is looked at."""
        shard = self.shards[number]
        parts = {kind: self._mapped(number, kind) for kind in shard.sha256}
        given = parts.get("covariates")
        covariates = None if given is None else given.reshape(shard.persons, -1)
        return Answers.of(parts["start"], parts["codes"], parts.get("pattern"), covariates)

    def damaged(self) -> list[str]:
        """Files whose contents are not what the index says; reads all of them."""
        return [
            f"{path.name}: contents have changed since it was written"
            for number, shard in enumerate(self.shards)
            for kind, digest in shard.sha256.items()
            if _digest(path := self._path(number, kind)) != digest
        ]

    def _path(self, number: int, kind: str) -> Path:
        return self.folder / f"shard-{number:04d}.{kind}"

    def _mapped(self, number: int, kind: str) -> NDArray[Any]:
        dtype = np.dtype(KINDS[kind] or self.code).newbyteorder("<")
        path = self._path(number, kind)
        return np.memmap(path, dtype, "r") if path.stat().st_size else np.zeros(0, dtype)

    def _faults(self, number: int) -> list[str]:
        shard = self.shards[number]
        lengths = {
            "codes": shard.answers * np.dtype(self.code).itemsize,
            "start": 8 * (shard.persons + 1),
            "pattern": 2 * shard.persons,
            "covariates": 8 * shard.persons * len(self.covariates),
        }
        faults = []
        for kind in shard.sha256:
            path = self._path(number, kind)
            there = path.stat().st_size if path.exists() else None
            if there is None:
                faults.append(f"{path.name} is missing")
            elif there != lengths[kind]:
                faults.append(f"{path.name} has {there:,} bytes; the index says {lengths[kind]:,}")
        return faults


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cut(answers: Answers, persons_per_shard: int) -> Iterable[Answers]:
    """Shards of so many persons, the last one of what is left."""
    for begin in range(0, answers.n_persons, persons_per_shard):
        persons = slice(begin, min(begin + persons_per_shard, answers.n_persons))
        start = answers.start[begin : persons.stop + 1]
        yield Answers.of(
            start - start[0],
            answers.code[start[0] : start[-1]],
            answers.pattern[persons] if answers.pattern.size else None,
            answers.covariates[persons],
        )


def write_shards(
    shards: Iterable[Answers],
    folder: str | Path,
    categories: Sequence[int],
    *,
    items: Sequence[str] | None = None,
    groups: Sequence[str] = (),
    covariates: Sequence[str] = (),
) -> Store:
    """Write answers as a folder of shards, one after the other; the index comes last, so that a folder has it all.

    Args:
        shards: answers, one shard at a time in memory (:func:`cut` makes them of one source).
        folder: created if it is not there.
        categories: scores of each item. Shape ``(items,)``.
        items: their names; numbers if none are given.
        groups: names of the populations.
        covariates: names of the covariates.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    told, code = [], "uint16" if sum(categories) <= np.iinfo(np.uint16).max else "uint32"
    for number, shard in enumerate(shards):
        parts: dict[str, NDArray[Any]] = {"codes": shard.code.astype(code), "start": shard.start}
        if groups:
            parts["pattern"] = shard.groups()
        if covariates:
            parts["covariates"] = shard.covariates
        digests = {}
        for kind, part in parts.items():
            path = folder / f"shard-{number:04d}.{kind}"
            np.ascontiguousarray(part, np.dtype(KINDS[kind] or code).newbyteorder("<")).tofile(path)
            digests[kind] = _digest(path)
        told.append({"persons": shard.n_persons, "answers": shard.n_answers, "sha256": digests})
    index = {
        "format": FORMAT,
        "items": list(map(str, range(len(categories)) if items is None else items)),
        "categories": [int(count) for count in categories],
        "code": code,
        "groups": list(groups),
        "covariates": list(covariates),
        "shards": told,
    }
    write_json(folder / INDEX, index)
    return Store.open(folder)

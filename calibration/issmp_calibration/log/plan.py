"""What is left to do for a store: written down, so that an interrupted command can go on where it stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.judge import Reading
from issmp_calibration.log.key import ItemKey
from issmp_calibration.log.pairs import Book, natural
from issmp_calibration.log.raw import Source, paths_of, stamps
from issmp_calibration.log.shards import Coding, part_path, shard_path, write_array
from issmp_calibration.log.spill import Spill
from issmp_calibration.log.store import PERSON_FILES, candidate_path
from issmp_calibration.mml.sources.store import FORMAT, INDEX
from issmp_cat import __version__
from issmp_cat.arrays import Floats, Ints
from issmp_cat.files import read_json, write_json
from issmp_cat.responses import NO_OPTION

__all__ = ["Plan", "made_from", "write_plan"]

PLAN, ARRAYS, DEALT = "plan.json", "plan.npz", "dealt"
GROUP, COVARIATE = "group", "cov_"


@dataclass(frozen=True, slots=True)
class Plan:
    """A store that is being written.

    Attributes:
        folder: where.
        index: what the index will say, as far as it is known.
        rank: of each pair, −1 for one that is left out. Shape ``(pairs,)``.
        place: of each candidate's code among all candidates. Shape ``(persons,)``.
        shard: of each candidate's code. Shape ``(persons,)``.
        bounds: first candidate of each shard, and the number of candidates. Shape ``(shards + 1,)``.
        coding: what becomes of ranks.
        pattern: index of each candidate's group; empty without groups. Shape ``(persons,)`` or ``(0,)``.
        covariates: of each candidate, centred. Shape ``(persons, covariates)``.
    """

    folder: Path
    index: dict[str, Any]
    rank: Ints
    place: Ints
    shard: Ints
    bounds: Ints
    coding: Coding
    pattern: NDArray[np.int16]
    covariates: Floats

    @classmethod
    def resume(cls, folder: Path, fingerprint: str) -> Plan | None:
        """The plan of an interrupted command that did the same; None if there is none."""
        if not (folder / PLAN).exists():
            return None
        told = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        if not fingerprint or told.pop("made_from") != fingerprint:
            return None
        return cls._load(folder, told)

    @classmethod
    def _load(cls, folder: Path, index: dict[str, Any]) -> Plan:
        with np.load(folder / ARRAYS) as arrays:
            option = arrays["option"] if len(arrays["option"]) else None
            coding = Coding(arrays["item"], arrays["score"], option, arrays["first"])
            names = ("rank", "place", "shard", "bounds", "pattern", "covariates")
            return cls(folder, index, coding=coding, **{name: arrays[name] for name in names})

    @property
    def n_shards(self) -> int:
        """How many shards there will be."""
        return len(self.bounds) - 1

    @property
    def dealt(self) -> bool:
        """Whether the rows have been dealt out to shards."""
        return (self.folder / DEALT).exists()

    def mark_dealt(self) -> None:
        """Note that they have been; their first copy is not needed any more."""
        (self.folder / DEALT).touch()
        Spill(self.folder).remove()

    def _line(self, number: int) -> Path:
        return self.folder / f"shard-{number:04d}.json"

    def has(self, number: int) -> bool:
        """Whether a shard has been written."""
        return self._line(number).exists()

    def add(self, number: int, line: dict[str, Any], by_rank: Ints) -> None:
        """Note that a shard has been written, and write what its candidates bring."""
        persons = slice(int(self.bounds[number]), int(self.bounds[number + 1]))
        further = {
            "pattern": self.pattern[persons] if self.pattern.size else None,
            "covariates": self.covariates[persons] if self.covariates.shape[1] else None,
        }
        for kind, values in further.items():
            if values is not None:
                line["sha256"][kind] = write_array(shard_path(self.folder, number, kind), values)
        write_json(self._line(number), {"line": line, "by_rank": by_rank.tolist()})
        part_path(self.folder, number).unlink()

    def finish(self) -> None:
        """Write the index, and remove what was needed on the way only."""
        told = [read_json(self._line(number), OSError) for number in range(self.n_shards)]  # type: ignore[arg-type]
        by_rank: Ints = np.array([one["by_rank"] for one in told], np.int64).sum(axis=0)
        lines = [one["line"] for one in told]
        hashes = [line.pop("options", None) for line in lines]
        index = self.index | self._counts(by_rank) | {"options_sha256": hashes, "shards": lines}
        write_json(self.folder / INDEX, index)
        lasting = [part_path(self.folder, number) for number in range(self.n_shards)]  # of one who was killed
        for path in (*lasting, *(self._line(number) for number in range(self.n_shards))):
            path.unlink(missing_ok=True)
        Spill(self.folder).remove()
        for name in (DEALT, ARRAYS, PLAN):
            (self.folder / name).unlink()

    def _counts(self, by_rank: Ints) -> dict[str, Any]:
        """Answers by item and score, those presented, and those left blank."""
        item, score, n = self.coding.item, self.coding.score, len(self.index["items"])
        counts = np.zeros((n, int(np.diff(self.coding.first).max(initial=2))), np.int64)
        scored = score >= 0
        np.add.at(counts, (item[scored], score[scored]), by_rank[scored])
        blank = ~scored if self.coding.option is None else ~scored | (self.coding.option == NO_OPTION)
        presented = np.bincount(item, by_rank, minlength=n).astype(np.int64)
        omitted = np.bincount(item[blank], by_rank[blank], minlength=n).astype(np.int64)
        return {"counts": counts.tolist(), "presented": presented.tolist(), "omitted": omitted.tolist()}


def write_plan(
    folder: Path,
    fingerprint: str,
    book: Book,
    persons: NDArray[np.str_],
    place: Ints,
    spill: Spill,
    candidates: dict[str, NDArray[Any]],
    shard_answers: int,
    index: dict[str, Any],
) -> Plan:
    """Decide what goes where, write it down, and write what is known of candidates."""
    item, score = book.item.astype(np.int64), book.score.astype(np.int64)
    highest = np.ones(len(book.items), np.int64)
    np.maximum.at(highest, item, score)
    length = np.zeros(len(place), np.int64)
    length[place] = spill.length[: len(place)]
    shard_of_place = np.maximum(np.cumsum(length) - 1, 0) // shard_answers
    _, first_of_shard, shard_of_place = np.unique(shard_of_place, return_index=True, return_inverse=True)
    labels, pattern = _groups(candidates)
    names, covariates = _covariates(candidates, len(persons))
    arrays: dict[str, NDArray[Any]] = {
        "rank": book.rank,
        "place": place,
        "shard": shard_of_place[place],
        "bounds": np.append(first_of_shard, len(place)),
        "item": item,
        "score": score,
        "option": np.zeros(0, np.uint8) if book.option is None else book.option,
        "first": np.concatenate([[0], np.cumsum(highest + 1)]),
        "pattern": pattern,
        "covariates": covariates,
    }
    np.savez(folder / ARRAYS, **arrays)  # type: ignore[arg-type]
    _write_persons(folder, persons)
    for k, column in enumerate(candidates.values()):
        np.save(candidate_path(folder, k), column)
    told = {
        "format": FORMAT,
        "items": list(book.items),
        "categories": (highest + 1).tolist(),
        "code": Coding(item, score, None, arrays["first"]).type,
        "groups": labels,
        "covariates": names,
        "options": list(book.options) if book.option is not None else [],
        "candidates": list(candidates),
        **index,
    }
    write_json(folder / PLAN, told | {"made_from": fingerprint})
    return Plan._load(folder, told)  # noqa: SLF001 - its maker


def _write_persons(folder: Path, persons: NDArray[np.str_]) -> None:
    encoded = [str(person).encode() for person in persons.tolist()]
    (folder / PERSON_FILES[0]).write_bytes(b"".join(encoded))
    write_array(
        folder / PERSON_FILES[1], np.concatenate([[0], np.cumsum([len(one) for one in encoded], dtype=np.int64)])
    )


def _groups(candidates: dict[str, NDArray[Any]]) -> tuple[list[str], NDArray[np.int16]]:
    """Labels of the groups in their natural order, and each candidate's."""
    if GROUP not in candidates:
        return [], np.zeros(0, np.int16)
    cells, inverse = np.unique(candidates[GROUP].astype(np.str_), return_inverse=True)
    order = sorted(range(len(cells)), key=lambda k: natural(str(cells[k])))
    place = np.empty(len(order), np.int16)
    place[order] = np.arange(len(order))
    return [str(cells[k]) for k in order], place[inverse]


def _covariates(candidates: dict[str, NDArray[Any]], n: int) -> tuple[list[str], Floats]:
    """Numeric columns ``cov_*`` without gaps, centred."""
    found = {
        name: column.astype(np.float64)
        for name, column in candidates.items()
        if name.startswith(COVARIATE) and column.dtype.kind in "if" and np.isfinite(column).all()
    }
    return list(found), np.stack([c - c.mean() for c in found.values()], axis=1) if found else np.zeros((n, 0))


def made_from(source: Source, items: ItemKey | None, how: Reading, shard_answers: int) -> str:
    """A hash of everything that decides what a store holds; empty for a data frame, which leaves no trace."""
    paths = paths_of(source)
    if not paths:
        return ""
    key = {} if items is None else {f.name: _plain(getattr(items, f.name)) for f in fields(items)}
    reading = {f.name: repr(getattr(how, f.name)) for f in fields(how) if f.name not in {"key", "candidates"}}
    table = how.candidates
    joined = stamps([Path(table)]) if isinstance(table, str | Path) else None if table is None else str(id(table))
    said = [__version__, stamps(paths), key, reading, joined, shard_answers]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Tuples and sets as lists, always in the same order."""
    if isinstance(value, frozenset):
        return sorted(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value

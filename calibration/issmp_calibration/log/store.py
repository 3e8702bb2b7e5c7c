"""A response log as a folder of shards on disk, for logs larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.report import DataReport, ReportLine
from issmp_calibration.log.shards import shard_path
from issmp_calibration.mml.sources.store import INDEX, Store
from issmp_cat.arrays import Ints, read_only
from issmp_cat.errors import ResponseLogError
from issmp_cat.files import read_json
from issmp_cat.responses import ResponseLog

__all__ = ["PERSON_FILES", "LogStore", "candidate_path", "stored"]

PERSON_FILES = ("persons.ids", "persons.start")  # ids in UTF-8 one behind the other, and where each begins


@dataclass(frozen=True)
class LogStore:
    """The index of a store; answers and candidates stay on disk until they are asked for.

    Attributes:
        answers: the shards, as a fit reads them.
        told: the index as it was written.
        items: item ids. Shape ``(items,)``.
        counts: answers by item and score. Shape ``(items, scores)``.
        presented: answers by item, those without a score included. Shape ``(items,)``.
        omitted: answers by item that were left blank. Shape ``(items,)``.
        options: option labels; empty in a log of scores.
        note: what was understood, assumed or left out when the log was read.
        report: what was dropped or changed when the log was read.
    """

    answers: Store
    told: Mapping[str, Any] = field(repr=False)
    items: NDArray[np.str_] = field(repr=False)
    counts: Ints = field(repr=False)
    presented: Ints = field(repr=False)
    omitted: Ints = field(repr=False)
    options: tuple[str, ...]
    note: tuple[str, ...] = field(repr=False)
    report: DataReport = field(repr=False)

    @classmethod
    def open(cls, folder: str | Path) -> LogStore:
        """Open a store; every file must be there in its full length.

        Raises:
            InputRejected: no store, or files that are missing or too short.
            ResponseLogError: a store of answers only, without what a log tells of items and candidates.
        """
        folder = Path(folder)
        answers = Store.open(folder)
        told = read_json(folder / INDEX, ResponseLogError)
        lacking = [name for name in ("counts", "presented", "omitted", "options", "note", "report") if name not in told]
        lacking += [name for name in PERSON_FILES if not (folder / name).is_file()]
        if lacking:
            raise ResponseLogError(str(folder), [f"no store of a response log: it lacks {', '.join(lacking)}"])
        return cls(
            answers=answers,
            told=told,
            items=np.array(answers.items),
            **{name: read_only(np.array(told[name], np.int64)) for name in ("counts", "presented", "omitted")},
            options=tuple(told["options"]),
            note=tuple(told["note"]),
            report=_report(told["report"]),
        )

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.answers.folder

    @property
    def n_items(self) -> int:
        """Number of items, those nobody saw included."""
        return len(self.items)

    @property
    def n_persons(self) -> int:
        """Number of candidates, those without answers included."""
        return sum(shard.persons for shard in self.answers.shards)

    @property
    def n_answers(self) -> int:
        """Number of answers with a score; others are counted and not kept."""
        return sum(shard.answers for shard in self.answers.shards)

    @property
    def first(self) -> Ints:
        """Code of each item's score 0, and the number of codes. Shape ``(items + 1,)``."""
        return self.answers.first

    @cached_property
    def persons(self) -> NDArray[np.str_]:
        """Candidate ids, in order. Shape ``(persons,)``."""
        ids, start = (self.folder / name for name in PERSON_FILES)
        text, ends = ids.read_bytes(), np.fromfile(start, "<i8")
        return np.array([text[a:b].decode() for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)])

    @cached_property
    def candidates(self) -> dict[str, NDArray[Any]]:
        """Further columns about candidates, each of shape ``(persons,)``."""
        return {name: np.load(candidate_path(self.folder, k)) for k, name in enumerate(self.told["candidates"])}

    def shards(self) -> Iterator[ResponseLog]:
        """The log, some candidates at a time, answers with a score only."""
        first = 0
        for number, shard in enumerate(self.answers.shards):
            yield self.shard(number, first)
            first += shard.persons

    def shard(self, number: int, first: int | None = None) -> ResponseLog:
        """One of them.

        Args:
            number: which.
            first: its first candidate, if known.
        """
        sizes = [shard.persons for shard in self.answers.shards]
        begin = sum(sizes[:number]) if first is None else first
        persons = slice(begin, begin + sizes[number])
        stored = self.answers.load(number)
        kind = np.uint16 if self.n_items <= np.iinfo(np.uint16).max else np.uint32
        item = np.repeat(np.arange(self.n_items, dtype=kind), np.diff(self.first))
        score = np.concatenate([np.arange(many, dtype=np.int8) for many in self.answers.categories])
        return ResponseLog(
            persons=self.persons[persons],
            items=self.items,
            start=np.asarray(stored.start),
            item=item[stored.code],
            score=score[stored.code],
            option=np.fromfile(shard_path(self.folder, number, "options"), np.uint8) if self.options else None,
            options=self.options,
            candidates={name: column[persons] for name, column in self.candidates.items()},
            note=self.note,
            report=self.report,
        )

    def log(self) -> ResponseLog:
        """All of it in memory, answers with a score only."""
        parts = list(self.shards())
        start = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part.start) for part in parts]))])
        whole: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("item", "score", *(["option"] if self.options else []))
        }
        return ResponseLog(
            persons=self.persons,
            items=self.items,
            start=start.astype(np.int64),
            options=self.options,
            candidates=self.candidates,
            note=self.note,
            report=self.report,
            **whole,
        )

    def summary(self) -> str:
        """What is in it, in one line."""
        return (
            f"{self.folder}: {self.n_answers:,} answers of {self.n_persons:,} candidates to {self.n_items:,} items "
            f"in {len(self.answers.shards):,} shards"
        )

    __repr__ = summary


def candidate_path(folder: Path, place: int) -> Path:
    """Where a column about candidates is."""
    return folder / f"candidates-{place:03d}.npy"


def _report(told: Mapping[str, Any]) -> DataReport:
    """The report as it was."""
    lines = tuple(ReportLine(**line | {"first": tuple(line["first"])}) for line in told["lines"])
    return DataReport(told["source"], told["rows"], told["used"], lines)


def stored(source: object) -> Path | None:
    """The folder, if a source is one store."""
    only = source[0] if isinstance(source, Sequence) and not isinstance(source, str) and len(source) == 1 else source
    return Path(only) if isinstance(only, str | Path) and (Path(only) / INDEX).is_file() else None

"""One pass over the answers: who and which answer, as two whole numbers a row.

Nothing is sorted, joined or grouped in SQL: DuckDB decodes, filters and casts, and what follows is arithmetic on codes.
"""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.answers import OWN
from issmp_calibration.log.arrow import Chunk, chunks
from issmp_calibration.log.dictionary import NULL, Dictionary
from issmp_calibration.log.personal import Personal
from issmp_cat.arrays import Ints

if TYPE_CHECKING:
    import duckdb

__all__ = ["NO_POSITION", "Part", "Stream", "Taker"]

WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
NO_NUMBER = -np.inf  # in place of a time that is none
NO_POSITION = -1
BAD_POSITION = -2


class Part(NamedTuple):
    """Some rows in the order of the source.

    Attributes:
        person: code of the candidate. Shape ``(rows,)``, as the following.
        pair: code of the distinct answer, uint16 while it fits.
        seconds: time as it stands in the source, NaN for none; None without such a column.
        position: place as it stands in the source, −1 for none; None without such a column.
    """

    person: NDArray[np.int32]
    pair: NDArray[np.uint16] | NDArray[np.int32]
    seconds: NDArray[np.float32] | None = None
    position: NDArray[np.int16] | None = None


Taker = Callable[[Part], object]


@dataclass(slots=True)
class Stream:
    """Reads ``answers``; reading again after the relation changed keeps the codes.

    Attributes:
        con: holds the relation ``answers``.
        columns: what an answer consists of: item first, then the meanings that the source has.
        seconds, position: whether the source has them.
        types: DuckDB's type of each column of ``answers``.
        people: codes of candidates; ``cells``: codes of each column's values.
        folds: codes of pairs of codes, one dictionary for each column but the first.
        count: answers by pair. Shape ``(pairs,)``.
        personal: columns about candidates, by their names in ``answers``.
        suspect: whether some row lacks its candidate or has a time or position that is none.
    """

    con: duckdb.DuckDBPyConnection
    columns: Sequence[str]
    seconds: bool
    position: bool
    types: dict[str, str]
    people: Dictionary
    cells: list[Dictionary]
    folds: list[Dictionary]
    count: Ints
    personal: dict[str, Personal]
    suspect: bool = False

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, columns: Sequence[str], *, seconds: bool, position: bool) -> Stream:
        """A stream over ``answers`` that has read nothing yet."""
        types = {name: str(kind) for name, kind, *_ in con.execute("DESCRIBE answers").fetchall()}
        people, *cells = (Dictionary(texts=types[name] not in WHOLE) for name in ("candidate", *columns))
        folds = [Dictionary(texts=False) for _ in columns[1:]]
        own = {name: Personal(texts=kind not in WHOLE) for name, kind in types.items() if name.startswith(OWN)}
        return cls(con, columns, seconds, position, types, people, cells, folds, np.zeros(0, np.int64), own)

    def read(self, take: Taker) -> None:
        """Hand every row to ``take``, part by part, in order.

        Raises:
            StreamError: the source failed on the way.
        """
        self.count[:] = 0
        for column in self.personal.values():
            column.forget()
        with_position = ["position"] if self.position else []
        names = ["candidate", *self.columns, *self.personal, *(["seconds"] if self.seconds else []), *with_position]
        query = f"SELECT {', '.join(self._cell(name) for name in names)} FROM answers a"
        self.con.execute("SELECT NULL").fetchall()  # whatever was open on this connection is now read out
        for chunk in chunks(self.con.sql(query)):
            take(self._part(chunk))

    def _cell(self, name: str) -> str:
        """A column as whole numbers or as text, times and positions as numbers with marks for what is none."""
        if name == "seconds":
            number = "coalesce(try_cast(a.seconds AS FLOAT), '-inf'::FLOAT)"
            return f"CASE WHEN a.seconds IS NULL THEN 'nan'::FLOAT ELSE {number} END AS seconds"
        if name == "position":
            number = "try_cast(a.position AS INTEGER)"
            return (
                f"(CASE WHEN a.position IS NULL THEN {NO_POSITION} WHEN {number} BETWEEN 0 AND 32767 THEN {number} "
                f"ELSE {BAD_POSITION} END)::SMALLINT AS position"
            )
        kind = "BIGINT" if self.types[name] in WHOLE else "VARCHAR"
        return f"a.{name}::{kind} AS {name}"

    def _part(self, chunk: Chunk) -> Part:
        """Codes of a chunk's rows; everything kept is copied."""
        person = self.people.code(chunk["candidate"])
        pair = self.cells[0].code(chunk[self.columns[0]])
        for cells, folds, name in zip(self.cells[1:], self.folds, self.columns[1:], strict=True):
            pair = folds.join(pair, cells.code(chunk[name]))
        self._tally(pair)
        for name, column in self.personal.items():
            column.take(person, chunk[name])
        seconds = np.array(chunk["seconds"].values) if self.seconds else None
        position = np.array(chunk["position"].values) if self.position else None
        self.suspect |= bool(
            (len(chunk["candidate"].valid) and person.min(initial=0) < 0)
            or (seconds is not None and (seconds == NO_NUMBER).any())
            or (position is not None and position.min(initial=0) == BAD_POSITION)
        )
        return Part(person, pair.astype(np.uint16) if len(self.count) <= 0xFFFF else pair, seconds, position)

    def _tally(self, pair: NDArray[np.int32]) -> None:
        """Count answers by pair."""
        found = np.bincount(pair, minlength=len(self.count))
        found[: len(self.count)] += self.count
        self.count = found

    def cells_of_pairs(self) -> list[list[str | None]]:
        """The text of each pair's cells, column by column, None for NULL."""
        codes = np.arange(len(self.count))
        found: list[list[str | None]] = []
        for cells, folds in zip(reversed(self.cells[1:]), reversed(self.folds), strict=True):
            both = folds.values()[codes]
            found.append(self._texts(cells, (both & 0xFFFFFFFF) + NULL))
            codes = (both >> 32) + NULL
        return [self._texts(self.cells[0], codes), *reversed(found)]

    @staticmethod
    def _texts(cells: Dictionary, codes: Ints) -> list[str | None]:
        texts: list[str | None] = [*cells.strings(), None]  # so that −1 finds the last
        return [texts[code] for code in codes]

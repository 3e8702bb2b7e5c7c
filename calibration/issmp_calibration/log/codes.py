"""From rows to compressed sparse rows: one 64-bit number a row, sorted, then taken apart."""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Ints

if TYPE_CHECKING:
    import duckdb

__all__ = ["Rows", "fetch_rows", "number_candidates"]

LOW = 32  # bits of a row's number that hold its pair; the candidate stands above
CHUNK = 1 << 20  # rows taken apart at a time, so that temporaries stay small


@dataclass(frozen=True, slots=True)
class Rows:
    """Every kept row, by candidate and within a candidate by item.

    Attributes:
        start: offsets of each candidate's rows. Shape ``(persons + 1,)``.
        pair: rank of the row's pair. Shape ``(rows,)``, as the following.
        seconds: time as it stands in the source, NaN for none; None without such a column.
        position: place as it stands in the source, −1 for none; None without such a column.
    """

    start: Ints
    pair: NDArray[np.uint32]
    seconds: NDArray[np.float32] | None
    position: NDArray[np.int32] | None


def number_candidates(con: duckdb.DuckDBPyConnection) -> NDArray[Any]:
    """Create ``people(candidate, p)`` in the order of ids, whole numbers by value, and return the ids as text."""
    con.execute(
        "CREATE OR REPLACE TABLE people AS "
        "SELECT candidate, row_number() OVER (ORDER BY try_cast(candidate AS HUGEINT) NULLS LAST, candidate) - 1 AS p "
        "FROM (SELECT DISTINCT candidate FROM answers WHERE candidate IS NOT NULL)"
    )
    return np.asarray(con.execute("SELECT candidate FROM people ORDER BY p").fetchnumpy()["candidate"]).astype(np.str_)


def fetch_rows(
    con: duckdb.DuckDBPyConnection, rank: Ints, n_persons: int, on: str, *, seconds: bool, position: bool
) -> Rows:
    """Number all rows and sort them.

    Args:
        con: holds ``answers``, ``people`` and ``pairs``.
        rank: place of each pair in the order of items, −1 for a pair that is left out. Shape ``(pairs,)``.
        n_persons: number of candidates.
        on: the condition that finds a row's pair.
        seconds: whether to bring times along.
        position: whether to bring positions along.
    """
    extra = ", coalesce(try_cast(a.seconds AS FLOAT), 'nan'::FLOAT) AS seconds" if seconds else ""
    extra += ", coalesce(try_cast(a.position AS INTEGER), -1)::INTEGER AS position" if position else ""
    fetched = con.execute(
        f"SELECT (people.p << {LOW}) | pairs.code AS number{extra} FROM answers a "
        f"JOIN people ON a.candidate = people.candidate JOIN pairs ON {on}"
    ).fetchnumpy()
    number = np.asarray(fetched.pop("number"))
    _rank(number, rank)
    order = None if not fetched else np.argsort(number, kind="stable")
    if order is None:
        number.sort(kind="stable")  # rows come in long ordered runs, which this sort notices
    else:
        number = number[order]
    first = int(np.searchsorted(number, 0))  # pairs left out are negative, so they stand in front
    columns = {name: np.asarray(column)[order][first:] for name, column in fetched.items()}
    number = number[first:]
    start = np.searchsorted(number, np.arange(n_persons + 1, dtype=np.int64) << LOW).astype(np.int64)
    pair = np.empty(len(number), np.uint32)
    for at in range(0, len(number), CHUNK):
        pair[at : at + CHUNK] = number[at : at + CHUNK] & 0xFFFFFFFF
    return Rows(start, pair, columns.get("seconds"), columns.get("position"))


def _rank(number: Ints, rank: Ints) -> None:
    """Replace each row's pair by its rank, in place; rows of pairs that are left out become −1."""
    for at in range(0, len(number), CHUNK):
        part = number[at : at + CHUNK]
        ranked = rank[part & 0xFFFFFFFF]
        part &= ~0xFFFFFFFF
        part |= ranked
        part[ranked < 0] = -1

"""The candidates of a log, in the order of their ids."""

# ruff: noqa: S608 - the only words in these queries are our own

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.dictionary import Dictionary
from issmp_cat.arrays import Ints

if TYPE_CHECKING:
    import duckdb

__all__ = ["ORDER", "roster"]

# Whole numbers by value, before all other ids; those by their letters.
ORDER = "try_cast(candidate AS HUGEINT) NULLS LAST, candidate"


def roster(con: duckdb.DuckDBPyConnection, people: Dictionary) -> tuple[NDArray[np.str_], Ints]:
    """Ids in order, and the place of each code among them; both of shape ``(persons,)``."""
    if not people.texts:
        ids = people.values()
        order = np.argsort(ids, kind="stable")
        return ids[order].astype(np.str_), _inverse(order)
    texts = people.bytes()
    order = np.argsort(texts, kind="stable") if _all_letters(texts) else _by_value(con, texts)
    return _decode(texts[order]), _inverse(order)


def _inverse(order: NDArray[Any]) -> Ints:
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def _all_letters(texts: NDArray[np.bytes_]) -> bool:
    """Whether every id begins with a letter of ASCII, so that none can be a number."""
    if not len(texts):
        return True
    first = np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), -1)[:, 0] | 0x20
    return bool(((first >= ord("a")) & (first <= ord("z"))).all())


def _by_value(con: duckdb.DuckDBPyConnection, texts: NDArray[np.bytes_]) -> Ints:
    """Order of ids of which some may be numbers, as DuckDB reads them."""
    ids = [text.decode() for text in texts.tolist()]
    query = f"SELECT code FROM (SELECT unnest(?::VARCHAR[]) AS candidate, unnest(range(?)) AS code) ORDER BY {ORDER}"
    return np.asarray(con.execute(query, [ids, len(ids)]).fetchnumpy()["code"]).astype(np.int64)


def _decode(texts: NDArray[np.bytes_]) -> NDArray[np.str_]:
    """UTF-8 as text."""
    if texts.size and np.ascontiguousarray(texts).view(np.uint8).max() >= 0x80:
        return np.array([text.decode() for text in texts.tolist()])
    return texts.astype(np.str_)

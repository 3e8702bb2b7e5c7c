"""The distinct answers of a log, and the book that says what each is worth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.answers import MEANINGS
from issmp_calibration.log.names import Layout
from issmp_calibration.log.raw import Raw, quoted
from issmp_calibration.log.scoring import Pair, Verdict
from issmp_calibration.log.stream import Stream
from issmp_cat.arrays import Ints
from issmp_cat.errors import ResponseLogError
from issmp_cat.responses import NO_OPTION

__all__ = ["Book", "make_book", "natural", "open_stream", "read_pairs"]


@dataclass(frozen=True, slots=True)
class Book:
    """Verdicts as arrays, in the order of items, so that sorting rows by rank sorts them by item.

    Attributes:
        items: item ids.
        options: option labels.
        rank: place of each pair in the arrays below, −1 for one that is left out. Shape ``(pairs,)``.
        item: index into ``items``. Shape ``(kept pairs,)``, as the following.
        score: score, −1 for none.
        option: index into ``options``, 255 for omitted; None if no pair has one.
        status: 0 answered, 1 omitted, 2 not reached; None if everything was reached.
    """

    items: tuple[str, ...]
    options: tuple[str, ...]
    rank: Ints
    item: NDArray[np.unsignedinteger[Any]]
    score: NDArray[np.int8]
    option: NDArray[np.uint8] | None
    status: NDArray[np.uint8] | None = None


def open_stream(raw: Raw, layout: Layout) -> Stream:
    """A stream over the answers that brings what the source has."""
    wide = layout.shape == "wide"
    present = [role for role in MEANINGS if role in layout.roles or (wide and role == "response")]
    return Stream.of(
        raw.con, ["item", *present], seconds="seconds" in layout.roles, position="position" in layout.roles
    )


def read_pairs(stream: Stream) -> tuple[list[Pair], str]:
    """The distinct answers that a stream has met; creates ``pairs(code, item, …, count)`` for queries that join them.

    Returns:
        The pairs in the order of their codes, and the SQL condition that finds the pair of a row ``a`` of ``answers``.
    """
    columns = dict(zip(stream.columns, stream.cells_of_pairs(), strict=True))
    count = stream.count.tolist()
    cells = [f"unnest(?::VARCHAR[])::{stream.types[name]} AS {quoted(name)}" for name in columns]
    stream.con.execute(
        f"CREATE TABLE pairs AS SELECT unnest(range(?)) AS code, {', '.join(cells)}, unnest(?::BIGINT[]) AS count",
        [len(count), *columns.values(), count],
    )
    nothing: list[str | None] = [None] * len(count)
    texts = [columns.get(role, nothing) for role in MEANINGS]
    on = " AND ".join(f"a.{name} IS NOT DISTINCT FROM pairs.{name}" for name in columns)
    return [Pair(*row) for row in zip(range(len(count)), columns["item"], *texts, count, strict=True)], on


def make_book(verdicts: Mapping[int, Verdict | None], items: Sequence[str] | None) -> Book:
    """Put verdicts in order.

    Args:
        verdicts: by code; None for a pair that is left out.
        items: the order of items, or None for their natural order.

    Raises:
        ResponseLogError: more options than a byte can tell apart.
    """
    kept = {code: verdict for code, verdict in verdicts.items() if verdict is not None}
    names = (
        tuple(items) if items is not None else tuple(sorted({verdict.item for verdict in kept.values()}, key=natural))
    )
    options = tuple(sorted({verdict.option for verdict in kept.values() if verdict.option is not None}, key=natural))
    if len(options) >= NO_OPTION:
        raise ResponseLogError(
            "options", [f"{len(options):,} different options ({options[0]}, {options[1]}, …); at most {NO_OPTION - 1}"]
        )
    at_item = {name: place for place, name in enumerate(names)}
    at_option: dict[str | None, int] = {label: place for place, label in enumerate(options)} | {None: NO_OPTION}
    order = sorted(kept, key=lambda code: (at_item[kept[code].item], at_option[kept[code].option], kept[code].score))
    rank = np.full(len(verdicts), -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    status = [kept[code].omitted + (not kept[code].reached) for code in order]
    return Book(
        names,
        options,
        rank,
        np.array([at_item[kept[code].item] for code in order], dtype=np.uint16 if len(names) <= 0xFFFF else np.uint32),
        np.array([kept[code].score for code in order], dtype=np.int8),
        np.array([at_option[kept[code].option] for code in order], dtype=np.uint8) if options else None,
        np.array(status, dtype=np.uint8) if 2 in status else None,
    )


def natural(name: str) -> tuple[list[tuple[str, int]], str]:
    """A sort key that puts "Item.10" after "Item.9".

    >>> sorted(["Item.10", "Item.9"], key=natural)
    ['Item.9', 'Item.10']
    """
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", name)], name

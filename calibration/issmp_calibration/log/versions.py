"""Versions of an item: what changed its content is another item, ``Q1@v2`` beside ``Q1``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from issmp_calibration.log.faults import counted, some

__all__ = ["WITHIN", "ItemIndex", "base", "versioned", "versioned_sql", "versions_note"]

MARK = "@v"
FIRST = re.compile(r"(v?0*1)?")
WITHIN = r"@v[^@]*$"


def versioned(item: str, version: str) -> str:
    """The id of a version; the first one, or none, is the item itself, whichever versions a log holds.

    >>> versioned("Q1", ""), versioned("Q1", "1"), versioned("Q1", "2.0"), versioned("Q1", "v3")
    ('Q1', 'Q1', 'Q1@v2', 'Q1@v3')
    """
    label = re.sub(r"\.0+$", "", version.strip().lower())
    return item if FIRST.fullmatch(label) else f"{item}{MARK}{label.removeprefix('v')}"


def versioned_sql(item: str, version: str) -> str:
    """The same as an SQL expression over two columns."""
    label = rf"regexp_replace(lower(trim(CAST({version} AS VARCHAR))), '\.0+$', '')"
    return (
        f"CASE WHEN {version} IS NULL OR regexp_full_match({label}, '{FIRST.pattern}') THEN CAST({item} AS VARCHAR) "
        f"ELSE concat({item}, '{MARK}', regexp_replace({label}, '^v', '')) END"
    )


def base(item: str) -> str:
    """The item of a version.

    >>> base("Q1@v2"), base("Q1")
    ('Q1', 'Q1')
    """
    return re.sub(WITHIN, "", item)


def versions_note(items: Iterable[str], *, pooled: bool) -> list[str]:
    """What was done with items of several versions; nothing where there are none."""
    further = sorted({item for item in items if base(item) != item})
    if not further:
        return []
    said = f"{counted(len(further), 'item version')} beyond the first ({some(further)})"
    if pooled:
        return [f"{said}: pooled with their items, each scored by its own key"]
    return [f"{said}: each is an item of its own; --item-versions pooled puts them together"]


class ItemIndex(dict[str, int]):
    """Place of each item; a version that is not listed stands at its item's place.

    >>> index = ItemIndex({"Q1": 0})
    >>> "Q1@v2" in index, index["Q1@v2"], index.get("Q2")
    (True, 0, None)
    """

    def __missing__(self, item: str) -> int:
        plain = base(item)
        if plain == item:
            raise KeyError(item)
        return self[plain]

    def __contains__(self, item: object) -> bool:
        return super().__contains__(item) or (isinstance(item, str) and super().__contains__(base(item)))

    def get(self, item: str, default: int | None = None) -> int | None:  # type: ignore[override]
        """The place, or ``default``."""
        try:
            return self[item]
        except KeyError:
            return default

"""The item file: right options, status, domain, enemies and set of each item."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_calibration.log.faults import Faults
from issmp_calibration.log.table import Table, read_table
from issmp_cat.errors import ResponseLogError
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ItemKey", "read_key"]

NAMES = {
    "item": ("item", "item_id", "id"),
    "key": ("key", "correct", "correct_option", "answer"),
    "options": ("options",),
    "status": ("status",),
    "domain": ("domain",),
    "enemies": ("enemies",),
    "item_set": ("item_set", "set"),
}
STATUS = ("operational", "pretest", "retired")
SEVERAL = re.compile(r"[|/;,\s]+")


@dataclass(frozen=True)
class ItemKey:
    """What is known of items before anyone answers them; all tuples are parallel.

    Attributes:
        name: where it came from, for messages.
        items: item ids.
        correct: right options of each item (several for a double key); empty where the file gives no key.
        options: all options of each item; empty where the file does not list them.
        status: operational, pretest or retired.
        domain: domain label, empty where none is given.
        enemies: ids of items that must not meet this one in a test.
        item_set: the set an item belongs to, empty for none.
    """

    name: str
    items: tuple[str, ...]
    correct: tuple[frozenset[str], ...]
    options: tuple[tuple[str, ...], ...]
    status: tuple[str, ...]
    domain: tuple[str, ...]
    enemies: tuple[tuple[str, ...], ...]
    item_set: tuple[str, ...]

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of each item id."""
        return {item: place for place, item in enumerate(self.items)}

    @property
    def has_key(self) -> bool:
        """Whether any item has a right option: a file may give status or domain only."""
        return any(self.correct)

    def allowed(self, place: int) -> tuple[str, ...]:
        """The options an item can be answered with; empty if any will do.

        Without a column ``options`` the labels of all keys tell the series: A to D at least, or 1 to 4.
        """
        return self.options[place] or (self._series if self.correct[place] <= set(self._series) else ())

    @cached_property
    def _series(self) -> tuple[str, ...]:
        used = set().union(*self.correct)
        if used and all(re.fullmatch("[A-Z]", option) for option in used):
            return tuple(chr(code) for code in range(ord("A"), ord(max(*used, "D")) + 1))
        if used and all(re.fullmatch("[0-9]", option) for option in used):
            return tuple(str(code) for code in range(min(1, *map(int, used)), max(4, *map(int, used)) + 1))
        return ()


def read_key(source: str | Path | pd.DataFrame | ItemKey | Any) -> ItemKey:
    """Read an item file (CSV or frame), or take the items of an item bank.

    Raises:
        ResponseLogError: every fault of the file: no item column, an item twice, an unknown status, a key that is
            none of the item's options.
    """
    if isinstance(source, ItemKey):
        return source
    if isinstance(source, str | Path) and Path(source).suffix.lower() == ".json":
        from issmp_cat.bank import ItemBank

        return _from_bank(ItemBank.load(source), Path(source).name)
    if hasattr(source, "domains") and hasattr(source, "latent_sd"):
        return _from_bank(source, "the bank")
    return _from_table(read_table(source, "item file"))


def _from_bank(bank: Any, name: str) -> ItemKey:
    """The items of a bank; those with content bring their key."""
    items = bank.items
    return ItemKey(
        name=name,
        items=tuple(item.id for item in items),
        correct=tuple(frozenset({item.content.key}) if item.content else frozenset() for item in items),
        options=tuple(() for _ in items),
        status=tuple(item.status for item in items),
        domain=tuple(item.domain for item in items),
        enemies=tuple(tuple(item.enemies) for item in items),
        item_set=tuple(item.item_set or "" for item in items),
    )


def _from_table(table: Table) -> ItemKey:
    """Columns by their accepted names, every fault told."""
    columns = {role: table.column(accepted) for role, accepted in NAMES.items()}
    if columns["item"] is None:
        raise ResponseLogError(
            table.name,
            [f"no column names the item; found {', '.join(table.names)}; accepted names: {', '.join(NAMES['item'])}"],
        )
    cells = {role: column if column is not None else [""] * len(table.lines) for role, column in columns.items()}
    key = ItemKey(
        name=table.name,
        items=tuple(cells["item"]),
        correct=tuple(frozenset(_labels(cell)) for cell in cells["key"]),
        options=tuple(tuple(_labels(cell)) for cell in cells["options"]),
        status=tuple(cell.lower() or "operational" for cell in cells["status"]),
        domain=tuple(cells["domain"]),
        enemies=tuple(tuple(cell.replace(";", " ").split()) for cell in cells["enemies"]),
        item_set=tuple(cells["item_set"]),
    )
    _check(key, table.lines, keyed=columns["key"] is not None)
    return key


def _labels(cell: str) -> list[str]:
    """Option labels of a cell; single letters in upper case."""
    return [label.upper() if len(label) == 1 else label for label in SEVERAL.split(cell) if label]


def _check(key: ItemKey, lines: Sequence[int], *, keyed: bool) -> None:
    """Raise with every fault of an item file."""
    faults, seen = Faults(), dict[str, int]()
    for place, (item, line) in enumerate(zip(key.items, lines, strict=True)):
        if not item:
            faults.add("rows without an item", f"line {line}: no item", line=line)
        elif item in seen:
            faults.add(
                "items that appear twice", f'line {line}: item "{item}" stands already on line {seen[item]}', line=line
            )
        seen.setdefault(item, line)
        if key.status[place] not in STATUS:
            hint = did_you_mean(key.status[place], STATUS) or f"; expected {', '.join(STATUS)}"
            faults.add("unknown status", f'line {line}: status "{key.status[place]}"{hint}', line=line)
        if keyed and not key.correct[place] and key.status[place] != "retired":
            faults.add("items without a key", f'line {line}: item "{item}" has no key', line=line)
        if key.options[place] and (wrong := key.correct[place] - set(key.options[place])):
            listed = ", ".join(key.options[place])
            faults.add(
                "keys that are no option",
                f'line {line}: key "{min(wrong)}" of item "{item}" is none of its options {listed}',
                line=line,
            )
    for item, enemies, line in zip(key.items, key.enemies, lines, strict=True):
        for enemy in enemies:
            if enemy not in seen:
                said = f'line {line}: enemy "{enemy}" of item "{item}" is not in this file{did_you_mean(enemy, seen)}'
                faults.add("unknown enemies", said, line=line)
    faults.check(key.name, ResponseLogError)

"""The item file: right options, status, domain, enemies and set of each item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_calibration.log.faults import Faults
from issmp_calibration.log.ranges import range_faults
from issmp_calibration.log.table import Table, read_table
from issmp_calibration.log.versions import ItemIndex, versioned
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
    "max_score": ("max_score",),
    "version": ("item_version", "version"),
    "model": ("model",),
}
CONSTRAINT = re.compile(r"(fix|equal)_[abcd][0-9]*")
STATUS = ("operational", "pretest", "retired")
SEVERAL = re.compile(r"[|/;,\s]+")
POINTS = re.compile(r"(.+):([0-9]+)")
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
NEAR = 0.75  # as difflib measures: fxi_b is near fix_b, title is not near item
HIGHEST = 127  # a score is stored in a byte


@dataclass(frozen=True)
class ItemKey:
    """What is known of items before anyone answers them; all tuples are parallel.

    Attributes:
        name: where it came from, for messages.
        items: item ids; that of a version beyond the first is ``id@v2``.
        correct: right options of each item (several for a double key); empty where the file gives no key.
        options: all options of each item; empty where the file does not list them.
        status: operational, pretest or retired.
        domain: domain label, empty where none is given.
        enemies: ids of items that must not meet this one in a test.
        item_set: the set an item belongs to, empty for none.
        points: what each right option is worth, where it is not one point; empty where no item has points.
        max_score: highest score of each item, 0 where the file does not say; empty where it says none.
        model: name of each item's model, empty where the file does not say; empty where it says none.
        constraints: cells of the columns ``fix_a``, ``equal_b`` … that are not empty; empty where there are none.
        note: columns that were not read, though they look like ours.
    """

    name: str
    items: tuple[str, ...]
    correct: tuple[frozenset[str], ...]
    options: tuple[tuple[str, ...], ...]
    status: tuple[str, ...]
    domain: tuple[str, ...]
    enemies: tuple[tuple[str, ...], ...]
    item_set: tuple[str, ...]
    points: tuple[Mapping[str, int], ...] = ()
    max_score: tuple[int, ...] = ()
    model: tuple[str, ...] = ()
    constraints: tuple[Mapping[str, str], ...] = ()
    note: tuple[str, ...] = ()

    @cached_property
    def index(self) -> ItemIndex:
        """Place of each item id; a version that is not listed stands at its item's place."""
        return ItemIndex({item: place for place, item in enumerate(self.items)})

    def worth(self, place: int, option: str) -> int:
        """The points of an option: 1 for a right one unless the key says otherwise."""
        return self.points[place].get(option, 0) if self.points else int(option in self.correct[place])

    def highest(self, place: int, otherwise: int = 1) -> int:
        """The highest score of an item; ``otherwise`` where neither its points nor the file tell."""
        said = self.max_score[place] if self.max_score else 0
        return said or max(otherwise, *(self.points[place].values() if self.points else ()), 0)

    @property
    def has_key(self) -> bool:
        """Whether any item has a right option: a file may give status or domain only."""
        return any(self.correct)

    def allowed(self, place: int) -> tuple[str, ...]:
        """The options an item can be answered with; empty if any will do.

        Without a column ``options`` the labels of all keys tell the series: A to D at least, or 1 to 4.
        """
        return self.options[place] or (
            self._series if self.correct[place] and self.correct[place] <= set(self._series) else ()
        )

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
        max_score=tuple(item.highest for item in items),
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
    points = [_points(cell) for cell in cells["key"]]
    key = ItemKey(
        name=table.name,
        items=tuple(map(versioned, cells["item"], cells["version"])),
        correct=tuple(frozenset(label for label, worth in worths.items() if worth) for worths in points),
        options=tuple(tuple(_labels(cell)) for cell in cells["options"]),
        status=tuple(cell.lower() or "operational" for cell in cells["status"]),
        domain=tuple(cells["domain"]),
        enemies=tuple(tuple(cell.replace(";", " ").split()) for cell in cells["enemies"]),
        item_set=tuple(cells["item_set"]),
        points=tuple(points) if any(worth != 1 for worths in points for worth in worths.values()) else (),
        max_score=tuple(int(cell) if cell.isdigit() else 0 for cell in cells["max_score"])
        if columns["max_score"]
        else (),
        model=tuple(cell.lower() for cell in cells["model"]) if columns["model"] else (),
        constraints=_constraints(table),
        note=_misspelt(table),
    )
    _check(key, table.lines, cells["max_score"], keyed=columns["key"] is not None)
    return key


def _misspelt(table: Table) -> tuple[str, ...]:
    """Columns that are not ours but nearly."""
    ours = {name for names in NAMES.values() for name in names}
    ours |= {f"{what}_{parameter}" for what in ("fix", "equal") for parameter in ("a", "b", "c", "d", "b1", "a1", "c1")}
    strange = [name for name in table.names if name.lower() not in ours and not CONSTRAINT.fullmatch(name)]
    near = [name for name in strange if get_close_matches(name.lower(), ours, 1, NEAR)]
    return tuple(f'{table.name}: column "{name}" is not read{did_you_mean(name.lower(), ours)}' for name in near)


def _constraints(table: Table) -> tuple[Mapping[str, str], ...]:
    """The columns that hold or tie parameters, row by row; fixed values must be numbers that can be."""
    columns = {name: table.column((name,)) or [] for name in table.names if CONSTRAINT.fullmatch(name)}
    if not columns:
        return ()
    faults = Faults()
    for name, cells in columns.items():
        for cell, line in zip(cells, table.lines, strict=True):
            if name.startswith("fix") and cell and not NUMBER.fullmatch(cell):
                faults.add("values that are no number", f'line {line}: {name} "{cell}" is no number', line=line)
    for row, line in enumerate(table.lines):
        given = {name: cells[row] for name, cells in columns.items() if name.startswith("fix") and cells[row]}
        values = {name[4:]: float(cell) for name, cell in given.items() if NUMBER.fullmatch(cell)}
        for problem in range_faults(values).values():
            faults.add("impossible fixed values", f"line {line}: fix_{problem}", line=line)
    faults.check(table.name, ResponseLogError)
    return tuple({name: cells[row] for name, cells in columns.items() if cells[row]} for row in range(len(table.lines)))


def _points(cell: str) -> dict[str, int]:
    """Points by option.

    >>> _points("A|C"), _points("a:2|B:1")
    ({'A': 1, 'C': 1}, {'A': 2, 'B': 1})
    """
    found = dict[str, int]()
    for part in SEVERAL.split(cell):
        split = POINTS.fullmatch(part)
        for label in _labels(split[1] if split else part):
            found[label] = int(split[2]) if split else 1
    return found


def _labels(cell: str) -> list[str]:
    """Option labels of a cell; single letters in upper case."""
    return [label.upper() if len(label) == 1 else label for label in SEVERAL.split(cell) if label]


def _check(key: ItemKey, lines: Sequence[int], most: Sequence[str], *, keyed: bool) -> None:
    """Raise with every fault of an item file; ``most`` are the cells of its column max_score."""
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
        for problem in _point_faults(key, place, most[place]):
            faults.add("impossible points", f"line {line}: {problem}", line=line)
    _check_enemies(key, lines, faults)
    if faults.told:
        for note in key.note:
            faults.add("columns that are not read", note)
    faults.check(key.name, ResponseLogError)


def _check_enemies(key: ItemKey, lines: Sequence[int], faults: Faults) -> None:
    """Note enemies that the file does not list."""
    for item, enemies, line in zip(key.items, key.enemies, lines, strict=True):
        for enemy in enemies:
            if enemy not in key.index:
                said = (
                    f'line {line}: enemy "{enemy}" of item "{item}" is not in this file{did_you_mean(enemy, key.index)}'
                )
                faults.add("unknown enemies", said, line=line)


def _point_faults(key: ItemKey, place: int, said: str) -> list[str]:
    """What is wrong with the points of an item, or with its highest score."""
    item, worths = key.items[place], dict(key.points[place]) if key.points else {}
    if said and not (said.isdigit() and 1 <= int(said) <= HIGHEST):
        return [f'max_score "{said}" of item "{item}"; expected a whole number from 1 to {HIGHEST}']
    most = int(said or HIGHEST)
    return [
        f'option "{option}" of item "{item}" is worth {worth} points; the highest score is {most}'
        for option, worth in worths.items()
        if worth > most
    ]

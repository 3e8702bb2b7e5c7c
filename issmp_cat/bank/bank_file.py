"""Bank files: JSON is canonical and complete, CSV carries the parameters for spreadsheets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from issmp_cat.bank.item import NOMINAL_FIELDS, POLYTOMOUS, Item, Metric
from issmp_cat.bank.item_bank import ItemBank, contradictions
from issmp_cat.errors import BankError
from issmp_cat.files import atomic_write, read_json, read_text, write_json

__all__ = ["item_row", "item_rows", "list_columns", "load_bank", "plain_faults", "save_bank", "sound_items"]

FORMAT, FORMAT_VERSION = "issmp-cat/item-bank", 1
_CSV_FIELDS = (
    "id", "domain", "model", "a", "b", "c", "d", "se_a", "se_b", "se_c", "status", "enemies", "item_set", "answers",
)  # fmt: skip
# Written only when some item has them: number after number in one cell, separated by spaces.
_STEPS = "steps"
_LISTS = (_STEPS, *NOMINAL_FIELDS)
_MODELS = {_STEPS: POLYTOMOUS, **dict.fromkeys(NOMINAL_FIELDS, ("nrm",))}

_NUMBERS = ("a", "b", "c", "d", "se_a", "se_b", "se_c", "answers", "D")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def plain_faults(error: ValidationError, prefix: str = "") -> list[str]:
    """A validation error as plain lines: where, what, what was found."""
    lines = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        unknown = fault["type"] == "extra_forbidden"
        message = "unknown field" if unknown else fault["msg"].removeprefix("Value error, ")
        value = str(fault["input"]) if isinstance(fault["input"], Decimal) else repr(fault["input"])
        found = "" if fault["type"] in ("missing", "value_error") or unknown else f" (found {value:.60})"
        lines.append(": ".join(part for part in (prefix, place, message) if part) + found)
    return lines


def load_bank(path: str | Path) -> ItemBank:
    """Read a bank; see :meth:`ItemBank.load`."""
    return _load_csv(Path(path)) if Path(path).suffix.lower() in (".csv", ".tsv") else _load_json(Path(path))


def _load_json(path: Path) -> ItemBank:
    content = read_json(path, BankError)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BankError(str(path), [f'not an item bank: "format" must be "{FORMAT}"'])
    if content.get("format_version") != FORMAT_VERSION:
        found = content.get("format_version")
        raise BankError(str(path), [f"format_version {found!r} is not known here; expected {FORMAT_VERSION}"])
    known = {"format", "format_version", "id", "title", "note", "metric", "provenance", "version", "items"}
    problems = [f'unknown field "{name}"' for name in content if name not in known]
    try:
        metric = Metric.model_validate(content.get("metric", {}))
    except ValidationError as error:
        problems += plain_faults(error, "metric")
        metric = Metric()
    provenance = content.get("provenance") or {}
    if not isinstance(provenance, dict):
        problems.append('"provenance" must be an object')
    rows = content.get("items")
    if isinstance(rows, list):
        items, faults = sound_items([(f"item {k + 1}", row) for k, row in enumerate(rows)])
    else:
        items, faults = [], ['"items" must be a list']
    if problems := problems + faults:
        raise BankError(str(path), problems)
    return ItemBank.from_items(
        items,
        where=str(path),
        metric=metric,
        provenance=provenance,
        id=str(content.get("id", path.stem)),
        title=str(content.get("title", "")),
        note=str(content.get("note", "")),
    )


def sound_items(rows: list[tuple[str, Any]], refused: Sequence[str] = ()) -> tuple[list[Item], list[str]]:
    """The sound items, and every fault: within one item, and between them; ``refused`` names items refused before."""
    items: list[Item] = []
    problems: list[str] = []
    refused = list(refused)
    for place, row in rows:
        named = isinstance(row, Mapping) and bool(row.get("id"))
        try:
            items.append(Item.model_validate(row))
        except ValidationError as error:
            problems += plain_faults(error, f'{place} "{row["id"]}"' if named else place)
            refused += [str(row["id"])] if named else []
    if items or not problems:
        problems += contradictions(items, refused)
    return items, problems


def _load_csv(path: Path) -> ItemBank:
    text = read_text(path, BankError)
    if not text.strip():
        raise BankError(str(path), ["the file is empty"])
    reader = csv.DictReader(io.StringIO(text), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    try:
        reader.fieldnames = header = [name.strip() for name in reader.fieldnames or []]
        if problems := _header_faults(header):
            raise BankError(str(path), problems)
        rows, problems, refused = _csv_rows(reader, header)
    except csv.Error as error:
        raise BankError(str(path), [f"line {reader.line_num}: {error}"]) from None
    if rows or not problems:
        items, faults = sound_items(rows, refused)
        problems += faults
    if problems:
        raise BankError(str(path), problems)
    converted = {"metric": "slopes multiplied by the file's column D: logistic, D = 1"} if "D" in header else {}
    return ItemBank.from_items(items, where=str(path), id=path.stem, provenance={"source": path.name, **converted})


def _header_faults(header: list[str]) -> list[str]:
    needed = ("id",) if {_STEPS, "slopes"} & set(header) else ("id", "b")
    problems = [f'no column "{name}"; found: {", ".join(header)}' for name in needed if name not in header]
    problems += [f'unknown column "{name}"' for name in header if name not in (*_CSV_FIELDS, *_LISTS, "D")]
    return problems + [f'column "{name}" stands twice' for name in dict.fromkeys(header) if header.count(name) > 1]


def _csv_rows(reader: csv.DictReader[str], header: list[str]) -> tuple[list[tuple[str, Any]], list[str], list[str]]:
    """Rows whose cells are sound, with their lines; the faults of the others; and the ids of those."""
    rows: list[tuple[str, Any]] = []
    problems: list[str] = []
    refused: list[str] = []
    for raw in reader:
        place = f"line {reader.line_num}"
        if None in raw or None in raw.values():
            problems.append(f"{place}: {len(header)} fields expected, found another number")
            refused.append((raw.get("id") or "").strip())
            continue
        row = {name: value.strip() for name, value in raw.items()}
        if faults := [f"{place}: {fault}" for fault in _cell_faults(row)]:
            problems += faults
            refused.append(row["id"])
        else:
            rows.append((place, _csv_item(row)))
    return rows, problems, refused


def _cell_faults(row: dict[str, str]) -> list[str]:
    given = {name: row[name] for name in _NUMBERS if row.get(name)}
    faults = [f'{name} is "{text}"; expected a number' for name, text in given.items() if not _is_number(text)]
    for name, cell in ((name, row.get(name, "")) for name in _LISTS):
        if name != "options" and not all(map(_is_number, cell.split())):
            faults.append(f'{name} is "{cell}"; expected numbers separated by spaces')
        if cell and not row.get("model"):
            faults.append(f"{name}, but no model; expected one of {', '.join(_MODELS[name])}")
    return faults + [
        f'{name} is "{text}"; expected a number of at least 0'
        for name, text in given.items()
        if name.startswith("se_") and _is_number(text) and float(text) < 0
    ]


def _csv_item(row: dict[str, str]) -> dict[str, Any]:
    """A CSV row as the fields of an item; empty cells are left to the defaults."""
    filled = {name: value for name, value in row.items() if value}
    errors = {name: filled.pop(f"se_{name}", None) for name in ("a", "b", "c")}
    item: dict[str, Any] = {"domain": "all", **filled}
    item["enemies"] = filled.get("enemies", "").split()
    item |= {name: filled.get(name, "").split() for name in _LISTS}
    metric = float(item.pop("D", 1.0))
    if metric != 1.0:
        # A slope written for exp(−D a (θ − b)) is D times larger in the logistic metric, and so is its error.
        item["a"] = float(filled.get("a", 1.0)) * metric
        item["slopes"] = [float(slope) * metric for slope in item["slopes"]]
        if filled.get("model") == "nrm":  # they follow from slopes and intercepts
            item = {name: value for name, value in item.items() if name not in ("a", "b")}
    if "model" not in filled:
        item["model"] = (
            "4pl" if float(filled.get("d", 1.0)) < 1 else "3pl" if float(filled.get("c", 0.0)) > 0 else "2pl"
        )
    known = [(name, float(value) * (metric if name == "a" else 1.0)) for name, value in errors.items() if value]
    if known:
        names = tuple(name for name, _ in known)
        values = [[se * se if i == j else 0.0 for j in range(len(known))] for i, (_, se) in enumerate(known)]
        item["covariance"] = {"names": names, "values": values}
    return item


def save_bank(bank: ItemBank, path: str | Path) -> None:
    """Write a bank; see :meth:`ItemBank.save`."""
    if Path(path).suffix.lower() in (".csv", ".tsv"):
        if spaced := [item.id for item in bank.items if item.enemies and any(" " in foe for foe in item.enemies)]:
            raise BankError(
                str(path), [f'item "{id_}" has an enemy whose id holds a space; save as .json' for id_ in spaced]
            )
        if spaced := [item.id for item in bank.items if any(" " in option for option in item.options)]:
            raise BankError(
                str(path), [f'item "{id_}" has an option whose name holds a space; save as .json' for id_ in spaced]
            )
        with atomic_write(path) as handle:
            delimiter = "\t" if Path(path).suffix.lower() == ".tsv" else ","
            rows = item_rows(bank.items)
            writer = csv.DictWriter(handle, rows[0], delimiter=delimiter, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return
    write_json(
        path,
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "id": bank.id,
            "title": bank.title,
            "note": bank.note,
            "version": bank.version,
            "metric": bank.metric.model_dump(),
            "provenance": dict(bank.provenance),
            "items": [item.model_dump(mode="json", exclude_defaults=True) for item in bank.items],
        },
    )


def item_rows(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Items as rows of one table; it has a column for steps when some item has any, and for what is nominal."""
    columns = list_columns(items)
    return [item_row(item, columns) for item in items]


def list_columns(items: Sequence[Item]) -> tuple[str, ...]:
    """Fields of several numbers that some item has: steps, slopes, intercepts, points, options."""
    return tuple(name for name in _LISTS if any(getattr(item, name) for item in items))


def item_row(item: Item, columns: Sequence[str] = ()) -> dict[str, Any]:
    """An item as one row of a table, with the columns of several numbers asked for; what was not estimated is None."""
    errors = {f"se_{n}": item.covariance.standard_error(n) if item.covariance else None for n in ("a", "b", "c")}
    plain = {name: getattr(item, name) for name in ("id", "domain", "model", "a", "b", "c", "d")}
    rest = {
        "status": item.status,
        "enemies": " ".join(item.enemies),
        "item_set": item.item_set,
        "answers": item.answers,
    }
    lists = {name: " ".join(map(str, getattr(item, name))) for name in columns}
    return {**plain, **lists, **errors, **rest}

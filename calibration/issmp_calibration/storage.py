"""A calibration as JSON, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.item_table import ItemTable
from issmp_calibration.item_verdict import ItemVerdict, Reason
from issmp_calibration.latent import Latent
from issmp_calibration.log import ItemKey
from issmp_calibration.mml.em import Pass
from issmp_calibration.result import Calibration
from issmp_cat.bank import Item
from issmp_cat.errors import InputRejected
from issmp_cat.files import read_text, write_json

__all__ = ["dump", "restore"]

FORMAT = "issmp-cat/calibration"
FORMAT_VERSION = 2
WORDS = ("item", "base", "domain", "status", "model")
NAMES = ("names", "linear_names")
WHOLE = ("answers", "counts")
RECORDS = ItemTable | Latent | Pass | ItemKey


def dump(result: Calibration, path: str | Path | None) -> str:
    """JSON text; numbers that do not exist are null."""
    content = {"format": FORMAT, "format_version": FORMAT_VERSION}
    for entry in fields(result):
        content[entry.name] = _plain(getattr(result, entry.name))
    if path is not None:
        write_json(path, content)
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """Plain JSON values; NaN becomes null, sets become sorted lists."""
    if isinstance(value, RECORDS):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Item | ItemVerdict):
        return value.model_dump(mode="json") if isinstance(value, Item) else _verdict_plain(value)
    if isinstance(value, np.ndarray):
        return _listed(value)
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [_plain(entry) for entry in (sorted(value) if isinstance(value, frozenset) else value)]
    return value.item() if isinstance(value, np.generic) else value


def _verdict_plain(value: ItemVerdict) -> dict[str, Any]:
    return {"action": value.action, "reasons": [_plain(reason.to_dict()) for reason in value.reasons]}


def _listed(values: NDArray[Any]) -> list[Any]:
    listed = values.astype(object)
    if values.dtype.kind == "f":
        listed[~np.isfinite(values)] = None
    plain: list[Any] = listed.tolist()
    return plain


def restore(source: str | Path) -> Calibration:
    """A calibration from JSON text, or from a file."""
    text = str(source)
    where = "calibration"
    if not text.lstrip().startswith("{"):
        where, text = text, read_text(source, InputRejected)
    try:
        content = json.loads(text)
        if content.pop("format", None) != FORMAT:
            raise InputRejected(where, [f'not a calibration: "format" should be "{FORMAT}"'])
        version = content.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise InputRejected(where, [_other_version(version)])
        return _build(content)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise InputRejected(where, [f"not a calibration: {fault}"]) from fault


def _other_version(version: object) -> str:
    older = isinstance(version, int) and version < FORMAT_VERSION
    advice = "its bank file can still be used; calibrate again for the rest" if older else "update issmp-cat"
    return f"format_version {version!r} is not read here, only {FORMAT_VERSION}: {advice}"


def _build(content: dict[str, Any]) -> Calibration:
    table, groups, key = content.pop("items"), content.pop("groups"), content.pop("key")
    return Calibration(
        items=_table(table),
        groups=tuple(_latent(group) for group in groups),
        key=None if key is None else _key(key),
        passes=tuple(Pass(**entry) for entry in content.pop("passes")),
        persons_apart=tuple(content.pop("persons_apart")),
        base=tuple(Item(**entry) for entry in content.pop("base", ())),
        kept=tuple(content.pop("kept", ())),
        base_population=None if (base := content.pop("base_population", None)) is None else (base[0], base[1]),
        **content,
    )


def _table(columns: dict[str, Any]) -> ItemTable:
    verdicts = tuple(_verdict(entry) for entry in columns.pop("verdicts"))
    arrays: dict[str, Any] = {name: np.array(columns.pop(name), dtype=str) for name in WORDS}
    arrays |= {name: tuple(columns.pop(name)) for name in NAMES}
    arrays |= {name: np.array(columns.pop(name), dtype=np.int64) for name in WHOLE}
    arrays |= {name: np.array(values, dtype=float) for name, values in columns.items()}
    return ItemTable(**arrays, verdicts=verdicts)


def _verdict(entry: dict[str, Any]) -> ItemVerdict:
    return ItemVerdict(tuple(Reason(**reason) for reason in entry["reasons"]))


def _latent(entry: dict[str, Any]) -> Latent:
    arrays: dict[str, Any] = {name: np.array(entry[name], dtype=float) for name in ("nodes", "assumed", "observed")}
    return Latent(**{**entry, **arrays})


def _key(entries: dict[str, Any]) -> ItemKey:
    """The item file's content; what stands in it are tuples."""
    tuples = {name: tuple(value) for name, value in entries.items() if name != "name"}
    tuples["correct"] = tuple(frozenset(options) for options in entries["correct"])
    for name in ("options", "enemies"):
        tuples[name] = tuple(tuple(values) for values in entries[name])
    return ItemKey(name=entries["name"], **tuples)

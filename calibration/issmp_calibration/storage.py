"""A calibration as JSON, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from issmp_calibration.item_table import ItemTable
from issmp_calibration.latent import Latent
from issmp_calibration.log import ItemKey
from issmp_calibration.mml.em import Pass
from issmp_calibration.result import Calibration
from issmp_cat.errors import InputRejected
from issmp_cat.files import read_text, write_json

__all__ = ["dump", "restore"]

FORMAT = "issmp-cat/calibration"


def dump(result: Calibration, path: str | Path | None) -> str:
    """JSON text; numbers that do not exist are null."""
    content = {"format": FORMAT, "format_version": 1}
    for entry in fields(result):
        content[entry.name] = _plain(getattr(result, entry.name))
    if path is not None:
        write_json(path, content)
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """Plain JSON values; NaN becomes null, sets become sorted lists."""
    if isinstance(value, ItemTable | Latent | Pass | ItemKey):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, np.ndarray):
        listed = value.astype(object)
        if value.dtype.kind == "f":
            listed[np.isnan(value)] = None
        return listed.tolist()
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value


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
        content.pop("format_version", None)
        return _build(content)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise InputRejected(where, [f"not a calibration: {fault}"]) from fault


def _build(content: dict[str, Any]) -> Calibration:
    table, latent, key = content.pop("items"), content.pop("latent"), content.pop("key")
    words = ("item", "domain", "status")
    numbers = {name: np.array(value, dtype=float) for name, value in table.items() if name not in (*words, "verdict")}
    numbers["answers"] = numbers["answers"].astype(np.int64)
    items = ItemTable(**{name: np.array(table[name]) for name in words}, **numbers, verdict=tuple(table["verdict"]))
    arrays = {name: np.array(latent.pop(name), dtype=float) for name in ("nodes", "assumed", "observed")}
    return Calibration(
        items=items,
        latent=Latent(mean=latent["mean"], sd=latent["sd"], se_sd=latent["se_sd"], **arrays),
        key=None if key is None else _key(key),
        passes=tuple(Pass(**entry) for entry in content.pop("passes")),
        persons_apart=tuple(content.pop("persons_apart")),
        **content,
    )


def _key(entries: dict[str, Any]) -> ItemKey:
    """The item file's content; what stands in it are tuples."""
    tuples = {name: tuple(value) for name, value in entries.items() if name != "name"}
    tuples["correct"] = tuple(frozenset(options) for options in entries["correct"])
    for name in ("options", "enemies"):
        tuples[name] = tuple(tuple(values) for values in entries[name])
    return ItemKey(name=entries["name"], **tuples)

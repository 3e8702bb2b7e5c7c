"""The two shapes of mirt's coefficients as CSV: one row a parameter, or one row an item."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from issmp_cat.bank.foreign.numbers import ABSENT, finite

__all__ = ["ROW", "Entry", "long_table", "numbered", "wide_table"]

_PARAMETER = r"a\d*|b\d*|c\d+|d\d*|g|u|ak\d+|logit[.(][gu][.)]|MEAN_\d+|COV_\d+"
ROW = re.compile(rf"^(.*?)\.({_PARAMETER})$", re.DOTALL)
_WIDE_ERROR = re.compile(r"^(?:se[._](?P<after>.+)|(?P<before>.+)[._]se)$", re.IGNORECASE)


@dataclass(slots=True)
class Entry:
    """What the file says of one item."""

    line: int
    values: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def long_table(header: list[str], body: list[tuple[int, list[str]]], problems: list[str]) -> dict[str, Entry]:
    """Rows ITEM.PARAMETER, par, SE (or the two ends of a 95 % interval)."""
    par = header.index("par")
    error = next((header.index(name) for name in ("SE", "se") if name in header), None)
    entries: dict[str, Entry] = {}
    for line, row in body:
        match = ROW.match(row[0])
        if len(row) != len(header) or match is None:
            what = "another number of fields than the header" if match else f'"{row[0]}" is not ITEM.PARAMETER'
            problems.append(f"line {line}: {what}")
            continue
        entry = entries.setdefault(match[1], Entry(line))
        _put(entry, match[2], row[par], row[error] if error is not None else "")
    return entries


def wide_table(header: list[str], body: list[tuple[int, list[str]]], problems: list[str]) -> dict[str, Entry]:
    """One row an item; the first column names it, SE columns are called SE_a or a.SE."""
    entries: dict[str, Entry] = {}
    unknown = [n for n in header[1:] if not (re.fullmatch(_PARAMETER, n) or _error_name(n))]
    if unknown or not {"a", "a1"} & set(header):
        found = ", ".join(header)
        problems.append(f"line 1: expected the columns of coef(): a, b, g, u or a1, d, g, u; found: {found}")
        return entries
    for line, row in body:
        if len(row) != len(header):
            problems.append(f"line {line}: {len(header)} fields expected, found {len(row)}")
            continue
        if row[0] in entries:
            problems.append(f'line {line}: item "{row[0]}" stood before')
            continue
        entry = entries[row[0]] = Entry(line)
        cells = dict(zip(header[1:], row[1:], strict=True))
        for name, cell in cells.items():
            if _error_name(name) is None and cell not in ABSENT:
                error = next((c for n, c in cells.items() if _error_name(n) == name), "")
                _put(entry, name, cell, error)
    return entries


def _error_name(column: str) -> str | None:
    """Which parameter a column holds the standard error of."""
    match = _WIDE_ERROR.match(column)
    return (match["after"] or match["before"]) if match else None


def _put(entry: Entry, name: str, text: str, error: str) -> None:
    value, se = finite(text), None if error in ABSENT else finite(error)
    name = name.replace(".", "(", 1).replace(".", ")") if name.startswith("logit.") else name
    if name in entry.values:
        entry.faults.append(f"{name} stands twice")
    if value is None:
        entry.faults.append(f'{name} is "{text}"; expected a number')
        return
    if error not in ABSENT and (se is None or se < 0):
        entry.faults.append(f'SE of {name} is "{error}"; expected a number of at least 0, or NA')
    entry.values[name] = value
    if se is not None:
        entry.errors[name] = se


def numbered(values: Mapping[str, float], letter: str) -> list[str]:
    """Names b1, b2, … that follow each other without a gap."""
    names: list[str] = []
    while f"{letter}{len(names) + 1}" in values:
        names.append(f"{letter}{len(names) + 1}")
    return names

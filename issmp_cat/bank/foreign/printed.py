"""flexMIRT's and IRTPRO's printed item tables, which hold the standard errors that the parameter file lacks.

Layout: a title such as ``2PL Items for Group 1: NAME``, a line that names the columns, ``Item Label P# a s.e. P# c s.e.
b s.e.`` (3PL: further ``P# logit-g s.e. g s.e.``; graded: ``b 1 s.e. b 2 s.e. …``), and one line an item; a fixed
parameter has no number (P#) and ``----`` for its error. Written down after Houts & Cai (2020), flexMIRT User's Manual
3.5, chapter 2, without an export to hold it against: columns are therefore found by their names, and every item whose
intercept is not −a b to the printed digits is refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from issmp_cat.bank.foreign.conversion import diagonal, errors_of, intercepts, slope_intercept_errors
from issmp_cat.bank.foreign.format import Reading, Wishes
from issmp_cat.bank.foreign.numbers import binary_model, finite, metric_note, one_cell
from issmp_cat.bank.item import Item
from issmp_cat.bank.item_bank import ItemBank
from issmp_cat.irt import intercept

__all__ = ["PRINTED", "Printed"]

_TITLE = re.compile(r"^\s*(\S+)\s+(?:Model\s+)?Items?\b.*?\bGroup\s+(\d+)", re.IGNORECASE)
_HEAD = re.compile(r"^\s*Item\s+Label\s+(.*)$")
_COLUMN = re.compile(r"P#|s\.e\.|logit[- ]g|[bc]\s?\d+|[abcg]")
_FIXED = re.compile(r"^-{2,}$")


@dataclass(slots=True)
class _Entry:
    line: int
    title: str
    values: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    digits: int = 9


@dataclass(frozen=True, slots=True)
class Printed:
    """The item tables of the text output (``-irt.txt``)."""

    name: str = "flexmirt-table"
    program: str = "flexMIRT's printed item tables; IRTPRO's as far as their columns are the same"
    free_metric: bool = False
    usual_metric: float = 1.0

    def recognises(self, text: str) -> bool:
        """A line names columns, of which some are standard errors."""
        return any((head := _HEAD.match(line)) and "s.e." in head[1] for line in text.splitlines())

    def read(self, text: str, wishes: Wishes) -> Reading:
        """Every item table of the first group; the rest of the output is passed over."""
        del wishes  # the tables say all
        entries: dict[str, _Entry] = {}
        problems: list[str] = []
        refused: list[str] = []
        columns: list[str] = []
        title, group = "", "1"
        for number, line in enumerate(text.splitlines(), 1):
            if match := _TITLE.match(line):
                title, group, columns = match[1], match[2], []
            elif match := _HEAD.match(line):
                columns = [
                    re.sub(r"\s", "", column).replace("logitg", "logit-g") for column in _COLUMN.findall(match[1])
                ]
            elif columns and (cells := line.split()) and cells[0].isdigit() and len(cells) > 2 and group == "1":
                entry = entries.setdefault(cells[1], _Entry(number, title))
                if fault := _take(entry, columns, cells[2:]):
                    problems.append(f'line {number}: item "{cells[1]}": {fault}')
                    refused.append(cells[1])
            elif not line.strip():
                continue
            else:
                columns = []
        rows: list[tuple[str, dict[str, Any]]] = []
        for name, entry in entries.items():
            item, fault = _item(name, entry)
            if item is None or name in refused:
                problems += [f'line {entry.line}: item "{name}": {fault}'] if fault else []
                refused.append(name)
            else:
                rows.append((f"line {entry.line}", item))
        if not entries:
            problems.append("no table of items: a line Item Label P# a s.e. … and lines of items below it")
        notes = {
            "metric": metric_note(1.0),
            "parameterisation": "slope and difficulty or thresholds as printed; intercepts repeat them",
            "scale": "logits; population not read: mean 0, SD 1",
            "standard_errors": "as printed, ---- read as fixed; covariances are not in it and stand as 0",
        }
        return Reading(rows, problems, notes, refused)

    def misfits(self, bank: ItemBank) -> list[str]:
        """Two- and three-parameter and graded items with names of one word."""
        problems = []
        for item in bank.items:
            if item.d < 1 or item.model in ("gpcm", "pcm", "nrm"):
                problems.append(f'item "{item.id}" is a {item.model} item; the tables hold 1PL to 3PL and graded items')
            if not one_cell(item.id) or " " in item.id:
                problems.append(f"item {item.id!r}: a name cannot hold blanks, tabs or line ends")
        return problems

    def lost(self, bank: ItemBank) -> list[str]:
        """Everything but six decimals of parameters and standard errors."""
        population = bank.metric.latent_mean != 0.0 or bank.metric.latent_sd != 1.0
        return ["more than six decimals", "domains, statuses, enemies and all other fields"] + (
            [f"the population (mean {bank.metric.latent_mean:g}, SD {bank.metric.latent_sd:g})"] if population else []
        )

    def write(self, bank: ItemBank, metric: float) -> str:
        """A table for each model and number of scores."""
        del metric  # always 1
        lines = [f"{bank.id}, version {bank.version}; logits, D = 1; written by issmp-cat", ""]
        tables: dict[tuple[str, int], list[tuple[int, Item]]] = {}
        for number, item in enumerate(bank.items, 1):
            title = "Graded" if item.model == "grm" else "3PL" if item.model == "3pl" else "2PL"
            tables.setdefault((title, len(item.steps)), []).append((number, item))
        parameter = 0
        for (title, _), items in tables.items():
            width = max(len(item.id) for _, item in items)
            for k, (number, item) in enumerate(items):
                cells = _cells(item)
                if k == 0:
                    head = "".join(
                        f"{'P#':>6}{n:>14}{'s.e.':>14}" if p else f"{n:>14}{'s.e.':>14}" for n, _, _, p in cells
                    )
                    lines += [f"{title} Items for Group 1: Group1", f"{'Item':>6}  {'Label':<{width}}{head}"]
                row = f"{number:6d}  {item.id:<{width}}"
                for _, value, se, free in cells:
                    parameter += free and se is not None
                    label = f"{parameter:6d}" if se is not None else " " * 6
                    error = f"{se:14.6f}" if se is not None else f"{'----':>14}"
                    row += (label if free else "") + f"{value:14.6f}" + error
                lines.append(row)
            lines.append("")
        return "\n".join(lines)


def _cells(item: Item) -> list[tuple[str, float, float | None, bool]]:
    """Column, value, standard error, and whether it is a parameter of its own or repeats others."""
    errors, (_, places) = errors_of(item), slope_intercept_errors(item)
    cells: list[tuple[str, float, float | None, bool]] = [("a", item.a, errors.get("a"), True)]
    if item.steps:
        return cells + [(f"b {k}", step, errors.get(f"b{k}"), False) for k, step in enumerate(item.steps, 1)]
    cells += [("c", intercepts(item)[0], places[0], True), ("b", item.b, errors.get("b"), False)]
    if item.model == "3pl":
        se, spread = errors.get("c"), max(item.c * (1.0 - item.c), 1e-12)
        odds = math.log(max(item.c, 1e-12) / (1.0 - item.c))
        cells += [("logit-g", odds, None if se is None else se / spread, True), ("g", item.c, se, False)]
    return cells


def _take(entry: _Entry, columns: list[str], cells: list[str]) -> str:
    """Put a line's cells with an item; what is wrong with them. A fixed parameter has no number before it."""
    left = list(cells)
    last = ""
    for column in columns:
        if column == "P#":
            if left and left[0].isdigit():
                left.pop(0)
            continue
        if not left:
            return f"{len(columns)} columns expected, found {len(cells)} cells"
        cell = left.pop(0)
        value = finite(cell)
        if column == "s.e.":
            if not _FIXED.match(cell):
                if value is None or value < 0:
                    return f's.e. of {last} is "{cell}"; expected a number of at least 0, or ----'
                entry.errors[last] = value
        elif value is None:
            return f'{column} is "{cell}"; expected a number'
        else:
            entry.values[column], last = value, column
            entry.digits = min(entry.digits, len(cell.partition(".")[2]))
    return f"{len(left)} cells more than columns" if left else ""


def _item(name: str, entry: _Entry) -> tuple[dict[str, Any] | None, str]:
    """An item's fields, or what is wrong."""
    values, errors = entry.values, entry.errors
    steps = [values[f"b{k}"] for k in range(1, len(values) + 1) if f"b{k}" in values]
    if "a" not in values or not (steps or "b" in values):
        return None, f"a table of {entry.title} items without a and b; 2PL, 3PL and graded tables are read"
    a, c = values["a"], values.get("g", 0.0)
    if steps and entry.title.lower() not in ("graded", "gr"):
        return (
            None,
            f"a table of {entry.title} items with b 1, b 2, …; of items with several scores only graded are read",
        )
    half = 0.5 * 10.0**-entry.digits
    known = {"c": values.get("b", 0.0)} | {f"c{k}": step for k, step in enumerate(steps, 1)}
    for column, b in known.items():
        rounding = half * (1.0 + abs(a) + abs(b)) + 1e-9
        if column in values and abs(values[column] - intercept(a, b)) > 2.0 * rounding:
            return None, f"{column} is {values[column]:g}, but −a b is {intercept(a, b):g}: not slope and intercept"
    if steps:
        named = {"a": errors.get("a"), **{f"b{k}": errors.get(f"b{k}") for k in range(1, len(steps) + 1)}}
        return {"id": name, "domain": "all", "model": "grm", "a": a, "steps": steps, "covariance": diagonal(named)}, ""
    guessed = "g" in values
    model = binary_model(a, c, 1.0, slope_free="a" in errors, guess_free=guessed)
    covariance = diagonal({"a": errors.get("a"), "b": errors.get("b"), "c": errors.get("g")})
    return {"id": name, "domain": "all", "model": model, "a": a, "b": values["b"], "c": c, "covariance": covariance}, ""


PRINTED = Printed()

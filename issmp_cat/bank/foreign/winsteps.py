"""Winsteps: the item file (``IFILE=``), Rasch difficulties with counts, scores and standard errors.

Layout: Winsteps manual, "IFILE= item output file" (winsteps.com/winman/ifile.htm): heading lines, the last of which
names the columns (ENTRY MEASURE STATUS COUNT SCORE ERROR …; MODLSE in newer versions), one line an item, the item's
NAME last; separated by blanks, tabs or commas as the user chose. The selection of columns is the user's, so they are
found by their names, which ``HLINES=N`` drops: such a file is refused. Lines of extreme and deleted items may begin
with a semicolon. Steps stand in a second file (``winsteps_steps.py``). Measures are taken for logits (USCALE = 1), the
program's default; the file does not tell.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import Any

from issmp_cat.bank.foreign.conversion import diagonal, location_error
from issmp_cat.bank.foreign.format import Reading, Wishes
from issmp_cat.bank.foreign.numbers import finite, metric_note, one_cell
from issmp_cat.bank.foreign.winsteps_steps import read_structure, steps_of
from issmp_cat.bank.item_bank import ItemBank

__all__ = ["WINSTEPS", "WINSTEPS_STEPS", "Winsteps"]

ERROR = ("ERROR", "MODLSE", "REALSE", "SE")
STATUS = ("STATUS", "STTS", "ST", "STAT")
LABEL = ("NAME", "ITEM", "LABEL")
FIT = {"IN.MSQ": "infit", "OUTMSQ": "outfit", "OUT.MS": "outfit", "OUT.MSQ": "outfit", "PTMA": "point_measure"}
LEFT_OUT = {
    -2: "no responses", -3: "deleted by the user", -4: "cannot be estimated: too high",
    -5: "cannot be estimated: too low", -6: "deselected",
}  # fmt: skip
EXTREME = "everyone or no one scored: measure extrapolated (EXTRSC)"
_DATA = re.compile(r"^\s*;?\s*\"?\d+\"?[\s,]+\"?[+-]?\.?\d")


@dataclass(frozen=True, slots=True)
class Winsteps:
    """Winsteps' IFILE; ``steps`` says that a structure file is written too, so that items may have them."""

    steps: bool = False
    name: str = "winsteps"
    program: str = "Winsteps"
    free_metric: bool = False
    usual_metric: float = 1.0

    def recognises(self, text: str) -> bool:
        """A line near the top names ENTRY and MEASURE."""
        return _heading(text.splitlines()[:10]) is not None

    def read(self, text: str, wishes: Wishes) -> Reading:
        """Items below the line that names the columns."""
        structure, problems = read_structure(wishes.structure)
        lines = text.splitlines()
        found = _heading(lines)
        if found is None:
            return Reading([], ["no line names the columns ENTRY and MEASURE; write the file with HLINES=Y"], {})
        top, columns, delimiter = found
        if missing := [names[0] for names in (("COUNT",), ("SCORE",), ERROR) if not set(names) & set(columns)]:
            return Reading([], [f"line {top + 1}: no column {', '.join(missing)}; found: {' '.join(columns)}"], {})
        rows, refused, left_out = [], [], {}
        bare: list[str] = []
        for number, line in enumerate(lines[top + 1 :], top + 2):
            if not line.strip() or (line.lstrip().startswith(";") and not _DATA.match(line)):
                continue
            cells = _split(line.replace(";", " ", 1) if line.lstrip().startswith(";") else line, delimiter, columns)
            row = dict(zip(columns, cells, strict=False))
            name = next((row[label] for label in LABEL if row.get(label)), "") or row["ENTRY"]
            steps = steps_of(structure, row["ENTRY"], finite(row.get("MEASURE", "")) or 0.0)
            if faults := _faults(row, columns, cells, len(steps) or 1):
                problems += [f'line {number}: item "{name}": {fault}' for fault in faults]
                refused.append(name)
            elif (status := int(finite(_pick(row, STATUS)) or 0)) <= -2:
                left_out[name] = LEFT_OUT.get(status, f"status {status}")
            else:
                extreme = bool(_pick(row, STATUS)) and status <= 0
                rows.append((f"line {number}", _item(name, row, steps, extreme=extreme)))
                bare += [name] if structure and "" not in structure and row["ENTRY"] not in structure else []
        if bare:
            named = ", ".join(bare[:3]) + (" …" if len(bare) > 3 else "")
            problems.append(f"structure: no steps of {named}; groups of items (ISGROUPS) cannot be told from the file")
        notes = {
            "metric": metric_note(1.0),
            "parameterisation": "Rasch difficulty; steps are difficulty plus Rasch-Andrich threshold"
            if structure
            else "Rasch difficulty",
            "scale": "logits, if the run left USCALE at 1 (the file does not say); origin as in the run, usually the "
            "mean of the items; population not in the file: mean 0, SD 1",
            "standard_errors": "as in the file, 0 read as unknown" + ("; of b only, not of steps" if structure else ""),
        }
        return Reading(rows, problems, notes, refused, left_out=left_out)

    def misfits(self, bank: ItemBank) -> list[str]:
        """Only Rasch items, and PCM items with a file for their steps: Winsteps knows no slopes."""
        problems = []
        for item in bank.items:
            named = f'item "{item.id}" is a {item.model} item'
            if item.model == "pcm" and not self.steps:
                problems.append(f"{named}: its steps need a file of their own; --structure names it")
            elif item.model == "nrm" or (item.steps and item.model != "pcm"):
                problems.append(f"{named}; Winsteps holds Rasch and PCM items")
            elif item.a != 1.0 or item.c != 0.0 or item.d != 1.0:
                problems.append(f"{named} with a = {item.a:g}; Winsteps holds Rasch and PCM items, a = 1")
            if not one_cell(item.id):
                problems.append(f"item {item.id!r}: a name cannot hold tabs or line ends")
        return problems

    def lost(self, bank: ItemBank) -> list[str]:
        """Everything but difficulty, its error, count and score."""
        population = bank.metric.latent_mean != 0.0 or bank.metric.latent_sd != 1.0
        errors = ["errors of single steps"] if any(item.steps for item in bank.items) else []
        return ["more than four decimals", *errors, "domains, statuses, enemies and all other fields"] + (
            [f"the population (mean {bank.metric.latent_mean:g}, SD {bank.metric.latent_sd:g})"] if population else []
        )

    def write(self, bank: ItemBank, metric: float) -> str:
        """Columns as a user of UDECIM=4 gets them, of the fields that a bank has."""
        del metric  # always 1
        lines = [f"; ITEM {bank.id}, version {bank.version}; logits, written by issmp-cat"]
        lines.append(";ENTRY   MEASURE ST   COUNT     SCORE   MODLSE NAME")
        for entry, item in enumerate(bank.items, 1):
            count = item.answers or 0
            p = item.statistics.get("mean_score" if item.steps else "p")
            error = location_error(item) or 0.0
            status = -3 if item.status == "retired" else 1
            lines.append(
                f"{entry:6d} {item.b:9.4f} {status:2d} {count:7.1f} {(p or 0.0) * count:9.1f} {error:8.4f} {item.id}"
            )
        return "\n".join([*lines, ""])


def _heading(lines: list[str]) -> tuple[int, list[str], str | None] | None:
    """Where the columns are named, how, and what separates them (None: blanks)."""
    for number, line in enumerate(lines):
        plain = line.strip().removeprefix(";")
        delimiter = "\t" if "\t" in plain else "," if "," in plain else None
        names = [name.strip(' ";').upper() for name in (plain.split(delimiter) if delimiter else plain.split())]
        if {"ENTRY", "MEASURE"} <= set(names):
            return number, names, delimiter
    return None


def _split(line: str, delimiter: str | None, columns: list[str]) -> list[str]:
    """Cells of a line; a name at the end keeps its blanks."""
    if delimiter:
        try:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            return []
    return [cell.strip() for cell in line.split(None, len(columns) - 1)]


def _pick(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if name in row), "")


def _faults(row: dict[str, str], columns: list[str], cells: list[str], highest: int) -> list[str]:
    if len(cells) != len(columns):
        return [f"{len(columns)} fields expected, found {len(cells)}"]
    error = next(name for name in ERROR if name in row)
    faults = [
        f'{name} is "{row[name]}"; expected a number'
        for name in ("MEASURE", "COUNT", "SCORE", error, *(set(STATUS) & set(row)))
        if finite(row[name]) is None
    ]
    if faults:
        return faults
    count, score = float(row["COUNT"]), float(row["SCORE"])
    if float(row[error]) < 0:
        faults.append(f"{error} is {row[error]}; expected at least 0")
    if count < 0 or score < 0:
        faults.append(f"COUNT {row['COUNT']} and SCORE {row['SCORE']} must be at least 0")
    if score > highest * count:
        faults.append(
            f"score {score:g} of {count:g} answers: its steps stand in another file (SFILE); --structure names it"
        )
    return faults


def _item(name: str, row: dict[str, str], steps: list[float], *, extreme: bool) -> dict[str, Any]:
    count, score = float(row["COUNT"]), float(row["SCORE"])
    error = float(_pick(row, ERROR)) or None
    statistics: dict[str, float] = {"mean_score" if steps else "p": score / count} if count > 0 else {}
    statistics |= {FIT[column]: value for column in FIT if (value := finite(row.get(column, ""))) is not None}
    return {
        "id": name,
        "domain": "all",
        "model": "pcm" if steps else "rasch",
        "steps": steps,
        "b": float(row["MEASURE"]),
        "covariance": diagonal({"b": error}),
        "answers": round(count) if count > 0 else None,
        "statistics": statistics,
        "verdict": EXTREME if extreme else None,
    }


WINSTEPS = Winsteps()
WINSTEPS_STEPS = Winsteps(steps=True)

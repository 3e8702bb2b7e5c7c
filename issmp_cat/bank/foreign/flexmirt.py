"""flexMIRT: the parameter file (``-prm.txt``), slope and intercept, D = 1, no standard errors.

Layout, one line an item, separated by tabs: 1, name, group, dimensions, model, categories, then for model 1 (3PL)
logit(g), intercept, slope; for 2 (graded) the intercepts, slope; for 3 (nominal, of which partial credit is a case) a
code and the scoring contrasts, slope, a code and the intercepts' contrasts; after the code 2 stands the matrix of the
contrasts, row by row (``nominal.py``). One line a group: 0, name, group,
dimensions, 0, mean, variance. Cai (2017), flexMIRT 3.5; Thissen, Cai & Bock (2010) for the contrasts. The same fields
are read by the R packages rpf (``read.flexmirt``, written by flexMIRT's authors) and irtQ (``bring.flexmirt``). IRTPRO
descends from the same code and its -prm.txt is taken where it has these fields; its own description of the file could
not be consulted.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from issmp_cat.arrays import Floats
from issmp_cat.bank.foreign.conversion import difficulties, intercepts
from issmp_cat.bank.foreign.format import Reading, Wishes
from issmp_cat.bank.foreign.nominal import contrasts, identity, trend
from issmp_cat.bank.foreign.numbers import binary_model, finite, metric_note, one_cell, shortest
from issmp_cat.bank.item import Item
from issmp_cat.bank.item_bank import ItemBank
from issmp_cat.irt import probability_at

__all__ = ["FLEXMIRT", "FlexMirt"]

LOGISTIC, GRADED, NOMINAL = 1, 2, 3
FIRST = 6  # place of the first parameter
EVEN = 1e-6  # scoring functions this near to 1, 2, 3, … are partial credit's: files have six digits
_LINE = re.compile(r"^[01]\t[^\t]+\t\d+\t\d+\t[0-3]\t")


class _Fault(Exception):
    """One line that cannot be understood."""


@dataclass(frozen=True, slots=True)
class FlexMirt:
    """flexMIRT's -prm.txt."""

    name: str = "flexmirt"
    program: str = "flexMIRT; IRTPRO as far as its fields are the same"
    free_metric: bool = False
    usual_metric: float = 1.0

    def recognises(self, text: str) -> bool:
        """Every line begins with 0 or 1, a name, group, dimensions and a model's code."""
        lines = [line for line in text.splitlines() if line.strip()]
        return bool(lines) and all(_LINE.match(line) for line in lines)

    def read(self, text: str, wishes: Wishes) -> Reading:
        """Items of the first group, and of others where they repeat it; the first group's population."""
        del wishes  # the file says all
        rows: list[tuple[str, dict[str, Any]]] = []
        problems: list[str] = []
        refused: list[str] = []
        seen: dict[str, list[str]] = {}
        population = None
        for number, line in enumerate(text.splitlines(), 1):
            cells = _split(line)
            name = cells[1] if len(cells) > 1 else ""
            try:
                if cells[:1] == ["0"]:
                    population = population or _group(cells)
                elif cells and _is_new(seen, name, cells):
                    rows.append((f"line {number}", _item(cells)))
            except _Fault as fault:
                problems.append(f'line {number}: "{name}": {fault}')
                refused.append(name)
        notes = {
            "metric": metric_note(1.0),
            "parameterisation": "slope and intercept (partial credit: contrasts of the nominal model); what the "
            "categories of nominal items earn is not in the file",
            "scale": "logits; population as in the file's first group"
            if population
            else "logits; population not in the file: mean 0, SD 1",
            "standard_errors": "not in the file",
        }
        return Reading(rows, problems, notes, refused, population)

    def misfits(self, bank: ItemBank) -> list[str]:
        """No upper asymptote, no nominal item whose last slope is 0, and no tabs in names."""
        last = "flexMIRT measures slopes by the last category's, which is 0; put another category last"
        problems = []
        for item in bank.items:
            if item.d < 1:
                problems.append(f'item "{item.id}" has the upper asymptote {item.d:g}; flexMIRT has none')
            if item.model == "nrm" and item.slopes[-1] == 0.0:
                problems.append(f'item "{item.id}": {last}')
            if not one_cell(item.id):
                problems.append(f"item {item.id!r}: a name cannot hold tabs or line ends")
        return problems

    def lost(self, bank: ItemBank) -> list[str]:
        """Everything but parameters and population."""
        errors = ["standard errors and covariances"] if any(item.covariance for item in bank.items) else []
        if any(item.model == "nrm" for item in bank.items):
            errors.append("points and options of nominal items")
        return [*errors, "domains, statuses, enemies and all other fields"]

    def write(self, bank: ItemBank, metric: float) -> str:
        """All digits; a 3PL item with c = 0 is written as the two-category graded one that it is."""
        del metric  # always 1
        lines = ["\t".join(["1", item.id, "1", "1", *_fields(item)]) for item in bank.items]
        spread = shortest(bank.metric.latent_sd**2)
        lines.append("\t".join(["0", "Group1", "1", "1", "0", shortest(bank.metric.latent_mean), spread]))
        return "\n".join([*lines, ""])


def _fields(item: Item) -> list[str]:
    if item.model == "nrm":
        slope = item.slopes[-1] / len(item.slopes)
        scoring = [1.0, *contrasts([s / slope for s in item.slopes])[1:]]
        return _nominal_fields(scoring, slope, contrasts(item.intercepts))
    if item.model in ("gpcm", "pcm"):
        return _nominal_fields([1.0, *[0.0] * (len(item.steps) - 1)], item.a, contrasts(intercepts(item)))
    values, a = [shortest(value) for value in intercepts(item)], shortest(item.a)
    if item.c > 0.0:
        return [str(LOGISTIC), "2", shortest(math.log(item.c / (1.0 - item.c))), *values, a]
    return [str(GRADED), str(len(values) + 1), *values, a]


def _nominal_fields(scoring: list[float], slope: float, places: list[float]) -> list[str]:
    """Model, categories, and both sets of contrasts under code 0."""
    numbers = [*map(shortest, scoring), shortest(slope), "0", *map(shortest, places)]
    return [str(NOMINAL), str(len(scoring) + 1), "0", *numbers]


def _split(line: str) -> list[str]:
    """Cells between tabs, or between blanks; none of a blank line."""
    return [cell.strip() for cell in line.rstrip().split("\t")] if "\t" in line.rstrip() else line.split()


def _is_new(seen: dict[str, list[str]], name: str, cells: list[str]) -> bool:
    """Whether an item stands here for the first time; later groups may repeat it, not change it."""
    if name not in seen:
        seen[name] = cells[2:]
        return True
    if cells[2:3] == seen[name][:1]:
        msg = "stands twice in one group"
        raise _Fault(msg)
    if cells[3:] != seen[name][1:]:
        msg = "differs from the same item in an earlier group; a bank holds one set of parameters"
        raise _Fault(msg)
    return False


def _numbers(cells: list[str], first: int, n: int) -> list[float]:
    """So many numbers from one place on."""
    found = [finite(cell) for cell in cells[first : first + n]]
    if len(found) < n or None in found:
        msg = f"{n} numbers expected from field {first + 1} on, found {' '.join(cells[first : first + n]) or 'none'}"
        raise _Fault(msg)
    return [value for value in found if value is not None]


def _group(cells: list[str]) -> tuple[float, float]:
    """Mean and SD of a group's line; an empirical histogram (code 1) has its own two numbers before them."""
    mean, variance = _numbers(cells, 7 if cells[4:5] == ["1"] else 5, 2)
    if variance <= 0:
        msg = f"variance of the population is {variance:g}; expected above 0"
        raise _Fault(msg)
    return mean, math.sqrt(variance)


def _item(cells: list[str]) -> dict[str, Any]:
    if cells[0] != "1":
        msg = f'line begins with "{cells[0]}"; expected 1 (item) or 0 (group)'
        raise _Fault(msg)
    _, dimensions, code, categories = (round(value) for value in _numbers(cells, 2, 4))
    if dimensions != 1:
        msg = f"{dimensions} dimensions; banks here have one"
        raise _Fault(msg)
    if not 2 <= categories <= 128:
        msg = f"{categories} categories; expected 2 to 128"
        raise _Fault(msg)
    fields = {"id": cells[1], "domain": "all"}
    if code == LOGISTIC:
        logit_g, d, a = _numbers(cells, FIRST, 3)
        c = float(probability_at(logit_g, 1.0, 0.0, 0.0, 1.0))
        return {**fields, "model": "3pl", "a": a, "b": _locations("3pl", a, [d])[0], "c": c}
    if code == GRADED:
        *ds, a = _numbers(cells, FIRST, categories)
        model = "grm" if categories > 2 else binary_model(a, 0.0, 1.0, slope_free=False, guess_free=False)
    elif code == NOMINAL:
        a, scores, ds = _nominal(cells, categories)
        even = np.abs(scores - np.arange(1, categories)).max() <= EVEN and a > 0
        if not even:
            return {**fields, "model": "nrm", "slopes": [a * s for s in scores.tolist()], "intercepts": ds}
        model = ("pcm" if a == 1.0 else "gpcm") if categories > 2 else "2pl"
    else:
        msg = f"model code {code}; expected 1 (3PL), 2 (graded) or 3 (nominal)"
        raise _Fault(msg)
    bs = _locations(model, a, ds)
    return {**fields, "model": model, "a": a, **({"steps": bs} if categories > 2 else {"b": bs[0]})}


def _locations(model: str, a: float, ds: list[float]) -> list[float]:
    if a == 0.0:
        msg = "slope is 0; expected above 0"
        raise _Fault(msg)
    return difficulties(model, a, ds)


def _nominal(cells: list[str], m: int) -> tuple[float, Floats, list[float]]:
    """Slope, scoring function and intercepts of categories 1 and up of a nominal item of ``m`` categories."""
    scoring, place = _contrasts(cells, FIRST, m)
    (a,) = _numbers(cells, place, 1)
    intercepts_, _ = _contrasts(cells, place + 1, m)
    return a, scoring, intercepts_.tolist()


def _contrasts(cells: list[str], place: int, m: int) -> tuple[Floats, int]:
    """What a code, its matrix if there is one, and ``m − 1`` factors say of categories 1 and up; the field after."""
    (code,) = _numbers(cells, place, 1)
    if code not in (0, 1, 2):
        msg = f"contrasts under code {code:g}; expected 0 (trend), 1 (identity) or 2 (a matrix)"
        raise _Fault(msg)
    place += 1
    matrix = trend(m) if code == 0 else identity(m)
    if code == 2:
        matrix = np.array(_numbers(cells, place, m * (m - 1))).reshape(m, m - 1)
        place += m * (m - 1)
    values: Floats = (matrix @ np.array(_numbers(cells, place, m - 1)))[1:]
    return values, place + m - 1


FLEXMIRT = FlexMirt()

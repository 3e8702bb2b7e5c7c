"""BILOG-MG: the item parameter file (``>SAVE PARM = 'x.PAR'``), fixed columns.

Layout: four heading lines, then for each item name and subtest (A8, A8), thirteen numbers (F10.5): intercept, slope,
threshold, dispersion (1/slope) and lower asymptote, each followed by its standard error, drift and its standard error,
one unused; place in the input (I4), key (A1), dummy (I1). Du Toit (ed., 2003), "IRT from SSI", BILOG-MG's SAVE
command; the same widths are read by the R packages plink 1.5-1 (``read.bilog``) and irtQ (``bring.bilog``). Of the
heading lines only their number is relied upon. Slopes are in the normal metric, D = 1.7, unless the run said LOGISTIC.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from issmp_cat.bank.foreign.conversion import diagonal, errors_of, slope_intercept_errors
from issmp_cat.bank.foreign.format import Reading, Wishes
from issmp_cat.bank.foreign.numbers import binary_model, finite, metric_note, one_cell
from issmp_cat.bank.item_bank import ItemBank
from issmp_cat.irt import intercept

__all__ = ["BILOG", "Bilog"]

HEADING, NAME, WIDTH = 4, 8, 10
FIELDS = (
    "intercept", "SE of intercept", "slope", "SE of slope", "threshold", "SE of threshold",
    "dispersion", "SE of dispersion", "asymptote", "SE of asymptote",
)  # fmt: skip
LARGEST = 100.0  # an error that, times slope or location, still fits
_ROUNDING = 5e-6  # F10.5
_STATED = re.compile(r"\bD = (\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Bilog:
    """BILOG-MG's .PAR file."""

    name: str = "bilog"
    program: str = "BILOG-MG"
    free_metric: bool = True
    usual_metric: float = 1.7

    def recognises(self, text: str) -> bool:
        """The fifth line has ten numbers where they belong, and its intercept is −slope × threshold."""
        lines = text.splitlines()[HEADING:]
        first = _cells(lines[0]) if lines else []
        if len(first) != len(FIELDS) or any(value is None for value in first):
            return False
        zeta, _, slope, _, threshold, *_ = (value or 0.0 for value in first)
        return abs(zeta - intercept(slope, threshold)) < 1e-3 * (1 + abs(zeta))

    def read(self, text: str, wishes: Wishes) -> Reading:
        """One item a line, by columns."""
        lines = text.splitlines()
        stated = _STATED.search("\n".join(lines[:HEADING]))
        metric = wishes.metric or (float(stated[1]) if stated else self.usual_metric)
        rows: list[tuple[str, dict[str, Any]]] = []
        problems: list[str] = []
        refused: list[str] = []
        subtests: dict[str, int] = {}
        for number, line in enumerate(lines[HEADING:], HEADING + 1):
            if not line.strip():
                continue
            name, subtest = line[:NAME].strip(), line[NAME : 2 * NAME].strip()
            subtests.setdefault(subtest, number)
            if faults := _faults(line):
                problems += [f"line {number}: {fault}" for fault in faults]
                refused.append(name)
            else:
                rows.append((f"line {number}", _item(name, [value or 0.0 for value in _cells(line)], metric)))
        if len(lines) <= HEADING:
            problems.append(f"line {len(lines)}: {HEADING} heading lines and one line an item expected")
        if len(subtests) > 1:
            where = ", ".join(f'"{subtest}" from line {number}' for subtest, number in subtests.items())
            problems.append(f"{len(subtests)} subtests, each with a θ of its own ({where}); convert one at a time")
        return Reading(rows, problems, _notes(metric, wishes, stated=bool(stated)), refused)

    def misfits(self, bank: ItemBank) -> list[str]:
        """Right-or-wrong items with names of eight letters, and numbers that ten columns hold."""
        problems = []
        for item in bank.items:
            if item.steps or item.slopes or item.d != 1.0:
                problems.append(f'item "{item.id}" is a {item.model} item; BILOG-MG has one to three parameters')
            if len(item.id) > NAME or not item.id.isascii():
                problems.append(f'item "{item.id}": a name has at most {NAME} ASCII letters in BILOG-MG')
            elif not one_cell(item.id):
                problems.append(f"item {item.id!r}: a name cannot hold tabs or line ends")
            if any(se >= LARGEST for se in errors_of(item).values()):
                problems.append(f'item "{item.id}": a standard error of {LARGEST:g} or more does not fit ten columns')
        return problems

    def lost(self, bank: ItemBank) -> list[str]:
        """Everything but five decimals of parameters and standard errors."""
        population = bank.metric.latent_mean != 0.0 or bank.metric.latent_sd != 1.0
        return ["more than five decimals", "domains, statuses, enemies and all other fields"] + (
            [f"the population (mean {bank.metric.latent_mean:g}, SD {bank.metric.latent_sd:g})"] if population else []
        )

    def write(self, bank: ItemBank, metric: float) -> str:
        """Columns as BILOG-MG writes them; D stands in the first line."""
        lines = [f" slopes for D = {metric:g}; {bank.id[:30]}, version {bank.version}", " written by issmp-cat"]
        lines += [f"{1:4d}{len(bank):4d}", f"{len(bank):4d}"]
        for place, item in enumerate(bank.items, 1):
            errors, (se_a, (se_zeta, *_)) = errors_of(item), slope_intercept_errors(item)
            slope, se_slope = item.a / metric, (se_a or 0.0) / metric
            numbers = (
                intercept(slope, item.b), (se_zeta or 0.0) / metric, slope, se_slope, item.b, errors.get("b", 0.0),
                1.0 / slope, se_slope / slope**2, item.c, errors.get("c", 0.0), 0.0, 0.0, 0.0,
            )  # fmt: skip
            key = item.content.key if item.content else " "
            cells = "".join(_fixed(number) for number in numbers)
            lines.append(f"{item.id:<{NAME}}{'TEST0001':<{NAME}}{cells}{place:4d}{key}0")
        return "\n".join([*lines, ""])


def _fixed(number: float) -> str:
    """Ten columns, five decimals; what is too large for them becomes stars, as Fortran writes it."""
    text = f"{round(number, 5) + 0.0:{WIDTH}.5f}"  # never −0
    return text if len(text) <= WIDTH else "*" * WIDTH


def _cells(line: str) -> list[float | None]:
    starts = range(2 * NAME, 2 * NAME + WIDTH * len(FIELDS), WIDTH)
    return [finite(line[start : start + WIDTH]) for start in starts if line[start : start + WIDTH].strip()]


def _faults(line: str) -> list[str]:
    """What is wrong with an item's line; dispersion repeats the slope and may overflow."""
    name = line[:NAME].strip()
    faults = [] if name else ["no item name in columns 1 to 8"]
    for k, label in enumerate(FIELDS):
        start = 2 * NAME + WIDTH * k
        text = line[start : start + WIDTH].strip()
        value = finite(text)
        if value is None and "dispersion" not in label:
            found = f'"{text}"' if text else "nothing"
            faults.append(
                f'item "{name}": {label} in columns {start + 1} to {start + WIDTH} is {found}; expected a number'
            )
        elif label.startswith("SE") and value is not None and value < 0:
            faults.append(f'item "{name}": {label} is {value:g}; expected at least 0')
    return faults


def _item(name: str, cells: list[float], metric: float) -> dict[str, Any]:
    """A line as an item of D = 1; a standard error of 0 says that nothing was estimated."""
    _, se_zeta, slope, se_slope, b, se_b, _, _, c, se_c = cells
    a, se_a = slope * metric, se_slope * metric
    # A slope of 1 / D in five decimals is a Rasch item's.
    if se_a == 0.0 and abs(a - 1.0) <= _ROUNDING * metric:
        a = 1.0
    model = binary_model(a, c, 1.0, slope_free=se_a > 0.0, guess_free=se_c > 0.0)
    covariance = diagonal({"a": se_a or None, "b": se_b or None, "c": se_c or None})
    if covariance and se_a and se_b:
        between = _between(slope, b, se_zeta, se_slope, se_b) * metric
        first, second, *rest = covariance["values"]
        covariance["values"] = ((first[0], between, *first[2:]), (between, *second[1:]), *rest)
    return {"id": name, "domain": "all", "model": model, "a": a, "b": b, "c": c, "covariance": covariance}


def _between(slope: float, b: float, se_zeta: float, se_slope: float, se_b: float) -> float:
    """Covariance of slope and threshold that the intercept's standard error implies.

    From ζ = −a b: Var ζ = b² Var a + a² Var b + 2 a b Cov(a, b). Zero where five decimals leave its correlation
    uncertain by more than 0.05, or where the file contradicts itself.
    """
    share = 2.0 * slope * b * se_slope * se_b
    wobble = 2.0 * _ROUNDING * (se_zeta + b * b * se_slope + slope * slope * se_b)
    if se_zeta == 0.0 or abs(share) * 0.05 < wobble:
        return 0.0
    correlation = (se_zeta**2 - (b * se_slope) ** 2 - (slope * se_b) ** 2) / share
    return correlation * se_slope * se_b if math.fabs(correlation) <= 1.0 else 0.0


def _notes(metric: float, wishes: Wishes, *, stated: bool) -> dict[str, str]:
    source = "as asked for" if wishes.metric else "as its first lines say" if stated else "BILOG-MG's, unless LOGISTIC"
    return {
        "metric": f"{metric_note(metric)} ({source})",
        "parameterisation": "slope, threshold, asymptote (a, b, c); intercept and dispersion repeat them",
        "scale": "logits; population not in the file: mean 0, SD 1",
        "standard_errors": "as in the file, 0 read as not estimated; the covariance of a and b from the intercept's "
        "standard error where five decimals tell it, other covariances 0",
    }


BILOG = Bilog()

"""R's mirt: CSV files of ``coef()``, in the IRT form (a, b, g, u) or as slope and intercept (a1, d, g, u).

Nominal items have a1, a2, … and c1, c2, … in the one form, a1, ak0, ak1, … and d0, d1, … in the other.

Layout: ``write.csv(coef(mod, IRTpars = TRUE, printSE = TRUE, as.data.frame = TRUE))`` gives one row a parameter, named
ITEM.PARAMETER, with columns par and SE; ``coef(mod, simplify = TRUE)$items`` one row an item. See R documentation of
mirt, "coef-method" (versions 1.25 to 1.47) and Chalmers (2012). D = 1. R writes ``Item.1.logit(g)`` as
``Item.1.logit.g.`` and changes other signs in item names to dots as well: that cannot be undone here.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from issmp_cat.bank.foreign.conversion import (
    diagonal,
    difficulties,
    errors_of,
    intercepts,
    slope_intercept_covariance,
    slope_intercept_errors,
)
from issmp_cat.bank.foreign.format import Reading, Wishes
from issmp_cat.bank.foreign.mirt_nominal import deviation_rows, is_nominal, nominal_item, scoring_rows
from issmp_cat.bank.foreign.mirt_tables import ROW, Entry, long_table, numbered, wide_table
from issmp_cat.bank.foreign.numbers import binary_model, metric_note, shortest
from issmp_cat.bank.item_bank import ItemBank
from issmp_cat.irt import probability_at

__all__ = ["MIRT", "MIRT_SLOPE", "Mirt"]

_GROUP = "GroupPars"
_INFINITE = 500.0  # mirt writes a fixed logit(g) as −999 and logit(u) as 999


@dataclass(frozen=True, slots=True)
class Mirt:
    """mirt's coefficients; ``slope`` chooses the form that is written, both are read."""

    name: str
    slope: bool
    program: str = "mirt (R)"
    free_metric: bool = False
    usual_metric: float = 1.0

    def recognises(self, text: str) -> bool:
        """A header with par, or with the parameters' own names, in this form."""
        try:
            rows = list(csv.reader(io.StringIO(text[:20_000])))
        except csv.Error:
            return False
        if len(rows) < 2:
            return False
        names = {name.strip() for name in rows[0][1:]}
        if "par" in names:
            found = [ROW.match(row[0]) for row in rows[1:] if row]
            names = {match[2] for match in found if match}
        sloped = "a1" in names and bool(names & {"d", "d1"})
        options = {"a1", "a2", "c1", "c2"} <= names
        plain = options or ("a" in names and (bool(names & {"b1"}) or {"b", "g"} <= names))
        return sloped if self.slope else plain and not sloped

    def read(self, text: str, wishes: Wishes) -> Reading:
        """Items by one row a parameter, or one row an item."""
        reader = csv.reader(io.StringIO(text))
        try:
            table = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
        except csv.Error as error:
            return Reading([], [f"line {reader.line_num}: {error}"], {})
        if not table:
            return Reading([], ["the file is empty"], {})
        header, body = table[0][1], table[1:]
        problems: list[str] = []
        entries = long_table(header, body, problems) if "par" in header else wide_table(header, body, problems)
        group = entries.pop(_GROUP, None)
        rows: list[tuple[str, dict[str, Any]]] = []
        refused: list[str] = []
        forms: set[bool] = set()
        nominal = 0
        for name, entry in entries.items():
            item = None if entry.faults else _item(name, entry, wishes)
            if item is None or entry.faults:
                problems += [f'line {entry.line}: item "{name}": {fault}' for fault in entry.faults]
                refused.append(name)
            else:
                forms.add("a1" in entry.values and "c1" not in entry.values)
                nominal += item["model"] == "nrm"
                rows.append((f"line {entry.line}", item))
        return Reading(rows, problems, _notes(forms, group, nominal), refused, _population(group))

    def misfits(self, bank: ItemBank) -> list[str]:
        """Graded and partial credit items look alike as a, b1, b2, …; a bank of both must be written by slopes."""
        models = {item.model for item in bank.items if item.steps}
        if not self.slope and "grm" in models and len(models) > 1:
            return [f"items of {' and '.join(sorted(models))} look alike as a, b1, b2, …; write mirt-slope"]
        return [
            f'item "{item.id}": mirt measures slopes by the last category\'s, which is 0; put another category last'
            for item in bank.items
            if self.slope and item.model == "nrm" and item.slopes[-1] == 0.0
        ]

    def lost(self, bank: ItemBank) -> list[str]:
        """Everything but parameters, their standard errors and the population."""
        stepped = not self.slope and any(item.steps for item in bank.items)
        nominal = any(item.model == "nrm" for item in bank.items)
        return [
            "covariances between parameters",
            "domains, statuses, enemies and all other fields",
            *(["whether items with steps are graded or partial credit"] if stepped else []),
            *(["points and options of nominal items"] if nominal else []),
        ]

    def write(self, bank: ItemBank, metric: float) -> str:
        """One row a parameter, all digits; mirt's own order and names."""
        del metric  # always 1
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["", "par", "SE"])
        for item in bank.items:
            errors = errors_of(item)
            if item.model == "nrm":
                rows = scoring_rows(item) if self.slope else deviation_rows(item)
            else:
                rows = _slope_rows(item) if self.slope else [("a", item.a, errors.get("a")), *_difficulty_rows(item)]
            if not item.steps and item.model != "nrm":
                rows += [("g", item.c, errors.get("c")), ("u", item.d, errors.get("d"))]
            writer.writerows([f"{item.id}.{name}", shortest(value), shortest(se)] for name, value, se in rows)
        for name, value in (("MEAN_1", bank.metric.latent_mean), ("COV_11", bank.metric.latent_sd**2)):
            writer.writerow([f"{_GROUP}.{name}", shortest(value), "NA"])
        return out.getvalue()


def _difficulty_rows(item: Any) -> list[tuple[str, float, float | None]]:
    errors = errors_of(item)
    named = [(f"b{k}", step) for k, step in enumerate(item.steps, 1)] or [("b", item.b)]
    return [(name, value, errors.get(name)) for name, value in named]


def _slope_rows(item: Any) -> list[tuple[str, float, float | None]]:
    slope, errors = slope_intercept_errors(item)
    values = intercepts(item)
    rows: list[tuple[str, float, float | None]] = [("a1", item.a, slope)]
    if not item.steps:
        return [*rows, ("d", values[0], errors[0])]
    if item.model != "grm":
        rows += [(f"ak{k}", float(k), None) for k in range(len(values) + 1)] + [("d0", 0.0, None)]
    return rows + [(f"d{k}", value, se) for k, (value, se) in enumerate(zip(values, errors, strict=True), 1)]


def _asymptote(entry: Entry, name: str, fixed: float) -> tuple[float, float | None]:
    """Value and standard error of g or u, from either scale: SE(g) = g (1 − g) SE(logit g)."""
    raw = f"logit({name})"
    if raw not in entry.values:
        return entry.values.get(name, fixed), entry.errors.get(name)
    if abs(entry.values[raw]) > _INFINITE:
        return fixed, None
    value = float(probability_at(entry.values[raw], 1.0, 0.0, 0.0, 1.0))
    se = entry.errors.get(raw)
    return value, None if se is None else se * value * (1.0 - value)


def _item(name: str, entry: Entry, wishes: Wishes) -> dict[str, Any] | None:
    """An item's fields; what is wrong with it is added to its faults."""
    if is_nominal(entry.values):
        return nominal_item(name, entry)
    entry.faults += _shape_faults(entry.values)
    sloped = "a1" in entry.values
    slope = "a1" if sloped else "a"
    locations = numbered(entry.values, "d" if sloped else "b")
    model = _stepped_model(entry, wishes, locations, sloped=sloped) if locations else None
    if entry.faults or (locations and model is None):
        return None
    a, se_a = entry.values[slope], entry.errors.get(slope)
    locations = locations or ["d" if sloped else "b"]
    given = [entry.values[k] for k in locations]
    (c, se_c), (d, se_d) = _asymptote(entry, "g", 0.0), _asymptote(entry, "u", 1.0)
    if model is None:
        model = binary_model(a, c, d, slope_free=se_a is not None, guess_free=se_c is not None)
    elif model == "gpcm" and a == 1.0 and se_a is None:
        model = "pcm"
    bs = difficulties(model, a, given) if sloped and a != 0.0 else given
    errors = [entry.errors.get(k) for k in locations]
    others = {"c": se_c, "d": se_d}
    covariance = (
        slope_intercept_covariance(model, a, bs, se_a, errors, others)
        if sloped and a != 0.0
        else diagonal({"a": se_a, **dict(zip(locations, errors, strict=True)), **others})
    )
    place = {"steps": bs} if model in ("grm", "gpcm", "pcm") else {"b": bs[0], "c": c, "d": d}
    return {"id": name, "domain": "all", "model": model, "a": a, "covariance": covariance, **place}


def _shape_faults(values: Mapping[str, float]) -> Iterator[str]:
    """Parameters that no model here has, or that are missing."""
    if any(re.fullmatch(r"a[2-9]|a1\d+", name) for name in values):
        yield "has slopes on several dimensions; banks here have one"
    if not {"a", "a1"} & set(values):
        yield "no slope a or a1"
    elif not {"b", "b1", "d", "d1"} & set(values):
        yield "no difficulty b, b1, … or intercept d, d1, …"
    if values.get("d0", 0.0) != 0.0:
        yield f"d0 is {values['d0']:g}; expected 0"


def _stepped_model(entry: Entry, wishes: Wishes, locations: list[str], *, sloped: bool) -> str | None:
    if sloped:
        return "gpcm" if "d0" in entry.values or "ak0" in entry.values else "grm"
    if wishes.stepped:
        return wishes.stepped
    steps = [entry.values[name] for name in locations]
    if any(upper <= lower for lower, upper in itertools.pairwise(steps)):
        return "gpcm"
    entry.faults.append("a, b1, b2, … is graded or partial credit, the file does not say; --stepped grm or gpcm does")
    return None


def _population(group: Entry | None) -> tuple[float, float] | None:
    if group is None or group.values.get("COV_11", 1.0) <= 0:
        return None
    return group.values.get("MEAN_1", 0.0), math.sqrt(group.values.get("COV_11", 1.0))


def _notes(forms: set[bool], group: Entry | None, nominal: int) -> dict[str, str]:
    sloped = forms == {True}
    errors = (
        "of slope and intercept, taken as uncorrelated, through the delta method; those of b can be far off, because "
        "the file does not hold the covariance: export coef(…, IRTpars = TRUE) for mirt's own"
        if sloped
        else "as in the file; covariances between parameters are not in it and stand as 0"
    )
    return {
        "metric": metric_note(1.0),
        "parameterisation": ("slope a1 and intercept d = −a1 b" if sloped else "a, b, g, u")
        + ("; nominal items against their first category, what each earns is not in the file" if nominal else ""),
        "scale": "logits; population as estimated" if group else "logits; population not in the file: mean 0, SD 1",
        "standard_errors": errors,
    }


MIRT = Mirt("mirt", slope=False)
MIRT_SLOPE = Mirt("mirt-slope", slope=True)

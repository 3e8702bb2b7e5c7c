"""Nominal items among mirt's coefficients, in both of its forms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from issmp_cat.bank.foreign.mirt_tables import Entry, numbered
from issmp_cat.bank.foreign.nominal import from_deviations, from_scoring, to_deviations, to_scoring
from issmp_cat.bank.item import Item

__all__ = ["deviation_rows", "is_nominal", "nominal_item", "scoring_rows"]

Row = tuple[str, float, float | None]


def _known(values: Iterable[float]) -> list[float | None]:
    return [None if math.isnan(value) else float(value) for value in values]


def scoring_rows(item: Item) -> list[Row]:
    """A nominal item as a1, ak0, … and d0, … to the last."""
    a, scores, errors = to_scoring(item)
    m, (se_a, *se) = len(item.slopes), _known(errors)
    rows: list[Row] = [("a1", a, se_a)]
    rows += [(f"ak{k}", score, se[k - 1] if 0 < k < m else None) for k, score in enumerate(scores)]
    return [*rows, ("d0", 0.0, None), *((f"d{k}", item.intercepts[k - 1], se[m + k - 2]) for k in range(1, m + 1))]


def deviation_rows(item: Item) -> list[Row]:
    """A nominal item as a1, a2, … and c1, c2, … to the last."""
    a, c, errors = to_deviations(item)
    names = [*(f"a{k + 1}" for k in range(len(a))), *(f"c{k + 1}" for k in range(len(c)))]
    return list(zip(names, [*a, *c], _known(errors), strict=True))


def nominal_item(name: str, entry: Entry) -> dict[str, Any] | None:
    """A nominal item's fields, from either form; None if the parameters do not make one."""
    values, errors = entry.values, entry.errors
    if "c1" in values:
        n = len(numbered(values, "c"))
        names = [f"{letter}{k}" for letter in "ac" for k in range(1, n + 1)]
        if n < 2 or set(values) != set(names):
            entry.faults.append(f"{' '.join(values)}; expected a1, a2, … and as many c1, c2, … (nominal)")
            return None
        fields = from_deviations(
            [values[k] for k in names[:n]], [values[k] for k in names[n:]], [errors.get(k) for k in names]
        )
    else:
        n = len([k for k in values if k.startswith("ak")])
        wanted = [f"{letter}{k}" for letter in ("ak", "d") for k in range(n)]
        if set(values) != {"a1", *wanted}:
            entry.faults.append(f"{' '.join(values)}; expected a1, ak0, ak1, … and as many d0, d1, … (nominal)")
            return None
        fields = from_scoring(
            values["a1"], [values[k] for k in wanted[:n]], [values[k] for k in wanted[n:]], {**errors}
        )
    return {"id": name, "domain": "all", "model": "nrm", **fields}


def is_nominal(values: Mapping[str, float]) -> bool:
    """Whether parameters are a nominal item's: partial credit scores 0, 1, 2, … and rises with θ."""
    scores = [values[f"ak{k}"] for k in range(len(values)) if f"ak{k}" in values]
    even = scores == [float(k) for k in range(len(scores))]
    return "c1" in values or not even or (bool(scores) and values.get("a1", 1.0) < 0.0)

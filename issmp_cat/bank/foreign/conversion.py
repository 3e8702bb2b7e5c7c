"""Standard errors through a change of parameters: the delta method, Cov(g(x)) ≈ J Cov(x) Jᵀ (Rao, 1973, 6a.2).

Slope and intercept stand for a θ + d; d = −a b for right-or-wrong items and graded thresholds, and
d_k = −a (b_1 + … + b_k) for partial credit (Chalmers, 2012, "mirt", J. Stat. Software 48(6), equations 2 to 5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from issmp_cat.arrays import Floats
from issmp_cat.bank.item import Item
from issmp_cat.irt import difficulty, intercept

__all__ = [
    "diagonal",
    "difficulties",
    "errors_of",
    "intercepts",
    "location_error",
    "slope_intercept_covariance",
    "slope_intercept_errors",
]


def intercepts(item: Item) -> list[float]:
    """Intercepts of an item: one, or one for each score above 0.

    >>> intercepts(Item(id="i", domain="D1", model="grm", a=2.0, steps=(-1.0, 0.5)))
    [2.0, -1.0]
    >>> intercepts(Item(id="i", domain="D1", model="gpcm", a=2.0, steps=(-1.0, 0.5)))
    [2.0, 1.0]
    """
    if not item.steps:
        return [intercept(item.a, item.b)]
    if item.model == "grm":
        return [intercept(item.a, b) for b in item.steps]
    return [intercept(item.a, math.fsum(item.steps[: k + 1])) for k in range(len(item.steps))]


def difficulties(model: str, a: float, ds: Sequence[float]) -> list[float]:
    """Difficulty, thresholds or steps from slope and intercepts; undoes :func:`intercepts`."""
    if model in ("gpcm", "pcm"):
        return [difficulty(a, d - before) for before, d in zip([0.0, *ds], ds, strict=False)]
    return [difficulty(a, d) for d in ds]


def errors_of(item: Item) -> dict[str, float]:
    """Standard errors of what was estimated: a, b or b1, b2, …, c, d."""
    covariance = item.covariance
    if covariance is None:
        return {}
    return {name: math.sqrt(covariance.values[k][k]) for k, name in enumerate(covariance.names)}


def location_error(item: Item) -> float | None:
    """Standard error of b, or of the mean of the steps; None where it is not known."""
    errors, names = errors_of(item), [f"b{k}" for k in range(1, len(item.steps) + 1)]
    if "b" in errors or item.covariance is None or not names or set(names) - set(errors):
        return errors.get("b")
    place = [item.covariance.names.index(name) for name in names]
    return math.sqrt(max(float(np.array(item.covariance.values)[np.ix_(place, place)].sum()), 0.0)) / len(names)


def diagonal(errors: Mapping[str, float | None]) -> dict[str, Any] | None:
    """A covariance from standard errors alone: zero between parameters, because nothing is known of it."""
    known = {name: se for name, se in errors.items() if se is not None}
    return _covariance(tuple(known), np.diag([se * se for se in known.values()])) if known else None


def _covariance(names: Sequence[str], values: Floats) -> dict[str, Any]:
    return {"names": tuple(names), "values": tuple(tuple(map(float, row)) for row in values)}


def _location_names(n: int, *, stepped: bool) -> list[str]:
    return [f"b{k}" for k in range(1, n + 1)] if stepped else ["b"]


def _jacobian(model: str, a: float, bs: Sequence[float]) -> Floats:
    """∂(a, intercepts) / ∂(a, difficulties). Shape ``(1 + steps, 1 + steps)``."""
    n = len(bs)
    summed = np.tril(np.ones((n, n))) if model in ("gpcm", "pcm") else np.eye(n)
    jacobian = np.zeros((n + 1, n + 1))
    jacobian[0, 0] = 1.0
    jacobian[1:, 0] = -(summed @ np.array(bs))
    jacobian[1:, 1:] = -a * summed
    return jacobian


def slope_intercept_errors(item: Item) -> tuple[float | None, list[float | None]]:
    """Standard errors of slope and intercepts, with the item's whole covariance; None for what was not estimated.

    >>> slope_intercept_errors(Item(id="i", domain="D1", a=2.0, b=1.0, covariance={
    ...     "names": ("a", "b"), "values": ((0.09, 0.0), (0.0, 0.04))}))
    (0.3, [0.5])
    """
    bs = item.steps or (item.b,)
    covariance, names = item.covariance, ["a", *_location_names(len(bs), stepped=bool(item.steps))]
    if covariance is None:
        return None, [None] * len(bs)
    whole = np.zeros((len(names), len(names)))
    place = [covariance.names.index(name) if name in covariance.names else None for name in names]
    for i, row in enumerate(place):
        for j, column in enumerate(place):
            if row is not None and column is not None:
                whole[i, j] = covariance.values[row][column]
    jacobian = _jacobian(item.model, item.a, bs)
    variances = np.diag(jacobian @ whole @ jacobian.T).clip(min=0.0)
    slope, *rest = np.sqrt(variances)
    missing = any(k is None for k in place[1:])
    return (
        None if place[0] is None else float(slope),
        [None] * len(bs) if missing else [float(se) for se in rest],
    )


def slope_intercept_covariance(
    model: str,
    a: float,
    bs: Sequence[float],
    slope: float | None,
    locations: Sequence[float | None],
    others: Mapping[str, float | None],
) -> dict[str, Any] | None:
    """Covariance of a and the difficulties from standard errors of slope and intercepts, taken as uncorrelated.

    Args:
        model: of the item.
        a: slope, per logit.
        bs: difficulty, or steps, logits.
        slope: standard error of the slope; None when it was fixed.
        locations: standard errors of the intercepts.
        others: those of c and d, which the change of parameters leaves alone.
    """
    known = {name: se for name, se in others.items() if se is not None}
    if any(se is None for se in locations):
        return diagonal({"a": slope, **known})
    given = np.array([slope or 0.0, *(se or 0.0 for se in locations)])
    inverse = np.linalg.inv(_jacobian(model, a, bs))
    values = inverse @ np.diag(given**2) @ inverse.T
    names = ["a", *_location_names(len(bs), stepped=model in ("grm", "gpcm", "pcm"))]
    first = 0 if slope is not None else 1
    size, n = len(names) - first, len(known)
    whole = np.zeros((size + n, size + n))
    whole[:size, :size] = values[first:, first:]
    whole[range(size, size + n), range(size, size + n)] = [se * se for se in known.values()]
    return _covariance([*names[first:], *known], whole)

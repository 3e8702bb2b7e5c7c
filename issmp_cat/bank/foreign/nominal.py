"""Nominal items in the ways other programs write them, and their standard errors by the delta method.

mirt measures slopes by the last category's: ``s_k = a1 ak_k`` with ak_0 = 0 and ak_m = m, ``i_k = d_k − d_0``; in its
IRT form a_1 … a_n and c_1 … c_n are slopes and intercepts with their means taken off (mirt's ``mirt2traditional``).
flexMIRT multiplies contrasts: ``s = a T α``, ``i = T γ`` with T by a code: 0 a line and sines, 1 the categories
themselves with the last one divided by m, 2 a matrix that follows in the file (Thissen, Cai & Bock, 2010, section 3.4;
rpf's ``Tnom.trend`` and ``Tnom.id``, copied from flexMIRT's own R code).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from issmp_cat.arrays import Floats
from issmp_cat.bank.item import Item

__all__ = ["contrasts", "from_deviations", "from_scoring", "identity", "to_deviations", "to_scoring", "trend"]


def trend(categories: int) -> Floats:
    """Contrasts of code 0: a line and sines. Shape ``(categories, categories − 1)``.

    Thissen, Cai & Bock (2010), equation 3.21: T[k, 0] = k, T[k, j] = sin(π j k / (m − 1)).
    """
    k = np.arange(categories)[:, None]
    matrix: Floats = np.sin(math.pi * np.arange(categories - 1) * k / (categories - 1))
    matrix[:, 0] = k[:, 0]
    matrix[-1, 1:] = 0.0
    return matrix


def identity(categories: int) -> Floats:
    """Contrasts of code 1: T[m, 0] = m, T[k, k] = 1 between. Shape ``(categories, categories − 1)``.

    >>> identity(3)
    array([[0., 0.],
           [0., 1.],
           [2., 0.]])
    """
    matrix = np.zeros((categories, categories - 1))
    matrix[-1, 0] = categories - 1
    for k in range(1, categories - 1):
        matrix[k, k] = 1.0
    return matrix


def contrasts(values: Sequence[float]) -> list[float]:
    """The factors of :func:`trend` that give values of categories 1 and up."""
    return [float(x) for x in np.linalg.solve(trend(len(values) + 1)[1:], np.array(values))]


def to_scoring(item: Item) -> tuple[float, list[float], Floats]:
    """Mirt's a1 and ak_0 … ak_m, and the errors of a1, ak_1 … ak_{m−1}, d_1 … d_m; NaN for what was not estimated.

    >>> to_scoring(Item(id="i", domain="D1", model="nrm", slopes=(2.0, 1.0), intercepts=(0.0, 0.0)))[:2]
    (0.5, [0.0, 4.0, 2.0])
    """
    m, last = len(item.slopes), item.slopes[-1]
    a = last / m
    scores = [0.0, *(m * slope / last for slope in item.slopes[:-1]), float(m)]
    jacobian = np.zeros((2 * m, 2 * m))
    jacobian[0, m - 1] = 1.0 / m
    for k in range(m - 1):
        jacobian[k + 1, k] = m / last
        jacobian[k + 1, m - 1] = -m * item.slopes[k] / last**2
    jacobian[m:, m:] = np.eye(m)
    return a, scores, _errors(item, jacobian)


def from_scoring(
    a: float, scores: Sequence[float], ds: Sequence[float], errors: Mapping[str, float | None]
) -> dict[str, Any]:
    """An item's fields from a1, ak_0 … and d_0 …, with errors by these names, taken as uncorrelated."""
    m = len(scores) - 1
    fixed = [k for k in range(m + 1) if errors.get(f"ak{k}") is None]
    names = ["a1", *(f"ak{k}" for k in range(m + 1)), *(f"d{k}" for k in range(m + 1))]
    jacobian = np.zeros((2 * m, len(names)))
    for k in range(1, m + 1):
        jacobian[k - 1, 0] = scores[k] - scores[0]
        jacobian[k - 1, 1 + k], jacobian[k - 1, 1] = a, -a
        jacobian[m + k - 1, m + 2 + k], jacobian[m + k - 1, m + 2] = 1.0, -1.0
    known = errors.get("a1") is not None and len(fixed) <= 2 and all(errors.get(f"d{k}") for k in range(1, m + 1))
    return {
        "slopes": [a * (score - scores[0]) for score in scores[1:]],
        "intercepts": [d - ds[0] for d in ds[1:]],
        "covariance": _covariance(m, jacobian, [errors.get(name) or 0.0 for name in names]) if known else None,
    }


def to_deviations(item: Item) -> tuple[list[float], list[float], Floats]:
    """Mirt's a_1 … a_n and c_1 … c_n, and their errors one after the other; NaN for what was not estimated."""
    n = len(item.slopes) + 1
    centre = (np.eye(n) - 1.0 / n)[:, 1:]
    jacobian = np.zeros((2 * n, 2 * n - 2))
    jacobian[:n, : n - 1], jacobian[n:, n - 1 :] = centre, centre
    values = jacobian @ np.array([*item.slopes, *item.intercepts])
    return values[:n].tolist(), values[n:].tolist(), _errors(item, jacobian)


def from_deviations(a: Sequence[float], c: Sequence[float], errors: Sequence[float | None]) -> dict[str, Any]:
    """An item's fields from a_1 … a_n and c_1 … c_n; ``errors`` in this order, taken as uncorrelated."""
    m = len(a) - 1
    against = np.hstack([-np.ones((m, 1)), np.eye(m)])
    jacobian = np.zeros((2 * m, 2 * m + 2))
    jacobian[:m, : m + 1], jacobian[m:, m + 1 :] = against, against
    known = [se for se in errors if se is not None]
    return {
        "slopes": (against @ np.array(a)).tolist(),
        "intercepts": (against @ np.array(c)).tolist(),
        "covariance": _covariance(m, jacobian, known) if len(known) == len(errors) else None,
    }


def _names(m: int) -> list[str]:
    return [*(f"a{k}" for k in range(1, m + 1)), *(f"c{k}" for k in range(1, m + 1))]


def _errors(item: Item, jacobian: Floats) -> Floats:
    """Standard errors of what a Jacobian makes of slopes and intercepts; NaN unless all of these have one."""
    names = _names(len(item.slopes))
    covariance = item.covariance
    if covariance is None or set(names) - set(covariance.names):
        return np.full(len(jacobian), np.nan)
    place = [covariance.names.index(name) for name in names]
    whole = np.array(covariance.values)[np.ix_(place, place)]
    errors: Floats = np.sqrt(np.diag(jacobian @ whole @ jacobian.T).clip(min=0.0))
    return errors


def _covariance(m: int, jacobian: Floats, errors: Sequence[float]) -> dict[str, Any]:
    values = jacobian @ np.diag(np.array(errors) ** 2) @ jacobian.T
    return {"names": tuple(_names(m)), "values": tuple(tuple(map(float, row)) for row in values)}

"""Cells of other programs' tables: numbers, missing values, and the model that a set of parameters means."""

from __future__ import annotations

import math

__all__ = ["ABSENT", "binary_model", "finite", "metric_note", "one_cell", "shortest"]

ABSENT = ("", "NA", "NaN", "nan", ".", "NULL")


def finite(text: str) -> float | None:
    """A finite number, or None.

    >>> finite(" -1.5"), finite("********"), finite("inf")
    (-1.5, None, None)
    """
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def binary_model(a: float, c: float, d: float, *, slope_free: bool, guess_free: bool) -> str:
    """The model of a right-or-wrong item that a file gives by its parameters only.

    >>> binary_model(1.0, 0.0, 1.0, slope_free=False, guess_free=False)
    'rasch'
    """
    if d < 1.0:
        return "4pl"
    if c > 0.0 or guess_free:
        return "3pl"
    return "rasch" if a == 1.0 and not slope_free else "2pl"


def metric_note(metric: float) -> str:
    """What was done to a file's slopes."""
    if metric == 1.0:
        return "logistic, D = 1; slopes as in the file"
    return f"slopes and their errors multiplied by the file's D = {metric:g}: logistic, D = 1"


def one_cell(name: str) -> bool:
    r"""Whether a name fits a cell of a table that knows no quotes.

    >>> one_cell("D1 first"), one_cell("D1\tfirst")
    (True, False)
    """
    return "\t" not in name and name == name.strip() and len(name.splitlines()) == 1


def shortest(value: float | None, absent: str = "NA") -> str:
    """A number in as many digits as bring it back exactly."""
    return absent if value is None else repr(float(value))

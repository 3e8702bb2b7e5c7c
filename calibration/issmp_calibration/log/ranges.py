"""What a parameter may be: what a bank can hold, by the names that item files and constraints use."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LARGEST_A", "LARGEST_B", "range_faults"]

# What a bank may hold: per logit, and logits; slopes and intercepts of the categories of nominal items.
LARGEST_A, LARGEST_B, LARGEST_SLOPE, LARGEST_INTERCEPT = 20.0, 50.0, 100.0, 1000.0


def range_faults(values: Mapping[str, float]) -> dict[str, str]:
    """What is wrong with the values of an item's parameters, by parameter; names it does not know are left to others.

    >>> range_faults({"a": -1.0, "b": 0.3, "c": 0.2})
    {'a': 'a is -1: expected above 0, up to 20'}
    >>> range_faults({"c": 0.3, "d": 0.3})
    {'d': 'd is 0.3: expected above c, which is 0.3'}
    """
    faults = {}
    for name, value in values.items():
        allowed, inside = _allowed(name, value)
        if not inside:
            faults[name] = f"{name} is {value:g}: expected {allowed}"
    if {"c", "d"} <= set(values) and not faults.keys() & {"c", "d"} and values["d"] <= values["c"]:
        faults["d"] = f"d is {values['d']:g}: expected above c, which is {values['c']:g}"
    return faults


def _allowed(name: str, value: float) -> tuple[str, bool]:
    """The range in words, and whether the value lies in it."""
    if name == "a":
        return f"above 0, up to {LARGEST_A:g}", 0.0 < value <= LARGEST_A
    if name == "c":
        return "0 or more, below 1", 0.0 <= value < 1.0
    if name == "d":
        return "above 0, up to 1", 0.0 < value <= 1.0
    largest = {"a": LARGEST_SLOPE, "b": LARGEST_B, "c": LARGEST_INTERCEPT}.get(name[:1], float("inf"))
    return f"from {-largest:g} to {largest:g}", abs(value) <= largest

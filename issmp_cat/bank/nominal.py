"""What is particular to nominal items (Bock, 1972): their faults, and a slope and a place to compare them by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_cat.bank.item import Item

__all__ = ["FARTHEST", "misfits", "slope_and_place", "with_slope_and_place"]

# Bounds of a bank's difficulties, logits; categories that differ in frequency but hardly in slope have no place.
FARTHEST = 50.0


def slope_and_place(slopes: Sequence[float], intercepts: Sequence[float]) -> tuple[float, float]:
    """A nominal item's a and b: what a partial credit item of as many equally spaced scores would have.

    With category 0 added and means taken off, ``b = −Σ s i / Σ s²`` is the θ at which the categories' log-odds differ
    least, and ``a = √(12 Σ s² / (n (n² − 1)))`` the slope a step. Partial credit of equal slopes and steps has these
    values itself, and under another scale both move as a and b do. Neither enters a chance or an estimate.

    Args:
        slopes: of categories 1 to n − 1 against category 0, per logit; ``intercepts`` alike.

    >>> slope_and_place([1.5, 3.0], [0.75, 0.0])
    (1.5, 0.0)
    """
    n = len(slopes) + 1
    mean, middle = math.fsum(slopes) / n, math.fsum(intercepts) / n
    rise = [slope - mean for slope in (0.0, *slopes)]
    total = math.fsum(s * s for s in rise)
    if total == 0.0:
        return 0.0, 0.0
    place = -math.fsum(s * (i - middle) for s, i in zip(rise, (0.0, *intercepts), strict=True)) / total
    slope = math.sqrt(12.0 * total / (n * (n * n - 1)))
    return slope, min(max(place, -FARTHEST), FARTHEST) + 0.0  # never −0


def with_slope_and_place(values: dict[str, Any]) -> dict[str, Any]:
    """Fields of a nominal item with a and b filled in; numbers that are none are left to their own faults."""
    try:
        slopes, intercepts = ([float(x) for x in values.get(name) or ()] for name in ("slopes", "intercepts"))
    except (TypeError, ValueError):
        slopes, intercepts = [], []
    if not slopes or len(slopes) != len(intercepts) or not all(map(math.isfinite, (*slopes, *intercepts))):
        a, b = 1.0, 0.0
    else:
        a, b = slope_and_place(slopes, intercepts)
    given = {name: value for name, value in values.items() if value is not None}
    return {"a": a or 1.0, "b": b, **given}


def misfits(item: Item) -> Iterator[str]:
    """What is wrong with a nominal item."""
    n = len(item.slopes) + 1
    if not item.slopes or len(item.slopes) != len(item.intercepts):
        yield (
            "a nrm item needs one slope and one intercept for each category but the first; "
            f"found {len(item.slopes)} and {len(item.intercepts)}"
        )
        return
    a, b = slope_and_place(item.slopes, item.intercepts)
    if a == 0.0:
        yield "all categories have the slope 0: such an item tells nothing"
    elif abs(item.a - a) > 1e-6 * (1.0 + a) or abs(item.b - b) > 1e-6 * (1.0 + abs(b)):
        yield f"a {item.a:g} and b {item.b:g} of a nrm item follow from its slopes: {a:g} and {b:g}; leave them out"
    for name, values in (("points", item.points), ("options", item.options)):
        if values and len(values) != n:
            yield f"{len(values)} {name} for {n} categories"
    if item.points and max(item.points) == 0:
        yield "no category earns points"
    if len(set(item.options)) != len(item.options):
        yield "an option stands for two categories"
    if item.content is not None and len(item.content.options) != n:
        yield f"{len(item.content.options)} options in content for {n} categories"

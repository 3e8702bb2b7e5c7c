"""Intervals of counted things."""

from __future__ import annotations

import math

__all__ = ["Z95", "wilson"]

Z95 = 1.959963984540054


def wilson(successes: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """Score interval of a proportion (Wilson, 1927); sensible at 0 and at 1 too.

    Args:
        successes: how many; ``trials``: of how many, at least 1.
        z: half-width in standard errors; 95 % by default.

    >>> [round(end, 4) for end in wilson(5, 10)], [round(end, 4) for end in wilson(0, 10)]
    ([0.2366, 0.7634], [0.0, 0.2775])
    """
    share = successes / trials
    weight = z * z / trials
    middle = (share + 0.5 * weight) / (1.0 + weight)
    half = z * math.sqrt(share * (1.0 - share) / trials + 0.25 * weight / trials) / (1.0 + weight)
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == trials else middle + half
    return low, high

"""Weights into whole numbers of items."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

__all__ = ["largest_remainder"]


def largest_remainder(weights: Sequence[Decimal], length: int) -> tuple[int, ...]:
    """Whole numbers nearest to ``length × weights`` that sum to ``length``.

    Hamilton's method (1792): floors first, then one more to the largest remainders; ties go to the earlier.

    Args:
        weights: exact shares that sum to 1.
        length: number of items to divide.

    >>> largest_remainder([Decimal(w) for w in ("0.22", "0.19", "0.18", "0.17", "0.12", "0.12")], 125)
    (28, 24, 22, 21, 15, 15)
    """
    shares = [Fraction(weight) * length for weight in weights]
    whole = [int(share) for share in shares]
    remainders = sorted(range(len(shares)), key=lambda k: (whole[k] - shares[k], k))
    for k in remainders[: length - sum(whole)]:
        whole[k] += 1
    return tuple(whole)

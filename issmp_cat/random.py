"""Random numbers that depend on what they are for, not on when they are drawn.

Philox 4×32-10 (Salmon, Moraes, Dror & Shaw, 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter
goes in, four 32-bit words come out. The counter is (position, person, purpose, 0), the key is the seed. A result
thus does not depend on threads, chunks or order of arrival, and a replay draws the same numbers.

Plain integers with masks: exact in Python, and the same bits when compiled, where products wrap at 64 bits.
"""

from __future__ import annotations

import math

__all__ = [
    "ABILITY",
    "CRITERION",
    "EXPOSURE",
    "ORDER",
    "PLAUSIBLE",
    "PREDICTOR",
    "PRETEST",
    "PRETEST_DOMAIN",
    "PRETEST_PLACE",
    "PRETEST_RESPONSE",
    "PRETEST_TIME",
    "RESPONSE",
    "SELECTION",
    "SPEED",
    "START",
    "TIME",
    "normal",
    "philox",
    "uniform",
]

# What a draw is for. Purposes never share numbers.
SELECTION, RESPONSE, TIME, ABILITY, SPEED, ORDER = 0, 1, 2, 3, 4, 5
EXPOSURE = 6
START, PREDICTOR = 20, 21
PRETEST, PRETEST_PLACE, PRETEST_DOMAIN, PRETEST_RESPONSE, PRETEST_TIME = 22, 23, 24, 25, 26
CRITERION = 8
PLAUSIBLE = 30

_MASK = 0xFFFFFFFF


def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Ten rounds of Philox 4×32 (Salmon et al., 2011, section 5.3).

    >>> [hex(word) for word in philox(0, 0, 0, 0, 0, 0)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    for _ in range(10):
        p0 = 0xD2511F53 * c0
        p1 = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            ((p1 >> 32) & _MASK) ^ c1 ^ k0,
            p1 & _MASK,
            ((p0 >> 32) & _MASK) ^ c3 ^ k1,
            p0 & _MASK,
        )
        k0 = (k0 + 0x9E3779B9) & _MASK
        k1 = (k1 + 0xBB67AE85) & _MASK
    return c0, c1, c2, c3


def uniform(seed: int, purpose: int, person: int, position: int) -> float:
    """A uniform number strictly between 0 and 1, with 52 random bits: with 53 the largest would round to 1.

    >>> uniform(1, SELECTION, 7, 0) == uniform(1, SELECTION, 7, 0) != uniform(1, RESPONSE, 7, 0)
    True
    """
    high, low, _, _ = philox(position & _MASK, person & _MASK, purpose, 0, seed & _MASK, (seed >> 32) & _MASK)
    return ((high >> 6) * 67108864.0 + (low >> 6) + 0.5) / 4503599627370496.0


def normal(seed: int, purpose: int, person: int, position: int) -> float:
    """A standard normal number (Box & Muller, 1958, equation 1)."""
    w0, w1, w2, w3 = philox(position & _MASK, person & _MASK, purpose, 0, seed & _MASK, (seed >> 32) & _MASK)
    radius = ((w0 >> 6) * 67108864.0 + (w1 >> 6) + 0.5) / 4503599627370496.0
    angle = ((w2 >> 6) * 67108864.0 + (w3 >> 6) + 0.5) / 4503599627370496.0
    return math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * angle)

"""The likelihood-ratio rules: SPRT between two points about the cut, GLR between everything above and below them."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from issmp_cat.arrays import Floats

__all__ = [
    "GeneralisedLikelihoodRatio",
    "RatioRule",
    "SequentialRatio",
    "add_evidence",
    "evidence_points",
    "log_ratio",
]

STEP = 0.05
Rate = Annotated[float, Field(ge=1e-6, lt=0.5)]


class RatioRule(BaseModel):
    """What the two ratio rules share.

    Attributes:
        alpha: wanted share of passes at cut − δ; ``beta``: of fails at cut + δ.
        indifference: δ, half the width of the region in which either decision will do, logits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: Rate = 0.05
    beta: Rate = 0.05
    indifference: Annotated[float, Field(ge=0.01, le=4)] = 0.2

    @property
    def bounds(self) -> tuple[float, float]:
        """The log ratio that fails, and the one that passes (Wald, 1947, section 3.3).

        >>> [round(bound, 3) for bound in SequentialRatio(alpha=0.05, beta=0.1).bounds]
        [-2.251, 2.89]
        """
        return math.log(self.beta / (1.0 - self.alpha)), math.log((1.0 - self.beta) / self.alpha)

    def _numbers(self) -> str:
        return f"at the cut ± {self.indifference:g} (α {self.alpha:g}, β {self.beta:g})"


class SequentialRatio(RatioRule):
    """Wald's sequential probability ratio test at the cut (Wald, 1947; Reckase, 1983; Eggen, 1999).

    ``log L(cut + δ) − log L(cut − δ)`` at or above ``log((1 − β)/α)`` passes, at or below ``log(β/(1 − α))`` fails.
    """

    rule: Literal["sprt"] = "sprt"

    def words(self) -> str:
        """The rule as a report names it."""
        return f"SPRT {self._numbers()}"


class GeneralisedLikelihoodRatio(RatioRule):
    """The same bounds for the best θ ≥ cut + δ against the best θ ≤ cut − δ.

    Bartroff, Finkelman & Lai (2008); with Wald's bounds Thompson (2009). Log-likelihoods are taken 0.05 logits apart,
    from cut ± δ outwards to the ends of the scoring grid. Where the likelihood has one maximum, it stops no later than
    SPRT would on the same answers.
    """

    rule: Literal["glr"] = "glr"

    def words(self) -> str:
        """The rule as a report names it."""
        return f"generalised likelihood ratio {self._numbers()}"


def evidence_points(rule: RatioRule, cut: float, low: float, high: float) -> tuple[Floats, int]:
    """The abilities at which the likelihood is followed, and how many of them lie below the cut.

    Args:
        rule: SPRT follows two points, GLR all of a grid.
        cut: θ of the pass mark; ``low`` and ``high``: the fences, logits.

    >>> evidence_points(SequentialRatio(indifference=0.25), 0.0, -4.0, 4.0)
    (array([-0.25,  0.25]), 1)
    """
    steps = [0, 0]
    if isinstance(rule, GeneralisedLikelihoodRatio):
        # 1e-9: a fence that the grid meets but for rounding belongs to it.
        steps = [math.floor((room - rule.indifference) / STEP + 1e-9) for room in (cut - low, high - cut)]
    below = cut - rule.indifference - STEP * np.arange(steps[0] + 1)
    above = cut + rule.indifference + STEP * np.arange(steps[1] + 1)
    return np.concatenate([below, above]), len(below)


def add_evidence(table: Floats, evidence: Floats, row: int) -> None:
    """Add the log-likelihoods of one answer to those gathered so far, in place.

    Args:
        table: log chance of each category at each point. Shape ``(rows, points)``; no points when no rule asks.
        evidence: sums so far. Shape ``(points,)``.
        row: the answer's row of the table.
    """
    for k in range(len(evidence)):
        evidence[k] += table[row, k]


def log_ratio(evidence: Floats, below: int) -> float:
    """Largest log-likelihood above the cut minus largest below it.

    Args:
        evidence: log-likelihoods, those of the points below the cut first. Shape ``(points,)``.
        below: how many of the points lie below the cut.

    >>> log_ratio(np.array([-3.0, -2.0, -2.5, -9.0]), 2)
    -0.5
    """
    worst = evidence[0]
    for k in range(1, below):
        worst = max(worst, evidence[k])
    best = evidence[below]
    for k in range(below + 1, len(evidence)):
        best = max(best, evidence[k])
    return float(best - worst)

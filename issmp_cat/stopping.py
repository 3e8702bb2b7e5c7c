"""When an exam ends, and what it then decides."""

from __future__ import annotations

from statistics import NormalDist
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "DECIDED",
    "GO_ON",
    "MAXIMUM_LENGTH",
    "NO_ITEM",
    "REASONS",
    "TIME_OUT",
    "ConfidenceInterval",
    "FixedLength",
    "StopRule",
    "build_stop_rule",
    "is_late",
    "stop_reason",
]

# Reasons by number, as kernels return them; 0 means the exam goes on.
GO_ON, DECIDED, MAXIMUM_LENGTH, TIME_OUT, NO_ITEM = 0, 1, 2, 3, 4
REASONS: dict[int, str] = {
    DECIDED: "the confidence interval excludes the cut",
    MAXIMUM_LENGTH: "the maximum length is reached",
    TIME_OUT: "the time is up",
    NO_ITEM: "no further item can be given",
}


class FixedLength(BaseModel):
    """Stop at the maximum length only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["fixed_length"] = "fixed_length"


class ConfidenceInterval(BaseModel):
    """Stop once the confidence interval of θ excludes the cut (Kingsbury & Weiss, 1983)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["confidence_interval"] = "confidence_interval"
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    sides: Literal["one", "two"] = "two"

    @property
    def z(self) -> float:
        """Half the interval's width in standard errors.

        >>> round(ConfidenceInterval(level=0.95).z, 2)
        1.96
        """
        tail = 1.0 - self.level
        return NormalDist().inv_cdf(1.0 - (tail / 2.0 if self.sides == "two" else tail))


class StopRule(NamedTuple):
    """What the kernel needs.

    Attributes:
        minimum: shortest permissible length; ``maximum``: the longest.
        cut: θ of the pass mark, logits.
        z: half-width of the interval in standard errors; infinite switches the rule off.
        seconds: time limit; infinite when there is none.
    """

    minimum: int
    maximum: int
    cut: float
    z: float
    seconds: float


def build_stop_rule(
    stopping: FixedLength | ConfidenceInterval, *, minimum: int, maximum: int, cut: float, seconds: float
) -> StopRule:
    """The rule as numbers."""
    z = stopping.z if isinstance(stopping, ConfidenceInterval) else float("inf")
    return StopRule(minimum=minimum, maximum=maximum, cut=cut, z=z, seconds=seconds)


def is_late(rule: StopRule, seconds: float) -> bool:
    """Whether an answer that arrives after ``seconds`` of test time is too late to count."""
    return seconds > rule.seconds


def stop_reason(rule: StopRule, n: int, theta: float, se: float) -> int:
    """Why the exam ends after ``n`` answers, or 0 when it goes on.

    Args:
        rule: limits, cut and confidence.
        n: answers given.
        theta: estimate; ``se``: its standard error, logits.

    >>> rule = StopRule(minimum=2, maximum=5, cut=0.0, z=1.96, seconds=100.0)
    >>> [stop_reason(rule, n, 1.0, 0.5) for n in (1, 2, 5)], stop_reason(rule, 5, 0.9, 0.5)
    ([0, 1, 1], 2)
    """
    if n >= rule.minimum and abs(theta - rule.cut) > rule.z * se:
        return DECIDED
    if n >= rule.maximum:
        return MAXIMUM_LENGTH
    return GO_ON

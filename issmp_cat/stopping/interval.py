"""The rules that need an estimate and its standard error: a fixed length, an interval at the cut."""

from __future__ import annotations

from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ConfidenceInterval", "FixedLength"]


class FixedLength(BaseModel):
    """Stop at the maximum length only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["fixed_length"] = "fixed_length"

    def words(self) -> str:
        """The rule as a report names it."""
        return "fixed length"


class ConfidenceInterval(BaseModel):
    """Stop once the confidence interval of θ excludes the cut (Kingsbury & Weiss, 1983).

    ``two`` sides: the cut lies outside θ̂ ± z·SE with ``level`` between the limits. ``one`` side: outside the interval
    that is bounded only towards the cut, which holds ``level``; the exam then ends earlier.
    """

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

    def words(self) -> str:
        """The rule as a report names it."""
        return f"{100 * self.level:.0f} % confidence interval ({self.sides}-sided) at the cut"

"""The reporting scale: θ in logits to points, with the pass mark where the programme put it."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Scale"]

Logits = Annotated[float, Field(ge=-20, le=20)]


class Scale(BaseModel):
    """Straight lines from (θ_min, lowest) up to (θ_cut, pass mark) and on to (θ_max, highest).

    Monotone, clipped, rounded once: to the nearest point at or above the cut, downwards below it, so that no failing
    candidate ever reads the pass mark. The decision stands, never the rounded score's.

    >>> scale = Scale(theta_cut=-0.3)
    >>> scale.score(-0.3), scale.score(-0.3000001), scale.score(3.0), scale.score(-9.0)
    (700, 699, 1000, 0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    theta_cut: Logits
    theta_min: Logits = -4.0
    theta_max: Logits = 3.0
    lowest: int = 0
    pass_mark: int = 700
    highest: int = 1000
    assumption: str = ""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.theta_min < self.theta_cut < self.theta_max:
            msg = (
                f"theta_min {self.theta_min:g} < theta_cut {self.theta_cut:g} < theta_max {self.theta_max:g} must hold"
            )
            raise ValueError(msg)
        if not self.lowest < self.pass_mark < self.highest:
            msg = f"lowest {self.lowest} < pass_mark {self.pass_mark} < highest {self.highest} must hold"
            raise ValueError(msg)
        return self

    @property
    def assumed(self) -> str:
        """What is assumed about this scale, with its numbers; empty when nothing is.

        >>> Scale(theta_cut=0.5, assumption="no standard was set").assumed
        'θ_cut = 0.5, θ_min = -4 and θ_max = 3 are assumed: no standard was set'
        """
        numbers = f"θ_cut = {self.theta_cut:g}, θ_min = {self.theta_min:g} and θ_max = {self.theta_max:g}"
        return f"{numbers} are assumed: {self.assumption}" if self.assumption else ""

    def exact(self, theta: float) -> float:
        """Points before rounding."""
        theta = min(max(theta, self.theta_min), self.theta_max)
        if theta < self.theta_cut:
            share = (theta - self.theta_min) / (self.theta_cut - self.theta_min)
            return self.lowest + share * (self.pass_mark - self.lowest)
        share = (theta - self.theta_cut) / (self.theta_max - self.theta_cut)
        return self.pass_mark + share * (self.highest - self.pass_mark)

    def score(self, theta: float, *, passed: bool | None = None) -> int:
        """Whole points for θ.

        Args:
            theta: ability estimate, logits.
            passed: the decision when a rule took it; the score is then capped below or raised to the pass mark.

        Raises:
            ValueError: θ is not a number.
        """
        if math.isnan(theta):
            msg = "theta is not a number: there is no score for it"
            raise ValueError(msg)
        if passed is None:
            passed = theta >= self.theta_cut
        points = self.exact(theta)
        return max(round(points), self.pass_mark) if passed else min(math.floor(points), self.pass_mark - 1)

"""The exam file's table ``[exposure]``."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ExposureControl"]


class ExposureControl(BaseModel):
    """How often an item may be used.

    Attributes:
        control: the method; "none" leaves items uncontrolled.
        cap: the largest share of candidates that may see an item.
        margin: how far below the cap the calibration aims. Rates counted over n candidates scatter by
            √(cap (1 − cap) / n), and the largest of hundreds lies some three of these above its expectation.
        bands: θ̂ between which the rate is capped separately, logits, ascending; none caps the overall rate.
        floor: with prices, the share of candidates that every item shall be seen by.
        favour: with prices, who gets the better items: everybody alike (precision), or those near the cut (decision).

    >>> ExposureControl(control="prices", cap=0.25).target
    0.24
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    control: Literal["none", "sympson_hetter", "conditional_sympson_hetter", "eligibility", "prices"] = "none"
    cap: Annotated[float, Field(gt=0, le=1)] | None = None
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.01
    bands: tuple[Annotated[float, Field(ge=-8, le=8)], ...] = ()
    floor: Annotated[float, Field(ge=0, lt=1)] = 0.002
    favour: Literal["precision", "decision"] = "precision"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = [fault for fault in self._faults() if fault]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> list[str]:
        if self.control == "none":
            told = ", ".join(sorted(self._changed() - {"control"}))
            return [f'control is "none", so {told} would do nothing; name a method'] if told else []
        if self.cap is None:
            return [f'control "{self.control}" needs a cap: the largest share of candidates that may see an item']
        conditional = self.control == "conditional_sympson_hetter"
        takes_bands = conditional or self.control == "eligibility"
        own = ", ".join(sorted({"floor", "favour"} & self._changed())) if self.control != "prices" else ""
        return [
            "" if self.margin < self.cap else f"margin {self.margin:g} leaves nothing of cap {self.cap:g}",
            "" if all(a < b for a, b in itertools.pairwise(self.bands)) else "bands must ascend",
            f'control "{self.control}" needs bands: θ̂ between them' if conditional and not self.bands else "",
            f'control "{self.control}" caps the overall rate: drop bands' if self.bands and not takes_bands else "",
            f'{own} belongs to control "prices"' if own else "",
            ""
            if self.control != "prices" or self.floor < self.cap - self.margin
            else f"floor {self.floor:g} is not below the cap less its margin, {self.cap - self.margin:g}",
        ]

    def _changed(self) -> set[str]:
        """What is not at its default, whether it was written out or not."""
        return {name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default}

    @property
    def target(self) -> float:
        """The rate the calibration aims at: the cap less its margin."""
        return 1.0 if self.cap is None else round(self.cap - self.margin, 12)

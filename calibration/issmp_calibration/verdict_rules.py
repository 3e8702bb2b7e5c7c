"""The thresholds of item verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from issmp_calibration.item_verdict import ACTIONS, CODES, Action
from issmp_cat.errors import UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["FEWEST_ANSWERS", "VerdictRules"]

# Rules of thumb of the field: 100 for a slope that is not estimated (Linacre, 1994: difficulties within ±½ logit),
# 200 for one that is (Drasgow, 1989), 400 where asymptotes rest on priors, half of what unaided ones need (Hulin,
# Lissak & Drasgow, 1982).
FEWEST_ANSWERS = {"rasch": 100, "1pl": 100, "pcm": 100, "3pl": 400, "4pl": 400}
OTHERWISE = 200


@dataclass(frozen=True, slots=True)
class VerdictRules:
    """When an item is held back or retired: conventions, to be set by whoever answers for the exam.

    Attributes:
        min_answers: fewer answers are too few; None takes 100 for rasch, 1pl and pcm, 400 for 3pl and 4pl, else 200.
        min_per_score: fewer answers with one of its scores are too few.
        min_slope: a smaller slope (per logit) hardly discriminates.
        certain: standard errors that a slope must be away from 0; a correlation likewise, in units of 1/√n.
        max_se_b: standard error of b or of a step, logits, above which it says nothing of where the item stands.
        prior_share: posterior SD over prior SD above which an asymptote counts as not identified.
        max_integration_error: standard errors.
        actions: what a reason asks for instead of the default: ``{"guessing_not_identified": "hold"}``.
    """

    min_answers: int | None = None
    min_per_score: int = 10
    min_slope: float = 0.2
    certain: float = 2.0
    max_se_b: float = 2.0
    prior_share: float = 0.8
    max_integration_error: float = 0.05
    actions: Mapping[str, Action] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        faults = [
            f"{name} {getattr(self, name)}: expected 0 or more"
            for name in (
                "min_answers",
                "min_per_score",
                "min_slope",
                "certain",
                "max_se_b",
                "prior_share",
                "max_integration_error",
            )
            if not (getattr(self, name) or 0) >= 0
        ]
        for code, action in self.actions.items():
            if code not in CODES:
                faults.append(f'no reason "{code}"{did_you_mean(code, list(CODES)) or "; known: " + ", ".join(CODES)}')
            if action not in ACTIONS:
                faults.append(f'action "{action}" for {code}: expected {", ".join(ACTIONS)}')
        if faults:
            raise UsageError("VerdictRules: " + "; ".join(faults))

    def fewest(self, model: str) -> int:
        """Answers that an item of this model needs.

        >>> VerdictRules().fewest("grm"), VerdictRules(min_answers=50).fewest("grm")
        (200, 50)
        """
        return FEWEST_ANSWERS.get(model, OTHERWISE) if self.min_answers is None else self.min_answers

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "actions": dict(self.actions)}

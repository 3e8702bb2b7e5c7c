"""What a study keeps of a design: a row of its table, and who was decided rightly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ConfigDict, TypeAdapter

from issmp_cat.arrays import Bools
from issmp_simulations.estimates import Estimate, mean_of

if TYPE_CHECKING:
    from issmp_simulations.result import StudyResult

__all__ = ["Row", "compared", "decided_rightly", "row_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One design on one bank. Estimates carry their Monte-Carlo standard error.

    Attributes:
        accuracy: share rightly passed or failed; ``false_pass`` and ``false_fail`` of all candidates.
        difference: accuracy less that of the reference, from the same candidates; None for the reference itself.
        exposure_maximum: largest share of candidates who saw one item; ``never_used``: share of items nobody saw.
        rmse: of θ, logits.
        violations: exams that broke a rule; ``unproven``: decisions left without a proof.
        reasons: share of exams that ended for each reason.
        provenance: of the simulation.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    id: str
    title: str
    bank: str
    candidates: int
    accuracy: Estimate
    difference: Estimate | None = None
    mean_length: Estimate
    false_pass: Estimate
    false_fail: Estimate
    exposure_maximum: Estimate
    never_used: float
    rmse: Estimate
    violations: int
    unproven: int
    reasons: Mapping[str, float]
    provenance: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """In plain types."""
        content: dict[str, Any] = TypeAdapter(Row).dump_python(self, mode="json")
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Row:
        """The row that :meth:`as_dict` told."""
        return TypeAdapter(Row).validate_python(content)


def row_of(id_: str, title: str, bank: str, found: StudyResult) -> Row:
    """The row of a simulated design."""
    named = {name: getattr(found, name) for name in ("accuracy", "mean_length", "false_pass", "false_fail", "rmse")}
    return Row(
        id=id_,
        title=title,
        bank=bank,
        candidates=found.n,
        **named,
        exposure_maximum=found.exposure.maximum,
        never_used=found.exposure.never_used,
        violations=found.compliance.violations,
        unproven=found.unproven,
        reasons={reason: count / found.n for reason, count in found.reasons.items() if count},
        provenance=found.provenance,
    )


def decided_rightly(found: StudyResult) -> Bools:
    """Whether each candidate was rightly passed or failed. Shape ``(persons,)``."""
    frame = found.frame
    return np.asarray(frame["passed"] == frame["truly_above"], dtype=np.bool_)


def compared(right: Bools, reference: Bools) -> Estimate | None:
    """Accuracy less the reference's: the mean of the candidates' own differences, and its standard error.

    With common random numbers most candidates are decided alike, and the difference is known better than either. The
    first candidates are the same in studies of any size, so those that both have are compared.

    >>> compared(np.array([True, True, False, True]), np.array([True, False, False, True])).value
    0.25
    """
    both = min(len(right), len(reference))
    return mean_of(right[:both].astype(np.float64) - reference[:both].astype(np.float64))

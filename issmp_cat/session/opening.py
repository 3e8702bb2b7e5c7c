"""What is known of a candidate before the first item, and kept with the session."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from issmp_cat.bank import ItemBank
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import SessionError
from issmp_cat.exam import Exam, begin
from issmp_cat.exam.overlap import Terms
from issmp_cat.exam.start import background_faults, set_prior
from issmp_cat.selection import State
from issmp_cat.spelling import did_you_mean

__all__ = ["Opening", "opening_of"]


class Opening(BaseModel):
    """What a session starts from, besides exam, bank and seed.

    Attributes:
        person: number of the candidate in a simulation of the same seed; all draws are keyed by both.
        background: values known of the candidate, by the exam's names.
        seen: ids of the items seen in earlier attempts.
        pretest_answers: answers collected so far by pretest items, by id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: Annotated[int, Field(ge=0, lt=2**32)] = 0
    background: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(default_factory=dict)
    seen: tuple[str, ...] = ()
    pretest_answers: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)

    def faults(self, exam: Exam, bank: ItemBank) -> list[str]:
        """What does not fit the exam and its bank; nothing when all does."""
        unknown = [name for name in self.pretest_answers if name not in bank.index]
        return background_faults(exam.start_from, self.background) + [
            f'pretest_answers names "{name}", which is not in the bank{did_you_mean(name, bank.ids)}'
            for name in unknown
        ]

    def begin(self, exam: Exam, terms: Terms) -> State:
        """An exam before its first item.

        Args:
            exam: the exam; ``terms``: as it is given to this candidate.

        Raises:
            SessionError: the background puts the prior where scoring does not look.
        """
        plan = terms.plan
        state = begin(plan, terms.barred)
        if exam.start_from.background:
            mean = plan.prior[0] + exam.start_from.shift(self.background)
            low, high = float(plan.grid.nodes[0]), float(plan.grid.nodes[-1])
            if not low < mean < high:
                raise SessionError(
                    "background",
                    [f"puts the prior's mean at {mean:g}; scoring considers abilities from {low:g} to {high:g}"],
                )
            set_prior(plan.grid.nodes, state, mean, plan.start.background_sd)
        return state


def opening_of(where: str, **known: Any) -> Opening:
    """What was said at the start, checked.

    Args:
        where: what to call the session in an error.
        **known: the fields of :class:`Opening`.

    Raises:
        SessionError: listing every fault.

    >>> opening_of("session", person=7).person
    7
    """
    try:
        return Opening.model_validate(known)
    except ValidationError as error:
        raise SessionError(where, plain_faults(error)) from None

"""What is known of a candidate before the first item, and kept with the session."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import SessionError

__all__ = ["Opening", "opening_of"]


class Opening(BaseModel):
    """What a session starts from, besides exam, bank and seed.

    Attributes:
        person: number of the candidate in a simulation of the same seed; all draws are keyed by both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: Annotated[int, Field(ge=0, lt=2**32)] = 0


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

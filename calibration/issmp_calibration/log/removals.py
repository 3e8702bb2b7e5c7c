"""What was taken out of a log or changed in it: the rule, and the query that finds its rows."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

__all__ = ["Action", "Removal"]

Action: TypeAlias = Literal["dropped", "changed", "kept", "noted"]


class Removal(NamedTuple):
    """One rule at work.

    Attributes:
        rule: its name, for programs.
        action: whether rows were dropped, changed, or kept although they are remarkable; ``noted`` rows are not
            listed.
        words: what was done, for people.
        query: the rows it met, with ``__file, __row, candidate, item`` among their columns; empty for none to list.
        answers: how many, where that is known without asking.
    """

    rule: str
    action: Action
    words: str
    query: str = ""
    answers: int | None = None

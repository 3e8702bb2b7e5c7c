"""What to do with an item, and why: one of three actions and the reasons behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["ACTIONS", "CODES", "FINE", "Action", "ItemVerdict", "Reason"]

Action: TypeAlias = Literal["use", "hold", "retire"]
ACTIONS: tuple[Action, ...] = ("use", "hold", "retire")  # from best to worst
FINE = "ok"

# What each reason asks for unless the rules say otherwise, and when it is given; docs/calibration.md shows this table.
CODES: dict[str, tuple[Action, str]] = {
    "negative_discrimination": (
        "retire",
        "its slope, or under a fixed one its item–rest r where rest scores compare, is below 0 beyond chance",
    ),
    "no_variation": ("retire", "everyone got the same score; hold while answers are too few"),
    "out_of_range": ("retire", "a, b or a step lies beyond what a bank may hold: a above 0"),
    "key_suspected": ("hold", "a wrong option goes with the rest score more than the key does, beyond chance"),
    "nobody_saw_it": ("hold", "no answer, or none with a score"),
    "too_few_answers": ("hold", "fewer answers than its model needs"),
    "too_few_in_category": ("hold", "a score that too few candidates got"),
    "hardly_discriminates": (
        "hold",
        "its slope, or under a fixed one its item–rest r where rest scores compare, is small or uncertain",
    ),
    "at_bound": ("hold", "a parameter stopped at the bound of its range"),
    "unsettled": ("hold", "the iteration ended before it settled"),
    "integration_error": ("hold", "a finer grid would move it by more than is allowed"),
    "singular_information": ("hold", "the answers do not tell its parameters apart: no standard errors"),
    "imprecise": ("hold", "the standard error of b, or of a step, is too large to say where the item stands"),
    "left_out": ("hold", "the fit could not take it"),
    "stands_in_bank": ("use", "no answer here: an item of the bank whose items were held, as that bank has it"),
    "guessing_not_identified": ("use", "c, or d, is hardly better known than its prior"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong with an item, or worth knowing.

    Attributes:
        code: for machines; one of ``CODES``.
        words: for people.
        numbers: what was found and what it was held against.
        action: what it asks for.
    """

    code: str
    words: str
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)
    action: Action = "hold"

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"code": self.code, "action": self.action, "words": self.words, "numbers": dict(self.numbers)}


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """Whether an item can be used: the worst of its reasons decides.

    Attributes:
        reasons: worst first; an item may be used in spite of some.

    >>> ItemVerdict.of([Reason("at_bound", "c at its bound"), Reason("no_variation", "all right", {}, "retire")])
    ItemVerdict(retire: no_variation, at_bound)
    >>> ItemVerdict().action
    'use'
    """

    reasons: tuple[Reason, ...] = ()

    @classmethod
    def of(cls, reasons: list[Reason]) -> ItemVerdict:
        """The verdict for these reasons, in any order."""
        return cls(tuple(sorted(reasons, key=lambda reason: -ACTIONS.index(reason.action))))

    @property
    def action(self) -> Action:
        """use, hold or retire."""
        return self.reasons[0].action if self.reasons else "use"

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of all reasons, worst first; of several reasons with one code each."""
        return tuple(reason.code for reason in self.reasons)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every code once, worst first: what counts of items go by."""
        return tuple(dict.fromkeys(self.codes))

    @property
    def words(self) -> str:
        """Why not to use it; "ok" if it can be used."""
        against = [reason.words for reason in self.reasons if reason.action != "use"]
        return "; ".join(against) or FINE

    def __repr__(self) -> str:
        return f"ItemVerdict({self.action}{': ' if self.reasons else ''}{', '.join(self.codes)})"

"""The decisions a response log leaves open, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Attempts", "Duplicates", "EmptyCell", "ItemVersions", "KeepOrDrop", "Omitted", "Rules", "Shape"]

Shape: TypeAlias = Literal["long", "wide"]
Omitted: TypeAlias = Literal["wrong", "missing"]
EmptyCell: TypeAlias = Literal["not_presented", "omitted"]
Duplicates: TypeAlias = Literal["error", "first", "last"]
Attempts: TypeAlias = Literal["first", "last", "all"]
KeepOrDrop: TypeAlias = Literal["keep", "drop"]
ItemVersions: TypeAlias = Literal["separate", "pooled"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as what. Each default is said aloud in the notes of a log when it mattered.

    Attributes:
        not_reached: what an item counts as that the candidate did not get to (``score_status`` not_reached or
            timed_out), or that was inferred not to have been reached.
        infer_not_reached: without a status column, take the omitted answers at the end of a candidate's test for not
            reached, all but the first of them, which was seen (so TIMSS and PISA, see ``unreached``).
        omitted_pretest: what an omitted answer to a pretest item counts as.
        retired: answers to items with status retired.
        item_versions: whether a version beyond the first is an item of its own (``id@v2``) or pooled with its item.
        flagged: candidates flagged for misconduct, in a column ``flagged`` of the log or the candidate table. The
            practice is to keep them out of calibrations, which ``calibrate`` does by default, and to score them.
        empty_cell: an empty cell of a wide table; in a long log a row without an option or a score is always omitted.
        omitted_codes: options or scores that stand for "no answer", such as ``("8",)`` or ``("9", "-1")``.
        max_score: the highest score an item can have.
        max_seconds: a longer time on one item is not a time on that item; the whole exam lasts 10,800 seconds.
        listed: how many faults of one kind are listed before the rest are counted.
    """

    not_reached: Omitted = "missing"
    infer_not_reached: bool = False
    omitted_pretest: Omitted = "missing"
    retired: KeepOrDrop = "drop"
    item_versions: ItemVersions = "separate"
    flagged: KeepOrDrop = "keep"
    empty_cell: EmptyCell = "not_presented"
    omitted_codes: tuple[str, ...] = ()
    max_score: int = 1
    max_seconds: float = 10_800.0
    listed: int = 20

"""What a person would do after ``issmp-cat score``: a command that can succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from issmp_cat.bank import ItemBank
    from issmp_cat.exam import Exam

__all__ = ["next_words"]

PACKAGED = "issmp"


def next_words(
    log: list[Path],
    reading: list[str],
    bank: Path | None,
    items: ItemBank | None,
    exam: str | None,
    columns: Mapping[str, Any],
) -> list[str]:
    """The next command, as words.

    Args:
        log: as typed; ``reading``: how it was read, as options.
        bank: the bank's file, and ``items`` what it holds; None without one.
        exam: the exam's name or file, if one was given.
        columns: of the scores: nobody is sent to an exam that no candidate took.
    """
    from issmp_calibration.exam_decisions import domain_faults
    from issmp_cat.exam import Exam

    if bank is None or items is None:
        return ["calibrate", *map(str, log), *reading, "-o", "bank.json"]
    plan = Exam.load(exam or PACKAGED)
    if exam is not None:
        if _enough(plan, items):
            return ["simulate", "--bank", str(bank), "--exam", exam]
        return ["exam", "check", exam, "--bank", str(bank)]
    whole = columns["answers"].max(initial=0) >= plan.length.minimum
    if whole and not domain_faults(plan, items):
        return ["score", *map(str, log), *reading, "--bank", str(bank), "--exam", PACKAGED]
    return ["bank", "check", str(bank)]


def _enough(plan: Exam, items: ItemBank) -> bool:
    """Whether every domain has the items that the longest test takes from it."""
    have = [0] * len(plan.blueprint.ids)
    for item in items.items:
        place = plan.blueprint.place(item.domain)
        if place is not None and item.status == "operational":
            have[place] += 1
    return all(got >= need for got, need in zip(have, plan.blueprint.quotas(plan.length.maximum), strict=True))

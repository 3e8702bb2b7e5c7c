"""What to doubt of the groups of a calibration: those too small to have a population, and spellings of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from issmp_calibration.log.faults import counted, some

if TYPE_CHECKING:
    from issmp_calibration.latent import Latent

__all__ = ["FEW_CANDIDATES", "group_doubts"]

FEW_CANDIDATES = 50  # the standard error of a mean is then 0.14 SDs at best, of an SD 0.1


def group_doubts(groups: Sequence[Latent]) -> Iterator[str]:
    """Warnings about groups, a line each; none for one population."""
    if len(groups) < 2:
        return
    if small := [f"{group.label} ({group.persons:,})" for group in groups if group.persons < FEW_CANDIDATES]:
        yield (
            f"warning: {counted(len(small), 'group')} of fewer than {FEW_CANDIDATES} candidates: {some(small, 5)}; "
            "mean and SD of so few say little, and each has its own: join them with others, or leave them out"
        )
    alike = dict[str, list[str]]()
    for group in groups:
        alike.setdefault(" ".join(group.label.casefold().split()), []).append(group.label)
    for labels in alike.values():
        if len(labels) > 1:
            yield (
                f"warning: groups {' and '.join(labels)} differ in case or spaces only, and each has a population of "
                "its own: spell them alike if they are one"
            )

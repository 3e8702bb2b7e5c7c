"""What a log holds: how much, by whom, of what, and what hangs together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from issmp_calibration.log.design import Forms, connected_groups, forms
from issmp_calibration.log.statistics import ClassicalStatistics
from issmp_cat.arrays import Ints
from issmp_cat.responses import ResponseLog

__all__ = ["Overview", "Spread", "overview"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Lowest, middle and highest of some counts."""

    lowest: int
    median: float
    highest: int

    @classmethod
    def of(cls, counts: Ints) -> Spread:
        """The spread of an array; zeros for an empty one."""
        if not len(counts):
            return cls(0, 0.0, 0)
        return cls(int(counts.min()), float(np.median(counts)), int(counts.max()))

    def __str__(self) -> str:
        if self.lowest == self.highest:
            return f"{self.lowest:,} each"
        return f"{self.lowest:,} to {self.highest:,}, median {self.median:,.0f}"


@dataclass(frozen=True, slots=True)
class Overview:
    """A log in numbers.

    Attributes:
        candidates: those with at least one answer.
        items: items by status, those nobody saw included.
        answers: answers, omitted ones included.
        per_candidate: answers of a candidate.
        per_item: answers to an item that somebody saw.
        omitted: answers left blank; of a log of scores those without a score.
        not_reached: answers to items that candidates did not get to.
        no_time: answers without a usable time; None if the log has no times.
        median_seconds: median time on an item; None likewise.
        forms: sets of operational items.
        pretest_sets: sets of pretest items likewise.
        groups: items by group that no candidate connects; one group is as it should be.
        unanswered: candidates without an answer that has a score: none at all, or omitted ones taken as missing.
        unseen: items nobody saw.
        no_variance: items that everyone got right, or wrong.
        candidate_columns: what else is known of candidates.
        note: what was understood when the log was read.
    """

    candidates: int
    items: dict[str, int]
    answers: int
    per_candidate: Spread
    per_item: Spread
    omitted: int
    not_reached: int
    no_time: int | None
    median_seconds: float | None
    forms: Forms
    pretest_sets: Forms
    groups: list[tuple[str, ...]]
    unanswered: tuple[str, ...]
    unseen: tuple[str, ...]
    no_variance: tuple[str, ...]
    candidate_columns: tuple[str, ...]
    note: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; of forms and groups the sizes."""
        plain = asdict(self)
        for name in ("forms", "pretest_sets"):
            sets = getattr(self, name)
            plain[name] = {"count": sets.count, "largest": [[form.name(), form.candidates] for form in sets.largest]}
        return plain | {"groups": [len(group) for group in self.groups]}


def overview(log: ResponseLog, statistics: ClassicalStatistics) -> Overview:
    """Take stock of a log."""
    answered = np.diff(log.start)
    status, flags = statistics.status, statistics.flags
    codes = np.array([flag[0].code if flag else "" for flag in flags])
    kinds, counts = np.unique(status, return_counts=True)
    usable = None if log.seconds is None else log.seconds[~np.isnan(log.seconds)]
    return Overview(
        candidates=int((answered > 0).sum()),
        items=dict(zip(map(str, kinds), counts.tolist(), strict=True)),
        answers=log.n_answers,
        per_candidate=Spread.of(answered[answered > 0]),
        per_item=Spread.of(statistics.presented[statistics.presented > 0]),
        omitted=int(statistics.omitted.sum()),
        not_reached=0 if log.status is None else int((log.status == 2).sum()),
        no_time=None if log.seconds is None else int(statistics.no_time.sum()),
        median_seconds=None if usable is None or not len(usable) else float(np.median(usable)),
        forms=forms(log, status != "pretest"),
        pretest_sets=forms(log, status == "pretest"),
        groups=connected_groups(log),
        unanswered=tuple(map(str, log.persons[_scored(log) == 0])),
        unseen=tuple(map(str, log.items[codes == "nobody_saw_it"])),
        no_variance=tuple(map(str, log.items[(codes == "all_right") | (codes == "all_wrong")])),
        candidate_columns=tuple(log.candidates),
        note=log.note,
    )


def _scored(log: ResponseLog) -> Ints:
    """Answers of each candidate that have a score. Shape ``(persons,)``."""
    before = np.concatenate([[0], np.cumsum(log.score >= 0)])
    return np.asarray(np.diff(before[log.start]), dtype=np.int64)

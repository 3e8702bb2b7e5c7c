"""Classical test and item statistics of a response log."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.comparable import Comparison, compare_rest_scores
from issmp_calibration.log.distractors import Distractors, distractor_table
from issmp_calibration.log.flags import Flag, Limits, flag_items
from issmp_calibration.log.key import ItemKey
from issmp_calibration.log.moments import (
    TestStatistics,
    ability_groups,
    correlation,
    describe_test,
    median_times,
    ratio,
)
from issmp_calibration.log.sums import raw_scores, sum_up
from issmp_cat.arrays import Bools, Floats, Ints, read_only
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClassicalStatistics", "TestStatistics", "classical_statistics", "correct_options", "item_status"]


@dataclass(frozen=True)
class ClassicalStatistics:
    """What a log says without a model.

    Attributes:
        items: item ids. Shape ``(items,)``, as all arrays below without another word.
        status: operational, pretest or retired.
        presented: answers, omitted ones included.
        n: answers with a score.
        highest: the most an item may be scored: as the item file says, or the highest score in the log; at least 1.
        p: share of the points to be had, mean score over the highest; for 0/1 items the proportion right. NaN where
            nobody has a score.
        item_rest: correlation with the share of points on the other operational items; NaN where either does not vary.
        omitted: answers left blank.
        seconds: median time, NaN where there is none.
        no_time: answers without a usable time.
        test: the raw score as a whole.
        distractors: each option of each item, or None for a log of scores.
        rest: whether item-rest correlations are judged, and why (not).
        flags: what is wrong with each item.
        persons: candidate ids. Shape ``(persons,)``, as the following.
        raw: raw score on operational items, points.
        answered: operational answers with a score, which ``raw`` is out of.
    """

    items: NDArray[Any]
    status: NDArray[Any]
    presented: Ints
    n: Ints
    highest: Ints
    p: Floats
    item_rest: Floats
    omitted: Ints
    seconds: Floats
    no_time: Ints
    test: TestStatistics
    distractors: Distractors | None
    rest: Comparison
    flags: tuple[tuple[Flag, ...], ...]
    persons: NDArray[Any] = field(repr=False)
    raw: Ints = field(repr=False)
    answered: Ints = field(repr=False)

    @property
    def coefficient(self) -> str:
        """What the reliability is called: α, which for right-or-wrong items alone is KR-20."""
        return "α" if (self.highest[(self.status == "operational") & (self.n > 0)] > 1).any() else "KR-20 (α)"

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row an item."""
        import pandas as pd

        return pd.DataFrame(
            {
                "item": self.items,
                "status": self.status,
                "n": self.n,
                "p": self.p,
                "item_rest": self.item_rest,
                "omitted": self.omitted,
                "median_seconds": self.seconds,
                "no_time": self.no_time,
                "flags": [", ".join(flag.code for flag in flags) for flags in self.flags],
            }
        )

    def by_item(self) -> dict[str, dict[str, float | int | None]]:
        """Statistics of each item by id, None where there is none: the form an item bank keeps."""
        return {
            str(item): {
                "n": int(self.n[place]),
                "p": _or_none(self.p[place]),
                "item_rest": _or_none(self.item_rest[place]),
                "omitted": int(self.omitted[place]),
                "median_seconds": _or_none(self.seconds[place]),
            }
            for place, item in enumerate(self.items)
        }

    def summary(self) -> str:
        """The test in one paragraph."""
        test = self.test
        flagged = sum(1 for flags in self.flags if flags)
        reliability = (
            "candidates took different items" if test.alpha is None else f"{self.coefficient} {test.alpha:.4f}"
        )
        error = "" if test.sem is None else f", SEM {test.sem:.2f}"
        return (
            f"{test.candidates:,} candidates, {test.items:,} operational items: "
            f"raw score {test.mean:.4f} ± {test.sd:.4f} ({test.lowest}–{test.highest}), {reliability}{error}; "
            f"{flagged:,} of {len(self.items):,} items flagged"
        )

    __repr__ = summary


def classical_statistics(
    log: ResponseLog, key: ItemKey | None = None, *, groups: int = 3, limits: Limits | None = None
) -> ClassicalStatistics:
    """Describe items and test without a model.

    Only operational items count in the raw score; a pretest item is correlated with the operational score.

    Args:
        log: the answers.
        key: the item file; tells which items are operational (all, without it) and which option is right.
        groups: ability groups in the distractor table, cut at equal shares of candidates.
        limits: when an item is flagged.
    """
    status = item_status(log, key)
    operational = status == "operational"
    highest = highest_points(log, key)
    worth = np.where(operational, highest, 0)
    scores = raw_scores(log, worth)
    sums = sum_up(log, worth, scores, ability_groups(scores.raw, scores.possible, groups))
    seconds, no_time = median_times(log)
    correct = correct_options(log, key)
    distractors = distractor_table(log, sums, correct) if log.option is not None else None
    p = ratio(sums.points, sums.scored * highest)
    item_rest, rest = correlation(sums), compare_rest_scores(log, operational)
    return ClassicalStatistics(
        items=log.items,
        status=read_only(status),
        presented=read_only(sums.presented.astype(np.int64)),
        n=read_only(sums.scored.astype(np.int64)),
        highest=read_only(highest),
        p=read_only(p),
        item_rest=read_only(item_rest),
        omitted=read_only(sums.omitted.astype(np.int64)),
        seconds=read_only(seconds),
        no_time=read_only(no_time),
        test=describe_test(scores.raw, scores.answered, sums, operational),
        distractors=distractors,
        rest=rest,
        flags=flag_items(
            sums,
            p,
            item_rest,
            distractors,
            limits or Limits(),
            guessing=guessing_chance(log, key, distractors, highest),
            judged=rest.judged,
        ),
        persons=log.persons,
        raw=read_only(scores.raw),
        answered=read_only(scores.answered),
    )


def item_status(log: ResponseLog, key: ItemKey | None) -> NDArray[np.str_]:
    """Status of each item of a log; operational where no key says otherwise. Shape ``(items,)``."""
    index = key.index if key else {}
    return np.array([key.status[index[str(i)]] if key and str(i) in index else "operational" for i in log.items])


def highest_points(log: ResponseLog, key: ItemKey | None) -> Ints:
    """The most that each item may be scored, at least 1: by the item file, or what occurs. Shape ``(items,)``."""
    highest = np.ones(log.n_items, np.int64)
    np.maximum.at(highest, log.item, log.score)
    for place, item in enumerate(log.items):
        if key and str(item) in key.index:
            highest[place] = key.highest(key.index[str(item)], int(highest[place]))
    return highest


def guessing_chance(log: ResponseLog, key: ItemKey | None, distractors: Distractors | None, highest: Ints) -> Floats:
    """Proportion right by blind guessing: one over the options, listed in the item file or chosen in the log.

    NaN where neither tells, and for items scored in steps. Shape ``(items,)``.
    """
    index = key.index if key else {}
    listed = [len(key.options[index[str(item)]]) if key and str(item) in index else 0 for item in log.items]
    chosen = np.zeros(log.n_items, np.int64) if distractors is None else (distractors.n > 0).sum(axis=1)
    options = np.maximum(listed, chosen)
    return np.where((options > 1) & (highest == 1), 1 / np.maximum(options, 1), np.nan)


def correct_options(log: ResponseLog, key: ItemKey | None) -> Bools:
    """Which option of the log is right for which item. Shape ``(items, options)``.

    Without a key the options that scored are the right ones.
    """
    correct = np.zeros((log.n_items, len(log.options)), dtype=bool)
    if log.option is None:
        return correct
    if key is None or not key.has_key:
        scoring = (log.score > 0) & (log.option < len(log.options))
        correct[log.item[scoring], log.option[scoring]] = True
        return correct
    for place, item in enumerate(log.items):
        right = key.correct[key.index[str(item)]] if str(item) in key.index else frozenset()
        correct[place] = [option in right for option in log.options]
    return correct


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

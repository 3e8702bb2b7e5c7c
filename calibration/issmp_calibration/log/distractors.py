"""Each option of each item: how often it was chosen, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.sums import Sums
from issmp_cat.arrays import Bools, Floats, Ints, read_only
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

    from issmp_calibration.log.store import LogStore

__all__ = ["Distractors", "distractor_table"]


@dataclass(frozen=True)
class Distractors:
    """Options by item.

    Attributes:
        items: item ids. Shape ``(items,)``.
        options: option labels.
        correct: right options. Shape ``(items, options)``, as the following.
        n: answers with this option.
        p: their share of all answers to the item, omitted ones included.
        point_biserial: correlation of choosing the option with the rest score; NaN where nobody or everybody did.
        by_group: share of the option within each ability group, lowest first. Shape ``(groups, items, options)``.
    """

    items: NDArray[Any]
    options: tuple[str, ...]
    correct: Bools
    n: Ints
    p: Floats
    point_biserial: Floats
    by_group: Floats

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row an option that was chosen or is right."""
        import pandas as pd

        item, option = np.nonzero((self.n > 0) | self.correct)
        return pd.DataFrame(
            {
                "item": self.items[item],
                "option": np.array(self.options)[option],
                "correct": self.correct[item, option],
                "n": self.n[item, option],
                "p": self.p[item, option],
                "point_biserial": self.point_biserial[item, option],
            }
            | {f"p_group_{g + 1}": self.by_group[g, item, option] for g in range(len(self.by_group))}
        )


def distractor_table(log: ResponseLog | LogStore, sums: Sums, correct: Bools) -> Distractors:
    """Options of all items from the sums of one pass.

    The point-biserial is Pearson's r of a 0/1 variable with the rest score:
    ``(mean of the choosers − mean of all) / SD × √(q / (1 − q))``, q the share of choosers. That of the right option
    is the item–rest correlation.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        n = sums.pairs[:, None]
        q = sums.chosen_pairs / n
        mean = sums.r[:, None] / n
        sd = np.sqrt(sums.rr[:, None] / n - mean**2)
        ahead = sums.chosen_r / sums.chosen_pairs - mean
        point_biserial = np.where((q > 0) & (q < 1) & (sd > 0), ahead / sd * np.sqrt(q / (1 - q)), np.nan)
        p = np.where(sums.presented[:, None] > 0, sums.chosen / sums.presented[:, None], np.nan)
        answers = sums.by_group.sum(axis=2, keepdims=True)
        by_group = np.where(answers > 0, sums.by_group / answers, np.nan)
    return Distractors(
        items=log.items,
        options=log.options,
        correct=read_only(correct),
        n=read_only(sums.chosen.astype(np.int64)),
        p=read_only(p),
        point_biserial=read_only(point_biserial),
        by_group=read_only(by_group),
    )

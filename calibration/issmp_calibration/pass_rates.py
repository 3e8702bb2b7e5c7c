"""Who passes: by raw score, without any model, or by a decision already made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.about import About
from issmp_calibration.log import ItemKey
from issmp_calibration.log.statistics import item_status
from issmp_calibration.log.sums import raw_scores
from issmp_cat.arrays import Bools, Ints
from issmp_cat.errors import UsageError
from issmp_cat.intervals import wilson
from issmp_cat.responses import ResponseLog
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PassRates", "pass_rates", "raw_decisions", "refuse_column"]

EVERYONE = "all"


@dataclass(frozen=True, slots=True)
class PassRates:
    """Pass rates of groups of candidates, and of everyone last.

    Attributes:
        by: the column that makes the groups; empty for none.
        group: its values; ``n``: candidates; ``passed``: of them. All of one length.
    """

    by: str
    group: tuple[str, ...]
    n: tuple[int, ...]
    passed: tuple[int, ...]

    @property
    def columns(self) -> dict[str, list[Any]]:
        """Groups, counts, rates and their 95 % intervals (Wilson, 1927)."""
        pairs = list(zip(self.passed, self.n, strict=True))
        intervals = [wilson(passed, n) for passed, n in pairs]
        return {
            self.by or "group": list(self.group),
            "candidates": list(self.n),
            "passed": list(self.passed),
            "rate": [passed / n for passed, n in pairs],
            "low": [low for low, _ in intervals],
            "high": [high for _, high in intervals],
        }

    @property
    def frame(self) -> pd.DataFrame:
        """One row a group."""
        import pandas as pd

        return pd.DataFrame(self.columns)


def raw_decisions(log: ResponseLog, cut: int, key: ItemKey | None = None) -> tuple[Ints, Bools, Bools]:
    """Raw score on operational items, whether it reaches the cut, and whether there is one. Each ``(persons,)``.

    Args:
        log: the answers.
        cut: lowest passing raw score, points.
        key: item file that tells operational from pretest items; without it all count.
    """
    raw, answered, _ = raw_scores(log, (item_status(log, key) == "operational").astype(np.int64))
    return raw, raw >= cut, answered > 0


def refuse_column(log: About, by: str) -> None:
    """Stop if nothing is known of candidates under this name.

    Raises:
        UsageError: no such column.
    """
    if by not in log.candidates:
        known = ", ".join(log.candidates) or "none; give a table about candidates (--candidates)"
        raise UsageError(f'no column "{by}" about candidates; known: {known}{did_you_mean(by, list(log.candidates))}')


def pass_rates(log: About, passed: Bools, counted: Bools, by: str | None = None) -> PassRates:
    """Share of candidates who pass.

    Args:
        log: the answers, and the columns about candidates.
        passed: who does; ``counted``: who is asked about. Shape ``(persons,)``.
        by: a column about candidates that makes groups.

    Raises:
        UsageError: no such column.
    """
    groups: dict[str, NDArray[np.bool_]] = {}
    if by is not None:
        refuse_column(log, by)
        values = np.array([str(value) for value in log.candidates[by]])
        groups = {str(value): values == value for value in np.unique(values)}
    groups[EVERYONE] = np.ones(log.n_persons, bool)
    sizes = {name: int((inside & counted).sum()) for name, inside in groups.items()}
    kept = [name for name in groups if sizes[name]]
    return PassRates(
        by=by or "",
        group=tuple(kept),
        n=tuple(sizes[name] for name in kept),
        passed=tuple(int((groups[name] & counted & passed).sum()) for name in kept),
    )

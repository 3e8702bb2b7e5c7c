"""A second opinion on a calibration, by girth 0.8.0 (Sanchez, 2021)."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.result import Calibration
from issmp_cat.arrays import Floats, Ints
from issmp_cat.errors import MissingExtra
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GirthOpinion", "girth_opinion"]

MOST_CELLS = 2_000_000  # girth takes about 20 s for 500,000
FEWEST_ITEMS = 3
GIRTHS_SMALLEST_A = 0.2


@dataclass(frozen=True, slots=True)
class GirthOpinion:
    """girth's parameters beside ours, or why there are none.

    Attributes:
        item: ids of the items girth could fit. Shape ``(items,)``, as all columns.
        ours: a and b of this package; ``girths``: of girth. Shape ``(items, 2)``.
        remarks: what girth did not take, and how the two are made comparable.
        refused: why girth fitted nothing; empty if it did.
        seconds: how long girth took.
        version: girth's.
    """

    item: NDArray[Any]
    ours: Floats
    girths: Floats
    remarks: tuple[str, ...] = ()
    refused: str = ""
    seconds: float = 0.0
    version: str = ""

    @property
    def columns(self) -> Mapping[str, Any]:
        """Both programs' parameters and their differences, by name."""
        return {
            "item": self.item,
            "a": self.ours[:, 0],
            "a_girth": self.girths[:, 0],
            "a_difference": self.girths[:, 0] - self.ours[:, 0],
            "b": self.ours[:, 1],
            "b_girth": self.girths[:, 1],
            "b_difference": self.girths[:, 1] - self.ours[:, 1],
        }

    @property
    def frame(self) -> pd.DataFrame:
        """Side by side, one row an item."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    def summary(self) -> str:
        """What the two agree on, in a few lines."""
        if self.refused:
            return f"no second opinion from girth {self.version}: {self.refused}"
        away = np.abs(self.girths - self.ours)
        first = (
            f"girth {self.version} on {len(self.item):,} items in {self.seconds:.1f} s: "
            f"a differs by up to {away[:, 0].max():.4f} (median {np.median(away[:, 0]):.4f}), "
            f"b by up to {away[:, 1].max():.4f} (median {np.median(away[:, 1]):.4f})"
        )
        return "\n".join([first, *self.remarks])

    __repr__ = summary


@dataclass(slots=True)
class _Task:
    """What girth will be given."""

    scores: NDArray[np.int64]
    places: Ints
    remarks: list[str] = field(default_factory=list)


def girth_opinion(result: Calibration, log: ResponseLog) -> GirthOpinion:
    """Fit the same log with girth, as far as its shape allows.

    girth takes complete matrices of 0 and 1: of a log with missing answers the items that everyone answered. Its
    3PL fails on current numpy. Both are said, never raised.

    Args:
        result: our calibration of the log.
        log: the log.

    Raises:
        MissingExtra: girth is not installed.
    """
    try:
        number = version("girth")
    except PackageNotFoundError:
        raise MissingExtra("a second opinion (girth)", "calibration") from None
    task = _task(result, log)
    if isinstance(task, str):
        nothing = np.empty((0, 2))
        return GirthOpinion(np.empty(0, str), nothing, nothing, refused=task, version=number)
    began = time.perf_counter()
    try:
        girths = _run(result.model, task.scores)
    except (ValueError, IndexError, TypeError, FloatingPointError, np.linalg.LinAlgError) as fault:
        nothing = np.empty((0, 2))
        refused = f"it failed with {type(fault).__name__}: {fault}"
        return GirthOpinion(np.empty(0, str), nothing, nothing, refused=refused, version=number)
    return GirthOpinion(
        item=result.items.item[task.places],
        ours=result.items.parameters[task.places, :2],
        girths=girths,
        remarks=tuple(task.remarks),
        seconds=time.perf_counter() - began,
        version=number,
    )


def _task(result: Calibration, log: ResponseLog) -> _Task | str:
    """The largest complete matrix of fitted items, or why there is none."""
    if result.model == "3pl":
        return "its three-parameter model fails on current numpy (2.x)"
    fitted = result.items.fitted
    scored = (log.score >= 0) & fitted[log.item]
    answers = np.bincount(log.item[scored], minlength=log.n_items)
    places = np.flatnonzero(fitted & (answers == result.n_persons))
    n_sparse = int(fitted.sum()) - len(places)
    if len(places) < FEWEST_ITEMS:
        return f"it takes complete matrices only, and {n_sparse} of {fitted.sum()} items were not answered by everyone"
    if len(places) * result.n_persons > MOST_CELLS:
        return f"{result.n_persons:,} × {len(places):,} answers would take it longer than a minute"
    remarks = []
    if n_sparse:
        remarks.append(
            f"girth takes complete matrices only: {n_sparse} items that not everyone answered are left out of its fit, "
            "not of ours"
        )
    if result.model == "2pl" and (result.items.parameters[places, 0] < GIRTHS_SMALLEST_A).any():
        remarks.append(f"girth lets no a fall below {GIRTHS_SMALLEST_A}: items that discriminate less differ widely")
    if result.model in ("rasch", "1pl"):
        remarks.append("girth fits these difficulties to the shares of right answers, not by maximum likelihood")
    if result.model == "rasch":
        remarks.append(
            "girth's rasch_mml fixes the population's SD at 1; its one-parameter model, with slope and SD exchanged, "
            "is the Rasch model with a free SD"
        )
    return _Task(_matrix(log, places, scored), places, remarks)


def _matrix(log: ResponseLog, places: Ints, scored: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Scores with items in rows, as girth wants them; persons without any answer drop out."""
    column = np.full(log.n_items, -1)
    column[places] = np.arange(len(places))
    scored = scored & (column[log.item] >= 0)
    person = log.person[scored]
    _, row = np.unique(person, return_inverse=True)
    matrix = np.zeros((len(places), int(row.max()) + 1), np.int64)
    matrix[column[log.item[scored]], row] = log.score[scored]
    return matrix


def _run(model: str, scores: NDArray[np.int64]) -> Floats:
    """Girth's a and b on our metric. Shape ``(items, 2)``."""
    import girth

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # girth 0.8.0 divides by zero inside its optimiser; its result is what counts
        found = girth.twopl_mml(scores) if model == "2pl" else girth.onepl_mml(scores)
    slope = np.broadcast_to(np.asarray(found["Discrimination"], dtype=float), len(scores))
    difficulty = np.asarray(found["Difficulty"], dtype=float)
    if model == "rasch":  # in logits the population's SD is the slope, and all slopes are 1
        return np.column_stack([np.ones(len(scores)), difficulty * slope])
    return np.column_stack([slope, difficulty])

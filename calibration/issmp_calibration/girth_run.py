"""What girth 0.8.0 (Sanchez, 2021) is given, and what it gives back, on our metric."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.item_table import ItemTable, numbered
from issmp_calibration.result import Calibration
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.responses import ResponseLog

__all__ = ["Found", "Task", "prepare", "run_girth"]

MOST_CELLS = 2_000_000  # girth takes about 20 s for 500,000
FEWEST_ITEMS = 3
GIRTHS_SMALLEST_A = 0.2
CALLS = {
    "rasch": "onepl_mml",
    "1pl": "onepl_mml",
    "2pl": "twopl_mml",
    "3pl": "threepl_mml",
    "grm": "grm_mml",
    "gpcm": "pcm_mml",
}
LACKING = {"pcm": "its partial credit model gives every item a slope of its own, which is the GPCM"}


@dataclass(slots=True)
class Task:
    """A complete matrix of fitted items.

    Attributes:
        model: of all items.
        scores: shape ``(items, persons)``.
        places: of the items in the log.
        remarks: what girth is not given, and how the two are made comparable.
    """

    model: str
    scores: NDArray[np.int64]
    places: Ints
    remarks: list[str] = field(default_factory=list)


class Found(NamedTuple):
    """girth's parameters: by the columns of the item table, and the population's SD."""

    parameters: Floats
    latent_sd: float


def prepare(result: Calibration, log: ResponseLog) -> Task | str:
    """The largest complete matrix of fitted items, or why there is none."""
    table, fitted = result.items, result.items.fitted
    models = sorted(set(table.model[fitted].tolist()))
    if len(models) != 1:
        return f"it fits one model at a time; here are {', '.join(models)}"
    if models[0] not in CALLS:
        return LACKING.get(models[0], f"it has no {models[0].upper()}")
    if len(result.groups) > 1:
        return f"it knows one population; here are {len(result.groups)}"
    scored = (log.score >= 0) & fitted[log.item]
    answers = np.bincount(log.item[scored], minlength=log.n_items)
    places = np.flatnonzero(fitted & (answers == result.n_persons))
    n_sparse = int(fitted.sum()) - len(places)
    if len(places) < FEWEST_ITEMS:
        return f"it takes complete matrices only, and {n_sparse} of {fitted.sum()} items were not answered by everyone"
    if len(places) * result.n_persons > MOST_CELLS:
        return f"{result.n_persons:,} × {len(places):,} answers would take it longer than a minute"
    remarks = _remarks(table, models[0], places, n_sparse)
    if result.density != "normal":
        remarks.append(f"girth was given a normal population, ours is a {result.density}")
    return Task(models[0], _matrix(log, places, scored), places, remarks)


def _remarks(table: ItemTable, model: str, places: Ints, n_sparse: int) -> list[str]:
    remarks = []
    if n_sparse:
        remarks.append(
            f"girth takes complete matrices only: {n_sparse} items that not everyone answered are left out of its fit, "
            "not of ours"
        )
    if model not in ("rasch", "1pl") and (table.values("a")[places] < GIRTHS_SMALLEST_A).any():
        remarks.append(f"girth lets no a fall below {GIRTHS_SMALLEST_A}: items that discriminate less differ widely")
    if model in ("rasch", "1pl"):
        remarks.append("girth fits these difficulties to the shares of right answers, not by maximum likelihood")
    if model == "rasch":
        remarks.append(
            "girth's rasch_mml fixes the population's SD at 1; its one-parameter model, with slope and SD exchanged, "
            "is the Rasch model with a free SD"
        )
    return remarks


def _matrix(log: ResponseLog, places: Ints, scored: Bools) -> NDArray[np.int64]:
    """Scores with items in rows, as girth wants them; persons without any answer drop out."""
    column = np.full(log.n_items, -1)
    column[places] = np.arange(len(places))
    scored = scored & (column[log.item] >= 0)
    person = log.person[scored]
    _, row = np.unique(person, return_inverse=True)
    matrix = np.zeros((len(places), int(row.max()) + 1), np.int64)
    matrix[column[log.item[scored]], row] = log.score[scored]
    return matrix


def run_girth(task: Task, names: tuple[str, ...]) -> Found | str:
    """Girth's parameters of the task's items, or how it failed.

    Args:
        task: what to fit.
        names: columns to fill; NaN where girth has none.
    """
    import girth

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # girth 0.8.0 divides by zero inside its optimiser; its result is what counts
        try:
            found: dict[str, Any] = getattr(girth, CALLS[task.model])(task.scores)
        except Exception as fault:  # noqa: BLE001 - another program's bug must not cost our result
            return f"its {task.model.upper()} fails inside, in {CALLS[task.model]} ({type(fault).__name__}: {fault})"
    slope = np.broadcast_to(np.asarray(found["Discrimination"], dtype=float), len(task.places))
    difficulty = np.asarray(found["Difficulty"], dtype=float)
    parameters, sd = np.full((len(slope), len(names)), np.nan), 1.0
    if task.model == "rasch":  # in logits the population's SD is the slope, and all slopes are 1
        sd, difficulty, slope = float(slope[0]), difficulty * slope, np.ones(len(slope))
    parameters[:, 0] = slope
    if difficulty.ndim == 1:
        parameters[:, 1:4] = np.column_stack([difficulty, np.zeros(len(slope)), np.ones(len(slope))])
        return Found(parameters, sd)
    parameters[:, 1] = np.nanmean(difficulty, axis=1)
    steps = numbered(names)[: difficulty.shape[1]]
    parameters[:, steps] = difficulty[:, : len(steps)]
    return Found(parameters, sd)

"""A second opinion on a calibration, by girth 0.8.0 (Sanchez, 2021)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.girth_run import Task, prepare, run_girth
from issmp_calibration.item_table import numbered
from issmp_calibration.marginal import complete_log_likelihood
from issmp_calibration.plot_curves import engine_parameters
from issmp_calibration.result import Calibration
from issmp_cat.arrays import Floats
from issmp_cat.errors import MissingExtra
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GirthOpinion", "girth_opinion"]


@dataclass(frozen=True, slots=True)
class GirthOpinion:
    """girth's parameters beside ours, or why there are none.

    Attributes:
        item: ids of the items girth could fit. Shape ``(items,)``.
        names: a, and b or the steps.
        ours: of this package. Shape ``(items, names)``; ``girths``: of girth.
        log_likelihood: of these items' answers under our parameters; ``girths_log_likelihood``: under girth's; both
            by the same integral, over a normal population.
        remarks: what girth did not take, and how the two are made comparable.
        refused: why girth fitted nothing; empty if it did.
        seconds: how long girth took.
        version: girth's.
    """

    item: NDArray[Any]
    names: tuple[str, ...]
    ours: Floats
    girths: Floats
    log_likelihood: float = np.nan
    girths_log_likelihood: float = np.nan
    remarks: tuple[str, ...] = ()
    refused: str = ""
    seconds: float = 0.0
    version: str = ""

    @property
    def columns(self) -> Mapping[str, Any]:
        """Both programs' parameters and their differences, by name."""
        columns: dict[str, Any] = {"item": self.item}
        for k, name in enumerate(self.names):
            ours, girths = self.ours[:, k], self.girths[:, k]
            columns |= {name: ours, f"{name}_girth": girths, f"{name}_difference": girths - ours}
        return columns

    @property
    def frame(self) -> pd.DataFrame:
        """Side by side, one row an item."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    def summary(self) -> str:
        """What the two agree on, in a few lines."""
        if self.refused:
            return f"no second opinion from girth {self.version}: {self.refused}"
        away = [values[~np.isnan(values)] for values in np.abs(self.girths - self.ours).T]
        parts = [
            f"{name} differs by up to {values.max():.4f} (median {np.median(values):.4f})"
            for name, values in zip(self.names, away, strict=True)
        ]
        return "\n".join(
            [
                f"girth {self.version} on {len(self.item):,} items in {self.seconds:.1f} s: {', '.join(parts)}",
                self._likelihoods,
                *self.remarks,
            ]
        )

    @property
    def _likelihoods(self) -> str:
        ours, girths = self.log_likelihood, self.girths_log_likelihood
        return f"log likelihood under our integral: ours {ours:,.4f}, girth's {girths:,.4f} ({girths - ours:+.4f})"

    __repr__ = summary


def girth_opinion(result: Calibration, log: ResponseLog) -> GirthOpinion:
    """Fit the same log with girth, as far as its shape allows.

    girth takes complete matrices: of a log with missing answers the items that everyone answered. It has Rasch, 1PL,
    2PL, GRM and GPCM; its 3PL fails on current numpy. What it cannot do is said, never raised.

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
    nothing = np.empty((0, 2))
    refused = GirthOpinion(np.empty(0, dtype="<U1"), ("a", "b"), nothing, nothing, version=number)
    task = prepare(result, log)
    if isinstance(task, str):
        return replace(refused, refused=task)
    began = time.perf_counter()
    found = run_girth(task, result.items.names)
    seconds = time.perf_counter() - began
    if isinstance(found, str):
        return replace(refused, refused=found, seconds=seconds)
    return _side_by_side(result, task, found.parameters, found.latent_sd, replace(refused, seconds=seconds))


def _side_by_side(
    result: Calibration, task: Task, girths: Floats, girths_sd: float, opinion: GirthOpinion
) -> GirthOpinion:
    """Both programs' parameters, and what the same integral makes of them."""
    table, places = result.items, task.places
    theirs = table.parameters.copy()
    theirs[places] = girths
    all_steps = numbered(table.names)
    shown = [0, *(all_steps if not np.isnan(table.parameters[places][:, all_steps]).all() else [1])]
    latent = result.latent
    return replace(
        opinion,
        item=table.item[places],
        names=tuple(table.names[k] for k in shown),
        ours=table.parameters[places][:, shown],
        girths=girths[:, shown],
        log_likelihood=complete_log_likelihood(task.scores, engine_parameters(table, places), latent.mean, latent.sd),
        girths_log_likelihood=complete_log_likelihood(
            task.scores, engine_parameters(replace(table, parameters=theirs), places), 0.0, girths_sd
        ),
        remarks=tuple(task.remarks),
    )

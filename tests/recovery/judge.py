"""One replication, and what many of them say about bias and coverage."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from issmp_calibration import calibrate
from issmp_cat import ResponseLog
from recovery.worlds import WORLDS, answers

QUANTILE = 1.959963984540054  # of the normal density: 95 % lie within


def replicate(name: str, replication: int) -> dict[str, dict[str, list[float]]]:
    """Errors, errors once the part ∝ 1/n is taken out, and coverage of each parameter in one replication.

    The bias of an estimate that maximises a likelihood (or a posterior) is B/n + O(1/n²) (Cox & Snell, 1968). Twice
    the estimate less the mean of those from the two halves of the candidates is free of B/n (Quenouille, 1956); what
    theory expects of it is 0.
    """
    world = WORLDS[name]
    log, truth = answers(name, replication)
    whole = calibrate(log, model=world.model).frame
    half = [calibrate(part, model=world.model, standard_errors=None).frame for part in halves(log)]
    found = {}
    for column, true in truth.items():
        estimate, error = whole[column].to_numpy(float), whole[f"se_{column}"].to_numpy(float)
        apart = np.mean([frame[column].to_numpy(float) for frame in half], axis=0)
        found[column] = {
            "error": [float(value) for value in estimate - true],
            "cleaned": [float(value) for value in 2.0 * estimate - apart - true],
            "covered": [float(value) for value in np.abs(estimate - true) <= QUANTILE * error],
        }
    return found


def halves(log: ResponseLog) -> list[ResponseLog]:
    """The candidates with even and with odd numbers."""
    matrix = log.wide()
    return [ResponseLog.from_wide(matrix[first::2]) for first in (0, 1)]


@dataclass(frozen=True)
class Row:
    """A parameter of a model, pooled over its items and all replications; errors are Monte-Carlo standard errors."""

    model: str
    parameter: str
    replications: int
    bias: float
    cleaned: float
    error: float
    coverage: float
    coverage_error: float

    @property
    def z(self) -> float:
        """Bias without its part ∝ 1/n, in Monte-Carlo standard errors."""
        return self.cleaned / self.error


def pool(name: str, replications: Sequence[dict[str, dict[str, list[float]]]]) -> list[Row]:
    """A row for each parameter; its Monte-Carlo error from the spread of the replications' means over items."""
    rows = []
    for column in replications[0]:
        mean, covered = (
            np.array([np.mean(entry[column][what]) for entry in replications]) for what in ("cleaned", "covered")
        )
        rows.append(
            Row(
                model=name,
                parameter=column,
                replications=len(replications),
                bias=float(np.mean([entry[column]["error"] for entry in replications])),
                cleaned=float(mean.mean()),
                error=float(mean.std(ddof=1) / math.sqrt(len(mean))),
                coverage=float(covered.mean()),
                coverage_error=float(covered.std(ddof=1) / math.sqrt(len(covered))),
            )
        )
    return rows

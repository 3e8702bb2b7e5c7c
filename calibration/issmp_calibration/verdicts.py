"""A verdict for every item: fit for use, or what is wrong."""

from __future__ import annotations

import numpy as np

from issmp_calibration.item_table import FINE
from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import Fit
from issmp_calibration.mml.information import Errors
from issmp_calibration.mml.models.family import NOMINAL
from issmp_calibration.mml.models.logistic import INTERCEPT, SLOPE
from issmp_cat.arrays import Floats

__all__ = ["item_verdicts"]

CERTAIN = 2.0  # standard errors from 0 at which an item is believed to discriminate at all


def item_verdicts(codes: Codes, design: Design, fit: Fit, errors: Errors | None, tolerance: float) -> tuple[str, ...]:
    """One for each item of the log.

    Args:
        codes: the answers, and which items were set apart.
        design: what was estimated.
        fit: where it ended.
        errors: standard errors, None if none were asked for.
        tolerance: distance to the solution up to which an item has settled, standard errors.
    """
    verdicts = list(codes.apart)
    for place, item in enumerate(codes.items):
        words = _bounds(design, place, fit.parameters[place])
        if (
            errors is not None
            and design.index[place, SLOPE] >= 0
            and design.index[place, SLOPE] < design.n_own
            and not words
        ):
            words += _flat(fit.parameters[place, SLOPE], errors.deviations[place, SLOPE])
        if errors is not None and not words and not errors.known[place, INTERCEPT]:
            words.append("the answers do not tell its parameters apart: no standard errors")
        if not fit.settled and fit.distances[place] > tolerance:
            words.append(
                f"not settled: going by its last steps, about {fit.distances[place]:.2g} standard errors to go"
            )
        verdicts[item] = "; ".join(words)
    return tuple(verdict or FINE for verdict in verdicts)


def _flat(slope: float, error: float) -> list[str]:
    """A slope that may as well be 0."""
    if np.isnan(error) or slope >= CERTAIN * error:
        return []
    return [f"hardly discriminates (a {slope:.2f} ± {error:.2f}): its difficulty means little"]


def _bounds(design: Design, item: int, parameters: Floats) -> list[str]:
    """What the parameters themselves give away."""
    words = [
        f"{design.cell_name(item, int(k)).removeprefix('logit ')} at its bound ({parameters[k]:g}): the answers do not "
        "hold it"
        for k in np.flatnonzero(design.free[item])
        if parameters[k] <= design.lower[item, k] or parameters[k] >= design.upper[item, k]
    ]
    if design.kind[item] != NOMINAL and parameters[SLOPE] < 0.0:
        words.append("negative discrimination: better candidates do worse; check the key")
    return words

"""Errors of the items that a calibration holds at a bank's estimates, in the cells of the fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_calibration.constraints import Constraints
from issmp_calibration.mml.design import Design
from issmp_cat.arrays import Floats

__all__ = ["held_covariance"]


def held_covariance(
    constraints: Constraints, design: Design, parameters: Floats, items: Sequence[str]
) -> Floats | None:
    """Covariance of the cells that are held at estimates, by the delta method; None where no such errors are known.

    Args:
        constraints: which parameters are held, and how well these are known.
        design: of the fit.
        parameters: cells. Shape ``(items, width)``.
        items: id of each item in the fit.

    Returns:
        Shape ``(items, width, width)``, 0 for all other cells.
    """
    found = np.zeros((*parameters.shape, parameters.shape[1]))
    for place, item in enumerate(items):
        if item not in constraints.covariances:
            continue
        names, matrix = constraints.covariances[item]
        family, width = design.family(place), int(design.n_parameters[place])
        own, held = family.names(design.steps(place)), constraints.fixed.get(item, {})
        used = [k for k, name in enumerate(names) if name in own and name in held]
        cells = [own.index(names[k]) for k in used]
        _, jacobians = family.natural(parameters[[place], :width])
        # Names and cells have the same order, and each parameter hangs on its own cell and on the slope.
        back = np.linalg.inv(jacobians[0][np.ix_(cells, cells)])
        found[np.ix_([place], cells, cells)] = back @ np.asarray(matrix)[np.ix_(used, used)] @ back.T
    return found if found.any() else None

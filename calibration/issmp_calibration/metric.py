"""From the parameters a fit climbs in to those people read, on the model's own metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.item_table import parameter_names
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.information import Errors
from issmp_cat.arrays import Bools, Floats, Ints

__all__ = ["Reported", "report"]


@dataclass(frozen=True, slots=True)
class Reported:
    """Items as people read them; NaN where a number does not exist.

    Attributes:
        names: of the columns; see ``ItemTable``.
        natural: a, b, c, d, steps, slopes and intercepts of scores. Shape ``(items, names)``.
        covariance: of these. Shape ``(items, names, names)``.
        linear_names: slope, intercept, intercept_1 ….
        linear: shape ``(items, linear names)``; ``linear_errors``: their standard errors.
    """

    names: tuple[str, ...]
    natural: Floats
    covariance: Floats
    linear_names: tuple[str, ...]
    linear: Floats
    linear_errors: Floats

    def for_all(self, n_items: int, places: Ints) -> Reported:
        """The same with rows of NaN for the items that were set apart.

        Args:
            n_items: of the log.
            places: where in the log each item stands. Shape ``(items,)``.
        """

        def spread(values: Floats) -> Floats:
            whole = np.full((n_items, *values.shape[1:]), np.nan)
            whole[places] = values
            return whole

        return Reported(
            self.names,
            spread(self.natural),
            spread(self.covariance),
            self.linear_names,
            spread(self.linear),
            spread(self.linear_errors),
        )


def report(design: Design, parameters: Floats, errors: Errors | None) -> Reported:
    """Parameters and errors on the model's metric, the errors by the delta method.

    The Rasch model is fitted with one free slope and a population of SD 1. Measured in logits, where all slopes are
    1, that slope is the population's SD; intercepts stay what they are.

    Args:
        design: what was estimated.
        parameters: cells. Shape ``(items, width)``.
        errors: of the cells, None if none were computed.
    """
    cells, free, covariance, known = _logits(design, parameters, errors)
    names = parameter_names(design.family(k).names(design.steps(k)) for k in range(design.n_items))
    column = {name: place for place, name in enumerate(names)}
    natural = np.full((design.n_items, len(names)), np.nan)
    spread = np.full((design.n_items, len(names), len(names)), np.nan)
    for k in range(design.n_items):
        width = int(design.n_parameters[k])
        own, values, jacobian = _item(design, k, cells[k, :width])
        touched = jacobian != 0.0
        estimated = (touched & free[k, :width]).any(axis=1) & ~(touched & free[k, :width] & ~known[k, :width]).any(
            axis=1
        )
        matrix = jacobian @ covariance[k, :width, :width] @ jacobian.T
        matrix[~estimated, :] = matrix[:, ~estimated] = np.nan
        at = [column[name] for name in own]
        natural[k, at] = values
        spread[k, np.array(at)[:, None], at] = matrix
    linear_names, linear, linear_errors = _linear(design, cells, free & known, covariance)
    return Reported(names, natural, spread, linear_names, linear, linear_errors)


def _logits(design: Design, parameters: Floats, errors: Errors | None) -> tuple[Floats, Bools, Floats, Bools]:
    """Cells, which are free, their covariance (0 where not known) and which errors are known, in logits."""
    cells, free = parameters.copy(), design.free.copy()
    if errors is None:
        covariance, known = np.zeros((*cells.shape, cells.shape[1])), np.zeros(cells.shape, dtype=bool)
    else:
        known = errors.known & free
        covariance = np.where(known[:, :, None] & known[:, None, :], errors.covariance, 0.0)
    if design.spread_is_slope:
        cells[design.slope] = 1.0
        free[design.slope] = False
        covariance[design.slope[:, :, None] | design.slope[:, None, :]] = 0.0
    return cells, free, covariance, known


def _item(design: Design, item: int, cells: Floats) -> tuple[tuple[str, ...], Floats, Floats]:
    """Names, values and Jacobian of an item's parameters; an item with steps has their mean as b."""
    family, steps = design.family(item), design.steps(item)
    names = family.names(steps)
    values, jacobian = family.natural(cells)
    located = [place for place, name in enumerate(names) if name[0] == "b" and name != "b"]
    if not located:
        return names, values, jacobian
    return (
        (*names, "b"),
        np.append(values, values[located].mean()),
        np.vstack([jacobian, jacobian[located].mean(axis=0)]),
    )


def _linear(design: Design, cells: Floats, known: Bools, covariance: Floats) -> tuple[tuple[str, ...], Floats, Floats]:
    """Slopes and intercepts with their standard errors, by the cells' own names."""
    rows = [design.family(k).cells(design.steps(k)) for k in range(design.n_items)]
    own = [name.replace(" ", "_") for row in rows for name in row if name.startswith(("slope", "intercept"))]
    names = tuple(dict.fromkeys(("slope", "intercept", *own)))
    column = {name: place for place, name in enumerate(names)}
    linear, errors = np.full((2, len(rows), len(names)), np.nan)
    for k, row in enumerate(rows):
        for cell, name in enumerate(row):
            at = column.get(name.replace(" ", "_"))
            if at is not None:
                linear[k, at] = cells[k, cell]
                errors[k, at] = np.sqrt(covariance[k, cell, cell]) if known[k, cell] else np.nan
    return names, linear, errors

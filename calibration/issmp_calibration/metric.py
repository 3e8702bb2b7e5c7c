"""From the parameters a fit climbs in to those people read, on the model's own metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.item_table import parameter_names
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.information import Errors
from issmp_cat.arrays import Bools, Floats, Ints

__all__ = ["Reported", "report"]

FLATTEST = 1e-8  # a slope of exactly 0, which few candidates can bring about, has no difficulty: the nearest that has


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
    alike = _alike(design)
    names = parameter_names(design.family(items[0]).names(design.steps(items[0])) for items in alike)
    column = {name: place for place, name in enumerate(names)}
    natural = np.full((design.n_items, len(names)), np.nan)
    spread = np.full((design.n_items, len(names), len(names)), np.nan)
    for items in alike:
        width = int(design.n_parameters[items[0]])
        own, values, jacobian = _items(design, items, cells[items, :width])
        mine, unsure = free[items, :width], (free & ~known)[items, :width]
        touched = jacobian != 0.0
        estimated = (touched & mine[:, None, :]).any(axis=2) & ~(touched & unsure[:, None, :]).any(axis=2)
        matrix = jacobian @ covariance[items, :width, :width] @ jacobian.transpose(0, 2, 1)
        matrix[~(estimated[:, :, None] & estimated[:, None, :])] = np.nan
        at = np.array([column[name] for name in own])
        natural[np.ix_(items, at)] = values
        spread[np.ix_(items, at, at)] = matrix
    linear_names, linear, linear_errors = _linear(design, alike, cells, free & known, covariance)
    return Reported(names, natural, spread, linear_names, linear, linear_errors)


def _alike(design: Design) -> list[Ints]:
    """Items of one family and as many steps, together, in the order of the first of each."""
    steps = np.diff(design.first)
    keys = dict.fromkeys(zip(design.kind.tolist(), steps.tolist(), strict=True))
    return [np.flatnonzero((design.kind == kind) & (steps == size)) for kind, size in keys]


def _logits(design: Design, parameters: Floats, errors: Errors | None) -> tuple[Floats, Bools, Floats, Bools]:
    """Cells, which are free, their covariance (0 where not known) and which errors are known, in logits."""
    cells, free = parameters.copy(), design.free.copy()
    flat = design.slope & (cells == 0.0) & free
    cells[flat] = FLATTEST
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


def _items(design: Design, items: Ints, cells: Floats) -> tuple[tuple[str, ...], Floats, Floats]:
    """Names, values and Jacobians of the parameters of items that are alike; items with steps have their mean as b."""
    family, steps = design.family(items[0]), design.steps(items[0])
    names = family.names(steps)
    values, jacobian = family.natural(cells)
    located = [place for place, name in enumerate(names) if name[0] == "b" and name != "b"]
    if not located:
        return names, values, jacobian
    return (
        (*names, "b"),
        np.hstack([values, values[:, located].mean(axis=1, keepdims=True)]),
        np.concatenate([jacobian, jacobian[:, located].mean(axis=1, keepdims=True)], axis=1),
    )


def _linear(
    design: Design, alike: list[Ints], cells: Floats, known: Bools, covariance: Floats
) -> tuple[tuple[str, ...], Floats, Floats]:
    """Slopes and intercepts with their standard errors, by the cells' own names."""
    rows = [design.family(items[0]).cells(design.steps(items[0])) for items in alike]
    own = [name.replace(" ", "_") for row in rows for name in row if name.startswith(("slope", "intercept"))]
    names = tuple(dict.fromkeys(("slope", "intercept", *own)))
    column = {name: place for place, name in enumerate(names)}
    linear, errors = np.full((2, design.n_items, len(names)), np.nan)
    for items, row in zip(alike, rows, strict=True):
        for cell, name in enumerate(row):
            at = column.get(name.replace(" ", "_"))
            if at is not None:
                linear[items, at] = cells[items, cell]
                variance = np.where(known[items, cell], covariance[items, cell, cell], np.nan)
                errors[items, at] = np.sqrt(variance)
    return names, linear, errors

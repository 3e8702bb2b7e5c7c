"""How a design is laid out from models, held values, ties and priors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.models.family import NOMINAL, Family
from issmp_calibration.mml.models.logistic import ABSENT, CEILING, GUESS, SLOPE
from issmp_calibration.mml.models.named import ModelName, named
from issmp_calibration.mml.priors import Priors
from issmp_cat.arrays import Floats, read_only

__all__ = ["lay_out"]

POSITIVE = 1e-3  # lower bound of a slope with a prior on its logarithm, or shared by all items

Cell = tuple[int, int]


def lay_out(
    codes: Codes,
    models: str | Sequence[str],
    priors: Priors | Mapping[str, Priors] | Sequence[Priors] | None = None,
    held: Mapping[Cell, float] | None = None,
    ties: Sequence[Sequence[Cell]] = (),
) -> Design:
    """The design of a fit.

    Args:
        codes: the answers, for the items in the fit and their scores.
        models: one name for all, or one for each item in the fit.
        priors: for all items, by the name of the model, or for each item; each model's own defaults if not given.
        held: values of single cells, by item in the fit and cell.
        ties: cells that are equal.
    """
    names = [models] * codes.n_items if isinstance(models, str) else list(models)
    chosen = [named(name) for name in names]
    believed = _priors(priors, [model.name for model in chosen])
    steps = np.diff(codes.first) - 1
    sizes = np.array([len(model.family.cells(int(m))) for model, m in zip(chosen, steps, strict=True)])
    shape = (codes.n_items, int(sizes.max()))
    spread_is_slope = all(model.slope == "one" for model in chosen) and not held
    parts: dict[str, Any] = {
        name: np.zeros(shape) for name in ("held", "lower", "upper", "shift_times", "prior_mean", "prior_precision")
    }
    parts |= {
        "shift_cell": np.full(shape, -1, np.int64),
        "slope": np.zeros(shape, bool),
        "on_log": np.zeros(shape, bool),
    }
    alike: dict[tuple[ModelName, int, Priors], list[int]] = {}
    for item, (model, prior) in enumerate(zip(chosen, believed, strict=True)):
        alike.setdefault((model, int(steps[item]), prior), []).append(item)
    for (model, its_steps, prior), items in alike.items():
        _lay_item(parts, items[0], model, its_steps, prior, one_is_held=not spread_is_slope)
        for part in parts.values():
            part[items[1:]] = part[items[0]]
    for (item, cell), value in (held or {}).items():
        parts["held"][item, cell] = value
    shared = _shared_slopes(chosen, spread_is_slope=spread_is_slope)
    for group in (*shared, *ties):
        _hold_with_the_held(parts["held"], group)
    index, n_own = _places(parts["held"], sizes, [*shared, *ties])
    _one_prior_a_place(parts["prior_precision"], index, n_own)
    parts["prior_precision"][index < 0] = 0.0
    for group in shared:
        for item, cell in group:
            parts["lower"][item, cell] = POSITIVE
    return Design(
        models=tuple(model.name for model in chosen),
        kind=read_only(np.array([model.family.kind for model in chosen], np.int64)),
        first=codes.first,
        n_parameters=read_only(sizes),
        index=read_only(index),
        n_own=n_own,
        spread_is_slope=spread_is_slope,
        **{name: read_only(part) for name, part in parts.items()},
    )


def _priors(priors: Priors | Mapping[str, Priors] | Sequence[Priors] | None, models: list[str]) -> list[Priors]:
    if isinstance(priors, Priors):
        return [priors] * len(models)
    if priors is None or isinstance(priors, Mapping):
        known = {model: Priors.default(model) for model in set(models)} | dict(priors or {})
        return [known[model] for model in models]
    return list(priors)


def _lay_item(
    parts: dict[str, Any], item: int, model: ModelName, steps: int, prior: Priors, *, one_is_held: bool
) -> None:
    """Fill in the row of one item."""
    family = model.family
    cells = family.cells(steps)
    here = slice(0, len(cells))
    parts["lower"][item, here], parts["upper"][item, here] = family.bounds(steps)
    parts["shift_cell"][item, here], parts["shift_times"][item, here] = family.shift(steps)
    slopes = list(family.slopes(steps))
    parts["slope"][item, slopes] = True
    parts["held"][item, here] = np.nan
    if model.slope == "one" and one_is_held:
        parts["held"][item, slopes] = 1.0
    if not model.polytomous:
        if not model.guessing:
            parts["held"][item, GUESS] = ABSENT
        if not model.slipping:
            parts["held"][item, CEILING] = ABSENT
        if model.guessing and model.slipping:  # c stays below 0.45, d above 0.55
            parts["upper"][item, [GUESS, CEILING]] = -0.2
    for words, density in prior.by_name().items():
        for cell in _believed(family, cells, words):
            parts["prior_mean"][item, cell] = density.mean
            parts["prior_precision"][item, cell] = density.sd**-2
            parts["on_log"][item, cell] = words == "log slope"
            if words == "log slope":
                parts["lower"][item, cell] = POSITIVE


def _believed(family: Family, cells: tuple[str, ...], words: str) -> list[int]:
    """Cells that a prior of this name is about."""
    if words in {"slope", "log slope"}:
        # Slopes of the nominal model have any sign; those of the others are believed in by their logarithm.
        if (words == "slope") != (family.kind == NOMINAL):
            return []
        return [cell for cell, name in enumerate(cells) if name.startswith("slope")]
    return [cell for cell, name in enumerate(cells) if name.startswith(words)]


def _shared_slopes(chosen: Sequence[ModelName], *, spread_is_slope: bool) -> list[list[Cell]]:
    """Ties that the models themselves ask for."""
    if spread_is_slope:
        return [[(item, SLOPE) for item in range(len(chosen))]]
    one = [(item, SLOPE) for item, model in enumerate(chosen) if model.slope == "shared"]
    return [one] if one else []


def _hold_with_the_held(held: Floats, group: Sequence[Cell]) -> None:
    """Hold cells that are equal to a held one at its value; where held ones differ, the free ones follow none."""
    values = {float(held[cell]) for cell in group if not np.isnan(held[cell])}
    if len(values) == 1:
        for cell in group:
            held[cell] = min(values)


def _places(held: Floats, sizes: Any, ties: Sequence[Sequence[Cell]]) -> tuple[Any, int]:
    """Place of each cell in the vector of free values, and how many belong to one cell alone."""
    free = np.isnan(held) & (np.arange(held.shape[1]) < sizes[:, None])
    joined = _joined(ties)
    index = np.full(held.shape, -1, np.int64)
    own = free.copy()
    for group in joined:
        for cell in group:
            own[cell] = False
    n_own = int(own.sum())
    index[own] = np.arange(n_own)
    place = n_own
    for group in joined:
        cells = [cell for cell in group if free[cell]]
        for cell in cells:
            index[cell] = place
        place += bool(cells)
    return index, n_own


def _joined(ties: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    """Groups of equal cells; groups that have a cell in common become one."""
    groups: list[set[Cell]] = []
    for tie in ties:
        new = {(int(item), int(cell)) for item, cell in tie}
        apart = []
        for group in groups:
            if group & new:
                new |= group
            else:
                apart.append(group)
        groups = [*apart, new]
    return [sorted(group) for group in groups if len(group) > 1]


def _one_prior_a_place(precision: Floats, index: Any, n_own: int) -> None:
    """A shared value is believed in once: the prior stays with its first cell."""
    seen: set[int] = set()
    for item, cell in zip(*np.nonzero(index >= n_own), strict=True):
        place = int(index[item, cell])
        if place in seen:
            precision[item, cell] = 0.0
        seen.add(place)

"""What items do at each ability: chances of their scores, and information."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.item_table import ItemTable, numbered
from issmp_calibration.log.faults import counted
from issmp_cat.arrays import Floats, Ints
from issmp_cat.irt import (
    DICHOTOMOUS,
    GRADED,
    NOMINAL,
    PARTIAL,
    Parameters,
    build_parameters,
    category_curves,
    item_information,
)
from issmp_cat.plot import Layer, Plot

if TYPE_CHECKING:
    from issmp_calibration.result import Calibration

__all__ = ["draw_curves", "engine_parameters", "information_of"]

KINDS = {"grm": GRADED, "gpcm": PARTIAL, "pcm": PARTIAL, "nrm": NOMINAL}
THETA = np.linspace(-4.0, 4.0, 161)
CURVES = 7  # as many as there are colours


def engine_parameters(table: ItemTable, places: Ints) -> Parameters:
    """Parameters of fitted items as the engine's curves take them."""
    a, b, c, d = (table.parameters[places, k] for k in range(4))
    kind = np.array([KINDS.get(str(model), DICHOTOMOUS) for model in table.model[places]], dtype=np.int64)
    steps = _by_item(table, places, ("b", "c"))
    slopes = [
        row if len(row) == len(step) else np.zeros(len(step))
        for row, step in zip(_by_item(table, places, ("a",)), steps, strict=True)
    ]
    return build_parameters(
        np.nan_to_num(a, nan=1.0), np.nan_to_num(b), np.nan_to_num(c), np.nan_to_num(d, nan=1.0), kind, steps, slopes
    )


def _by_item(table: ItemTable, places: Ints, letters: tuple[str, ...]) -> list[Floats]:
    """Each item's numbered parameters of these letters (b1, b2 …, or c1, c2 …); b alone where it has none."""
    columns = numbered(table.names, letters)
    rows = [row[~np.isnan(row)] for row in table.parameters[places][:, columns]]
    return [row if len(row) else table.parameters[place, 1:2] for row, place in zip(rows, places, strict=True)]


def information_of(result: Calibration, theta: Floats, places: Ints) -> Floats:
    """Information of all these items together, per logit². Shape ``(points,)``."""
    total: Floats = item_information(theta, engine_parameters(result.items, places)).sum(axis=1)
    return total


def draw_curves(result: Calibration, places: Ints) -> Plot:
    """Chance of a right answer by ability, or of each score; as many items as there are colours for."""
    table = result.items
    shown = _as_many_as_fit(table, places)
    parameters = engine_parameters(table, shown)
    curves = category_curves(THETA, parameters)
    layers = []
    for k, place in enumerate(shown):
        rows = range(int(parameters.first[k]), int(parameters.first[k + 1]))
        for score, row in enumerate(rows):
            if len(rows) > 2 or score == 1:
                label = f"{table.item[place]}{f': score {score}' if len(rows) > 2 else ''}"
                layers.append(Layer("line", {"x": THETA.tolist(), "y": curves[row].tolist()}, label))
    stepped = any(np.diff(parameters.first) > 2)
    more = len(places) - len(shown)
    return Plot(
        title="Category characteristic curves" if stepped else "Item characteristic curves",
        x="ability θ (logits)",
        y="chance of the score" if stepped else "chance of a right answer",
        layers=tuple(layers),
        y_limits=(0.0, 1.0),
        note=counted(len(shown), "item") + (f"; {more:,} more not drawn" if more else ""),
    )


def _as_many_as_fit(table: ItemTable, places: Ints) -> Ints:
    """The first items whose curves fit into one picture; one item always does."""
    steps = (~np.isnan(table.parameters[places][:, numbered(table.names, ("b", "c"))])).sum(axis=1)
    lines = np.cumsum(np.where(steps > 0, steps + 1, 1))
    return places[: max(1, int((lines <= CURVES).sum()))]

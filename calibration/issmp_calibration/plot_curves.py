"""What items do at each ability: chances of their scores, and information."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.item_table import FINE, ItemTable, numbered
from issmp_calibration.log.faults import counted
from issmp_calibration.plot_choice import flagged, leading_kinds, spread, worst_first
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
FLAGGED = 4  # of them for items with something against them, where there are sound ones


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


def draw_curves(result: Calibration, places: Ints, *, chosen: bool = False) -> Plot:
    """Chance of a right answer by ability, or of each score; as many items as there are colours for.

    Args:
        result: the items.
        places: those to draw.
        chosen: whether somebody asked for just these; else those worth looking at are chosen.
    """
    table = result.items
    whole = chosen or int(_lines(table, places).sum()) <= CURVES
    shown = _as_many_as_fit(table, places) if chosen else _worth_a_look(table, places, whole=whole)
    parameters = engine_parameters(table, shown)
    curves = category_curves(THETA, parameters)
    shares = 0
    layers = []
    for k, place in enumerate(shown):
        rows = range(int(parameters.first[k]), int(parameters.first[k + 1]))
        if len(rows) > 2 and not whole:
            label = f"{table.item[place]}: share of points{_against(table, int(place))}"
            share = _points_of(result, int(place), len(rows)) @ curves[rows.start : rows.stop]
            layers.append(Layer("line", {"x": THETA.tolist(), "y": share.tolist()}, label, dashed=True))
            shares += 1
            continue
        for score, row in enumerate(rows):
            if len(rows) > 2 or score == 1:
                label = f"{table.item[place]}{f': score {score}' if len(rows) > 2 else ''}"
                label += "" if chosen or score > 1 else _against(table, int(place))
                layers.append(Layer("line", {"x": THETA.tolist(), "y": curves[row].tolist()}, label))
    stepped = any(np.diff(parameters.first) > 2) and not shares
    more = len(places) - len(shown)
    return Plot(
        title=_title(table, shown, more, chosen=chosen, stepped=stepped),
        x="ability θ (logits)",
        y=_axis(len(shown), shares, stepped=stepped),
        layers=tuple(layers),
        y_limits=(0.0, 1.0),
        size=(8.8, 4.2),
        legend_beside=True,
        note=counted(len(shown), "item")
        + (f'; {more:,} more not drawn: plot("curves", items=[…]) draws those named' if more else "")
        + (", and each score of an item of several" if shares else ""),
    )


def _lines(table: ItemTable, places: Ints) -> Ints:
    """How many curves each item has."""
    steps = (~np.isnan(table.parameters[places][:, numbered(table.names, ("b", "c"))])).sum(axis=1)
    return np.where(steps > 0, steps + 1, 1)


def _as_many_as_fit(table: ItemTable, places: Ints, room: int = CURVES) -> Ints:
    """The first items whose curves fit into one picture; one item always does."""
    return places[: max(1, int((np.cumsum(_lines(table, places)) <= room).sum()))]


def _axis(shown: int, shares: int, *, stepped: bool) -> str:
    """What the height of a curve is."""
    if shares:
        return "expected share of the points" if shares == shown else "chance right, or share of the points"
    return "chance of the score" if stepped else "chance of a right answer"


def _points_of(result: Calibration, place: int, scores: int) -> Floats:
    """Points of each score of an item, as shares of the most: of a nominal item those of its options, if known."""
    known = result.provenance.get("options", {}).get("categories") or {}
    options = known.get(str(result.items.item[place])) or {}
    points = np.array(list(options.values()), float) if len(options) == scores else np.arange(scores, dtype=float)
    return points / points.max() if points.any() else np.arange(scores) / (scores - 1.0)


def _worth_a_look(table: ItemTable, places: Ints, *, whole: bool) -> Ints:
    """The items with the worst verdicts, then others from easy to hard; ``whole``: with a curve for each score."""
    worst = worst_first(table, flagged(table, places))
    sound = np.setdiff1d(places, worst)
    if not len(sound):
        return _as_many_as_fit(table, worst) if whole else worst[:CURVES]
    if not whole:
        few = worst[:FLAGGED]
        b = np.nan_to_num(table.values("b")[sound])
        return np.concatenate([few, sound[spread(b.tolist(), CURVES - len(few))]])
    few = _as_many_as_fit(table, worst, FLAGGED) if len(worst) else worst
    room = CURVES - int(_lines(table, few).sum())
    if len(few) and room < int(_lines(table, sound).max()):
        return few
    number = max(1, room // int(_lines(table, sound).max()))
    own = np.nan_to_num(table.values("b")[sound])
    return np.concatenate([few, sound[spread(own.tolist(), number)]])


def _against(table: ItemTable, place: int) -> str:
    """The worst reason, for the legend."""
    verdict = table.verdicts[place]
    return "" if verdict.words == FINE else f" ({verdict.action}: {leading_kinds(verdict)[0].replace('_', ' ')})"


def _title(table: ItemTable, shown: Ints, more: int, *, chosen: bool, stepped: bool) -> str:
    """What is drawn; where not all items are, which, and why these."""
    if chosen or more <= 0:
        return "Category characteristic curves" if stepped else "Item characteristic curves"
    bad = len(flagged(table, shown))
    good = len(shown) - bad
    parts = [f"the {bad} worst verdicts" if bad > 1 else "the worst verdict"] * (bad > 0)
    if good:
        parts.append(f"{good}{' others' * (bad > 0)} from easy to hard" if good > 1 else "one of middling difficulty")
    return f"{'Category' if stepped else 'Item'} curves: {', '.join(parts)}"

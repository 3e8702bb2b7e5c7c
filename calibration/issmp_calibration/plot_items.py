"""Difficulties from easy to hard, the items that stand out named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.item_table import ItemTable
from issmp_calibration.log.faults import counted, some
from issmp_calibration.plot_choice import flagged, worst_first
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.plot import Layer, Plot

if TYPE_CHECKING:
    from issmp_calibration.result import Calibration

__all__ = ["draw_items"]

NORMAL_95 = 1.959964
ALL = 20  # items of whom each has its name
NAMED = 8  # items with a verdict that are named; those of the others that stand out come on top
BEYOND = 1.5  # logits beyond the sound items that the picture reaches
MIDDLE = 4.0  # logits to either side of the middle where there are no sound items
WIDTH, LINE = 0.12, 0.05  # of the picture: width of a name, height of a line of text


def draw_items(result: Calibration, places: Ints) -> Plot:
    """Difficulties with 95 % intervals; items to hold or retire as bare points, the worst of them named.

    An item with steps stands at their mean; nominal items have no difficulty. What lies far beyond the sound items is
    listed below the picture: an item that hardly discriminates can have any difficulty.
    """
    table = result.items
    located = places[~np.isnan(table.values("b")[places])]
    inside = _inside(table.values("b")[located], np.isin(located, flagged(table, located)))
    shown = located[inside]
    order = shown[np.argsort(table.values("b")[shown], kind="stable")]
    doubtful = flagged(table, order)
    sound = _sound(table, order, doubtful)
    points = Layer("points", _at(table, order, doubtful), "to hold or retire", colour=1)
    low, high = _range([*sound, points])
    names = _names(table, order, (low, high))
    stepped = any(name[0] == "b" and name != "b" for name in table.names)
    return Plot(
        title=f"Difficulty of {len(order):,} items",
        x="items, easiest first",
        y=f"difficulty b{', mean of the steps' if stepped else ''} (logits)",
        layers=tuple(layer for layer in (*sound, points, *names) if len(layer)),
        note=_note(result, located[~inside], len(places) - len(located), len(doubtful), len(order)),
        x_limits=(0.0, len(order) * (1.0 + WIDTH) + 1.0),
        y_limits=(min([low, *names[-1].data["y"]]) - LINE * (high - low), high + LINE * (high - low)),
    )


def _inside(b: Floats, against: Bools) -> Bools:
    """Which items the picture holds: the sound ones and what is not far from them. Shape ``(items,)``."""
    if not len(b):
        return np.ones(0, bool)
    if against.all():
        return np.asarray(np.abs(b - np.median(b)) <= MIDDLE)
    return np.asarray((b >= b[~against].min() - BEYOND) & (b <= b[~against].max() + BEYOND))


def _at(table: ItemTable, order: Ints, places: Ints) -> dict[str, list[float]]:
    """Rank and difficulty of some of the items."""
    rank = {int(place): k for k, place in enumerate(order, start=1)}
    return {"x": [rank[int(place)] for place in places], "y": table.values("b")[places].tolist()}


def _sound(table: ItemTable, order: Ints, doubtful: Ints) -> list[Layer]:
    """Intervals of the items with nothing, or only few answers, against them."""
    own = order[~np.isin(order, doubtful)]
    known = own[~np.isnan(table.errors("b")[own])]
    b, reach = table.values("b")[known], NORMAL_95 * table.errors("b")[known]
    bars = {**_at(table, order, known), "low": (b - reach).tolist(), "high": (b + reach).tolist()}
    bare = own[np.isnan(table.errors("b")[own])]
    return [
        Layer("errorbars", bars, "b ± 95 %", colour=0),
        Layer("points", _at(table, order, bare), "no standard error", colour=2),
    ]


def _range(layers: list[Layer]) -> tuple[float, float]:
    """The lowest and the highest mark, logits."""
    ends = [value for layer in layers for name in ("y", "low", "high") for value in layer.data.get(name, ())]
    return (min(ends), max(*ends, min(ends) + 1.0)) if ends else (-1.0, 1.0)


def _names(table: ItemTable, order: Ints, ends: tuple[float, float]) -> list[Layer]:
    """Names below the intervals, where easiest-first leaves room, dashed lines up to their ends."""
    line, width = LINE * (ends[1] - ends[0]), WIDTH * len(order)
    labelled = np.sort([np.flatnonzero(order == place)[0] for place in _named(table, order)]).astype(np.int64)
    at = _at(table, order, order[labelled])
    if len(order) <= ALL:
        return [Layer("text", {**at, "text": [str(table.item[place]) for place in order]})]
    taken: list[tuple[float, float]] = []
    feet = _feet(table, order[labelled])
    for x, y in zip(at["x"], feet, strict=True):
        near = [(left, height) for left, height in taken if abs(left - x) < width]
        below = y - 3.0 * line
        while any(abs(height - below) < line for _, height in near):
            below -= 0.5 * line
        taken.append((x, below))
    heights = [height for _, height in taken]
    up = {"x": [v for x in at["x"] for v in (x, x, np.nan)],
          "y": [v for y, h in zip(feet, heights, strict=True) for v in (y - 0.7 * line, h, np.nan)]}  # fmt: skip
    return [
        *([Layer("line", up, colour=6, dashed=True)] if heights else []),
        Layer("text", {"x": at["x"], "y": heights, "text": [str(table.item[order[k]]) for k in labelled]}),
    ]


def _feet(table: ItemTable, places: Ints) -> list[float]:
    """Where each mark ends below: the interval of a sound item, the point of one that is drawn bare."""
    bare = np.isin(places, flagged(table, places))
    reach = np.where(bare, 0.0, NORMAL_95 * np.nan_to_num(table.errors("b")[places]))
    feet: list[float] = (table.values("b")[places] - reach).tolist()
    return feet


def _named(table: ItemTable, order: Ints) -> Ints:
    """The worst items, and of the others the easiest, the hardest and the least certain."""
    if len(order) <= ALL:
        return order
    worst = worst_first(table, flagged(table, order))[:NAMED]
    sound = np.setdiff1d(order, flagged(table, order))
    if not len(sound):
        return worst
    b, error = table.values("b")[sound], np.nan_to_num(table.errors("b")[sound])
    standing_out = [sound[b.argmin()], sound[b.argmax()], *([sound[error.argmax()]] if error.any() else [])]
    return np.array(list(dict.fromkeys([*worst.tolist(), *map(int, standing_out)])), dtype=np.int64)


def _note(result: Calibration, outside: Ints, nominal: int, doubtful: int, drawn: int) -> str:
    """What is not in the picture, and which items have names."""
    table = result.items
    words = [f"{result.n_persons:,} candidates; bars: 95 % intervals"]
    if doubtful and drawn > ALL:
        which = f"the {NAMED} worst of {doubtful:,} items" if doubtful > NAMED else counted(doubtful, "item")
        words.append(f"named: {which} to hold or retire for more than few answers")
        words.append("of the others the easiest, the hardest and the least certain")
    elif drawn > ALL:
        words.append("named: the easiest, the hardest and the least certain")
    if len(outside):
        far = [f"{table.item[place]} ({table.values('b')[place]:.1f})" for place in worst_first(table, outside)]
        words.append(f"{counted(len(outside), 'item')} to hold or retire far outside: {some(far, 5)}")
    if nominal:
        words.append(f"{counted(nominal, 'nominal item')} not drawn")
    return "; ".join(words)

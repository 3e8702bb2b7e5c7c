"""Plots drawn with matplotlib: figure objects of their own, no window system, no state left behind."""

from __future__ import annotations

import contextlib
import io
import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_cat.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from issmp_cat.plot.plot import Layer, Plot

__all__ = ["svg", "write_png"]

# Okabe & Ito (2008), "Color universal design": told apart with every kind of colour vision; yellow left out on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
INK, PALE = "#333333", "#D9D9D9"
NOTE_CHARACTERS = 16.5  # an inch, at the note's size

STYLE: dict[str, Any] = {
    "svg.hashsalt": "issmp-cat",  # element ids follow from the content
    "svg.fonttype": "path",  # looks the same on a machine without the font
    "text.parse_math": False,  # a dollar sign in an item id is a dollar sign
    "font.size": 10.0,
    "axes.titlesize": 12.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "figure.dpi": 100.0,
}


@contextlib.contextmanager
def _style() -> Iterator[None]:
    """Defaults of matplotlib, then ours, whatever the user's own settings file says."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtra("drawing a plot (matplotlib)", "plot") from None
    defaults: dict[Any, Any] = {
        name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")
    }
    defaults.update(STYLE)
    with mpl.rc_context(defaults):
        yield


def svg(plot: Plot) -> str:
    """The drawing as SVG text without date or version, so that equal plots are equal bytes."""
    with _style():
        out = io.BytesIO()
        _figure(plot).savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": plot.title})
    text = out.getvalue().decode()
    return text[text.index("<svg") :]


def write_png(plot: Plot, path: Path) -> None:
    """Draw into a PNG file, 160 dots an inch."""
    with _style():
        _figure(plot).savefig(path, format="png", dpi=160, metadata={"Software": None})


def _figure(plot: Plot) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=plot.size, layout="constrained")
    axes = figure.add_subplot()
    shade = 0
    for layer in plot.layers:
        neutral = layer.kind in ("vline", "hline", "text") and layer.colour is None
        colour = INK if neutral else PALETTE[(shade if layer.colour is None else layer.colour) % len(PALETTE)]
        shade += not neutral and layer.colour is None
        _draw(axes, layer, colour)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    if plot.x_limits is not None:
        axes.set_xlim(*plot.x_limits)
    if plot.y_limits is not None:
        axes.set_ylim(*plot.y_limits)
    if any(layer.label for layer in plot.layers):
        axes.legend(**({"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if plot.legend_beside else {}))
    if plot.note:
        note = textwrap.fill(plot.note, round(NOTE_CHARACTERS * plot.size[0]))
        figure.supxlabel(note, fontsize=8, color=INK, x=0.01, ha="left")
    return figure


def _draw(axes: Axes, layer: Layer, colour: str) -> None:
    """One layer onto the axes."""
    data, label = layer.data, layer.label or None
    line: dict[str, Any] = {"color": colour, "label": label, "linestyle": "--" if layer.dashed else "-"}
    if layer.kind == "line":
        axes.plot(data["x"], data["y"], **line)
    elif layer.kind == "step":
        axes.step(data["x"], data["y"], where="post", **line)
    elif layer.kind == "points":
        crowd = len(layer) > 500
        axes.scatter(
            data["x"], data["y"], s=5 if crowd else 22, alpha=0.35 if crowd else 0.9, color=colour, label=label, lw=0
        )
    elif layer.kind == "band":
        axes.fill_between(data["x"], data["low"], data["high"], color=colour, alpha=0.2, label=label, linewidth=0)
    elif layer.kind == "errorbars":
        away = _away(data["y"], data["low"], data["high"])
        axes.errorbar(data["x"], data["y"], yerr=away, fmt="o", ms=4, lw=1.2, capsize=2, color=colour, label=label)
    elif layer.kind in ("bar", "barh"):
        _draw_bars(axes, layer, colour)
    elif layer.kind == "text":
        for x, y, text in zip(data["x"], data["y"], data["text"], strict=True):
            axes.annotate(str(text), (x, y), xytext=(4, 3), textcoords="offset points", fontsize=8, color=colour)
    else:
        _draw_rules(axes, layer, line)


def _draw_bars(axes: Axes, layer: Layer, colour: str) -> None:
    data = layer.data
    style: dict[str, Any] = {"color": colour, "alpha": 0.85, "label": layer.label or None, "ecolor": INK, "capsize": 2}
    upright = layer.kind == "bar"
    place, size = (data["x"], data["y"]) if upright else (data["y"], data["x"])
    if "low" in data and "high" in data:
        style["yerr" if upright else "xerr"] = _away(size, data["low"], data["high"])
    numbers = bool(place) and all(isinstance(value, (int, float)) for value in place)
    gaps = [after - before for before, after in itertools.pairwise(place) if numbers and after > before]
    width = 0.9 * min(gaps, default=1.0)
    if upright:
        axes.bar(place, size, width=width, **style)
    else:
        axes.barh(place, size, height=width, **style)


def _draw_rules(axes: Axes, layer: Layer, line: dict[str, Any]) -> None:
    """Lines across the whole plot; only the first stands in the legend."""
    mark, values = (axes.axvline, layer.data["x"]) if layer.kind == "vline" else (axes.axhline, layer.data["y"])
    for k, value in enumerate(values):
        mark(value, **{**line, "linewidth": 1.1, "label": line["label"] if k == 0 else None})


def _away(middle: Any, low: Any, high: Any) -> list[list[float]]:
    """Interval ends as distances from the middle, as matplotlib wants them."""
    return [
        [max(m - lo, 0.0) for m, lo in zip(middle, low, strict=True)],
        [max(hi - m, 0.0) for m, hi in zip(middle, high, strict=True)],
    ]

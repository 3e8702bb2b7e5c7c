"""A plot as a value: labels, layers of tidy columns, and the formats it can be saved in."""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from issmp_cat.errors import UsageError
from issmp_cat.files import atomic_path, atomic_write

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Kind", "Layer", "Plot"]

Kind: TypeAlias = Literal["line", "step", "points", "errorbars", "band", "bar", "barh", "vline", "hline", "text"]

# What each kind of layer needs; low and high are the ends of an interval around y (around x for "barh").
REQUIRED: dict[str, tuple[str, ...]] = {
    "line": ("x", "y"),
    "step": ("x", "y"),
    "points": ("x", "y"),
    "errorbars": ("x", "y", "low", "high"),
    "band": ("x", "low", "high"),
    "bar": ("x", "y"),
    "barh": ("x", "y"),
    "vline": ("x",),
    "hline": ("y",),
    "text": ("x", "y", "text"),
}
COLUMNS = ("x", "y", "low", "high", "text")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a plot.

    Attributes:
        kind: ``line``, ``step``, ``points``, ``errorbars``, ``band``, ``bar``, ``barh``, ``vline``, ``hline`` or
            ``text``.
        data: columns of equal length, by name: ``x``, ``y``; ``low`` and ``high`` for intervals; ``text``.
        label: its name in the legend and in the data; empty keeps it out of the legend.
        colour: number of its colour in the palette; layers count through it when not given.
        dashed: draw lines dashed.

    >>> Layer("band", {"x": [0, 1], "low": [0, 0]})
    Traceback (most recent call last):
    issmp_cat.errors.UsageError: a "band" layer needs the columns x, low, high; "high" is missing
    """

    kind: Kind
    data: Mapping[str, Sequence[Any]]
    label: str = ""
    colour: int | None = None
    dashed: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UsageError(f'layer kind "{self.kind}" is not known; expected one of {", ".join(get_args(Kind))}')
        needed = REQUIRED[self.kind]
        if missing := [name for name in needed if name not in self.data]:
            raise UsageError(f'a "{self.kind}" layer needs the columns {", ".join(needed)}; "{missing[0]}" is missing')
        if unknown := [name for name in self.data if name not in COLUMNS]:
            raise UsageError(f'column "{unknown[0]}" is not known; expected some of {", ".join(COLUMNS)}')
        columns = {name: _plain(values) for name, values in self.data.items()}
        if len({len(values) for values in columns.values()}) > 1:
            lengths = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
            raise UsageError(f'the columns of layer "{self.label or self.kind}" differ in length: {lengths}')
        object.__setattr__(self, "data", columns)

    def __len__(self) -> int:
        return len(next(iter(self.data.values())))


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: data first, a picture on demand.

    Attributes:
        title: what the plot shows; ``x`` and ``y``: labels of the axes, units included.
        layers: drawn in this order.
        note: one line below the plot.
        x_limits: range of the x axis, chosen from the data when not given; ``y_limits`` alike.
        size: width and height, inches.
        legend_beside: put the legend beside the drawing, where many layers leave no room inside.

    >>> curve = Layer("line", {"x": [-1, 1], "y": [0.2, 0.9]}, "true")
    >>> plot = Plot("Pass rate", "θ (logits)", "share", layers=(curve,))
    >>> plot.data["y"], plot.data["layer"]
    ([0.2, 0.9], ['true', 'true'])
    """

    title: str
    x: str
    y: str
    layers: tuple[Layer, ...]
    note: str = ""
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    size: tuple[float, float] = (7.0, 4.2)
    legend_beside: bool = False

    @property
    def data(self) -> dict[str, list[Any]]:
        """All layers as one set of tidy columns; None where a layer has no such column."""
        used = [name for name in COLUMNS if any(name in layer.data for layer in self.layers)]
        table: dict[str, list[Any]] = {"layer": [], "kind": [], **{name: [] for name in used}}
        for layer in self.layers:
            table["layer"] += [layer.label or layer.kind] * len(layer)
            table["kind"] += [layer.kind] * len(layer)
            for name in used:
                table[name] += layer.data.get(name, [None] * len(layer))
        return table

    @property
    def frame(self) -> pd.DataFrame:
        """The data as a table, one row a mark."""
        import pandas as pd

        return pd.DataFrame(self.data)

    def to_svg(self) -> str:
        """The plot as an SVG drawing; the same plot gives the same bytes.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from issmp_cat.plot.drawing import svg

        return svg(self)

    def to_csv(self) -> str:
        """The data as CSV, empty where there is no value."""
        table = self.data
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(
            [["" if _absent(value) else value for value in row] for row in zip(*table.values(), strict=True)]
        )
        return out.getvalue()

    def to_html(self) -> str:
        """A page that holds everything: the drawing, and its data to look at and to take away."""
        from issmp_cat.plot.page import page

        return page(self)

    def save(self, path: str | Path) -> Path:
        """Write the plot, whole or not at all; the suffix decides: svg, png, html, csv.

        Raises:
            UsageError: another suffix.
            MissingExtra: matplotlib is not installed (csv works without).
        """
        path = Path(path)
        writers = {".svg": self.to_svg, ".html": self.to_html, ".csv": self.to_csv}
        suffix = path.suffix.lower()
        if suffix == ".png":
            from issmp_cat.plot.drawing import write_png

            with atomic_path(path) as temporary:
                write_png(self, temporary)
        elif suffix in writers:
            text = writers[suffix]()
            with atomic_write(path) as handle:
                handle.write(text)
        else:
            raise UsageError(f'{path}: plots are saved as .svg, .png, .html or .csv, not "{path.suffix}"')
        return path

    def _repr_html_(self) -> str:
        return f"<figure>{self.to_svg()}<figcaption>{html.escape(self.note)}</figcaption></figure>"

    def __repr__(self) -> str:
        names = ", ".join(layer.label or layer.kind for layer in self.layers)
        return f"<Plot {self.title!r}: {len(self.data['layer'])} rows in {len(self.layers)} layers ({names})>"


def _plain(values: Any) -> list[Any]:
    """A column as a plain list; numpy scalars become Python numbers."""
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [value.item() if hasattr(value, "item") else value for value in listed]


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))

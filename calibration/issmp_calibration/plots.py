"""Pictures of a calibration: data first, drawn on demand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.faults import counted
from issmp_calibration.plot_curves import draw_curves, information_of
from issmp_calibration.plot_items import draw_items
from issmp_cat.arrays import Ints
from issmp_cat.errors import UsageError
from issmp_cat.plot import Layer, Plot
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    from issmp_calibration.result import Calibration

__all__ = ["KINDS", "draw"]

KINDS = ("items", "information", "standard_error", "latent", "convergence", "curves")
THETA = np.linspace(-4.0, 4.0, 161)
MOST_GROUPS = 7  # as many as there are colours


def draw(result: Calibration, kind: str, items: Sequence[str] | None) -> Plot:
    """The plot of that kind; see ``Calibration.plot``.

    Raises:
        UsageError: an unknown kind, an item that has no parameters.
    """
    curves = partial(draw_curves, chosen=items is not None)
    makers: dict[str, Callable[[Calibration, Ints], Plot]] = dict(
        zip(KINDS, (draw_items, _information, _standard_error, _latent, _convergence, curves), strict=True)
    )
    if kind not in makers:
        raise UsageError(f'unknown plot "{kind}"; known: {", ".join(KINDS)}{did_you_mean(kind, KINDS)}')
    return makers[kind](result, _places(result, items))


def _places(result: Calibration, items: Sequence[str] | None) -> Ints:
    """Rows of the wanted items that have parameters."""
    fitted = result.items.fitted
    if items is None:
        return np.flatnonzero(fitted)
    index = {str(name): k for k, name in enumerate(result.items.item)}
    wrong = [name for name in items if name not in index or not fitted[index[name]]]
    if wrong:
        raise UsageError(f'item "{wrong[0]}" has no parameters here{did_you_mean(wrong[0], list(index))}')
    return np.array([index[name] for name in items])


def _columns(**arrays: NDArray[Any]) -> dict[str, list[Any]]:
    return {name: array.tolist() for name, array in arrays.items()}


def _information(result: Calibration, places: Ints) -> Plot:
    """Information of all items together."""
    return Plot(
        title="What the items together measure, and where",
        x="ability θ (logits)",
        y="information (1/logit²)",
        layers=(Layer("line", _columns(x=THETA, y=information_of(result, THETA, places)), "all items"),),
        note=f"{len(places):,} items answered by one candidate",
    )


def _standard_error(result: Calibration, places: Ints) -> Plot:
    """How precisely all items together would measure."""
    return Plot(
        title="How precisely the items together measure",
        x="ability θ (logits)",
        y="standard error of θ (logits)",
        layers=(Layer("line", _columns(x=THETA, y=information_of(result, THETA, places) ** -0.5), "all items"),),
        note=f"{len(places):,} items answered by one candidate",
    )


def _latent(result: Calibration, _places: Ints) -> Plot:
    """The population as assumed and as the posteriors show it; of several groups the densities side by side."""
    shown = result.groups[:MOST_GROUPS]
    layers = []
    for group in shown:
        width = group.nodes[1] - group.nodes[0]
        of = f"{group.label}: " if group.label else ""
        words = f"{of}{result.density}, mean {group.mean:.3g}, SD {group.sd:.3g}"
        if len(shown) == 1:
            layers.append(Layer("bar", _columns(x=group.nodes, y=group.observed / width), f"{of}posteriors, averaged"))
        layers.append(Layer("line", _columns(x=group.nodes, y=group.assumed / width), words))
    more = len(result.groups) - len(shown)
    return Plot(
        title="Abilities in the population" if len(shown) == 1 else "Abilities in the groups",
        x="ability θ (logits)",
        y="density",
        layers=tuple(layers),
        note=f"{result.n_persons:,} candidates" + (f"; {counted(more, 'group')} more not drawn" if more else ""),
    )


def _convergence(result: Calibration, _places: Ints) -> Plot:
    """Estimated distance to the solution, pass by pass."""
    taken = [step for step in result.passes if step.distance]
    tolerance = result.provenance["options"]["tolerance"]
    return Plot(
        title="How the iteration closed in",
        x="pass over the answers",
        y="distance to the solution (log₁₀ of SEs)",
        layers=(
            Layer(
                "line",
                {"x": [step.number for step in taken], "y": [math.log10(step.distance or 1.0) for step in taken]},
                "item furthest from it",
            ),
            Layer("hline", {"y": [math.log10(tolerance)]}, f"settled below {tolerance:g}", dashed=True),
        ),
        note=result.reason,
    )

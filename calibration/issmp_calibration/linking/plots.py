"""Pictures of a link and of drift: what both banks say of the common items, on one scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from issmp_calibration.linking.changes import SURE
from issmp_cat.errors import UsageError
from issmp_cat.plot import Layer, Plot
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    from issmp_calibration.linking.result import Anchor

__all__ = ["KINDS", "draw"]

# By kind: attributes of an anchor for x and y, and the words of the picture.
KINDS = {
    "difficulties": ("b_linked", "b_old", "Difficulties of the common items", "logits"),
    "slopes": ("a_linked", "a_old", "Discriminations of the common items", "per logit"),
    "changes": ("z_a", "z_b", "How far the common items moved", "its limit = 1"),
}


def draw(
    anchors: Sequence[Anchor],
    kind: str,
    items: Sequence[str] | None,
    parts: tuple[str, str],
    belongs: Callable[[Anchor], bool],
    limit: float | None = None,
    sure: float = SURE,
) -> Plot:
    """The plot of that kind; see ``Link.plot``.

    Args:
        anchors: the common items.
        kind: of the plot.
        items: ids of those to draw; all when None.
        parts: what to call the items that belong, and the others.
        belongs: which is which.
        limit: of the robust z; ``sure``: of standard errors, where they are known. The changes are drawn as shares of
            each item's own limit, whichever of the two is harder to cross: moved is what lies beyond 1.

    Raises:
        UsageError: an unknown kind, or an item that is not common to both banks.
    """
    if kind not in KINDS:
        raise UsageError(f'unknown plot "{kind}"; known: {", ".join(KINDS)}{did_you_mean(kind, KINDS)}')
    known = {anchor.item: anchor for anchor in anchors}
    for name in items or ():
        if name not in known:
            raise UsageError(f'item "{name}" is not among the common items{did_you_mean(name, list(known))}')
    shown = anchors if items is None else tuple(known[name] for name in items)
    if not shown:
        raise UsageError("nothing to draw: this link holds no items (a chain does not)")
    x, y, title, unit = KINDS[kind]
    if kind == "changes" and limit is not None:
        shown = [_in_limits(anchor, limit, sure) for anchor in shown]
    layers = [_points(part, x, y, label) for label, part in _parts(shown, parts, belongs) if part]
    others = [anchor for anchor in shown if not belongs(anchor)]
    if others:
        layers.append(Layer("text", {**_places(others, x, y), "text": [anchor.item for anchor in others]}))
    if kind == "changes":
        ends = [] if limit is None else [-1.0, 1.0]
        fences = [Layer("vline", {"x": ends}, dashed=True), Layer("hline", {"y": ends}, dashed=True)] if ends else []
        rule = f"robust z beyond ±{limit:g} and, where standard errors are known, more than {sure:.3g} of them"
        note = "" if limit is None else f"Each change as a share of its own limit, dashed: {rule}."
        unit = "robust z" if limit is None else unit
        return Plot(title, f"change of log a ({unit})", f"change of b ({unit})", (*layers, *fences), note)
    ends = [getattr(anchor, name) for anchor in shown for name in (x, y)]
    same = Layer("line", {"x": [min(ends), max(ends)], "y": [min(ends), max(ends)]}, "no change", dashed=True)
    return Plot(title, f"new bank, linked ({unit})", f"old bank ({unit})", (*layers, same))


def _in_limits(anchor: Anchor, limit: float, sure: float) -> Anchor:
    """The same item, changes as shares of what they must exceed: the lesser of both shares, with the change's sign."""

    def share(z: float, in_errors: float | None) -> float:
        of_z = abs(z) / limit
        return math.copysign(of_z if in_errors is None else min(of_z, abs(in_errors) / sure), z)

    return replace(anchor, z_a=share(anchor.z_a, anchor.in_se_a), z_b=share(anchor.z_b, anchor.in_se_b))


def _parts(
    shown: Sequence[Anchor], parts: tuple[str, str], belongs: Callable[[Anchor], bool]
) -> list[tuple[str, list[Anchor]]]:
    return [
        (parts[0], [anchor for anchor in shown if belongs(anchor)]),
        (parts[1], [anchor for anchor in shown if not belongs(anchor)]),
    ]


def _points(part: Sequence[Anchor], x: str, y: str, label: str) -> Layer:
    return Layer("points", _places(part, x, y), label)


def _places(part: Sequence[Anchor], x: str, y: str) -> dict[str, list[float]]:
    return {"x": [getattr(anchor, x) for anchor in part], "y": [getattr(anchor, y) for anchor in part]}

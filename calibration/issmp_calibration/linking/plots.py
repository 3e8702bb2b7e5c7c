"""Pictures of a link and of drift: what both banks say of the common items, on one scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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
    "changes": ("z_a", "z_b", "How far the common items moved", "robust z"),
}


def draw(
    anchors: Sequence[Anchor],
    kind: str,
    items: Sequence[str] | None,
    parts: tuple[str, str],
    belongs: Callable[[Anchor], bool],
    limit: float | None = None,
) -> Plot:
    """The plot of that kind; see ``Link.plot``.

    Args:
        anchors: the common items.
        kind: of the plot.
        items: ids of those to draw; all when None.
        parts: what to call the items that belong, and the others.
        belongs: which is which.
        limit: of the robust z, drawn where that is shown.

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
    layers = [_points(part, x, y, label) for label, part in _parts(shown, parts, belongs) if part]
    others = [anchor for anchor in shown if not belongs(anchor)]
    if others:
        layers.append(Layer("text", {**_places(others, x, y), "text": [anchor.item for anchor in others]}))
    if kind == "changes":
        ends = [] if limit is None else [-limit, limit]
        fences = [Layer("vline", {"x": ends}, dashed=True), Layer("hline", {"y": ends}, dashed=True)] if ends else []
        note = "" if limit is None else f"Dashed: robust z of ±{limit:g}. Known standard errors count too."
        return Plot(title, f"change of log a ({unit})", f"change of b ({unit})", (*layers, *fences), note)
    ends = [getattr(anchor, name) for anchor in shown for name in (x, y)]
    same = Layer("line", {"x": [min(ends), max(ends)], "y": [min(ends), max(ends)]}, "no change", dashed=True)
    return Plot(title, f"new bank, linked ({unit})", f"old bank ({unit})", (*layers, same))


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

"""Winsteps' structure file (``SFILE=``): the steps of items that the item file gives only a difficulty.

Layout: Winsteps manual, "SFILE= structure output file" and "SAITEM=": heading lines, then item number, category and
Rasch-Andrich threshold for partial credit (ISGROUPS=0), or category and threshold alone where all items share one
rating scale. Thresholds are relative to the item's difficulty; the lowest category stands there with 0, unused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from issmp_cat.bank.foreign.numbers import finite
from issmp_cat.bank.item import Item

__all__ = ["read_structure", "steps_of", "structure_of"]


def read_structure(text: str) -> tuple[dict[str, list[float]], list[str]]:
    """Thresholds by item number, under "" those that all items share; and every fault with its line."""
    found: dict[str, dict[int, float]] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.replace(",", " ").replace("\t", " ").replace('"', " ").split()
        if not cells or cells[0].startswith(";") or finite(cells[0]) is None:
            continue
        entry, rest = (cells[0], cells[1:]) if len(cells) > 2 else ("", cells)
        values = [finite(cell) for cell in rest[:2]]
        if len(values) < 2 or None in values or values[0] != int(values[0] or 0):
            problems.append(
                f"structure, line {number}: item, category and threshold expected, found {line.strip():.40}"
            )
            continue
        category, threshold = int(values[0] or 0), float(values[1] or 0.0)
        known = found.setdefault(entry, {})
        if category in known:
            problems.append(f"structure, line {number}: category {category} of item {entry or 'all'} stands twice")
        known[category] = threshold
    steps = {}
    for entry, known in found.items():
        low, high = min(known), max(known)
        if sorted(known) != list(range(low, high + 1)) or low == high:
            problems.append(f"structure: categories of item {entry or 'all'} are {sorted(known)}; expected no gaps")
        else:
            steps[entry] = [known[k] for k in range(low + 1, high + 1)]
    return steps, problems


def steps_of(structure: Mapping[str, Sequence[float]], entry: str, measure: float) -> list[float]:
    """Steps of an item on the scale of θ; none for an item that is right or wrong.

    >>> steps_of({"3": [-0.5, 0.5]}, "3", 1.0)
    [0.5, 1.5]
    """
    thresholds = structure.get(entry, structure.get("", ()))
    return [measure + threshold for threshold in thresholds] if len(thresholds) > 1 else []


def structure_of(items: Sequence[Item]) -> str:
    """The structure file of items, with six decimals; right-or-wrong items have one threshold of 0."""
    lines = ["; ITEM CATEGORY Rasch-Andrich threshold, relative to the item's MEASURE; written by issmp-cat"]
    for entry, item in enumerate(items, 1):
        thresholds = [step - item.b for step in item.steps] or [0.0]
        rows = enumerate([0.0, *thresholds])
        lines += [f"{entry:6d} {category:3d} {threshold + 0.0:12.6f}" for category, threshold in rows]
    return "\n".join([*lines, ""])

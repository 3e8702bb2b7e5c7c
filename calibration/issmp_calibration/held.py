"""From constraints in the words of people to cells of a design."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from issmp_calibration.constraints import Constraints
from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.models.family import LOGISTIC, NOMINAL, PARTIAL
from issmp_calibration.mml.models.named import ModelName
from issmp_cat.errors import UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["HeldCells", "held_cells", "known_steps"]

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class HeldCells:
    """Values of single cells by item in the fit and cell, and cells that are equal."""

    values: Mapping[Cell, float]
    ties: Sequence[Sequence[Cell]]


def known_steps(constraints: Constraints, items: Sequence[str], models: Sequence[ModelName]) -> list[int]:
    """The highest score of each item whose parameters are all held, −1 for the others."""
    found = []
    for item, model in zip(items, models, strict=True):
        given = constraints.fixed.get(item, {})
        steps = len([name for name in given if name[0] == ("c" if model.family.kind == NOMINAL else "b")])
        needed = {name for name in model.family.names(steps) if name not in {"c", "d"}}
        if model.slope == "one":
            needed.discard("a")
        found.append(steps if steps and needed <= set(given) else -1)
    return found


def held_cells(constraints: Constraints, codes: Codes, items: Sequence[str], models: Sequence[ModelName]) -> HeldCells:
    """Cells that constraints speak of; those of items that are not in the fit are left out.

    Args:
        constraints: by item and parameter.
        codes: the answers.
        items: id of each item in the fit; ``models`` alike.

    Raises:
        UsageError: every constraint that cannot be kept.
    """
    steps = np.diff(codes.first) - 1
    place = {item: number for number, item in enumerate(items)}
    values, problems = dict[Cell, float](), list[str]()
    for item, given in constraints.fixed.items():
        if item in place:
            k = place[item]
            own, wrong = _values(item, models[k], int(steps[k]), given)
            values |= {(k, cell): value for cell, value in own.items()}
            problems += wrong
    ties = list[list[Cell]]()
    for group in constraints.equal:
        cells, wrong = _tie(group, place, models, steps)
        ties += [cells] if len(cells) > 1 else []
        problems += wrong
        if len({values[cell] for cell in cells if cell in values}) > 1:
            problems.append(f"equal parameters are fixed at different values: {group}")
    problems += _locations_without_slopes(constraints, ties, values, place, models)
    if problems:
        raise UsageError("constraints: " + "; ".join(problems))
    return HeldCells(values, ties)


def _values(item: str, model: ModelName, steps: int, given: Mapping[str, float]) -> tuple[dict[int, float], list[str]]:
    """Cells that fixed parameters determine, and what is wrong with these."""
    names = model.family.names(steps)
    wrong = [f'item "{item}" ({model.name}) has no parameter "{name}"{did_you_mean(name, names)}' for name in given
             if name not in names]  # fmt: skip
    slope = given.get("a", 1.0 if model.slope == "one" else None)
    if model.slope == "one" and given.get("a", 1.0) != 1.0:
        wrong.append(f'item "{item}": a {model.name} item has a = 1, not {given["a"]:g}')
    located = [name for name in names if name[0] == "b" and name in given]
    if located and slope is None:
        wrong.append(f'item "{item}": {located[0]} can be fixed only together with a')
    if model.family.kind == PARTIAL and located != [f"b{k + 1}" for k in range(len(located))]:
        wrong.append(f'item "{item}": steps of a {model.name} item can be fixed only from b1 on without a gap')
    if wrong:
        return {}, wrong
    # What is not given does not enter the cells asked for: any number will do.
    otherwise = {"a": 1.0 if slope is None else slope, "d": 1.0}
    natural = np.array([given.get(name, otherwise.get(name, 0.0)) for name in names])
    cells = model.family.working(natural)
    return {cell: float(cells[cell]) for cell, name in enumerate(names) if name in given}, []


def _tie(
    group: Sequence[tuple[str, str]], place: Mapping[str, int], models: Sequence[ModelName], steps: np.ndarray
) -> tuple[list[Cell], list[str]]:
    """Cells of parameters that are equal."""
    cells, wrong = [], []
    for item, name in group:
        if item not in place:
            continue
        k = place[item]
        names = models[k].family.names(int(steps[k]))
        held = ((name == "c" and not models[k].guessing) or (name == "d" and not models[k].slipping)) and (
            models[k].family.kind == LOGISTIC
        )
        if name not in names or held:
            wrong.append(f'item "{item}" ({models[k].name}) has no free parameter "{name}"')
        else:
            cells.append((k, names.index(name)))
    return cells, wrong


def _locations_without_slopes(
    constraints: Constraints,
    ties: Sequence[Sequence[Cell]],
    values: Mapping[Cell, float],
    place: Mapping[str, int],
    models: Sequence[ModelName],
) -> list[str]:
    """Equal locations of items whose slopes may differ; equal steps of partial credit without those before them."""
    tied = {frozenset(pair) for tie in ties for pair in itertools.combinations(tie, 2)}

    def same(one: int, two: int, cell: int) -> bool:
        held = (values.get((one, cell)), values.get((two, cell)))
        by_model = models[one].slope == models[two].slope != "free"
        return (
            frozenset([(one, cell), (two, cell)]) in tied
            or (held[0] is not None and held[0] == held[1])
            or (cell == 0 and by_model)
        )

    wrong = []
    for group in constraints.equal:
        inside = [(place[item], name) for item, name in group if item in place]
        for (one, name), (two, _) in itertools.pairwise(inside):
            if name[0] != "b" or NOMINAL in {models[one].family.kind, models[two].family.kind}:
                continue
            before = [0]
            if models[one].family.kind == PARTIAL:
                before += range(1, int(name[1:] or 1))
            if not all(same(one, two, cell) for cell in before):
                wrong.append(f"{name} can be equal only where a{' and the steps before it' * (len(before) > 1)} is")
    return sorted(set(wrong))

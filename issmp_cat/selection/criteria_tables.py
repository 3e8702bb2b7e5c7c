"""The criteria by name, and the tables each of them reads."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from issmp_cat.ability import Grid, part_above
from issmp_cat.ability.posterior import LEAST
from issmp_cat.arrays import Floats, read_only
from issmp_cat.irt import Parameters, category_curves, item_information
from issmp_cat.selection import criteria
from issmp_cat.selection.criteria import Criterion
from issmp_cat.selection.criteria_chance import progress
from issmp_cat.selection.pool import LOWEST, POINTS, STEP

__all__ = ["CriterionName", "build_criterion"]

CriterionName: TypeAlias = Literal[
    "fisher_information",
    "fisher_at_cut",
    "mpwi",
    "mlwi",
    "kl",
    "klp",
    "mepv",
    "mei",
    "gdi",
    "gdip",
    "b_matching",
    "misclassification",
    "random",
]
# What is computed, and whether nodes weigh by the likelihood alone.
_FORMULAS: dict[CriterionName, tuple[int, bool]] = {
    "fisher_information": (criteria.INFORMATION, False),
    "fisher_at_cut": (criteria.INFORMATION, False),
    "mpwi": (criteria.AVERAGE, False),
    "mlwi": (criteria.AVERAGE, True),
    "kl": (criteria.DIVERGENCE, True),
    "klp": (criteria.DIVERGENCE, False),
    "mepv": (criteria.VARIANCE, False),
    "mei": (criteria.EXPECTED, False),
    "gdi": (criteria.DISCRIMINATION, True),
    "gdip": (criteria.DISCRIMINATION, False),
    "b_matching": (criteria.CLOSENESS, False),
    "misclassification": (criteria.RISK, False),
    "random": (criteria.CHANCE, False),
}
_BY_CHANCES = {criteria.VARIANCE, criteria.EXPECTED, criteria.DISCRIMINATION, criteria.RISK}


def build_criterion(
    name: CriterionName,
    parameters: Parameters,
    grid: Grid,
    *,
    cut: float,
    length: int,
    progressive: float | None = None,
    lowest: float = LOWEST,
    step: float = STEP,
    points: int = POINTS,
) -> Criterion:
    """Tabulate what a criterion reads.

    Args:
        name: which.
        parameters: the bank; ``grid``: nodes, and the chance of every score there.
        cut: θ at the cut, logits; ``length``: of the exam at most.
        progressive: acceleration of progressive weighting, ≥ 0, see :func:`progress`; None leaves chance out.
        lowest: first point at which information and chances are looked up, logits; ``step``: their distance;
            ``points``: how many. The defaults are those of selection.
    """
    code, by_likelihood = _FORMULAS[name]
    theta = lowest + step * np.arange(points, dtype=np.float64)
    at_points, certainty = _at_points(code, theta, parameters)
    return Criterion(
        code=code,
        by_likelihood=by_likelihood,
        first=parameters.first,
        nodes=grid.nodes,
        at_nodes=read_only(_at_nodes(code, parameters, grid)),
        at_points=read_only(at_points),
        certainty=read_only(certainty),
        location=parameters.b,
        above=read_only(part_above(grid.nodes, cut)),
        progress=read_only(_progress(code, length, progressive)),
        lowest=lowest,
        step=step,
        focus=min(max(int((cut - lowest) / step + 0.5), 0), points - 1) if name == "fisher_at_cut" else -1,
        reach=1.0 + float(np.abs(parameters.b).max() + np.abs(grid.nodes).max()),
    )


def _at_nodes(code: int, parameters: Parameters, grid: Grid) -> Floats:
    """What the criterion averages over the nodes."""
    if code == criteria.AVERAGE:
        return item_information(grid.nodes, parameters)
    if code == criteria.DIVERGENCE:
        return np.log(grid.likelihood.T)
    return grid.likelihood.T if code in _BY_CHANCES else np.zeros((len(grid.nodes), 0))


def _at_points(code: int, theta: Floats, parameters: Parameters) -> tuple[Floats, Floats]:
    """What the criterion looks up at θ, and ``Σ P log P``."""
    nothing = np.zeros((0, 0))
    if code in {criteria.INFORMATION, criteria.EXPECTED}:
        return item_information(theta, parameters), nothing
    if code != criteria.DIVERGENCE:
        return nothing, nothing
    chance = np.maximum(category_curves(theta, parameters).T, LEAST)
    return chance, np.add.reduceat(chance * np.log(chance), parameters.first[:-1], axis=1)


def _progress(code: int, length: int, acceleration: float | None) -> Floats:
    """Weight of the criterion at each position; none where chance has no part."""
    if code == criteria.CHANCE:
        return np.zeros(1)
    return np.zeros(0) if acceleration is None else progress(length, acceleration)

"""One door to every estimator, for the session and for its compiled twin."""

from __future__ import annotations

from typing import Literal, TypeAlias

from issmp_cat.ability.maximum import MAP, ML, WLE, AbilityEstimate, maximise
from issmp_cat.ability.posterior import Grid, posterior_moments
from issmp_cat.arrays import Floats, Ints

__all__ = ["Estimator", "estimate", "estimator_code"]

Estimator: TypeAlias = Literal["eap", "map", "ml", "wle"]

EAP = 0
_CODES: dict[Estimator, int] = {"eap": EAP, "ml": ML, "map": MAP, "wle": WLE}


def estimator_code(name: Estimator) -> int:
    """The number by which kernels know an estimator."""
    return _CODES[name]


def estimate(
    method: int,
    grid: Grid,
    weights: Floats,
    parameters: tuple[Floats, Floats, Floats, Floats],
    items: Ints,
    scores: Ints,
    n: int,
    prior: tuple[float, float],
) -> AbilityEstimate:
    """θ and standard error by the method of this code; posterior SD with EAP, asymptotic otherwise.

    The fences are the ends of the grid. Arguments as :func:`posterior_moments` and :func:`maximise`.
    """
    if method == EAP or n == 0:
        mean, sd = posterior_moments(grid.nodes, weights)
        return AbilityEstimate(mean, sd)
    return maximise(method, parameters, items, scores, n, (grid.nodes[0], grid.nodes[-1]), prior)

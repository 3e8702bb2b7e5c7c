"""Where a candidate stands: posterior on a grid, and the maximum-likelihood family."""

from issmp_cat.ability.estimators import EAP, Estimator, estimator_code
from issmp_cat.ability.maximum import AbilityEstimate, maximise
from issmp_cat.ability.posterior import (
    Grid,
    build_grid,
    chance_above,
    part_above,
    posterior_mean,
    posterior_moments,
    rebuild_posterior,
    update_posterior,
)

__all__ = [
    "EAP",
    "AbilityEstimate",
    "Estimator",
    "Grid",
    "build_grid",
    "chance_above",
    "estimator_code",
    "maximise",
    "part_above",
    "posterior_mean",
    "posterior_moments",
    "rebuild_posterior",
    "update_posterior",
]

"""Standard errors of the populations' means, SDs and regression coefficients, on the metric of the items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.mml.em import Fit
from issmp_calibration.mml.information import Errors
from issmp_cat.arrays import Floats

__all__ = ["LatentErrors", "latent_errors"]


@dataclass(frozen=True, slots=True)
class LatentErrors:
    """Standard errors; NaN for what is fixed, not known, or part of a density estimated node by node.

    Attributes:
        mean: of each group. Shape ``(groups,)``; ``sd`` alike, covariates included.
        coefficients: of the covariates. Shape ``(covariates,)``.
    """

    mean: Floats
    sd: Floats
    coefficients: Floats

    @staticmethod
    def stated(error: float) -> float | None:
        """None for NaN."""
        return None if np.isnan(error) else float(error)


def latent_errors(fit: Fit, errors: Errors | None, unit: float = 1.0) -> LatentErrors:
    """By the delta method.

    Args:
        fit: where it ended.
        errors: of items and populations; None if none were computed.
        unit: logits of the items' metric in one of the fit's, itself estimated where it is not 1: the slope that all
            Rasch items share.
    """
    population, freedom = fit.population, fit.freedom
    groups, slopes = len(population.labels), population.coefficients
    found = LatentErrors(np.full(groups, np.nan), np.full(groups, np.nan), np.full(len(slopes), np.nan))
    if errors is None or freedom.histogram:
        return found
    total = population.total_sd
    explained = freedom.products @ slopes / freedom.persons if len(slopes) else slopes
    pinned = freedom.take_sd  # the first group's SD is 1 in the fit's unit, covariates included
    for k in range(groups):
        known = errors.population_known[k]
        covariance = errors.with_unit(k)
        rows = np.zeros((2 + len(slopes), len(covariance)))  # mean, SD, coefficients by what was estimated, then unit
        rows[0, 0], rows[0, -1] = unit, population.mean[k]
        if not (pinned and k == 0):
            rows[1, 1], rows[1, 2:-1] = unit * population.sd[k] ** 2 / total[k], unit * explained / total[k]
        rows[1, -1] = total[k]
        rows[2:, 2:-1], rows[2:, -1] = unit * np.eye(len(slopes)), slopes
        deviations = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", rows, covariance, rows), 0.0))
        if known[0] or (errors.unit_known and population.mean[k] != 0.0):
            found.mean[k] = deviations[0]
        if known[1] or errors.unit_known:
            found.sd[k] = deviations[1]
        if k == 0:
            found.coefficients[known[2:]] = deviations[2:][known[2:]]
    return found

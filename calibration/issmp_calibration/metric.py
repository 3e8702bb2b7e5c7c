"""From the parameters a fit climbs in to those people read: a, b, c on the model's own metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import Fit
from issmp_calibration.mml.information import Errors
from issmp_calibration.mml.models.logistic import GUESS, INTERCEPT, SLOPE, asymptote
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.irt import difficulty

__all__ = ["Reported", "report"]


@dataclass(frozen=True, slots=True)
class Reported:
    """Items as people read them; NaN where a number does not exist.

    Attributes:
        natural: a (per logit), b (logits), c. Shape ``(items, 3)``.
        covariance: of a, b, c. Shape ``(items, 3, 3)``.
        linear: slope and intercept. Shape ``(items, 2)``; ``linear_errors``: their standard errors.
        latent_sd: of the population, logits; ``se_latent_sd``: its standard error, None where it is fixed or unknown.
    """

    natural: Floats
    covariance: Floats
    linear: Floats
    linear_errors: Floats
    latent_sd: float
    se_latent_sd: float | None

    def for_all(self, n_items: int, places: Ints) -> Reported:
        """The same with rows of NaN for the items that were set apart.

        Args:
            n_items: of the log.
            places: where in the log each item stands. Shape ``(items,)``.
        """

        def spread(values: Floats) -> Floats:
            whole = np.full((n_items, *values.shape[1:]), np.nan)
            whole[places] = values
            return whole

        return Reported(
            spread(self.natural),
            spread(self.covariance),
            spread(self.linear),
            spread(self.linear_errors),
            self.latent_sd,
            self.se_latent_sd,
        )


def report(design: Design, fit: Fit, errors: Errors | None) -> Reported:
    """Parameters and errors on the model's metric.

    The Rasch model is fitted with one free slope and a population of SD 1. Measured in logits, where all slopes are
    1, that slope is the population's SD; intercepts stay what they are.
    """
    slope, intercept, guess = fit.parameters[:, SLOPE].copy(), fit.parameters[:, INTERCEPT], fit.parameters[:, GUESS]
    free: Bools = np.isin(np.arange(3), design.used)
    free[SLOPE] &= not design.spread_is_slope
    covariance = np.full((len(slope), 3, 3), np.nan)
    se_sd = None
    if errors is not None:
        covariance = np.where(errors.known[:, :, None] & errors.known[:, None, :], errors.covariance, np.nan)[:, :3, :3]
    sd = 1.0
    if design.spread_is_slope:
        sd = float(slope[0])
        se_sd = None if np.isnan(covariance[0, SLOPE, SLOPE]) else float(np.sqrt(covariance[0, SLOPE, SLOPE]))
        slope[:] = 1.0
        covariance[:, SLOPE, :] = covariance[:, :, SLOPE] = 0.0
    b, c = difficulty(slope, intercept), asymptote(guess)
    natural = np.stack([slope, b, c], axis=1)
    linear_errors = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)[:, :2])
    linear_errors[:, ~free[:2]] = np.nan
    return Reported(
        natural=natural,
        covariance=_by_delta(natural, covariance, free),
        linear=np.stack([slope, intercept], axis=1),
        linear_errors=linear_errors,
        latent_sd=sd,
        se_latent_sd=se_sd,
    )


def _by_delta(natural: Floats, covariance: Floats, free: Bools) -> Floats:
    """Covariance of a, b, c from that of slope, intercept, logit c by the delta method; NaN for what is fixed."""
    a, b, c = natural.T
    jacobian = np.zeros((len(a), 3, 3))
    jacobian[:, 0, SLOPE] = 1.0
    jacobian[:, 1, SLOPE] = -b / a
    jacobian[:, 1, INTERCEPT] = -1.0 / a
    jacobian[:, 2, GUESS] = c * (1.0 - c)
    unknown = np.isnan(covariance)
    filled = np.where(unknown, 0.0, covariance)
    transformed: Floats = np.einsum("ipq,iqr,isr->ips", jacobian, filled, jacobian)
    transformed[:, ~free, :] = transformed[:, :, ~free] = np.nan
    missing = np.diagonal(unknown, axis1=1, axis2=2) & free
    # b hangs on slope and intercept both: without either its error is not known.
    missing[:, 1] |= missing[:, 0]
    transformed[missing[:, :, None] | missing[:, None, :]] = np.nan
    return transformed

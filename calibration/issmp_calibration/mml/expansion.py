"""Parameter expansion: let the population's mean and SD go for one step, then take them out of the items again.

Liu, C., Rubin, D. B., & Wu, Y. N. (1998). Parameter expansion to accelerate EM: the PX-EM algorithm. Biometrika, 85,
755–770.
"""

from __future__ import annotations

import math

import numpy as np

from issmp_calibration.mml.dichotomous import INTERCEPT, SLOPE
from issmp_calibration.mml.estep import Expectation
from issmp_cat.arrays import Floats

__all__ = ["expanded"]

STEPS = 30


def expanded(parameters: Floats, expectation: Expectation, nodes: Floats, slope_prior: Floats) -> Floats:
    """Parameters rescaled to the population mean and SD that the posteriors show.

    A prior on ln a is a prior on the rescaled slopes too, and enters here: leaving it out moves the fixed point off
    the mode.

    Args:
        parameters: of the items, fresh from the M-step. Shape ``(items, 3)``.
        expectation: of the E-step before it.
        nodes: abilities, population SDs. Shape ``(nodes,)``.
        slope_prior: mean and precision of ln a; precision 0 for none. Shape ``(2,)``.
    """
    persons = float(expectation.population.sum())
    mean = float(expectation.population @ nodes) / persons
    squares = float(expectation.population @ np.square(nodes - mean))
    log_sd = _best_log_sd(persons, squares, parameters[:, SLOPE], slope_prior)
    rescaled = parameters.copy()
    rescaled[:, INTERCEPT] += parameters[:, SLOPE] * mean
    rescaled[:, SLOPE] *= math.exp(log_sd)
    return rescaled


def _best_log_sd(persons: float, squares: float, slopes: Floats, slope_prior: Floats) -> float:
    """The t that maximises ``−persons t − squares e^(−2t) / 2 − precision / 2 · Σ (ln a + t − mean)²``; concave."""
    t = 0.5 * math.log(squares / persons)
    mean, precision = slope_prior
    if precision == 0.0:
        return t
    distance = float((np.log(slopes) - mean).sum())
    for _ in range(STEPS):
        scaled = squares * math.exp(-2.0 * t)
        step = (scaled - persons - precision * (distance + len(slopes) * t)) / (2.0 * scaled + precision * len(slopes))
        t += step
        if abs(step) < 1e-14:
            break
    return t

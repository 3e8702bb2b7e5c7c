"""Parameter expansion: let the population have a mean and an SD, then move them into the items.

Liu, C., Rubin, D. B., & Wu, Y. N. (1998). Parameter expansion to accelerate EM: the PX-EM algorithm. Biometrika, 85,
755–770.
"""

from __future__ import annotations

import math

import numpy as np

from issmp_calibration.mml.design import Design
from issmp_cat.arrays import Floats

__all__ = ["absorb", "best_log_sd"]

STEPS = 30


def absorb(design: Design, parameters: Floats, mean: float, log_sd: float) -> Floats:
    """Parameters as they are once θ is measured from this mean in units of this SD.

    Args:
        design: what the items are.
        parameters: their cells. Shape ``(items, width)``.
        mean: of the population; ``log_sd``: of its SD.
    """
    item, cell = np.nonzero(design.shift_cell >= 0)
    slope = parameters[item, design.shift_cell[item, cell]]
    rescaled = parameters.copy()
    rescaled[item, cell] += design.shift_times[item, cell] * slope * mean
    rescaled[design.slope] *= math.exp(log_sd)
    return rescaled


def best_log_sd(design: Design, parameters: Floats, persons: float, squares: float) -> float:
    """The t that maximises ``−persons t − squares e^(−2t) / 2 − Σ precision (ln a + t − mean)² / 2``; concave.

    A prior on ln a is a prior on the rescaled slopes too: leaving it out moves the fixed point off the mode.

    Args:
        design: for the priors.
        parameters: of the items, fresh from the M-step.
        persons: expected number; ``squares``: expected sum of squares of θ about its mean.
    """
    t = 0.5 * math.log(squares / persons)
    used = design.on_log & (design.prior_precision > 0.0)
    if not used.any():
        return t
    precision = design.prior_precision[used]
    total = float(precision.sum())
    distance = float((precision * (np.log(parameters[used]) - design.prior_mean[used])).sum())
    for _ in range(STEPS):
        scaled = squares * math.exp(-2.0 * t)
        step = (scaled - persons - distance - total * t) / (2.0 * scaled + total)
        t += step
        if abs(step) < 1e-14:
            break
    return t

"""How much of an estimate is belief, and how many more answers it needs."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats

__all__ = ["answers_needed", "shrinkage"]


def shrinkage(prior_precision: Floats, variance: Floats) -> Floats:
    """Share of what is known about a parameter that comes from its prior: 0 none of it, 1 all.

    Precisions add up: ``1 / variance = prior precision + information of the answers`` (normal approximation), so the
    estimate is drawn from what the answers say towards the prior's mean by this share.

    Args:
        prior_precision: 1 / SD², 0 without a prior, on the scale of the prior. Any shape.
        variance: posterior variance of the estimate on the same scale; NaN where unknown. The same shape.

    >>> shrinkage(np.array([4.0, 0.0]), np.array([0.125, 0.125]))
    array([0.5, 0. ])
    """
    return np.clip(prior_precision * variance, 0.0, 1.0)


def answers_needed(answers: Floats, error: Floats, wanted: float, shrunk: Floats) -> Floats:
    """Answers an item still needs until the standard error of its difficulty is as wanted.

    What answers tell grows with their number; what the prior tells does not: with share s of the precision 1/SE² from
    the prior, ``n' = n (1/wanted² − s/SE²) / ((1 − s)/SE²)``. It supposes further candidates like those so far.

    Args:
        answers: so far. Shape ``(items,)``.
        error: standard error of the difficulty, logits; NaN where unknown. Shape ``(items,)``.
        wanted: standard error wanted, logits.
        shrunk: share of the precision from the prior, as :func:`shrinkage` gives it. Shape ``(items,)``.

    Returns:
        Further answers, 0 where there are enough; NaN where the error is unknown.

    >>> answers_needed(np.array([100.0]), np.array([0.4]), 0.2, np.zeros(1))  # half the error, four times the answers
    array([300.])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        told = (1.0 - shrunk) / np.square(error)
        whole = answers * (wanted**-2 - shrunk / np.square(error)) / told
    more = np.ceil(np.round(whole - answers, 6))
    return np.where(np.isnan(error), np.nan, np.maximum(more, 0.0))

"""Domain scores that borrow strength: a domain's own answers, helped by those of the other domains.

A domain of fifteen items says little by itself, but abilities in the domains of one exam go together. Wainer et al.
(2001) regress each domain's true score on all observed ones; with estimates of known precision that is conditioning
in a multivariate normal distribution.
"""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats

__all__ = ["augmented"]


def augmented(means: Floats, sds: Floats, *, mean: float, sd: float, correlation: float) -> tuple[Floats, Floats]:
    """Abilities in the domains given the answers in all of them.

    True abilities have covariance ``S = sd² [(1 − ρ) I + ρ 11ᵀ]``; an estimate x errs by the variance v of its own
    answers. The posterior (Wainer et al., 2001) then has mean ``μ + S (S + V)⁻¹ (x − μ)`` and covariance
    ``S − S (S + V)⁻¹ S``. x and v are taken from each domain's own posterior by dividing its prior out: 1/v = 1/SD² −
    1/sd². Without correlation the domain's own posterior comes back, without answers what the others suggest.

    Args:
        means: posterior mean of each domain by its own answers, logits. Shape ``(domains,)``; ``sds`` the posterior
            SDs alike.
        mean: the population's mean; ``sd`` its SD, logits.
        correlation: ρ between the abilities in two domains, from 0 to below 1.

    Returns:
        Posterior means and SDs, logits, each of shape ``(domains,)``.

    >>> theta, se = augmented(np.array([1.0, 0.0]), np.array([0.5, 1.0]), mean=0.0, sd=1.0, correlation=0.8)
    >>> theta.round(2), se.round(2)
    (array([1. , 0.8]), array([0.5 , 0.72]))
    """
    own = sd * sd * ((1.0 - correlation) * np.eye(len(means)) + correlation)
    # In terms of precision, where no answers are no precision rather than an infinite variance. Answers that widened
    # the posterior (guessing can) pull by their mean alone.
    precision = np.maximum(1.0 / sds**2 - 1.0 / (sd * sd), 0.0)
    pull = (means - mean) * (precision + 1.0 / (sd * sd))
    # S (I + Λ S)⁻¹ = (S⁻¹ + Λ)⁻¹ without inverting S, which is nearly singular when ρ is nearly 1.
    covariance = own @ np.linalg.inv(np.eye(len(means)) + precision[:, None] * own)
    return mean + covariance @ pull, np.sqrt(np.diagonal(covariance))

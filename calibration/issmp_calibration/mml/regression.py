"""Coefficients of a latent regression whose population keeps an SD of 1."""

from __future__ import annotations

import math

import numpy as np

from issmp_cat.arrays import Floats

__all__ = ["bound_coefficients"]


def bound_coefficients(products: Floats, towards: Floats, total: float, persons: int) -> Floats:
    """What maximises ``−n/2 ln v − RSS / (2 v)`` with v = 1 − β'Sβ, what is left of a variance of 1.

    Args:
        products: of the centred covariates, n S. Shape ``(covariates, covariates)``.
        towards: sums of covariate times expected θ. Shape ``(covariates,)``.
        total: expected sum of squares of θ.
        persons: n.

    >>> bound_coefficients(np.array([[100.0]]), np.array([60.0]), 100.0, 100).round(6)  # where nothing is in the way
    array([0.6])
    """
    from scipy import optimize  # a fifth of the time that a small fit's imports take, and only covariates need it

    root = np.linalg.cholesky(products / persons)
    pull = np.linalg.solve(root, towards)

    def loss(free: Floats) -> tuple[float, Floats]:
        # β = L⁻ᵀ z / √(1 + z'z): any z is admissible, and v = 1 / (1 + z'z).
        stretch = 1.0 + float(free @ free)
        left = 1.0 / stretch
        explained = free / math.sqrt(stretch)
        rest = total - 2.0 * float(explained @ pull) + persons * float(explained @ explained)
        by_explained = (persons * explained - pull) / left
        by_left = 0.5 * persons / left - 0.5 * rest / left**2
        by_free = by_explained / math.sqrt(stretch) - free * float(free @ by_explained) / stretch**1.5
        by_free -= 2.0 * by_left * free / stretch**2
        return (0.5 * persons * math.log(left) + 0.5 * rest / left) / persons, by_free / persons

    start = root.T @ np.linalg.solve(products, towards)
    start /= math.sqrt(max(1.0 - float(start @ start), 0.05))
    found = optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-12})
    explained = found.x / math.sqrt(1.0 + float(found.x @ found.x))
    return np.linalg.solve(root.T, explained)

"""Standard errors from the full observed information matrix.

Observed information = complete-data information − missing information (Louis, 1982, eq. 3.1). Leaving out what ties
the items together (block-diagonal errors) makes standard errors up to 13 % too small.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import lapack

from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import SMALL, Fit
from issmp_calibration.mml.missing import Posterior, missing_information
from issmp_calibration.mml.models.logistic import INTERCEPT, SLOPE
from issmp_calibration.mml.models.tables import log_table, score_tables
from issmp_calibration.mml.mstep import complete_information
from issmp_calibration.mml.windows import Windows
from issmp_cat.arrays import Bools, Floats

__all__ = ["Errors", "observed_information", "standard_errors"]

EXACT = 20_000  # answers up to which every node is a component: beyond, a few polynomials do
# Share of an item's information that the last polynomial may contribute; its standard error is off by half of that.
TOLERANCE = {np.float32: 1e-4, np.float64: 1e-6}
IDENTIFIED = 1e-7  # smallest share of an item's information that must remain after the abilities have taken theirs


@dataclass(frozen=True, slots=True)
class Errors:
    """How well the items are known.

    Attributes:
        covariance: of the cells, rows and columns of held or unidentified ones 0. Shape ``(items, width, width)``.
        known: which cells have a standard error. Shape ``(items, width)``.
        orders: components of each score that were used.
    """

    covariance: Floats
    known: Bools
    orders: int

    @property
    def deviations(self) -> Floats:
        """Standard errors; NaN where ``known`` is false. Shape ``(items, width)``."""
        variance = np.diagonal(self.covariance, axis1=1, axis2=2)
        return np.sqrt(np.where(self.known, variance, np.nan))


def _posterior(codes: Codes, design: Design, fit: Fit, which: Any) -> Posterior:
    kind = np.float64 if len(codes.code) <= SMALL else np.float32
    n_answers, found = len(codes.code), fit.expectation
    if kind is np.float64:
        windows = Windows.whole(codes.n_persons, n_answers, fit.grid)
    else:
        windows = Windows.around(found.mean, found.sd, n_answers, fit.grid)
    by_parameter = score_tables(design, fit.parameters, fit.grid.nodes)[which]
    return Posterior(
        codes=codes,
        windows=windows,
        nodes=fit.grid.nodes,
        log_density=fit.grid.log_density.astype(kind),
        table=log_table(design, fit.parameters, fit.grid, kind),
        scores=np.ascontiguousarray(by_parameter, dtype=kind),
        exact=n_answers <= EXACT,
    )


def observed_information(
    codes: Codes, design: Design, fit: Fit, executor: Executor | None = None
) -> tuple[Floats, Floats, int]:
    """The observed information about every item's own parameters, a common slope counted as free in each item.

    Returns:
        The matrix, items outside and parameters inside, shape ``(items · parameters, items · parameters)``; the
        complete-data information, shape ``(items, parameters, parameters)``; and the number of components used.
    """
    which = design.used
    _, _, complete = complete_information(design, fit.expectation.counts, fit.grid.nodes, fit.parameters)
    complete = complete[:, which][:, :, which]
    scale = np.abs(np.diagonal(complete, axis1=1, axis2=2))
    posterior = _posterior(codes, design, fit, which)
    missing, orders = missing_information(posterior, scale, TOLERANCE[posterior.table.dtype.type], executor)
    n, p = codes.n_items, len(which)
    width = missing.shape[0] // n
    matrix = missing if width == p else missing.reshape(n, width, n, width)[:, :p, :, :p].reshape(n * p, n * p)
    np.negative(matrix, out=matrix)
    index = np.arange(n)
    matrix.reshape(n, p, n, p)[index, :, index] += complete
    return matrix, complete, orders


def _shared(matrix: Floats, n_items: int) -> Floats:
    """Information about one common slope and every intercept, from that about all slopes and intercepts."""
    by = matrix.reshape(n_items, 2, n_items, 2)
    shared = np.empty((n_items + 1, n_items + 1))
    shared[:n_items, :n_items] = by[:, 1, :, 1]
    shared[n_items, :n_items] = shared[:n_items, n_items] = by[:, 0, :, 1].sum(axis=0)
    shared[n_items, n_items] = by[:, 0, :, 0].sum()
    return shared


def _inverse(matrix: Floats, kept: Bools) -> tuple[Floats, Bools]:
    """Inverse over the kept rows; a row that makes the matrix singular is dropped, and said to be."""
    kept = kept.copy()
    while True:
        rows = np.flatnonzero(kept)
        factor, failed = lapack.dpotrf(matrix[np.ix_(rows, rows)], lower=1, overwrite_a=1)
        if failed == 0:
            inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
            return inverse, kept
        kept[rows[failed - 1]] = False


def _identified(matrix: Floats, complete: Floats, inside: Bools) -> Bools:
    """Parameters inside their bounds about which their item alone says something. Shape ``(items, parameters)``."""
    n, p = inside.shape
    index = np.arange(n)
    own = matrix.reshape(n, p, n, p)[index, :, index]
    scale = np.sqrt(np.abs(np.diagonal(complete, axis1=1, axis2=2))) + np.finfo(float).tiny
    correlation = own / (scale[:, :, None] * scale[:, None, :])
    # A parameter at its bound is fixed: it must not make its item look singular.
    fixed = ~inside
    correlation[fixed[:, :, None] | fixed[:, None, :]] = 0.0
    correlation[:, np.arange(p), np.arange(p)] += fixed
    smallest = np.linalg.eigvalsh(correlation)[:, 0]
    return inside & (smallest > IDENTIFIED)[:, None]


def standard_errors(codes: Codes, design: Design, fit: Fit, executor: Executor | None = None) -> Errors:
    """Covariance of each item's parameters, from the inverse of the whole matrix.

    Args:
        codes: the answers.
        design: what was estimated.
        fit: where it ended.
        executor: threads; they do not change the result.
    """
    matrix, complete, orders = observed_information(codes, design, fit, executor)
    which = design.used
    here, low, high = fit.parameters[:, which], design.lower[:, which], design.upper[:, which]
    kept = _identified(matrix, complete, (here > low) & (here < high))
    covariance, known = (
        np.zeros((*fit.parameters.shape, fit.parameters.shape[1])),
        np.zeros_like(fit.parameters, dtype=bool),
    )
    if design.n_free > design.n_own:
        _spread_shared(matrix, kept, covariance, known)
        return Errors(covariance, known, orders)
    inverse, kept_rows = _inverse(matrix, kept.ravel())
    place = np.cumsum(kept_rows) - 1
    rows = place.reshape(kept.shape)
    kept = kept_rows.reshape(kept.shape)
    for one, first in enumerate(which):
        for two, second in enumerate(which[: one + 1]):
            both = kept[:, one] & kept[:, two]
            # LAPACK fills the lower triangle only; the later parameter has the larger row.
            covariance[both, first, second] = covariance[both, second, first] = inverse[
                rows[both, one], rows[both, two]
            ]
    known[:, which] = kept
    return Errors(covariance, known, orders)


def _spread_shared(matrix: Floats, kept: Bools, covariance: Floats, known: Bools) -> None:
    """Errors where one slope is shared: each item's block holds the common slope's variance too."""
    n = len(kept)
    inverse, kept_rows = _inverse(_shared(matrix, n), np.append(kept[:, 1], True))
    items = np.flatnonzero(kept_rows[:n])
    inside, common = np.arange(len(items)), len(items)
    covariance[items, INTERCEPT, INTERCEPT] = inverse[inside, inside]
    known[items, INTERCEPT] = True
    if kept_rows[n]:
        covariance[:, SLOPE, SLOPE] = inverse[common, common]
        covariance[items, SLOPE, INTERCEPT] = covariance[items, INTERCEPT, SLOPE] = inverse[common, inside]
        known[:, SLOPE] = True

"""The inverse of an information matrix in the memory the matrix has, leaving out what it does not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import lapack

from issmp_cat.arrays import Bools, Floats
from issmp_cat.compiled import jit

__all__ = ["invert", "mirror"]

TILE = 64


@jit()
def _copy_triangle(matrix: Any, *, upwards: bool) -> None:
    """Copy the upper triangle onto the lower one, or back; in tiles, which the cache holds."""
    n = matrix.shape[0]
    for top in range(0, n, TILE):
        for left in range(top, n, TILE):
            for i in range(top, min(top + TILE, n)):
                for j in range(max(left, i + 1), min(left + TILE, n)):
                    if upwards:
                        matrix[i, j] = matrix[j, i]
                    else:
                        matrix[j, i] = matrix[i, j]


def mirror(matrix: Floats) -> None:
    """Make a matrix symmetric of which only the upper triangle is filled, in place."""
    _copy_triangle(matrix, upwards=False)


def _culprit(matrix: Floats, kept: Bools, failed: int, scale: Floats) -> int:
    """The row that weighs most in the first combination of rows about which there is no information."""
    weights = np.ones(failed)
    if failed > 1:
        # The pivot is (−A⁻¹ a, 1)' M (−A⁻¹ a, 1), with A the part that was dealt with and a the row that failed; LAPACK
        # leaves the row solved halfway, L⁻¹ a.
        half = matrix[: failed - 1, failed - 1]
        weights[:-1], _ = lapack.dtrtrs(matrix[: failed - 1, : failed - 1].T, half, lower=1, trans=1)
    worst = int(np.argmax(np.nan_to_num(np.abs(weights) * scale[:failed]) * kept[:failed]))
    return worst if kept[worst] else failed - 1


def invert(matrix: Floats, kept: Bools, scale: Floats | None = None) -> Bools:
    """Inverse over the kept rows, in place; rows that make the matrix singular are dropped.

    LAPACK works on one triangle; the other keeps what the matrix was until it is known to be positive definite.

    Args:
        matrix: symmetric. Shape ``(rows, rows)``. Becomes the inverse, with zeros in rows and columns left out.
        kept: rows that count. Shape ``(rows,)``.
        scale: by which rows are compared where one must go, the diagonal if not given. Shape ``(rows,)``.

    Returns:
        The rows that are left.

    >>> matrix = np.array([[4.0, 0.0, 2.0], [0.0, 0.0, 0.0], [2.0, 0.0, 2.0]])
    >>> kept = invert(matrix, np.ones(3, bool))
    >>> kept.tolist(), np.diagonal(matrix).round(6).tolist()
    ([True, False, True], [0.5, 0.0, 1.0])
    """
    diagonal = np.diagonal(matrix).copy()
    kept = kept & np.isfinite(diagonal) & (diagonal > 0.0)
    scale = np.sqrt(np.abs(diagonal)) if scale is None else np.sqrt(scale)
    while True:
        out = ~kept
        matrix[out, :] = 0.0
        matrix[:, out] = 0.0
        np.fill_diagonal(matrix, np.where(kept, diagonal, 1.0))
        # The transpose is in Fortran's order: its lower triangle is the upper one here.
        _, failed = lapack.dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
        if failed == 0:
            break
        kept[_culprit(matrix, kept, failed, scale)] = False
        _copy_triangle(matrix, upwards=True)
    lapack.dpotri(matrix.T, lower=1, overwrite_c=1)
    matrix[~kept, ~kept] = 0.0
    mirror(matrix)
    return kept

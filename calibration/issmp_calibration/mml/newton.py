"""Newton's step for the few parameters of one item."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_cat.compiled import jit

__all__ = ["direction", "solve"]


@jit(error_model="numpy")
def solve(matrix: Any, right_side: Any, free: Any, answer: Any) -> bool:
    """Solve a positive definite system by Cholesky, the free rows only; False when it is not definite.

    Args:
        matrix: shape ``(cells, cells)``.
        right_side: shape ``(cells,)``.
        free: the rows and columns that count. Shape ``(cells,)``.
        answer: written; 0 where not free. Shape ``(cells,)``.
    """
    size = right_side.size
    lower = np.zeros((size, size))
    for row in range(size):
        for column in range(row + 1):
            total = matrix[row, column] if free[row] and free[column] else (1.0 if row == column else 0.0)
            for k in range(column):
                total -= lower[row, k] * lower[column, k]
            if row > column:
                lower[row, column] = total / lower[column, column]
            elif free[row] and not total > 1e-10 * abs(matrix[row, row]):
                return False
            else:
                lower[row, row] = math.sqrt(total)
    for row in range(size):
        total = right_side[row] if free[row] else 0.0
        for k in range(row):
            total -= lower[row, k] * answer[k]
        answer[row] = total / lower[row, row]
    for row in range(size - 1, -1, -1):
        for k in range(row + 1, size):
            answer[row] -= lower[k, row] * answer[k]
        answer[row] /= lower[row, row]
    return True


@jit(error_model="numpy")
def direction(gradient: Any, information: Any, free: Any, step: Any) -> float:
    """Newton's step, damped until the matrix is definite; returns the decrement, gradient · step."""
    damped = information.copy()
    ridge = 1e-3
    while not solve(damped, gradient, free, step) and ridge < 1e30:
        for k in range(step.size):
            damped[k, k] = max(information[k, k], 0.0) + ridge * (abs(information[k, k]) + 1.0)
        ridge *= 10.0
    decrement = 0.0
    for k in range(step.size):
        if free[k]:
            decrement += gradient[k] * step[k]
    return decrement

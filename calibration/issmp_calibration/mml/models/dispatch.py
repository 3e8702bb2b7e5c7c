"""One entry for the kernels of all families."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.models.family import GRADED, LOGISTIC, PARTIAL
from issmp_calibration.mml.models.graded import chances as graded_chances
from issmp_calibration.mml.models.graded import terms as graded_terms
from issmp_calibration.mml.models.logistic import chances as logistic_chances
from issmp_calibration.mml.models.logistic import terms as logistic_terms
from issmp_calibration.mml.models.nominal import chances as nominal_chances
from issmp_calibration.mml.models.nominal import terms as nominal_terms
from issmp_calibration.mml.models.partial import chances as partial_chances
from issmp_calibration.mml.models.partial import terms as partial_terms
from issmp_calibration.mml.models.rows import expected_two, log_two
from issmp_cat.compiled import jit

__all__ = ["chances", "expected", "fill_information", "fill_log", "fill_scores", "terms"]


@jit(error_model="numpy")
def chances(kind: int, parameters: Any, theta: float, log_chance: Any) -> None:
    """Log probability of each score of an item of any family. ``log_chance`` (scores,) is written."""
    if kind == LOGISTIC:
        logistic_chances(parameters, theta, log_chance)
    elif kind == GRADED:
        graded_chances(parameters, theta, log_chance)
    elif kind == PARTIAL:
        partial_chances(parameters, theta, log_chance)
    else:
        nominal_chances(parameters, theta, log_chance)


@jit(error_model="numpy")
def terms(kind: int, parameters: Any, theta: float, log_chance: Any, score: Any, curvature: Any) -> None:
    """Log probability of each score, its derivatives by the cells, and theirs, for an item of any family.

    Args:
        kind: the family.
        parameters: the item's cells, padded.
        theta: ability.
        log_chance: written. Shape ``(scores,)``; ``score``, ``(scores, cells)``; ``curvature``, ``(scores, cells,
            cells)``: cells of the padding are left as they are.
    """
    if kind == LOGISTIC:
        logistic_terms(parameters, theta, log_chance, score, curvature)
    elif kind == GRADED:
        graded_terms(parameters, theta, log_chance, score, curvature)
    elif kind == PARTIAL:
        partial_terms(parameters, theta, log_chance, score, curvature)
    else:
        nominal_terms(parameters, theta, log_chance, score, curvature)


@jit(error_model="numpy")
def _add_node(counts: Any, log_chance: Any, score: Any, curvature: Any, gradient: Any, information: Any) -> float:
    """What the answers expected at one node add; of the information the lower triangle."""
    value = 0.0
    for k in range(counts.size):
        if counts[k] == 0.0:
            continue
        value += counts[k] * log_chance[k]
        for i in range(gradient.size):
            gradient[i] += counts[k] * score[k, i]
            for j in range(i + 1):
                information[i, j] -= counts[k] * curvature[k, i, j]
    return value


@jit(error_model="numpy")
def two_parameters(kind: int, parameters: Any) -> bool:
    """Whether an item is right or wrong without asymptotes."""
    return bool(kind == LOGISTIC and parameters[2] == -math.inf and parameters[3] == -math.inf)


@jit(error_model="numpy")
def expected(kind: int, counts: Any, nodes: Any, parameters: Any, gradient: Any, information: Any) -> float:
    """Expected complete-data log likelihood of one item, its gradient and its negative second derivatives.

    Args:
        kind: the family.
        counts: expected answers of each score at each node. Shape ``(scores, nodes)``.
        nodes: abilities. Shape ``(nodes,)``.
        parameters: the item's cells. Shape ``(cells,)``.
        gradient: written. Shape ``(cells,)``.
        information: written. Shape ``(cells, cells)``.
    """
    gradient[:] = 0.0
    information[:] = 0.0
    if two_parameters(kind, parameters):
        return expected_two(counts, nodes, parameters, gradient, information)
    n, width = counts.shape[0], parameters.size
    log_chance = np.zeros(n)
    score, curvature = np.zeros((n, width)), np.zeros((n, width, width))
    value = 0.0
    for node in range(nodes.size):
        there = 0.0
        for k in range(n):
            there += counts[k, node]
        if there == 0.0:
            continue
        terms(kind, parameters, nodes[node], log_chance, score, curvature)
        value += _add_node(counts[:, node], log_chance, score, curvature, gradient, information)
    for i in range(width):
        for j in range(i):
            information[j, i] = information[i, j]
    return value


@jit(error_model="numpy")
def fill_log(kind: Any, first: Any, parameters: Any, nodes: Any, table: Any) -> None:
    """Write the log probability of each code at each node. ``table`` (codes, nodes), float32 or float64."""
    for item in range(kind.size):
        log_chance = np.empty(first[item + 1] - first[item])
        done, row = 0, first[item]
        if two_parameters(kind[item], parameters[item]):
            done = log_two(table[row], table[row + 1], nodes, parameters[item, 0], parameters[item, 1])
        for node in range(done, nodes.size):
            chances(kind[item], parameters[item], nodes[node], log_chance)
            for k in range(log_chance.size):
                table[first[item] + k, node] = log_chance[k]


@jit(error_model="numpy")
def fill_scores(kind: Any, first: Any, parameters: Any, nodes: Any, table: Any) -> None:
    """Write the derivatives of the log probability of each code. ``table`` (cells, codes, nodes)."""
    width = parameters.shape[1]
    for item in range(kind.size):
        n = first[item + 1] - first[item]
        log_chance, score, curvature = np.empty(n), np.zeros((n, width)), np.zeros((n, width, width))
        for node in range(nodes.size):
            terms(kind[item], parameters[item], nodes[node], log_chance, score, curvature)
            for k in range(n):
                for cell in range(width):
                    table[cell, first[item] + k, node] = score[k, cell]


@jit(error_model="numpy")
def fill_information(
    kind: Any, first: Any, parameters: Any, shift_cell: Any, shift_times: Any, nodes: Any, table: Any
) -> None:
    """Write each item's Fisher information about θ at each node. ``table`` (items, nodes).

    Every family has θ in it by ways of its intercepts: moving θ moves them by their slopes.
    """
    width = parameters.shape[1]
    for item in range(kind.size):
        n = first[item + 1] - first[item]
        log_chance, score, curvature = np.empty(n), np.zeros((n, width)), np.zeros((n, width, width))
        for node in range(nodes.size):
            terms(kind[item], parameters[item], nodes[node], log_chance, score, curvature)
            total = 0.0
            for k in range(n):
                rise = 0.0
                for cell in range(width):
                    if shift_cell[item, cell] >= 0:
                        slope = parameters[item, shift_cell[item, cell]]
                        rise += shift_times[item, cell] * slope * score[k, cell]
                total += math.exp(log_chance[k]) * rise * rise
            table[item, node] = total

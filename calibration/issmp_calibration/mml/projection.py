"""Each answer's score as a function of ability, reduced to a few components.

The posterior covariance of two scores is a sum of products of their components. Along the polynomials of θ that are
orthonormal under the posterior a few suffice where the posterior is narrow and the score smooth; with few answers and
steep items they converge slowly, and the nodes themselves, which are exact, take their place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.estep import cut_out, posterior
from issmp_calibration.mml.lanes import LANES, add_rows, dot_rows
from issmp_calibration.mml.products import ORDERS
from issmp_cat.compiled import jit

__all__ = ["project_run"]


@jit(error_model="numpy")
def _inner(weights: Any, one: Any, two: Any) -> float:
    total = 0.0
    for node in range(weights.size):
        total += weights[node] * one[node] * two[node]
    return total


@jit(error_model="numpy")
def _polynomials(weights: Any, nodes: Any, moments: Any, skip: int, basis: Any, out: Any) -> None:
    """Orthonormal polynomials skip + 1 … skip + 4 times the posterior weights, by Gram–Schmidt done twice.

    Args:
        weights: posterior at the nodes. Shape ``(nodes,)``.
        nodes: abilities; ``moments``: posterior mean and SD.
        skip: how many orders were dealt with before.
        basis: room for the polynomials. Shape ``(skip + 5, nodes)``.
        out: written. Shape ``(4, nodes)``.
    """
    basis[0, :] = 1.0
    for order in range(1, skip + ORDERS + 1):
        for node in range(nodes.size):
            basis[order, node] = basis[order - 1, node] * (nodes[node] - moments[0]) / max(moments[1], 1e-9)
        before = _inner(weights, basis[order], basis[order])
        for _ in range(2):
            for lower in range(order):
                overlap = _inner(weights, basis[order], basis[lower])
                for node in range(nodes.size):
                    basis[order, node] -= overlap * basis[lower, node]
        norm = _inner(weights, basis[order], basis[order])
        # A posterior on k nodes has only k − 1 polynomials; what is left after them is rounding.
        scale = 1.0 / math.sqrt(norm) if norm > 1e-12 * before else 0.0
        for node in range(nodes.size):
            basis[order, node] *= scale
            if order > skip:
                out[order - skip - 1, node] = weights[node] * basis[order, node]


@jit(error_model="numpy")
def _single_nodes(weights: Any, skip: int, out: Any) -> None:
    """Nodes skip … skip + 3 as components: √w (score at the node − posterior mean of the score). Exact, but many."""
    for order in range(ORDERS):
        place = skip + order
        for node in range(weights.size):
            inside = place < weights.size
            own = 1.0 if node == place else 0.0
            out[order, node] = math.sqrt(weights[place]) * (own - weights[node]) if inside else 0.0


@jit(error_model="numpy")
def project_run(
    table: Any,
    log_density: Any,
    nodes: Any,
    scores: Any,
    codes: Any,
    start: Any,
    persons: Any,
    first: int,
    width: int,
    skip: int,
    by_node: bool,
    parts: Any,
) -> None:
    """Components of the answers of persons who share a window.

    Args:
        table: log probability of each code at each node; ``log_density``: log weight of each node.
        nodes: abilities. Shape ``(nodes,)``.
        scores: of each parameter, code and node. Shape ``(parameters, codes, nodes)``.
        codes: all answers; ``start``: where each person's begin.
        persons: those of this run.
        first: first node of their window; ``width``: its number of nodes.
        skip: orders dealt with before.
        by_node: take the nodes themselves, not polynomials.
        parts: added to, answers in the order of ``persons``. Shape ``(answers, 4, parameters, filled up)``.
    """
    panel = np.empty(table.shape[0] * LANES, table.dtype)
    total = np.empty((persons.size, width), table.dtype)
    for row in range(0, width, LANES):
        cut_out(table, first + row, panel)
        for place in range(persons.size):
            person = persons[place]
            add_rows(total[place, row:], panel, codes, start[person], start[person + 1])
    here = nodes[first : first + width]
    moments = np.empty(2)
    basis = np.empty((skip + ORDERS + 1, width))
    along = np.empty((persons.size, ORDERS, width), table.dtype)
    for place in range(persons.size):
        posterior(total[place], log_density[first : first + width], here, moments)
        if by_node:
            _single_nodes(total[place], skip, along[place])
        else:
            _polynomials(total[place], here, moments, skip, basis, along[place])
    flat = parts.reshape(-1)
    stride = parts.shape[1] * parts.shape[2]
    for row in range(0, width, LANES):
        for parameter in range(scores.shape[0]):
            cut_out(scores[parameter], first + row, panel)
            begin = 0
            for place in range(persons.size):
                a, b = start[persons[place]], start[persons[place] + 1]
                for order in range(ORDERS):
                    offset = begin * stride + order * parts.shape[2] + parameter
                    dot_rows(flat[offset:], stride, panel, along[place, order, row:], codes, a, b)
                begin += b - a

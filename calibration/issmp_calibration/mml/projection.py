"""Each block's score as a function of ability, reduced to a few components.

The posterior covariance of two scores is a sum of products of their components. Along the polynomials of θ that are
orthonormal under the posterior a few suffice where the posterior is narrow and the score smooth; with few answers and
steep items they converge slowly, and the nodes themselves, which are exact, take their place. The polynomial of order
0 is the posterior mean of the score, of which the cross-product of the scores is made.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.estep import cut_out
from issmp_calibration.mml.lanes import LANES, add_rows, dot_rows
from issmp_calibration.mml.weights import tilted_posterior
from issmp_cat.compiled import jit

__all__ = ["MEAN", "NODES", "POLYNOMIALS", "directions", "project", "project_population", "weigh"]

POLYNOMIALS, NODES, MEAN = 0, 1, 2  # what scores are projected on


@jit(error_model="numpy")
def weigh(
    table: Any, log_density: Any, group: Any, tilt: Any, shift: Any, nodes: Any, codes: Any, start: Any, persons: Any,
    first: int, panel: Any, weights: Any, moments: Any,
) -> None:  # fmt: skip
    """Posterior weights of persons who share a window.

    Args:
        table: log probability of each code at each node; ``log_density``: log weight of each node in each group.
        group: of each person; ``tilt`` and ``shift``: what turns a group's log density into a person's own.
        nodes: abilities. Shape ``(nodes,)``.
        codes: all answers; ``start``: where each person's begin.
        persons: those of this run.
        first: first node of their window.
        panel: room for 16 columns of the table.
        weights: written. Shape ``(persons of the run, nodes of the window)``; ``moments``: posterior mean and SD.
    """
    width = weights.shape[1]
    for row in range(0, width, LANES):
        cut_out(table, first + row, panel)
        for place in range(persons.size):
            person = persons[place]
            add_rows(weights[place, row:], panel, codes, start[person], start[person + 1])
    here = nodes[first : first + width]
    for place in range(persons.size):
        person = persons[place]
        density = log_density[group[person], first : first + width]
        tilted_posterior(weights[place], density, here, tilt[person], shift[person], moments[place])


@jit(error_model="numpy")
def _inner(weights: Any, one: Any, two: Any) -> float:
    total = 0.0
    for node in range(weights.size):
        total += weights[node] * one[node] * two[node]
    return total


@jit(error_model="numpy")
def _polynomials(weights: Any, nodes: Any, moments: Any, skip: int, basis: Any, out: Any) -> None:
    """Orthonormal polynomials skip + 1 … times the posterior weights, by Gram–Schmidt done twice.

    Args:
        weights: posterior at the nodes. Shape ``(nodes,)``.
        nodes: abilities; ``moments``: posterior mean and SD.
        skip: how many orders were dealt with before.
        basis: room for the polynomials. Shape ``(skip + orders + 1, nodes)``.
        out: written. Shape ``(orders, nodes)``.
    """
    basis[0, :] = 1.0
    for order in range(1, skip + out.shape[0] + 1):
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
    """Nodes skip, skip + 1 … as components: √w (score at the node − posterior mean of the score). Exact, but many."""
    for order in range(out.shape[0]):
        place = skip + order
        for node in range(weights.size):
            inside = place < weights.size
            own = 1.0 if node == place else 0.0
            out[order, node] = math.sqrt(weights[place]) * (own - weights[node]) if inside else 0.0


@jit(error_model="numpy")
def directions(weights: Any, moments: Any, nodes: Any, what: int, skip: int, along: Any) -> None:
    """What scores are multiplied with, for each person and order.

    Args:
        weights: posterior of each person. Shape ``(persons, nodes)``; ``moments``: its mean and SD.
        nodes: abilities of the window.
        what: POLYNOMIALS, NODES or MEAN.
        skip: orders dealt with before.
        along: written. Shape ``(persons, orders, nodes)``.
    """
    basis = np.empty((skip + along.shape[1] + 1 if what == POLYNOMIALS else 1, nodes.size))
    for place in range(weights.shape[0]):
        if what == POLYNOMIALS:
            _polynomials(weights[place], nodes, moments[place], skip, basis, along[place])
        elif what == NODES:
            _single_nodes(weights[place], skip, along[place])
        else:
            along[place, 0, :] = weights[place]


@jit(error_model="numpy")
def project(scores: Any, first: int, along: Any, rows: Any, begin: Any, answered: Any, panel: Any, parts: Any) -> None:
    """Components of the blocks of persons who share a window.

    Args:
        scores: of each cell, row and node. Shape ``(width, rows, nodes)``.
        first: first node of the window.
        along: what to multiply with. Shape ``(persons, orders, nodes of the window)``.
        rows: of each entry; ``begin``: first entry of each person, those of items first; ``answered``: how many.
        panel: room for 16 columns of the scores of one cell.
        parts: added to. Shape ``(entries, orders, width)``.
    """
    flat = parts.reshape(-1)
    width = scores.shape[0]
    stride = along.shape[1] * width
    for row in range(0, along.shape[2], LANES):
        for cell in range(width):
            cut_out(scores[cell], first + row, panel)
            for place in range(along.shape[0]):
                a = begin[place]
                for order in range(along.shape[1]):
                    offset = a * stride + order * width + cell
                    dot_rows(flat[offset:], stride, panel, along[place, order, row:], rows, a, a + answered[place])


@jit(error_model="numpy")
def project_population(
    slope_score: Any, spread_score: Any, first: int, along: Any, what: int, persons: Any, group: Any, covariates: Any,
    away: Any, sd: Any, begin: Any, answered: Any, parts: Any,
) -> None:  # fmt: skip
    """Components of the log density each person is drawn from, as if it were one more item.

    With e a person's distance from the mean of the group, predicted by covariates x, and u = (θ − mean) / sd²,
    v = (θ − mean)² / sd² − 1, the scores are u − e / sd² by the mean, v − 2 e u + e² / sd² by the logarithm of the SD,
    and x (u − e / sd²) by the coefficients of x.

    Args:
        slope_score: u of each group at each node; ``spread_score``: v. Shape ``(groups, nodes)``.
        first: first node of the window.
        along: what to multiply with. Shape ``(persons, orders, nodes of the window)``; ``what``: MEAN or other.
        persons: those of this run.
        group: of each person; ``covariates``: of each person; ``away``: e of each person.
        sd: of each group.
        begin: first entry of each person; ``answered``: how many of them are of items, the rest is written.
        parts: shape ``(entries, orders, width)``.
    """
    width = parts.shape[2]
    for place in range(persons.size):
        person = persons[place]
        own, entry = group[person], begin[place] + answered[place]
        if entry == begin[place + 1]:
            continue
        e, constant = away[person], 1.0 if what == MEAN else 0.0
        for order in range(along.shape[1]):
            u, v = 0.0, 0.0
            for node in range(along.shape[2]):
                u += along[place, order, node] * slope_score[own, first + node]
                v += along[place, order, node] * spread_score[own, first + node]
            by_mean = u - constant * e / sd[own] ** 2
            parts[entry, order, 0] = by_mean
            parts[entry + 1 // width, order, 1 % width] = v - 2.0 * e * u + constant * e**2 / sd[own] ** 2
            for k in range(covariates.shape[1]):
                parts[entry + (2 + k) // width, order, (2 + k) % width] = by_mean * covariates[person, k]

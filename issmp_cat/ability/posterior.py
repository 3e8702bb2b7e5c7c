"""The posterior of θ on a fixed grid: one multiplication of vectors an answer (Bock & Mislevy, 1982).

Plain kernels; they compile as they stand and give the same bits either way: element by element, or summed in a
stated order.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints, read_only
from issmp_cat.irt import Parameters, category_curves

__all__ = [
    "LEAST",
    "Grid",
    "build_grid",
    "chance_above",
    "part_above",
    "posterior_mean",
    "posterior_moments",
    "rebuild_posterior",
    "update_posterior",
]

# Weights are relative. A product of hundreds of answers leaves the range of doubles at the far nodes, so every few
# answers all are rescaled: the largest to near the top of that range, none below its bottom.
RESCALE_EVERY, TOP, FLOOR = 16, 2.0**960, 2.0**-960
# No answer is wholly impossible: a product of 16 stays a number, even where no θ on the grid explains the answers.
LEAST = 2.0**-63
# A node that was held at the bottom has forgotten how far below it belongs. It cannot overtake before the next
# rescaling, where it is still this far behind (16 · 63 bits less than from bottom to top): then the weights of a long
# test are made anew from all answers. In a short one a node would have to fall 10 nats an answer behind, and still win.
BEHIND, LONG = TOP * 2.0**-912, 128


class Grid(NamedTuple):
    """Nodes, prior, and the likelihood of every answer at every node.

    Attributes:
        nodes: θ in logits. Shape ``(nodes,)``.
        prior: weights of the population, largest 1. Shape ``(nodes,)``.
        likelihood: chance of each score of each item. Shape ``(rows, nodes)``: row ``first[item] + score``.
        first: row of each item's score 0; the number of rows comes last. Shape ``(items + 1,)``.
    """

    nodes: Floats
    prior: Floats
    likelihood: Floats
    first: Ints


def build_grid(parameters: Parameters, *, nodes: int, limit: float, mean: float, sd: float) -> Grid:
    """Tabulate a bank on equally spaced nodes.

    Args:
        parameters: the bank.
        nodes: how many; ``limit``: they span mean ± limit (logits).
        mean: the population's mean; ``sd``: its SD, logits.
    """
    theta = np.linspace(mean - limit, mean + limit, nodes)
    prior = np.exp(-0.5 * ((theta - mean) / sd) ** 2)
    likelihood = np.maximum(category_curves(theta, parameters), LEAST)
    return Grid(
        nodes=read_only(theta), prior=read_only(prior), likelihood=read_only(likelihood), first=parameters.first
    )


def update_posterior(grid: Grid, weights: Floats, n: int, item: int, score: int) -> bool:
    """Multiply the likelihood of answer number ``n`` (from 0) into ``weights``, in place. Shape ``(nodes,)``.

    Returns:
        Whether the range of doubles may have been left: :func:`rebuild_posterior` is then due.
    """
    np.multiply(weights, grid.likelihood[grid.first[item] + score], weights)
    if n % RESCALE_EVERY == 0:
        top = 0.0
        for k in range(len(weights)):
            top = max(top, weights[k])
        scale = TOP / top
        for k in range(len(weights)):
            weights[k] = max(weights[k] * scale, FLOOR)
        if n >= LONG:
            for k in range(len(weights)):
                if weights[k] < BEHIND:
                    return True
    return False


def rebuild_posterior(grid: Grid, prior: Floats, weights: Floats, items: Ints, scores: Ints, n: int) -> None:
    """Fill ``weights`` from the first ``n`` answers at once, by sums of logarithms, which know no range.

    Args:
        grid: the tables.
        prior: the weights before the first answer. Shape ``(nodes,)``.
        weights: filled, the largest near the top of the range of doubles. Shape ``(nodes,)``.
        items: positions of the items answered; ``scores`` alike. Shape at least ``(n,)``.
        n: how many answers count.
    """
    likelihood, first = grid.likelihood, grid.first
    highest = -math.inf
    for k in range(len(weights)):
        total = math.log(max(prior[k], FLOOR))
        product = 1.0
        for j in range(n):
            product *= likelihood[first[items[j]] + scores[j], k]
            if j % RESCALE_EVERY == RESCALE_EVERY - 1:
                total += math.log(product)
                product = 1.0
        weights[k] = total + math.log(product)
        highest = max(highest, weights[k])
    for k in range(len(weights)):
        weights[k] = max(TOP * math.exp(weights[k] - highest), FLOOR)


def posterior_mean(nodes: Floats, weights: Floats) -> tuple[float, float]:
    """Mean of the posterior (EAP), logits, and the sum of the weights (Bock & Mislevy, 1982, eq. 6).

    >>> tuple(map(float, posterior_mean(np.array([-1.0, 1.0]), np.array([1.0, 3.0]))))
    (0.5, 4.0)
    """
    total = 0.0
    first = 0.0
    for k in range(len(nodes)):
        total += weights[k]
        first += weights[k] * nodes[k]
    return first / total, total


def posterior_moments(nodes: Floats, weights: Floats) -> tuple[float, float]:
    """Mean (EAP) and SD of the posterior, logits (Bock & Mislevy, 1982, eqs. 6 and 7).

    >>> posterior_moments(np.array([-1.0, 1.0]), np.array([1.0, 1.0]))
    (0.0, 1.0)
    """
    mean, total = posterior_mean(nodes, weights)
    second = 0.0
    for k in range(len(nodes)):
        away = nodes[k] - mean
        second += weights[k] * away * away
    return float(mean), math.sqrt(second / total)


def part_above(nodes: Floats, cut: float) -> Floats:
    """How much of each node counts as at or above the cut: so much of its cell as lies there.

    >>> part_above(np.array([-1.0, 0.0, 1.0]), 0.25)
    array([0.  , 0.25, 1.  ])
    """
    part: Floats = np.clip((nodes - cut) / (nodes[1] - nodes[0]) + 0.5, 0.0, 1.0)
    return part


def chance_above(part: Floats, weights: Floats) -> float:
    """Posterior probability of an ability at or above the cut.

    Args:
        part: of each node, see :func:`part_above`. Shape ``(nodes,)``.
        weights: of the posterior. Shape ``(nodes,)``.

    >>> chance_above(np.array([0.0, 0.25, 1.0]), np.array([1.0, 4.0, 1.0]))
    0.3333333333333333
    """
    total = 0.0
    above = 0.0
    for k in range(len(weights)):
        total += weights[k]
        above += part[k] * weights[k]
    return float(above / total)

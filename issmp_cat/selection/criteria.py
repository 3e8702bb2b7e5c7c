"""What each item is worth for the next decision, by every criterion: one score for each item of the bank.

    criterion = build_criterion(name, parameters, grid, cut=…, length=…)                       # once, when planning
    space = new_workspace(criterion)                                                           # once an exam
    score_all(criterion, space, weights, prior, theta, n, seed, person, blocked, out)          # each decision

Scores are finite and ≥ 0, higher is better; they speak of normalised weights, so that they mean the same at every
point of an exam.

Each criterion is a weighted sum over the nodes of a table with one column an item, or one column a score of an item,
and a little arithmetic on the sums. The sums run over whole columns at once, node by node in order: numpy adds and
multiplies element by element, so that plain Python is as fast as compiled code and gives the same bits. Which table
is decided when the exam is planned (``criteria_tables.py``). Plain kernels; nothing is allocated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_cat.ability import posterior_mean
from issmp_cat.arrays import Floats, Ints
from issmp_cat.selection.criteria_chance import mix_chance
from issmp_cat.selection.criteria_sums import average, fold, normalise

__all__ = [
    "AVERAGE",
    "CHANCE",
    "CLOSENESS",
    "DISCRIMINATION",
    "DIVERGENCE",
    "EXPECTED",
    "INFORMATION",
    "RISK",
    "VARIANCE",
    "Criterion",
    "Workspace",
    "new_workspace",
    "score_all",
]

INFORMATION, AVERAGE, DIVERGENCE, VARIANCE, EXPECTED, DISCRIMINATION, CLOSENESS, RISK, CHANCE = range(9)
# An item that cannot turn the decision is worth this much of what it tells about it.
TIE_BREAK = 2.0**-16
# What is less likely than this cannot be divided by.
LEAST_CHANCE = 2.0**-1000


class Criterion(NamedTuple):
    """A criterion and the tables it reads; those it does not read are empty.

    Attributes:
        code: which criterion.
        by_likelihood: whether nodes weigh by the likelihood alone; else by the posterior.
        first: column of each item's score 0; the number of columns comes last. Shape ``(items + 1,)``.
        nodes: θ in logits. Shape ``(nodes,)``.
        at_nodes: what is averaged over the nodes: Fisher information per logit² (a column an item), or chances of
            scores or their logarithms (a column a score). Shape ``(nodes, columns)``.
        at_points: what is looked up at θ, on equally spaced points: Fisher information, or chances of scores.
            Shape ``(points, columns)``.
        certainty: ``Σ P log P`` over the scores. Shape ``(points, items)``.
        location: difficulty; the mean of the steps for items with several. Logits, shape ``(items,)``.
        above: part of each node's weight that counts as at or above the cut. Shape ``(nodes,)``.
        progress: weight of the criterion at each position, the rest being chance: 0 throughout for random choice; of
            no length when chance has no part. Shape ``(length,)``.
        lowest: the first point, logits; ``step``: their distance.
        focus: number of the point at which information is looked up; −1: the one nearest to θ.
        reach: more than any item's distance from any node, logits.
    """

    code: int
    by_likelihood: bool
    first: Ints
    nodes: Floats
    at_nodes: Floats
    at_points: Floats
    certainty: Floats
    location: Floats
    above: Floats
    progress: Floats
    lowest: float
    step: float
    focus: int
    reach: float


class Workspace(NamedTuple):
    """Scratch for one exam under way. Shapes ``(nodes,)`` twice and ``(columns,)`` four times."""

    share: Floats
    other: Floats
    total: Floats
    second: Floats
    term: Floats
    square: Floats


def new_workspace(criterion: Criterion | None) -> Workspace:
    """Room for :func:`score_all`; none where no criterion scores the items."""
    nodes, columns = (0, 0) if criterion is None else criterion.at_nodes.shape
    columnwise = np.zeros(columns), np.zeros(columns), np.zeros(columns), np.zeros(columns)
    return Workspace(np.zeros(nodes), np.zeros(nodes), *columnwise)


def score_all(
    criterion: Criterion,
    space: Workspace,
    weights: Floats,
    prior: Floats,
    theta: float,
    n: int,
    seed: int,
    person: int,
    blocked: Ints,
    out: Floats,
) -> None:
    """Score every item. What blocked items score means nothing.

    Args:
        criterion: which, and its tables.
        space: scratch.
        weights: posterior of θ at the nodes, not normalised; ``prior``: what it started from. Shape ``(nodes,)``.
        theta: the estimate, logits.
        n: items given so far.
        seed: of the exam's draws; ``person``: the candidate's number. For criteria with a random part.
        blocked: > 0 when an item cannot be given. Shape ``(items,)``.
        out: receives the scores. Shape ``(items,)``.
    """
    code = criterion.code
    if code == INFORMATION:
        point = nearest(criterion, theta) if criterion.focus < 0 else criterion.focus
        np.multiply(criterion.at_points[point], 1.0, out)
    elif code == CLOSENESS:
        closeness(criterion, theta, out)
    elif code == RISK:
        risk_reduction(criterion, space, weights, out)
    elif code != CHANCE:
        weigh_nodes(criterion, weights, prior, space.share)
        score_by_nodes(criterion, space, theta, out)
    if len(criterion.progress) > 0:
        weight = criterion.progress[min(n, len(criterion.progress) - 1)]
        mix_chance(weight, code == CHANCE, n, seed, person, blocked, out)


def score_by_nodes(criterion: Criterion, space: Workspace, theta: float, out: Floats) -> None:
    """Score every item by its average over the nodes, which ``space.share`` weighs."""
    if criterion.code == AVERAGE:
        average(criterion.at_nodes, space.share, space.term, out)
    elif criterion.code == DIVERGENCE:
        divergence(criterion, space, nearest(criterion, theta), out)
    elif criterion.code == VARIANCE:
        variance_reduction(criterion, space, out)
    elif criterion.code == EXPECTED:
        expected_information(criterion, space, out)
    else:
        discrimination(criterion, space, out)


def weigh_nodes(criterion: Criterion, weights: Floats, prior: Floats, share: Floats) -> None:
    """The posterior at the nodes, or the likelihood: what is left of it without the prior. Shapes ``(nodes,)``.

    A node to which the prior gives nothing, or next to nothing, gets no likelihood: it cannot be told.
    """
    np.multiply(weights, 1.0, share)
    if criterion.by_likelihood:
        top = 0.0
        for k in range(len(share)):
            top = max(top, weights[k])
        for k in range(len(share)):
            share[k] = weights[k] / top / prior[k] if prior[k] > LEAST_CHANCE else 0.0
    normalise(share)


def place(criterion: Criterion, theta: float) -> float:
    """Where θ stands among the points, counted from the first and held within them."""
    return min(max((theta - criterion.lowest) / criterion.step, 0.0), len(criterion.at_points) - 1.0)


def nearest(criterion: Criterion, theta: float) -> int:
    """The point nearest to θ."""
    return int(place(criterion, theta) + 0.5)


def divergence(criterion: Criterion, space: Workspace, point: int, out: Floats) -> None:
    """Kullback–Leibler information of θ at ``point`` against the nodes, averaged over them, in nats.

    ``Σ_q w_q Σ_k P_k(θ) log (P_k(θ) / P_k(θ_q))`` (Chang & Ying, 1996, for one alternative; weighted by the
    likelihood or the posterior as Barrada, Olea, Ponsoda & Abad, 2010): the logarithms are averaged first.
    """
    average(criterion.at_nodes, space.share, space.term, space.total)
    np.multiply(criterion.at_points[point], space.total, space.term)
    fold(criterion.first, space.term, out)
    certainty = criterion.certainty[point]
    for i in range(len(out)):
        out[i] = max(certainty[i] - out[i], 0.0)


def answers(criterion: Criterion, space: Workspace) -> float:
    """For each score of each item: its chance, into ``total``, and that times the shift of EAP, into ``second``.

    Returns:
        The posterior mean now, logits.
    """
    share, other, nodes = space.share, space.other, criterion.nodes
    mean = posterior_mean(nodes, share)[0]
    for k in range(len(nodes)):
        other[k] = share[k] * (nodes[k] - mean)
    average(criterion.at_nodes, share, space.term, space.total)
    average(criterion.at_nodes, other, space.term, space.second)
    return mean


def variance_reduction(criterion: Criterion, space: Workspace, out: Floats) -> None:
    """Posterior variance less its expectation after the answer, logits²: most where MEPV is least.

    MEPV is Owen's (1975) criterion as van der Linden (1998) writes it. By the law of total variance the
    reduction is the variance of the posterior means, ``Σ_k P_k (E[θ | k] − E[θ])²``: no difference of two near
    numbers, and never below 0.
    """
    answers(criterion, space)
    np.multiply(space.second, space.second, space.second)
    np.divide(space.second, space.total, space.term)
    fold(criterion.first, space.term, out)


def expected_information(criterion: Criterion, space: Workspace, out: Floats) -> None:
    """Maximum expected information (van der Linden, 1998): Fisher's, at the EAP after each possible answer."""
    mean = answers(criterion, space)
    np.divide(space.second, space.total, space.second)
    np.add(space.second, mean, space.second)
    information_after(criterion, space.total, space.second, out)


def information_after(criterion: Criterion, chance: Floats, estimate: Floats, out: Floats) -> None:
    """Information of each item at the estimate after each of its scores, expected over the scores.

    Args:
        criterion: with information at points, between which it is interpolated.
        chance: of each score; ``estimate``: θ after it, logits. Shape ``(columns,)``.
        out: per logit². Shape ``(items,)``.
    """
    table, first = criterion.at_points, criterion.first
    last = len(table) - 2
    for i in range(len(out)):
        total = 0.0
        for r in range(first[i], first[i + 1]):
            at = place(criterion, estimate[r])
            point = min(int(at), last)
            total += chance[r] * (table[point, i] + (at - point) * (table[point + 1, i] - table[point, i]))
        out[i] = total


def discrimination(criterion: Criterion, space: Workspace, out: Floats) -> None:
    """Variance over the nodes of the chances of scores, ½ Σ_k Var P_k (Kaplan, de la Torre & Barrada, 2015)."""
    table, share, total, second, term = criterion.at_nodes, space.share, space.total, space.second, space.term
    average(table, share, term, total)
    second[:] = 0.0
    for k in range(len(share)):
        if share[k] != 0.0:
            np.subtract(table[k], total, term)
            np.multiply(term, term, space.square)
            np.multiply(space.square, 0.5 * share[k], term)
            np.add(second, term, second)
    fold(criterion.first, second, out)


def closeness(criterion: Criterion, theta: float, out: Floats) -> None:
    """``reach − |b − θ|``, logits: difficulty matched to ability (Urry, 1970)."""
    np.subtract(criterion.location, theta, out)
    np.abs(out, out)
    np.subtract(criterion.reach, out, out)


def risk_reduction(criterion: Criterion, space: Workspace, weights: Floats, out: Floats) -> None:
    """Expected part of the risk of a wrong decision that the answer takes away, from 0 to 1, and a tie-break.

    The risk is ``min(p, 1 − p)``, p being the posterior chance of θ ≥ cut; it is to fall on average by as much as
    possible (Bayes risk under 0–1 loss; Rudner, 2009). With the side of the cut that is less likely called *rare*,

        reduction = Σ_k max(0, P(k | rare) − odds · P(k | common)),   odds = P(common) / P(rare).

    It is 0 when no answer would turn the decision, which is most items at most times. These are told apart by the
    reduction of the quadratic risk p (1 − p), which every informative item brings (DeGroot, 1962); in units of the
    rare side's chance squared, ``t = P(common)² Σ_k (P(k | rare) − P(k | common))² / P(k)``. Added is
    ``TIE_BREAK t / (1 + t)``, which never outweighs more than that part of the risk.
    """
    share, other, term = space.share, space.other, space.term
    np.multiply(weights, criterion.above, share)
    np.subtract(weights, share, other)
    above = normalise(share)
    below = normalise(other)
    if above < below:
        average(criterion.at_nodes, share, term, space.total)
        average(criterion.at_nodes, other, term, space.second)
    else:
        average(criterion.at_nodes, other, term, space.total)
        average(criterion.at_nodes, share, term, space.second)
    rare = max(min(above, below) / (above + below), LEAST_CHANCE)
    weigh_answers(criterion.first, space.total, space.second, rare, max(above, below) / (above + below), out)


def weigh_answers(first: Ints, rarely: Floats, commonly: Floats, rare: float, common: float, out: Floats) -> None:
    """The sums of :func:`risk_reduction`, from the chances of each score on the rare side and on the common one."""
    odds = common / rare
    for i in range(len(out)):
        reduction = 0.0
        told = 0.0
        for r in range(first[i], first[i + 1]):
            reduction += max(rarely[r] - odds * commonly[r], 0.0)
            gap = common * (rarely[r] - commonly[r])
            told += gap * gap / (rare * rarely[r] + common * commonly[r])
        out[i] = reduction + TIE_BREAK * told / (1.0 + told)

"""The decision can no longer change: a bound on every posterior that further answers can reach."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Annotated, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from issmp_cat.arrays import Floats, Ints, Ints32, read_only

__all__ = ["Certain", "Extremes", "Progress", "build_extremes", "furthest_mean", "is_certain", "is_unlikely_to_change"]

UP, DOWN = 0, 1
# Exposure control sets an item aside by adding this; it may come back, so the bound counts it in.
HELD = 1 << 30
# The bound and the estimate it bounds add the same numbers in another order.
ROUNDING = 1e-9
# Between two rescalings a hopeless node's weight may underflow; it stays hopeless.
LEAST_WEIGHT = 2.0**-1074


class Certain(BaseModel):
    """Stop once the decision by the posterior can no longer change.

    With ``probability`` 1 that is proved: no sequence of answers to items that may still come could move θ̂ to the
    other side of the cut, or the probability above it to the other side of ½ where that decides. Below 1 it is
    stochastic curtailment (Finkelman, 2008): the decision at the maximum length would be the same with at least this
    probability, given the answers so far.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["certain"] = "certain"
    probability: Annotated[float, Field(ge=0.6, le=1)] = 1.0

    @property
    def z(self) -> float:
        """Normal quantile of the probability; infinite when a proof is asked for."""
        return NormalDist().inv_cdf(self.probability) if self.probability < 1.0 else math.inf

    def words(self) -> str:
        """The rule as a report names it."""
        if self.probability == 1.0:
            return "the decision can no longer change"
        return f"the decision will not change, with probability {self.probability:g}"


class Progress(Protocol):
    """What the rules read of an exam under way; ``issmp_cat.selection.State`` has it."""

    @property
    def blocked(self) -> Ints:
        """Reasons why an item cannot be given, more if only set aside. Shape ``(items,)``."""

    @property
    def counts(self) -> Ints:
        """Items given by domain. Shape ``(domains,)``."""

    @property
    def weights(self) -> Floats:
        """Posterior of θ, not normalised. Shape ``(nodes,)``."""

    @property
    def evidence(self) -> Floats:
        """Log-likelihoods at the points of the ratio rules. Shape ``(points,)``."""


class Extremes(NamedTuple):
    """How far one answer can move the posterior, cell by cell of the grid.

    Attributes:
        value: what the posterior averages to decide: θ of the nodes, logits, or how much of each lies above the cut.
            Never falls. Shape ``(nodes,)``; empty when no rule asks.
        reach: the largest ``|log L(θ_q+1) / L(θ_q)|`` among an item's answers that speak for a higher θ (first) or a
            lower one; largest first within each domain. Shape ``(2, nodes − 1, rows)``.
        item: whose it is. Same shape.
        begin: where each domain's items stand. Shape ``(domains + 1,)``.
        most: items of each domain at the maximum length. Shape ``(domains,)``.
    """

    value: Floats
    reach: Floats
    item: Ints32
    begin: Ints
    most: Ints


def build_extremes(value: Floats, likelihood: Floats, first: Ints, domain: Ints, most: Ints) -> Extremes:
    """Sort each domain's items by how far their most extreme answers reach.

    Args:
        value: what the posterior averages, see :class:`Extremes`. Shape ``(nodes,)``.
        likelihood: chance of each category at each node, > 0. Shape ``(rows, nodes)``.
        first: row at which each item's categories begin. Shape ``(items + 1,)``.
        domain: domain of each item. Shape ``(items,)``.
        most: items of each domain at the maximum length. Shape ``(domains,)``.
    """
    rise = np.diff(np.log(likelihood), axis=1)
    up = np.maximum.reduceat(rise, first[:-1], axis=0).T
    down = -np.minimum.reduceat(rise, first[:-1], axis=0).T
    # Twice the quota: enough to pass over the items given and most of their enemies.
    depth = [min(int(np.count_nonzero(domain == k)), 2 * int(most[k])) for k in range(len(most))]
    begin = np.concatenate([[0], np.cumsum(depth)]).astype(np.int64)
    reach = np.zeros((2, len(value) - 1, begin[-1]))
    item = np.zeros(reach.shape, dtype=np.int32)
    for k, deep in enumerate(depth):
        members = np.flatnonzero(domain == k)
        for side, size in ((UP, up), (DOWN, down)):
            best = members[np.argsort(-size[:, members], axis=1, kind="stable")[:, :deep]]
            item[side, :, begin[k] : begin[k + 1]] = best
            reach[side, :, begin[k] : begin[k + 1]] = np.take_along_axis(size, best, axis=1)
    return Extremes(value, read_only(reach), read_only(item), read_only(begin), read_only(most.astype(np.int64)))


def _reach(extremes: Extremes, state: Progress, side: int, cell: int) -> float:
    """The most that the items still to come can add to one cell's log ratio: in each domain the furthest, distinct."""
    total = 0.0
    for k in range(len(extremes.most)):
        left = extremes.most[k] - state.counts[k]
        last = 0.0
        for row in range(extremes.begin[k], extremes.begin[k + 1]):
            if left <= 0:
                break
            last = extremes.reach[side, cell, row]
            if state.blocked[extremes.item[side, cell, row]] % HELD == 0:
                total += last
                left -= 1
        if left > 0:  # the list ends before the domain is full: nothing beyond reaches further than its last
            total += left * last
    return total


def furthest_mean(extremes: Extremes, state: Progress, side: int) -> float:
    """A bound that no reachable posterior mean of ``extremes.value`` passes: above (``side`` 0) or below (1).

    Multiplying a posterior by likelihoods adds their log ratios to each cell's. A posterior whose every cell has a
    ratio at least as large is larger in the likelihood-ratio order, so its mean of anything that never falls is at
    least as large (Lehmann & Romano, 2005, lemma 3.4.2). Giving each cell the largest sum that distinct items can
    bring, cell by cell, bounds them all.
    """
    value = extremes.value
    sign = 1.0 if side == UP else -1.0
    level = 0.0  # log weight of a node, relative to the first node's
    peak = 0.0  # the largest so far; sums are relative to it
    total = 1.0
    first = value[0]
    before = math.log(max(state.weights[0], LEAST_WEIGHT))
    for q in range(len(value) - 1):
        here = math.log(max(state.weights[q + 1], LEAST_WEIGHT))
        level += here - before + sign * _reach(extremes, state, side, q)
        before = here
        if level > peak:
            shrink = math.exp(peak - level)
            total = total * shrink + 1.0
            first = first * shrink + value[q + 1]
            peak = level
        else:
            weight = math.exp(level - peak)
            total += weight
            first += weight * value[q + 1]
    return float(first / total)


def is_certain(extremes: Extremes, state: Progress, passes: bool, bar: float) -> bool:
    """Whether no further answers can take the posterior mean of ``extremes.value`` to the other side of the bar."""
    if passes:
        return furthest_mean(extremes, state, DOWN) >= bar + ROUNDING
    return furthest_mean(extremes, state, UP) < bar - ROUNDING


def is_unlikely_to_change(theta: float, se: float, cut: float, left: int, information: float, z: float) -> bool:
    """Whether the decision at the maximum length is likely enough to be the one of now.

    The posterior mean is a martingale whose variance grows by what the posterior loses: with precisions that add,
    ``V = SE² − 1/(1/SE² + r I)``, and normal, ``P(no change) = Φ(|θ̂ − cut| / √V)``. Finkelman (2008) conditions on
    θ̂; here θ is averaged over its posterior. With the information of the best item for all r items left, V is rather
    too large: the exam stops later, not earlier.

    Args:
        theta: posterior mean; ``se``: posterior SD; ``cut``: θ of the pass mark, logits.
        left: r, items up to the maximum length.
        information: of the best next item at θ̂, per logit².
        z: normal quantile of the probability asked for.

    >>> is_unlikely_to_change(0.5, 0.3, 0.0, 10, 0.3, 3.0), is_unlikely_to_change(0.5, 0.3, 0.0, 10, 0.3, 4.0)
    (True, False)
    """
    gain = left * information * se * se
    return bool(abs(theta - cut) >= z * se * math.sqrt(gain / (1.0 + gain)))

"""The two moves of an adaptive exam: choose, record. A single session and the compiled simulation call these."""

from __future__ import annotations

import math
from typing import NamedTuple

from issmp_cat.ability import EAP, maximise, posterior_mean, posterior_moments, rebuild_posterior, update_posterior
from issmp_cat.exam.plan import Plan
from issmp_cat.random import SELECTION, uniform
from issmp_cat.selection import (
    Criterion,
    Preference,
    State,
    at_point,
    give,
    pick,
    pick_scored,
    ranked,
    rounded,
    score_all,
)
from issmp_cat.selection.pool import grid_point
from issmp_cat.stopping import add_evidence, stop_reason

__all__ = [
    "Standing",
    "estimated",
    "next_item",
    "next_scored_item",
    "preferred",
    "provisional",
    "record",
    "scored",
    "selection_draw",
    "standing",
]


class Standing(NamedTuple):
    """Where a candidate stands: θ and its standard error (logits), and why the exam ends (0: it goes on)."""

    theta: float
    se: float
    reason: int


def estimated(plan: Plan, state: State, n: int) -> tuple[float, float]:
    """θ from the ``n`` answers recorded, and its standard error, logits.

    The standard error is the posterior SD with EAP, asymptotic otherwise. Before the first answer every estimator
    starts from the prior, the population's or the candidate's own; the fences are the ends of the grid.
    """
    if plan.method == EAP or n == 0:
        return posterior_moments(plan.grid.nodes, state.weights)
    fences = (plan.grid.nodes[0], plan.grid.nodes[-1])
    own = (state.prior[0], state.prior[1])
    prior = plan.prior if math.isnan(own[0]) else own
    theta, se = maximise(plan.method, plan.pool.parameters, state.items, state.scores, n, fences, prior)
    return theta, se


def standing(plan: Plan, state: State, n: int) -> Standing:
    """Estimate θ from the ``n`` answers recorded, and ask the stopping rules."""
    theta, se = estimated(plan, state, n)
    ahead = _information_ahead(plan, state, theta) if plan.rule.looks_ahead else 0.0
    return Standing(theta, se, stop_reason(plan.rule, state, n, theta, se, ahead))


def _information_ahead(plan: Plan, state: State, theta: float) -> float:
    """Information at θ of the best item not blocked, whatever its domain: the most that one answer could tell."""
    point = grid_point(theta)
    for k in range(len(state.blocked)):
        item = plan.pool.ranking[point, k]
        if state.blocked[item] == 0:
            return float(plan.pool.information[point, item])
    return 0.0


def provisional(plan: Plan, state: State, n: int) -> float:
    """The θ of :func:`standing` alone: all that is needed before the exam may stop."""
    if plan.method == EAP or n == 0:
        return posterior_mean(plan.grid.nodes, state.weights)[0]
    return estimated(plan, state, n)[0]


def selection_draw(plan: Plan, n: int, seed: int, person: int) -> float:
    """The uniform number by which item number ``n`` is drawn; 0 where nothing is drawn."""
    return uniform(seed, SELECTION, person, n) if plan.pool.best > 1 else 0.0


def preferred(plan: Plan, theta: float) -> Preference:
    """What each item is worth at θ, or at the exam's focus."""
    return at_point(plan.pool, grid_point(theta) if plan.focus < 0 else plan.focus)


def next_item(plan: Plan, state: State, n: int, theta: float, seed: int, person: int) -> int:
    """The item to give as number ``n`` (from 0); −1 when none can be given."""
    return pick(plan.pool, plan.windows, state, n, preferred(plan, theta), selection_draw(plan, n, seed, person))


def scored(plan: Plan, criterion: Criterion, state: State, n: int, theta: float, seed: int, person: int) -> Preference:
    """What each item is worth by the exam's criterion, computed for this decision."""
    score(criterion, state, n, theta, seed, person)
    return ranked(plan.pool, state.value)


def score(criterion: Criterion, state: State, n: int, theta: float, seed: int, person: int) -> None:
    """Score every item for this decision, rounded, into ``state.value``."""
    score_all(criterion, state.space, state.weights, state.origin, theta, n, seed, person, state.blocked, state.value)
    rounded(state.value)


def next_scored_item(
    plan: Plan, criterion: Criterion, state: State, n: int, theta: float, seed: int, person: int
) -> int:
    """The item to give as number ``n`` (from 0) where a criterion scores the items; −1 when none can be given."""
    score(criterion, state, n, theta, seed, person)
    return pick_scored(plan.pool, plan.windows, state, n, state.value, selection_draw(plan, n, seed, person))


def record(plan: Plan, state: State, n: int, item: int, score: int) -> None:
    """Take in the answer to item number ``n`` (from 0)."""
    give(plan.pool, state, n, item, score)
    if update_posterior(plan.grid, state.weights, n, item, score):
        rebuild_posterior(plan.grid, state.origin, state.weights, state.items, state.scores, n + 1)
    if plan.rule.below > 0:
        add_evidence(plan.rule.evidence, state.evidence, plan.grid.first[item] + score)

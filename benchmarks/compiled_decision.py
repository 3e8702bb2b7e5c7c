"""A cold decision as compiled code: the engine's own kernels in the order in which a resumed session calls them."""

from __future__ import annotations

import time

import numpy as np

from issmp_cat.compiled import jit
from issmp_cat.exam import Plan, begin, choose, record, standing
from issmp_cat.irt import draw_score
from issmp_cat.random import RESPONSE, normal, uniform
from issmp_cat.selection import State
from issmp_cat.selection.state import reset
from issmp_simulations.kernel import draw_abilities  # importing the simulation makes the kernels compilable

__all__ = ["answered", "draw_abilities", "timed_decision", "timed_in_turn"]


@jit(allocates=False)
def decide(plan: Plan, state: State, items: np.ndarray, scores: np.ndarray, person: int, times: int) -> int:
    """Rebuild the state from its answers, estimate θ, choose; ``times`` over, to be timed."""
    item = -1
    for _ in range(times):
        reset(state, plan.grid.prior)
        for n in range(len(items)):
            record(plan, state, n, items[n], scores[n])
        now = standing(plan, state, len(items))
        item = choose(plan, None, None, state, len(items), now.theta, person, person)
    return item


@jit(allocates=False)
def decide_in_turn(plan: Plan, state: State, items: np.ndarray, scores: np.ndarray, turns: int) -> int:
    """The same for one candidate after the other, so that no two decisions in a row are alike."""
    checksum = 0
    for turn in range(turns):
        person = turn % len(items)
        reset(state, plan.grid.prior)
        for n in range(items.shape[1]):
            record(plan, state, n, items[person, n], scores[person, n])
        now = standing(plan, state, items.shape[1])
        checksum += choose(plan, None, None, state, items.shape[1], now.theta, person, person)
    return checksum


def timed_in_turn(plan: Plan, items: np.ndarray, scores: np.ndarray, turns: int) -> float:
    """CPU-seconds a decision, the mean over ``turns``. Items and scores of shape ``(persons, answers)``."""
    state = begin(plan)
    decide_in_turn(plan, state, items, scores, 1)
    begun = time.process_time_ns()
    decide_in_turn(plan, state, items, scores, turns)
    return (time.process_time_ns() - begun) / 1e9 / turns


def answered(plan: Plan, length: int, person: int) -> tuple[State, np.ndarray, np.ndarray]:
    """A state after ``length`` answers of a simulated candidate, and the answers."""
    state = begin(plan)
    theta = normal(1, 9, person, 0)
    for n in range(length):
        item = choose(plan, None, None, state, n, standing(plan, state, n).theta, person, person)
        record(plan, state, n, item, draw_score(plan.pool.parameters, item, theta, uniform(1, RESPONSE, person, n)))
    return state, state.items[:length].copy(), state.scores[:length].copy()


def timed_decision(plan: Plan, items: np.ndarray, scores: np.ndarray, person: int, times: int) -> tuple[int, float]:
    """The item, and CPU-seconds a decision: the mean over ``times``, since a clock does not resolve one."""
    state = begin(plan)
    decide(plan, state, items, scores, person, 1)
    begun = time.process_time_ns()
    item = decide(plan, state, items, scores, person, times)
    return item, (time.process_time_ns() - begun) / 1e9 / times

"""States of simulated exams: what was given and answered when the next item must be chosen."""

from dataclasses import dataclass

import numpy as np

from issmp_cat import Exam, ItemBank
from issmp_cat.exam import Plan, Programme, begin, choose, plan_exam, record, standing
from issmp_cat.exam.programmes import programme_of
from issmp_cat.exam.step import preferred, scored, selection_draw
from issmp_cat.irt import draw_score
from issmp_cat.random import RESPONSE, normal, uniform
from issmp_cat.selection import State
from issmp_cat.selection.pick import _best_available, _is_settled
from issmp_cat.selection.shadow import search

ABILITIES = 9  # a purpose of our own: candidates of the proof are nobody else's


@dataclass(frozen=True)
class Decision:
    """One decision of the engine, and all that an oracle needs to judge it.

    Attributes:
        given: items given so far, in order; ``counts`` of them by domain.
        value: of each item, as the engine compares them. Shape ``(items,)``.
        item: what the engine gives next.
        draw: the uniform number by which it drew; ``among``: among how many of the best, 1 for the best.
        whole: value of the best whole test that the engine's own search finds; None where it draws, or where a
            programme decides.
        searched: whether the look-up did not settle the decision.
        unproven: whether the search was left without a proof.
    """

    given: np.ndarray
    counts: np.ndarray
    value: np.ndarray
    item: int
    draw: float
    among: int
    whole: float | None
    searched: bool
    unproven: bool


def decide(exam: Exam, bank: ItemBank, person: int, seed: int) -> Decision:
    """Simulate one exam up to a length drawn evenly over the exam, and let the engine decide there."""
    plan, programme = plan_exam(exam, bank), programme_of(exam, bank)
    state = begin(plan)
    theta = normal(seed, ABILITIES, person, 0)
    stop = int(uniform(seed, ABILITIES, person, 1) * plan.rule.maximum)
    for n in range(stop):
        item = choose(plan, plan.criterion, programme, state, n, standing(plan, state, n).theta, seed, person)
        score = draw_score(plan.pool.parameters, item, theta, uniform(seed, RESPONSE, person, n))
        record(plan, state, n, item, score)
    return decision_at(plan, state, stop, seed, person, programme)


def decision_at(
    plan: Plan, state: State, n: int, seed: int, person: int, programme: Programme | None = None
) -> Decision:
    """What the engine decides after ``n`` answers, with all that an oracle needs."""
    now = standing(plan, state, n).theta
    preference = (
        preferred(plan, now) if plan.criterion is None else scored(plan, plan.criterion, state, n, now, seed, person)
    )
    value, given = preference.value.copy(), state.items[:n].copy()
    before = int(state.unproven[0])
    best = plan.pool.best == 1
    searched = not _is_settled(plan.pool, state, _best_available(plan.pool, plan.windows, state, n, preference))
    item = choose(plan, plan.criterion, programme, state, n, now, seed, person)
    whole = None
    if best and programme is None:
        rest = np.zeros_like(state.items)
        length, _ = search(plan.pool, state, plan.windows.quota, preference, n, rest, first_only=False)
        whole = float(value[given].sum() + value[rest[:length]].sum())
    return Decision(
        given=given,
        counts=state.counts.copy(),
        value=value,
        item=int(item),
        draw=selection_draw(plan, n, seed, person),
        among=plan.pool.best,
        whole=whole,
        searched=programme is not None or (bool(searched) if best else not plan.pool.simple),
        unproven=int(state.unproven[0]) > before,
    )

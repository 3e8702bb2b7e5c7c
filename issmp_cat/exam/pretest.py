"""Unscored questions: where they stand, which item is tried out, and what keeps them from touching the exam.

A slot stands after so many scored answers, drawn for each candidate. Its item is drawn with probability proportional to
the answers that it still lacks. Slots draw numbers of their own, keyed by purpose and slot, so that the scored exam is
the same with and without them. Plain kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints, read_only
from issmp_cat.exam.plan import Plan
from issmp_cat.random import PRETEST, PRETEST_DOMAIN, PRETEST_PLACE, uniform
from issmp_cat.selection import State, at_point
from issmp_cat.selection.admission import HELD, NOTHING_HELD
from issmp_cat.selection.shadow import search

__all__ = [
    "LAPSED",
    "PretestPlan",
    "Trial",
    "choose_pretest",
    "copy_trial",
    "give_pretest",
    "is_due",
    "new_trial",
    "no_pretest",
    "place_slots",
]

LAPSED = -1


class PretestPlan(NamedTuple):
    """What the kernels need of an exam's unscored slots. Pretest items are numbered as in the bank without the others.

    Attributes:
        slots: unscored questions a candidate; 0 when the exam has none.
        first: earliest question that may be one, from 1; ``last``: the latest.
        share: slots of each domain; of no length when any item may fill any slot. Shape ``(domains,)``.
        wanted: answers wanted of each item. Shape ``(pretest items,)``.
        domain: domain of each item. Shape ``(pretest items,)``.
        foe_begin: where each item's operational enemies stand in ``foe``. Shape ``(pretest items + 1,)``.
        foe: their positions, flat.
        rival_begin: where each item's enemies among the pretest items stand in ``rival``; ``rival`` alike.
        safe: 1 for the operational items that no choice can block. Shape ``(items,)``.
        spare: how many of these each domain has beyond its quota. Shape ``(domains,)``.
        crossed: whether rows cross or items travel in sets: an item with a live enemy then never comes.
    """

    slots: int
    first: int
    last: int
    share: Ints
    wanted: Floats
    domain: Ints
    foe_begin: Ints
    foe: Ints
    rival_begin: Ints
    rival: Ints
    safe: Ints
    spare: Ints
    crossed: bool


class Trial(NamedTuple):
    """One candidate's slots, as arrays that kernels write to.

    Attributes:
        after: scored answers before each slot. Shape ``(slots,)``.
        within: domain of each slot, −1 for any. Shape ``(slots,)``.
        items: item given in each slot, −1 where none could be. Shape ``(slots,)``.
        used: slots that are done. Shape ``(1,)``.
        missing: answers that each item lacks. Shape ``(pretest items,)``.
        blocked: > 0 when an item was given, or an enemy among the pretest items was. Shape ``(pretest items,)``.
        chance: scratch: what each item's draw is worth. Shape ``(pretest items,)``.
        spent: safe operational items that were blocked, by domain. Shape ``(domains,)``.
    """

    after: Ints
    within: Ints
    items: Ints
    used: Ints
    missing: Floats
    blocked: Ints
    chance: Floats
    spent: Ints


def no_pretest() -> PretestPlan:
    """An exam of scored questions only."""
    none = read_only(np.zeros(0, dtype=np.int64))
    begin = read_only(np.zeros(1, dtype=np.int64))
    wanted = read_only(np.zeros(0))
    return PretestPlan(0, 0, 0, none, wanted, none, begin, none, begin, none, none, none, crossed=False)


def new_trial(pretest: PretestPlan, missing: Floats | None = None) -> Trial:
    """A candidate's slots, not yet placed; every item lacks all answers wanted unless ``missing`` says how many."""
    slots, items, domains = pretest.slots, len(pretest.domain), len(pretest.spare)
    return Trial(
        after=np.zeros(slots, dtype=np.int64),
        within=np.full(slots, -1, dtype=np.int64),
        items=np.full(slots, LAPSED, dtype=np.int64),
        used=np.zeros(1, dtype=np.int64),
        missing=(pretest.wanted if missing is None else missing).copy(),
        blocked=np.zeros(items, dtype=np.int64),
        chance=np.zeros(items),
        spent=np.zeros(domains, dtype=np.int64),
    )


def copy_trial(trial: Trial) -> Trial:
    """Slots that can be written to without touching the first."""
    return Trial._make(array.copy() for array in trial)


def place_slots(pretest: PretestPlan, trial: Trial, seed: int, person: int) -> None:
    """Draw a candidate's slots: every set of questions from first to last alike, and every order of the domains.

    Selection sampling (Knuth, 1997, 3.4.2, algorithm S).
    """
    trial.used[0] = 0
    trial.items[:] = LAPSED
    trial.blocked[:] = 0
    trial.spent[:] = 0
    placed = 0
    for question in range(pretest.first, pretest.last + 1):
        left = pretest.last + 1 - question
        if uniform(seed, PRETEST_PLACE, person, question) * left < pretest.slots - placed:
            trial.after[placed] = question - 1 - placed
            placed += 1
            if placed == pretest.slots:
                break
    for k in range(pretest.slots):
        trial.within[k] = -1
        if len(pretest.share) > 0:
            trial.within[k] = _domain_of_slot(pretest, trial, k, uniform(seed, PRETEST_DOMAIN, person, k))


def _domain_of_slot(pretest: PretestPlan, trial: Trial, slot: int, draw: float) -> int:
    """One of the domains that still have slots, with probability proportional to how many."""
    rank = int(draw * (pretest.slots - slot))
    for d in range(len(pretest.share)):
        left = pretest.share[d]
        for k in range(slot):
            if trial.within[k] == d:
                left -= 1
        if rank < left:
            return d
        rank -= left
    return len(pretest.share) - 1


def is_due(pretest: PretestPlan, trial: Trial, n: int) -> bool:
    """Whether an unscored question comes before scored answer number ``n`` (from 0)."""
    used = trial.used[0]
    return bool(used < pretest.slots and trial.after[used] <= n)


def choose_pretest(plan: Plan, pretest: PretestPlan, trial: Trial, state: State, n: int, seed: int, person: int) -> int:
    """The item to try out in the slot that is due; −1 when none is wanted or none may be given."""
    slot = int(trial.used[0])  # plain Python numbers do not overflow in the generator
    total = 0.0
    for t in range(len(pretest.domain)):
        chance = 0.0
        at_home = trial.within[slot] < 0 or trial.within[slot] == pretest.domain[t]
        if trial.blocked[t] == 0 and trial.missing[t] > 0.0 and at_home:
            chance = trial.missing[t] if _may_come(plan, pretest, trial, state, n, t) else 0.0
        trial.chance[t] = chance
        total += chance
    rest = uniform(seed, PRETEST, person, slot) * total
    found = LAPSED
    for t in range(len(pretest.domain)):
        if trial.chance[t] > 0.0:
            found = t
            rest -= trial.chance[t]
            if rest < 0.0:
                break
    return found


def _may_come(plan: Plan, pretest: PretestPlan, trial: Trial, state: State, n: int, t: int) -> bool:
    """Whether no enemy of a pretest item was given, and blocking those that were not leaves a whole test."""
    live = 0
    for k in range(pretest.foe_begin[t], pretest.foe_begin[t + 1]):
        foe = pretest.foe[k]
        for j in range(n):
            if state.items[j] == foe:
                return False
        # An item held back for its exposure may be released, and then needed.
        live += 1 if state.blocked[foe] == 0 or state.blocked[foe] == HELD else 0
    if live == 0:
        return True
    if pretest.crossed:
        return False
    _block_foes(plan, pretest, trial, state, t, 1)
    possible = True
    if plan.pool.simple:
        for d in range(len(pretest.spare)):
            possible = possible and trial.spent[d] <= pretest.spare[d]
    else:
        middle = at_point(plan.pool, len(plan.pool.information) // 2)
        length, _ = search(plan.pool, state, plan.windows.quota, middle, n, state.items[n:], first_only=True)
        possible = length >= 0
    _block_foes(plan, pretest, trial, state, t, -1)
    return possible


def _block_foes(plan: Plan, pretest: PretestPlan, trial: Trial, state: State, t: int, by: int) -> None:
    """Block a pretest item's operational enemies (1), or take it back (−1)."""
    for k in range(pretest.foe_begin[t], pretest.foe_begin[t + 1]):
        foe = pretest.foe[k]
        state.blocked[foe] += by
        if pretest.safe[foe] == 1:
            trial.spent[plan.pool.domain[foe]] += by


def give_pretest(plan: Plan, pretest: PretestPlan, trial: Trial, state: State, n: int, t: int) -> None:
    """Record that item ``t`` was given in the slot that is due, after ``n`` scored answers; −1: the slot lapses."""
    slot = int(trial.used[0])  # plain Python numbers do not overflow in the generator
    trial.after[slot] = n
    trial.items[slot] = t
    trial.used[0] += 1
    if t == LAPSED:
        return
    trial.blocked[t] += 1
    for k in range(pretest.rival_begin[t], pretest.rival_begin[t + 1]):
        trial.blocked[pretest.rival[k]] += 1
    _block_foes(plan, pretest, trial, state, t, 1)
    if pretest.foe_begin[t] < pretest.foe_begin[t + 1] and state.band[0] >= 0:
        state.band[0] = NOTHING_HELD  # what is held back for its exposure may now be needed: look again

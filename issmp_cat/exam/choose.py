"""Which of the ways to choose an item is taken: decided by the exam's structure, the same in a session and a study."""

from __future__ import annotations

from typing import Protocol

from issmp_cat.exam.plan import Plan
from issmp_cat.exam.start import first_theta
from issmp_cat.exam.step import next_item, next_scored_item, preferred, scored, selection_draw
from issmp_cat.selection import Criterion, Preference, State
from issmp_cat.selection.admission import hold, release

__all__ = ["Programme", "choose", "may_stop"]


class Programme(Protocol):
    """Chooses where rows cross: by an integer programme a decision."""

    def choose(self, plan: Plan, state: State, n: int, preference: Preference, draw: float) -> int:
        """The item to give as number ``n`` (from 0); −1 when none can be given."""

    def may_stop(self, state: State, n: int) -> bool:
        """Whether the exam stands between item sets after ``n`` items."""


def choose(
    plan: Plan,
    criterion: Criterion | None,
    programme: Programme | None,
    state: State,
    n: int,
    theta: float,
    seed: int,
    person: int,
) -> int:
    """The item to give as number ``n`` (from 0); −1 when none can be given.

    A kernel while ``programme`` is None: the compiler leaves out what cannot be reached.

    Args:
        plan: the exam on its bank; ``criterion``: the plan's.
        programme: chooses where rows cross; None elsewhere.
        state: the exam under way; ``n``: items given so far; ``theta``: the estimate, logits.
        seed: of the exam's draws; ``person``: the candidate's number.
    """
    if n == 0:
        theta = first_theta(plan.start, theta, seed, person)
    if len(plan.admission.controlled) > 0:
        hold(plan.pool, plan.admission, state, plan.windows.quota, n, theta, seed, person)
    if programme is not None:
        worth = preferred(plan, theta) if criterion is None else scored(plan, criterion, state, n, theta, seed, person)
        draw = selection_draw(plan, n, seed, person)
        item = programme.choose(plan, state, n, worth, draw)
        # Rows and item sets come before exposure: they may need an item that is held back.
        if item < 0 and release(plan.pool, plan.admission, state, -1):
            item = programme.choose(plan, state, n, worth, draw)
        return item
    if criterion is None:
        return next_item(plan, state, n, theta, seed, person)
    return next_scored_item(plan, criterion, state, n, theta, seed, person)


def may_stop(programme: Programme | None, state: State, n: int) -> bool:
    """Whether the exam may stop after ``n`` items: not inside an item set."""
    if programme is not None:
        return programme.may_stop(state, n)
    return True

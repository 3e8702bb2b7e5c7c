"""Unscored questions in a session: which comes next, and how answers to them are replayed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_cat.bank import ItemBank
from issmp_cat.exam import may_stop
from issmp_cat.exam.overlap import Terms
from issmp_cat.exam.pretest import (
    LAPSED,
    Trial,
    choose_pretest,
    copy_trial,
    give_pretest,
    is_due,
    new_trial,
    place_slots,
)
from issmp_cat.exam.pretest_plan import missing_answers, pretest_items
from issmp_cat.selection import State
from issmp_cat.session.events import Answer, impossible_answers
from issmp_cat.session.opening import Opening

__all__ = ["fresh_trial", "impossible_unscored", "next_unscored", "replay_unscored"]


def fresh_trial(terms: Terms, opening: Opening, bank: ItemBank, seed: int) -> Trial:
    """A candidate's slots, placed; items seen in an earlier attempt do not come again where the exam bars or limits."""
    trial = new_trial(terms.pretest, missing_answers(terms.pretest, bank, opening.pretest_answers))
    if terms.pretest.slots:
        place_slots(terms.pretest, trial, seed, opening.person)
        seen = set(opening.seen)
        trial.missing[np.array([item.id in seen for item in pretest_items(bank)])] = 0.0
    return trial


def next_unscored(terms: Terms, trial: Trial, state: State, n: int, draws: tuple[int, int]) -> tuple[Trial, int]:
    """The unscored question that is due before scored answer number ``n``; −1 for none. Slots without one lapse.

    Args:
        terms: the exam as it is given to the candidate; ``trial``: the slots; ``state``: the scored exam.
        n: scored answers so far.
        draws: seed and person.
    """
    if not is_due(terms.pretest, trial, n) or not may_stop(terms.programme, state, n):
        return trial, LAPSED
    trial = copy_trial(trial)
    while is_due(terms.pretest, trial, n):
        item = choose_pretest(terms.plan, terms.pretest, trial, state, n, *draws)
        if item != LAPSED:
            return trial, item
        give_pretest(terms.plan, terms.pretest, trial, state, n, LAPSED)
    return trial, LAPSED


def replay_unscored(
    terms: Terms, trial: Trial, state: State, n: int, draws: tuple[int, int], events: list[Answer], bank: ItemBank
) -> Trial:
    """Take in the unscored answers before scored answer number ``n``, in place of ``state`` and ``events``.

    An event that is not the item that was due is left in ``events``: it cannot have happened.
    """
    while events:
        trial, item = next_unscored(terms, trial, state, n, draws)
        if item == LAPSED or pretest_items(bank)[item].id != events[0].item:
            break
        trial = copy_trial(trial)
        give_pretest(terms.plan, terms.pretest, trial, state, n, item)
        events.pop(0)
    return trial


def impossible_unscored(answers: Sequence[Answer], bank: ItemBank, slots: int) -> list[str]:
    """Why these cannot be unscored answers of one exam on this bank; nothing when they can."""
    if not answers:  # looking through the whole bank would cost more than the decision
        return []
    return [f"unscored {fault}" for fault in impossible_answers(answers, bank.where(status="pretest"), slots)]

"""Unscored slots in the exam loop: what it needs of them, and what it records."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Ints32
from issmp_cat.exam.pretest import LAPSED, PretestPlan, Trial, new_trial, no_pretest
from issmp_cat.irt import Parameters, dichotomous

__all__ = ["Tryout", "new_tryout", "no_tryout"]

NO_ANSWER = -1


class Tryout(NamedTuple):
    """An exam's unscored slots, scratch for one candidate, and the records of some.

    Attributes:
        plan: the slots; ``trial``: scratch.
        truth: the parameters by which candidates answer pretest items.
        items: the item in each slot, −1 where none was given. Shape ``(persons, slots)``, as the next three.
        scores: from 0 on, −1 where none was given.
        after: scored answers before it.
        times: seconds on it, not a number where nobody keeps time.
    """

    plan: PretestPlan
    trial: Trial
    truth: Parameters
    items: Ints32
    scores: NDArray[np.int8]
    after: Ints32
    times: NDArray[np.float32]


def new_tryout(plan: PretestPlan, truth: Parameters, persons: int) -> Tryout:
    """Room for the unscored answers of ``persons`` candidates.

    Args:
        plan: the exam's slots.
        truth: the parameters by which candidates answer its pretest items.
        persons: how many.
    """
    shape = (persons, plan.slots)
    return Tryout(
        plan=plan,
        trial=new_trial(plan),
        truth=truth,
        items=np.full(shape, LAPSED, dtype=np.int32),
        scores=np.full(shape, NO_ANSWER, dtype=np.int8),
        after=np.zeros(shape, dtype=np.int32),
        times=np.full(shape, np.nan, dtype=np.float32),
    )


def no_tryout() -> Tryout:
    """An exam of scored questions only."""
    one = np.ones(1)  # nobody answers it
    return new_tryout(no_pretest(), dichotomous(one, 0.0 * one, 0.0 * one, one), 0)

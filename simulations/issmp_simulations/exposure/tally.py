"""Simulated exams as counts: who was admitted to which item, and who was given it."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats, Ints, Ints32
from issmp_cat.compiled import jit
from issmp_cat.exam import Plan
from issmp_cat.exposure import Counts
from issmp_cat.selection.admission import Admission, draw_lots
from issmp_simulations.run import Exams

__all__ = ["tally"]


@jit(allocates=False)
def _count(
    admission: Admission,
    seed: int,
    first: int,
    theta: Floats,
    items: Ints32,
    luck: Floats,
    candidates: Ints,
    eligible: Ints,
    given: Ints,
) -> None:
    edges, controlled = admission.edges, admission.controlled
    for p in range(len(theta)):
        band = 0
        while theta[p] >= edges[band + 1]:
            band += 1
        candidates[band] += 1
        draw_lots(admission, luck, seed, first + p)
        for n in range(items.shape[1]):
            item = items[p, n]
            if item < 0:
                break
            given[band, item] += 1
        for k in range(len(controlled)):
            item = controlled[k]
            if luck[item] <= admission.admit[band, item]:
                eligible[band, item] += 1


def tally(plan: Plan, exams: Exams, seed: int, first: int) -> Counts:
    """Count some exams by the band of their final θ̂.

    Args:
        plan: under which they were given.
        exams: with their items.
        seed: of the study; ``first``: number of the first candidate.
    """
    assert exams.items is not None, "exams are counted by their items"  # noqa: S101 - narrows the type
    admission = plan.admission
    shape = admission.admit.shape
    candidates = np.zeros(shape[0], dtype=np.int64)
    eligible, given = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    luck = np.zeros(shape[1])
    _count(admission, seed, first, exams.theta, exams.items, luck, candidates, eligible, given)
    open_to_all = np.ones(shape[1], dtype=np.bool_)
    open_to_all[admission.controlled] = False
    eligible[:, open_to_all] = candidates[:, None]
    return Counts(candidates.astype(np.float64), eligible.astype(np.float64), given.astype(np.float64))

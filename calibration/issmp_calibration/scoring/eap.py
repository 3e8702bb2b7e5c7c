"""Means and SDs of posteriors (Bock & Mislevy, 1982), by the way that suits the number of candidates."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from issmp_calibration.scoring.answers import Answers
from issmp_calibration.scoring.gridded import gridded, node_count
from issmp_calibration.scoring.plausible import Draws
from issmp_calibration.scoring.priors import Prior
from issmp_calibration.scoring.whole import Whole
from issmp_cat.arrays import Floats

__all__ = ["Work", "posterior_moments"]

MANY = 4096  # candidates, from whom on single precision pays
SAMPLE = 256  # of them, whose posteriors say how fine the nodes must be
NARROW = 0.01  # the share that may be narrower


class Work(NamedTuple):
    """What is to be integrated, and how.

    Attributes:
        answers: what counts; ``prior``: of each person; ``draws``: plausible values to fill in.
        nodes: how many, equally spaced over the populations' means ± ``limit`` SDs; None for as many, and as far out,
            as the posteriors need: the integrals are then exact to 1e-5 population SDs.
        limit: see ``nodes``.
        executor: threads; they do not change the result.
    """

    answers: Answers
    prior: Prior
    nodes: int | None
    limit: float
    draws: Draws
    executor: Executor | None


def posterior_moments(work: Work) -> Floats:
    """Mean and SD of each posterior, logits; NaN for persons without answers. Shape ``(persons, 2)``."""
    answers, prior, nodes, limit, draws, executor = work
    moments = np.full((answers.n_persons, 2), np.nan)
    persons = np.flatnonzero(np.diff(answers.start))
    whole = Whole(answers, prior, moments, draws, executor)
    if nodes is not None:
        whole.on_nodes(*prior.span(limit), nodes, persons)
    elif len(persons) < MANY:
        whole.exactly(persons)
    else:
        some = persons[:: len(persons) // SAMPLE]
        whole.roughly(some)
        narrowest = float(np.quantile(moments[some, 1], NARROW))
        gridded(answers, prior, node_count(narrowest, answers, prior), moments, draws, executor)
        whole.exactly(persons[np.isnan(moments[persons, 0])])
    return moments

"""Difficulties and abilities good enough to ask whether one follows the other: joint Rasch estimates of a sample."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats, Ints
from issmp_cat.irt.curves import response_curve

__all__ = ["abilities", "rasch"]

SD = 3.0  # of the prior on abilities, which keeps those of all-right candidates finite
PASSES = 200
STEPS = 4


def rasch(person: Ints, item: Ints, share: Floats) -> Floats:
    """Difficulties by turns of Newton steps on abilities and difficulties, logits.

    Args:
        person: candidate of each answer, from 0. Shape ``(answers,)``, as the following.
        item: item of each answer, from 0.
        share: score as a share of the item's highest.

    Returns:
        Difficulties. Shape ``(items,)``; rough, for joint estimates are biased: use their order.
    """
    n_persons, n_items = int(person.max(initial=-1)) + 1, int(item.max(initial=-1)) + 1
    theta, b = np.zeros(n_persons), np.zeros(n_items)
    for _ in range(PASSES):
        before = b
        p = _chance(theta[person] - b[item])
        theta = theta + _step(person, share - p, p * (1 - p), theta / SD**2, 1 / SD**2, n_persons)
        p = _chance(theta[person] - b[item])
        b = b - _step(item, share - p, p * (1 - p), -b * 0.01, 0.01, n_items)
        b -= b.mean()
        if np.abs(b - before).max(initial=0.0) < 1e-3:
            break
    return b


def abilities(person: Ints, difficulty: Floats, share: Floats, n_persons: int) -> Floats:
    """Abilities of candidates from some of their answers, logits; 0 for those without any. Shape ``(persons,)``."""
    theta = np.zeros(n_persons)
    for _ in range(STEPS):
        p = _chance(theta[person] - difficulty)
        theta = theta + _step(person, share - p, p * (1 - p), theta / SD**2, 1 / SD**2, n_persons)
    return theta


def _chance(z: Floats) -> Floats:
    return np.asarray(response_curve(np.exp(-z), np.zeros_like(z), np.ones_like(z)))


def _step(of: Ints, residual: Floats, weight: Floats, pull: Floats, firmness: float, n: int) -> Floats:
    """One Newton step of each parameter, at most 1 logit."""
    gradient = np.bincount(of, residual, minlength=n) - pull
    return np.clip(gradient / (np.bincount(of, weight, minlength=n) + firmness), -1.0, 1.0)

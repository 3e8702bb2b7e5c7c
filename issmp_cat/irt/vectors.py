"""The curves of ``curves.py`` for many abilities and many items at once."""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Floats
from issmp_cat.irt.curves import LOGIT_LIMIT, fisher, logit, response_curve, slope

__all__ = ["category_probabilities", "information", "probability"]


def probability(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Chance of a right answer under the four-parameter logistic model (Barton & Lord, 1981, eq. 1).

    Args:
        theta: ability, logits. Shape ``(persons,)``.
        a: discrimination per logit, > 0. Shape ``(items,)``; ``b`` (logits), ``c`` and ``d`` (0 ≤ c < d ≤ 1) alike.

    Returns:
        Probabilities, shape ``(persons, items)``.

    >>> one, two = np.ones(2), np.array([1.0, 2.0])
    >>> probability(np.array([0.0]), two, np.zeros(2), np.array([0.0, 0.2]), one)
    array([[0.5, 0.6]])
    """
    decay = np.exp(-np.clip(logit(theta[:, None], a, b), -LOGIT_LIMIT, LOGIT_LIMIT))
    return response_curve(decay, c, d)


def category_probabilities(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Chance of each score, wrong and right, without loss near 0 and 1.

    ``1 − P`` is computed as the curve of the mirrored item: P rounds to 1 long before 1 − P is 0.

    Returns:
        Shape ``(persons, items, categories)``, categories 0 (wrong) and 1 (right).
    """
    right = probability(theta, a, b, c, d)
    wrong = probability(theta, -a, b, 1.0 - d, 1.0 - c)
    return np.stack([wrong, right], axis=-1)


def information(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Fisher information of each item at each ability (Lord, 1980, eq. 5-9), per logit².

    Args and shapes as :func:`probability`. An item gives at most ``a²/4`` when c = 0 and d = 1.

    >>> one = np.ones(1)
    >>> information(np.array([0.0, 50.0]), 2 * one, 0 * one, 0 * one, one).round(9)
    array([[1.],
           [0.]])
    """
    wrong, right = np.moveaxis(category_probabilities(theta, a, b, c, d), -1, 0)
    return fisher(slope(right, wrong, a, c, d), right, wrong)

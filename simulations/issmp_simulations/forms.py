"""Test forms and the answers to them, compiled: for response logs that no adaptive rule made."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Floats, Ints, Ints32
from issmp_cat.compiled import jit
from issmp_cat.irt import Parameters, draw_score
from issmp_cat.random import ORDER, RESPONSE, SPEED, TIME, normal, uniform
from issmp_simulations.kernel import Pace

__all__ = ["answer_forms", "choose_options", "draw_forms"]

# Which wrong option is chosen: a purpose of its own beside those of the engine.
CHOICE = 16


@jit()
def draw_forms(forms: Ints32, by_domain: Ints32, begin: Ints, quota: Ints, seed: int, first: int) -> None:
    """Fill ``forms`` with items drawn evenly within each domain's quota, in random order (Fisher & Yates).

    Args:
        forms: item positions, one form a row. Shape ``(persons, answers)``.
        by_domain: items sorted by domain. Shape ``(items,)``.
        begin: where each domain starts in it. Shape ``(domains + 1,)``.
        quota: items of each domain. Shape ``(domains,)``.
        seed: of the log; ``first``: number of the first person.
    """
    pack = by_domain.copy()
    for p in range(forms.shape[0]):
        pack[:] = by_domain
        form = forms[p]
        n = 0
        for d in range(len(quota)):
            for k in range(begin[d], begin[d] + quota[d]):
                other = k + int(uniform(seed, ORDER, first + p, 2 * n) * (begin[d + 1] - k))
                pack[k], pack[other] = pack[other], pack[k]
                # The new one goes to a random place among those so far.
                place = int(uniform(seed, ORDER, first + p, 2 * n + 1) * (n + 1))
                form[n] = form[place]
                form[place] = pack[k]
                n += 1


@jit()
def answer_forms(
    forms: Ints32,
    scores: NDArray[np.int8],
    times: NDArray[np.float32],
    thetas: Floats,
    truth: Parameters,
    pace: Pace,
    seed: int,
    first: int,
) -> None:
    """Answer every item of every form.

    Args:
        forms: item positions. Shape ``(persons, answers)``.
        scores: receives scores. Same shape.
        times: receives seconds. Same shape, or without columns when nobody keeps time.
        thetas: true abilities, logits. Shape ``(persons,)``.
        truth: the items' parameters.
        pace: how long answers take.
        seed: of the log; ``first``: number of the first person.
    """
    for p in range(forms.shape[0]):
        person = first + p
        tempo = pace.log_median + pace.speed_sd * normal(seed, SPEED, person, 0) if pace.timed else 0.0
        for n in range(forms.shape[1]):
            scores[p, n] = draw_score(truth, forms[p, n], thetas[p], uniform(seed, RESPONSE, person, n))
            if times.shape[1] > 0:
                times[p, n] = math.exp(tempo + pace.log_sd * normal(seed, TIME, person, n))


@jit()
def choose_options(
    forms: Ints32,
    scores: NDArray[np.int8],
    chosen: NDArray[np.uint8],
    keys: NDArray[np.uint8],
    options: int,
    seed: int,
    first: int,
) -> None:
    """Turn scores into options: the key when right, else one of the others, evenly.

    Args:
        forms: item positions. Shape ``(persons, answers)``.
        scores: 0 or 1. Same shape.
        chosen: receives the option's number. Same shape.
        keys: number of the right option. Shape ``(items,)``.
        options: how many an item has.
        seed: of the log; ``first``: number of the first person.
    """
    for p in range(forms.shape[0]):
        for n in range(forms.shape[1]):
            key = keys[forms[p, n]]
            if scores[p, n] == 1:
                chosen[p, n] = key
            else:
                away = 1 + int(uniform(seed, CHOICE, first + p, n) * (options - 1))
                chosen[p, n] = (key + away) % options

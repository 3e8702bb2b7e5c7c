"""One pass over the answers: everything that classical statistics are made of, as sums by item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.responses import NO_OPTION, ResponseLog

__all__ = ["Sums", "blocks", "raw_scores", "sum_up"]

BLOCK = 1 << 20  # answers looked at together


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums by item over the answers that have a score and a rest score.

    The rest score is the candidate's proportion right on the other operational items; where everyone took the same
    items it is the rest of the raw score up to a constant, so correlations with it are item–rest ones.

    Attributes:
        presented: answers, omitted ones included. Shape ``(items,)``, as the following.
        scored: answers with a score.
        points: sum of scores.
        omitted: answers without an option or a score.
        pairs: answers with a score and a rest score.
        x, r, xx, rr, xr: sums and products of score and rest score (centred at their overall mean).
        chosen: answers by option. Shape ``(items, options)``.
        chosen_pairs: those with a score and a rest score.
        chosen_r: sum of rest scores by option.
        by_group: answers by ability group, item and option. Shape ``(groups, items, options)``.
    """

    presented: Floats
    scored: Floats
    points: Floats
    omitted: Floats
    pairs: Floats
    x: Floats
    r: Floats
    xx: Floats
    rr: Floats
    xr: Floats
    chosen: Floats
    chosen_pairs: Floats
    chosen_r: Floats
    by_group: Floats


def raw_scores(log: ResponseLog, operational: Bools) -> tuple[Ints, Ints]:
    """Raw score of each candidate, and the number of answers it is out of; both of shape ``(persons,)``.

    Args:
        log: the answers.
        operational: which items count. Shape ``(items,)``.
    """
    raw = np.zeros(log.n_persons, dtype=np.int64)
    answered = np.zeros(log.n_persons, dtype=np.int64)
    for answers, person in blocks(log):
        score = log.score[answers]
        counts = operational[log.item[answers]] & (score >= 0)
        raw += np.bincount(person[counts], score[counts], minlength=log.n_persons).astype(np.int64)
        answered += np.bincount(person[counts], minlength=log.n_persons)
    return raw, answered


def sum_up(log: ResponseLog, operational: Bools, raw: Ints, answered: Ints, group: Ints) -> Sums:
    """Accumulate the sums, block by block in fixed order.

    Args:
        log: the answers.
        operational: which items count in the raw score. Shape ``(items,)``.
        raw: raw scores. Shape ``(persons,)``, as the following.
        answered: answers the raw score is out of.
        group: ability group of each candidate, from 0.
    """
    n_options, n_groups = len(log.options), int(group.max(initial=0)) + 1
    total = _empty(log.n_items, n_options, n_groups)
    centre = float(raw.sum() / max(answered.sum(), 1))
    for answers, person in blocks(log):
        item, score = log.item[answers].astype(np.int64), log.score[answers].astype(np.float64)
        own = operational[item] & (score >= 0)
        others = answered[person] - own
        rest = (raw[person] - np.where(own, score, 0.0)) / np.maximum(others, 1) - centre
        option = None if log.option is None else log.option[answers].astype(np.int64)
        blank = (score < 0) if option is None else (score < 0) | (option == NO_OPTION)
        if log.status is not None:
            blank = log.status[answers] == 1
        _add_scores(total, item, score, rest, others > 0, blank)
        if option is not None:
            _add_options(total, item, option, rest, (others > 0) & (score >= 0), group[person])
    return total


def _empty(items: int, options: int, groups: int) -> Sums:
    by_item = ("presented", "scored", "points", "omitted", "pairs", "x", "r", "xx", "rr", "xr")
    by_option = ("chosen", "chosen_pairs", "chosen_r")
    return Sums(
        **{name: np.zeros(items) for name in by_item},
        **{name: np.zeros((items, options)) for name in by_option},
        by_group=np.zeros((groups, items, options)),
    )


def blocks(log: ResponseLog) -> Iterator[tuple[slice, Ints]]:
    """Whole candidates, about a million answers at a time, with the candidate of each answer."""
    first = 0
    while first < log.n_persons:
        last = max(first + 1, int(np.searchsorted(log.start, log.start[first] + BLOCK, side="right")) - 1)
        person = np.repeat(np.arange(first, last), np.diff(log.start[first : last + 1]))
        yield slice(int(log.start[first]), int(log.start[last])), person
        first = last


def _add_scores(total: Sums, item: Ints, score: Floats, rest: Floats, has_rest: Bools, blank: Bools) -> None:
    """Counts, scores and their products with the rest score."""
    n, scored = len(total.presented), score >= 0
    both = scored & has_rest
    total.presented[:] += np.bincount(item, minlength=n)
    for sums, mask in ((total.scored, scored), (total.omitted, blank), (total.pairs, both)):
        sums[:] += np.bincount(item[mask], minlength=n)
    total.points[:] += np.bincount(item[scored], score[scored], minlength=n)
    at, x, r = item[both], score[both], rest[both]
    for sums, weight in ((total.x, x), (total.r, r), (total.xx, x * x), (total.rr, r * r), (total.xr, x * r)):
        sums[:] += np.bincount(at, weight, minlength=n)


def _add_options(total: Sums, item: Ints, option: Ints, rest: Floats, has_rest: Bools, group: Ints) -> None:
    """Who chose what, how good they were, and in which group."""
    shape = total.chosen.shape
    given = option != NO_OPTION
    paired = given & has_rest
    cell = item * shape[1] + option
    total.chosen[:] += _count(cell[given], None, shape)
    total.chosen_pairs[:] += _count(cell[paired], None, shape)
    total.chosen_r[:] += _count(cell[paired], rest[paired], shape)
    at = group[given] * total.chosen.size + cell[given]
    total.by_group[:] += _count(at, None, total.by_group.shape)


def _count(cell: Ints, weight: Floats | None, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.bincount(cell, weight, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)

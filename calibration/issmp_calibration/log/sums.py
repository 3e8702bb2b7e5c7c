"""One pass over the answers: everything that classical statistics are made of, as sums by item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.responses import NO_OPTION, ResponseLog

__all__ = ["RawScores", "Sums", "blocks", "raw_scores", "sum_up"]

BLOCK = 1 << 20  # answers looked at together


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums by item over the answers that have a score and a rest score.

    The rest score is the candidate's share of the points to be had on the other operational items, as in a calibration
    (``rest_scores``); where everyone took the same items it is the rest of the raw score up to a constant for each
    item, so correlations with it are item–rest ones.

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


class RawScores(NamedTuple):
    """Raw score of each candidate, and what it is out of; each of shape ``(persons,)``.

    Attributes:
        raw: points.
        answered: answers that count.
        possible: points to be had on them.
    """

    raw: Ints
    answered: Ints
    possible: Ints


def raw_scores(log: ResponseLog, worth: Ints) -> RawScores:
    """Raw scores over the items that count.

    Args:
        log: the answers.
        worth: the most that an item adds to the score, 0 for those that do not count. Shape ``(items,)``.
    """
    scores = RawScores(*(np.zeros(log.n_persons, dtype=np.int64) for _ in range(3)))
    for answers, person in blocks(log):
        own, score = worth[log.item[answers]], log.score[answers]
        counts = (own > 0) & (score >= 0)
        who = person[counts]
        scores.raw[:] += np.bincount(who, score[counts], minlength=log.n_persons).astype(np.int64)
        scores.answered[:] += np.bincount(who, minlength=log.n_persons)
        scores.possible[:] += np.bincount(who, own[counts], minlength=log.n_persons).astype(np.int64)
    return scores


def sum_up(log: ResponseLog, worth: Ints, scores: RawScores, group: Ints) -> Sums:
    """Accumulate the sums, block by block in fixed order.

    Args:
        log: the answers.
        worth: the most that an item adds to the score, 0 for those that do not count. Shape ``(items,)``.
        scores: raw scores by the same ``worth``.
        group: ability group of each candidate, from 0. Shape ``(persons,)``.
    """
    n_options, n_groups = len(log.options), int(group.max(initial=0)) + 1
    total = _empty(log.n_items, n_options, n_groups)
    centre = float(scores.raw.sum() / max(scores.possible.sum(), 1))
    for answers, person in blocks(log):
        item, score = log.item[answers].astype(np.int64), log.score[answers].astype(np.float64)
        own = np.where(score >= 0, worth[item], 0)
        others = scores.possible[person] - own
        rest = (scores.raw[person] - np.where(own > 0, score, 0.0)) / np.maximum(others, 1) - centre
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

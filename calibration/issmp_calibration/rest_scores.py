"""Answers and rest scores by item and score, in one compiled pass over a log."""

from __future__ import annotations

from typing import Any

import numpy as np

from issmp_cat.arrays import Floats, Ints
from issmp_cat.compiled import jit
from issmp_cat.responses import ResponseLog

__all__ = ["add_rest_scores", "points_to_be_had"]


@jit(error_model="numpy")
def _total(item: Any, score: Any, highest: Any, presented: Any) -> tuple[int, int]:
    """Points of all answers and points to be had; ``presented`` counts answers by item."""
    points, possible = 0, 0
    for answer in range(item.size):
        presented[item[answer]] += 1
        if score[answer] >= 0:
            points += score[answer]
            possible += highest[item[answer]]
    return points, possible


@jit(error_model="numpy")
def _add(
    start: Any,
    item: Any,
    score: Any,
    option: Any,
    worth: Any,
    centre: float,
    sums: Any,
    chosen: Any,
    raw: Any,
    answers: Any,
) -> None:
    """Person after person; see ``add_rest_scores``."""
    last, scale = 0, 0.0  # one division serves all answers that leave equally many points to be had
    for person in range(start.size - 1):
        answered, points, most = 0, 0, 0
        for answer in range(start[person], start[person + 1]):
            own = worth[item[answer]]
            if own > 0 and score[answer] >= 0:
                answered += 1
                points += score[answer]
                most += own
        raw[person], answers[person] = points, answered
        for answer in range(start[person], start[person + 1]):
            own, points_here = worth[item[answer]], score[answer]
            others = most - own
            if points_here < 0 or others <= 0:
                continue
            if others != last:
                last, scale = others, 1.0 / others
            r = (points - (points_here if own > 0 else 0)) * scale - centre
            cell = sums[item[answer], points_here]
            cell[0] += 1.0
            cell[1] += r
            cell[2] += r * r
            if option.size > 0 and option[answer] < chosen.shape[1]:
                cell = chosen[item[answer], option[answer]]
                cell[0] += 1.0
                cell[1] += r


@jit(error_model="numpy")
def _add_matrix(item: Any, score: Any, worth: Any, right: Any, raw: Any) -> bool:
    """Whole rows at a time, where everyone answered the same items in the same order, right or wrong; else False.

    ``item``, ``score``: persons × items; ``worth``: by column; ``right``, 3 × items: of those who had a column right,
    their number, their other points, and the squares of these, exact as whole numbers are.
    """
    for person in range(score.shape[0]):
        stray, points = 0, 0
        for place in range(score.shape[1]):
            stray += (item[person, place] != item[0, place]) | (score[person, place] < 0) | (score[person, place] > 1)
            points += score[person, place] * worth[place]
        if stray > 0:
            return False
        raw[person] = points
        for place in range(score.shape[1]):
            others = float(points - worth[place])
            one = float(score[person, place])
            right[0, place] += one
            right[1, place] += one * others
            right[2, place] += one * others * others
    return True


def points_to_be_had(log: ResponseLog, most: Ints) -> tuple[float, Ints]:
    """Share of all points to be had that were scored, and how often each item was given.

    Args:
        log: the answers.
        most: the most that each item may be scored. Shape ``(items,)``.
    """
    presented = np.zeros(log.n_items, dtype=np.int64)
    scored, possible = _total(log.item, log.score, most, presented)
    return scored / max(possible, 1), presented


def add_rest_scores(
    log: ResponseLog, worth: Ints, centre: float, sums: Floats, chosen: Floats, raw: Ints, answers: Ints
) -> None:
    """Add answers, rest scores and their squares by item and score.

    The rest score is the share of the other counted items' points.

    Args:
        log: the answers.
        worth: the most that an item adds to the score, 0 for those that do not count. Shape ``(items,)``.
        centre: what is taken off each rest score.
        sums: added to. Shape ``(items, scores, 3)``.
        chosen: answers and their rest scores by item and option, added to. Shape ``(items, options, 2)``.
        raw: each candidate's points, written; ``answers``: their answers that count. Shape ``(persons,)``.
    """
    if not _of_matrix(log, worth, centre, sums, raw, answers):
        option = np.empty(0, np.uint8) if log.option is None else log.option
        _add(log.start, log.item, log.score, option, worth, centre, sums, chosen, raw, answers)


def _of_matrix(log: ResponseLog, worth: Ints, centre: float, sums: Floats, raw: Ints, answers: Ints) -> bool:
    """By whole rows; False, with nothing added, if the log is no matrix of right and wrong answers."""
    n, most = log.n_items, int(worth.sum())
    complete = log.n_answers == log.n_persons * n > 0
    if not complete or log.option is not None or most < 2 or worth.max() > 1:
        return False
    item, right = log.item.reshape(-1, n), np.zeros((3, n))
    own = worth[item[0]]
    if not _add_matrix(item, log.score.reshape(-1, n), own, right, raw):
        return False
    answers[:] = most
    wrong = np.array([[len(raw)], [raw.sum()], [raw @ raw]]) - right
    wrong[1] -= own * right[0]
    wrong[2] -= own * (2.0 * right[1] + right[0])
    scale = 1.0 / (most - own)
    for value, (count, others, squares) in enumerate((wrong, right)):
        rest = scale * others
        square = scale**2 * squares - 2.0 * centre * rest + centre**2 * count
        sums[item[0], value] += np.column_stack([count, rest - centre * count, square])
    return True

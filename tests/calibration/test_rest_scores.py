"""Answers and rest scores by item and score, against loops that anyone can read."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration.rest_scores import add_rest_scores
from issmp_cat.responses import ResponseLog

CENTRE = 0.4
WORTH = np.array([1, 0, 1, 1, 1])


def slowly(scores, worth):
    """Sums by item and score, raw scores and answers that count; NaN is no answer."""
    persons, items = scores.shape
    sums, raw, answers = np.zeros((items, 2, 3)), np.zeros(persons, np.int64), np.zeros(persons, np.int64)
    for i in range(persons):
        counted = [j for j in range(items) if worth[j] and not np.isnan(scores[i, j])]
        raw[i], answers[i] = sum(scores[i, counted]), len(counted)
        for j in range(items):
            others = [k for k in counted if k != j]
            if np.isnan(scores[i, j]) or not others:
                continue
            rest = np.mean(scores[i, others]) - CENTRE
            sums[j, int(scores[i, j])] += [1.0, rest, rest**2]
    return sums, raw, answers


def quickly(log, worth):
    sums = np.zeros((log.n_items, 2, 3))
    raw, answers = np.zeros(log.n_persons, np.int64), np.zeros(log.n_persons, np.int64)
    add_rest_scores(log, worth, CENTRE, sums, np.zeros((log.n_items, 0, 2)), raw, answers)
    return sums, raw, answers


def shuffled(log, order):
    """The same answers, each candidate's in this order."""
    item, score = (column.reshape(-1, log.n_items)[:, order].ravel() for column in (log.item, log.score))
    return ResponseLog(persons=log.persons, items=log.items, start=log.start, item=item, score=score)


@pytest.mark.parametrize("missing", [0, 1, 40], ids=["complete", "one missing", "many missing"])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [3, 0, 4, 1, 2]], ids=["in order", "shuffled"])
@pytest.mark.parametrize("worth", [WORTH, np.ones(5, np.int64)], ids=["a pretest item", "all count"])
def test_sums_are_those_of_plain_loops(missing, order, worth):
    random = np.random.default_rng(5)
    scores = (random.random((60, 5)) < [0.2, 0.5, 0.6, 0.8, 1.0]).astype(float)
    scores.ravel()[random.choice(300, missing, replace=False)] = np.nan
    log = ResponseLog.from_wide(scores)
    found = quickly(shuffled(log, order) if missing == 0 else log, worth)
    for mine, theirs in zip(found, slowly(scores, worth), strict=True):
        assert_allclose(mine, theirs, atol=1e-12)


def test_candidates_with_orders_of_their_own_are_no_matrix():
    scores = (np.random.default_rng(6).random((50, 5)) < 0.5).astype(float)
    log = ResponseLog.from_wide(scores)
    item, score = log.item.copy(), log.score.copy()
    item[-5:], score[-5:] = item[-5:][::-1].copy(), score[-5:][::-1].copy()
    mixed = ResponseLog(persons=log.persons, items=log.items, start=log.start, item=item, score=score)
    for mine, theirs in zip(quickly(mixed, WORTH), slowly(scores, WORTH), strict=True):
        assert_allclose(mine, theirs, atol=1e-12)


def test_nobody_adds_nothing():
    empty = ResponseLog.from_wide(np.zeros((0, 5)))
    assert_array_equal(quickly(empty, WORTH)[0], 0.0)

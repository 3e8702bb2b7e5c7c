"""Test statistics, item–rest correlations and suspected keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.log.distractors import Distractors, distractor_table
from issmp_calibration.log.key import ItemKey
from issmp_calibration.log.moments import TestStatistics, correlation, describe_test
from issmp_calibration.log.statistics import correct_options
from issmp_calibration.log.store import LogStore
from issmp_calibration.log.sums import Sums
from issmp_calibration.rest_scores import add_rest_scores, points_to_be_had
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.responses import ResponseLog

__all__ = ["Classical", "KeySuspicion", "classical"]

MOST_SCORES = 128  # of one signed byte
FEWEST_CHOOSERS = 30  # an option that fewer chose is not judged
CHANCE = 2.0  # standard errors of a correlation around 0, which are 1/√n


@dataclass(frozen=True, slots=True)
class KeySuspicion:
    """A wrong option that goes with the rest score more than the right one, beyond chance."""

    option: str
    r_option: float
    key: str
    r_key: float
    answers: int


@dataclass(frozen=True, slots=True)
class Classical:
    """What the answers say without a model.

    Attributes:
        test: the raw score.
        item_rest: correlation of each item with the rest of the test. Shape ``(items,)``, as the following.
        presented: how often each was given, answers without a score included.
        key: suspected keys; None where there is none.
        share: of the points to be had, for nominal items whose options are the categories; NaN for all others, of
            which the answers in the fit tell. None where there are no such items.
    """

    test: TestStatistics
    item_rest: Floats
    presented: Ints
    key: tuple[KeySuspicion | None, ...]
    share: Floats | None = None


def classical(
    log: ResponseLog | LogStore,
    counted: Bools,
    highest: Ints | None = None,
    key: ItemKey | None = None,
    tally: Ints | None = None,
) -> Classical:
    """The raw score's statistics, item–rest correlations and suspected keys.

    The same statistics as ``classical_statistics``'s, without what a calibration does not need; a correlation is NaN
    where one side does not vary.

    Args:
        log: the answers; of a store one shard at a time is in memory.
        counted: the items that make up the score: operational ones. Shape ``(items,)``.
        highest: the most that each item may be scored, at least 1; 1 when not given. Shape ``(items,)``.
        key: the item file; without one the options that scored are the right ones.
        tally: answers by item and score, if they have been counted. Shape ``(items, scores)``.
    """
    most = np.ones(log.n_items, np.int64) if highest is None else np.asarray(highest, np.int64)
    scores = MOST_SCORES if highest is None else int(most.max(initial=1)) + 1
    sums, by_option = np.zeros((log.n_items, scores, 3)), np.zeros((log.n_items, len(log.options), 2))
    raw, answered = np.zeros(log.n_persons, dtype=np.int64), np.zeros(log.n_persons, dtype=np.int64)
    worth = np.where(counted, most, 0)
    centre, presented = _presented(log, most, tally)
    correct, first = np.zeros((log.n_items, len(log.options)), dtype=bool), 0
    for part in [log] if isinstance(log, ResponseLog) else log.shards():
        persons = slice(first, first + part.n_persons)
        add_rest_scores(part, worth, centre, sums, by_option, raw[persons], answered[persons])
        correct |= correct_options(part, key)
        first = persons.stop
    added = _sums(sums, by_option, presented)
    table = distractor_table(log, added, correct) if log.options else None
    return Classical(
        test=describe_test(raw, answered, added, counted),
        item_rest=correlation(added),
        presented=presented,
        key=tuple(None if table is None else _suspicion(table, place) for place in range(log.n_items)),
    )


def _presented(log: ResponseLog | LogStore, most: Ints, tally: Ints | None) -> tuple[float, Ints]:
    """Share of all points to be had that were scored, and how often each item was given."""
    if not isinstance(log, ResponseLog):  # counted when the store was written
        tally, presented = log.counts, log.presented.copy()
    elif tally is not None and int(tally.sum()) == log.n_answers:  # every answer has a score
        presented = tally.sum(axis=1)
    else:
        return points_to_be_had(log, most)
    points = int((tally * np.arange(tally.shape[1])).sum())
    return points / max(int((tally.sum(axis=1) * most).sum()), 1), presented


def _sums(by_score: Floats, by_option: Floats, presented: Ints) -> Sums:
    """In the form that the formulas of classical statistics take; what they need not know is 0."""
    nothing, score = np.zeros(len(by_score)), np.arange(by_score.shape[1])
    answers, rest, squares = np.moveaxis(by_score, 2, 0)
    return Sums(
        pairs=answers.sum(axis=1),
        x=answers @ score,
        r=rest.sum(axis=1),
        xx=answers @ np.square(score),
        rr=squares.sum(axis=1),
        xr=rest @ score,
        presented=presented.astype(np.float64),
        scored=answers.sum(axis=1),
        points=nothing,
        omitted=nothing,
        chosen=by_option[:, :, 0],
        chosen_pairs=by_option[:, :, 0],
        chosen_r=by_option[:, :, 1],
        by_group=np.zeros((1, *by_option.shape[:2])),
    )


def _suspicion(table: Distractors, place: int) -> KeySuspicion | None:
    """The wrong option that does best, if it does better than the key and better than chance.

    An item scored in steps has no one key: every option that scores counts as right.
    """
    correct, n = table.correct[place], table.n[place]
    if not correct.any() or correct.all():
        return None
    r = np.where(n >= FEWEST_CHOOSERS, np.nan_to_num(table.point_biserial[place], nan=-1.0), -1.0)
    wrong = np.where(correct, -1.0, r)
    best, right = int(wrong.argmax()), int(np.where(correct, r, -2.0).argmax())
    answers = int(n.sum())
    if wrong[best] <= max(r[right], 0.0) or wrong[best] < CHANCE / np.sqrt(answers):
        return None
    key = float(np.nan_to_num(table.point_biserial[place, right]))
    return KeySuspicion(table.options[best], float(wrong[best]), table.options[right], key, answers)

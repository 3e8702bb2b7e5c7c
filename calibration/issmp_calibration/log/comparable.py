"""Do rest scores compare between candidates, so that an item-rest correlation says something about the item?

The rest score is the share of points on the other items that a candidate saw. Where all saw the same items it is the
rest of the raw score. Where items were missed at random, or forms were given at random, it is that with some noise.
Where items were chosen by answers (adaptive tests) it is much the same for everyone, and where they went by ability
from elsewhere, or forms differ much in difficulty, it tells of the items as well as of the candidate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_calibration.log.links import sample
from issmp_calibration.log.routing import SAMPLE, Verdict, routing
from issmp_calibration.log.store import LogStore
from issmp_cat.arrays import Bools
from issmp_cat.responses import ResponseLog

__all__ = ["Comparison", "compare_rest_scores"]

NEARLY = 0.9  # of a full table: what is missing weighs little, whatever the reason
MUCH = 0.25  # of the shares' variance: forms' difficulty has half the SD of the shares then
REASONS: dict[Verdict, str] = {
    "same_items": "everyone saw the same items",
    "by_chance": "which items candidates saw has nothing to do with their ability",
    "by_answers": "items were chosen by the answers before them, so shares of points are much the same for everyone",
    "outside": "items were chosen by something that goes with ability and is not in the log",
    "unknown": "candidates saw different items, and what decided which is not known",
}


class Comparison(NamedTuple):
    """Whether item-rest correlations can be judged.

    Attributes:
        judged: whether they can.
        why: the reason, in words.
    """

    judged: bool
    why: str


def compare_rest_scores(log: ResponseLog | LogStore, operational: Bools) -> Comparison:
    """Whether rest scores compare between the candidates of a log.

    Args:
        log: the answers; of a store the first shard is looked at.
        operational: items that count in the score. Shape ``(items,)``.
    """
    if not isinstance(log, ResponseLog):
        log = next(iter(log.shards()))
    there = _completeness(log, operational)
    if there >= NEARLY:
        words = "everyone saw the same items" if there == 1.0 else f"{there:.1%} of a full table of answers are there"
        return Comparison(judged=True, why=words)
    verdict = routing(log).verdict
    if verdict == "by_chance" and (share := _difficulty_share(log, operational)) > MUCH:
        said = "the sets of items that candidates saw differ much in difficulty"
        return Comparison(judged=False, why=f"{said} ({share:.0%} of the variance of their shares of points)")
    return Comparison(verdict in {"same_items", "by_chance"}, REASONS[verdict])


def _completeness(log: ResponseLog, operational: Bools) -> float:
    """Scored operational answers among those that a full table would hold."""
    counts = operational[log.item] & (log.score >= 0)
    persons, items = (len(np.unique(codes[counts])) for codes in (log.person, log.item))
    return int(counts.sum()) / (persons * items) if persons else 0.0


def _difficulty_share(log: ResponseLog, operational: Bools) -> float:
    """Variance of the share of points expected by the items seen, over that of the share reached."""
    persons = sample(log, SAMPLE)
    chosen = np.zeros(log.n_persons, dtype=bool)
    chosen[persons] = True
    counts = chosen[log.person] & operational[log.item] & (log.score >= 0)
    person, item, score = log.person[counts], log.item[counts], log.score[counts].astype(np.float64)
    highest = np.ones(log.n_items)
    np.maximum.at(highest, item, score)
    share = score / highest[item]
    mean = np.bincount(item, share, log.n_items) / np.maximum(np.bincount(item, minlength=log.n_items), 1)
    number = np.bincount(person, minlength=log.n_persons)
    took = number > 0
    expected, reached = (
        np.bincount(person, values, log.n_persons)[took] / number[took] for values in (mean[item], share)
    )
    return float(expected.var() / reached.var()) if reached.size and reached.var() > 0 else 0.0

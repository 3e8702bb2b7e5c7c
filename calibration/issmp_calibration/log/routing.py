"""Was it decided by answers which items a candidate saw?

Missing answers can be ignored where the choice of items depends on answers that are in the log (Mislevy & Wu, 1996,
ETS RR-96-30: adaptive tests) or on nothing about ability (fixed forms, chance). They cannot where it depends on what
is known of ability from elsewhere, such as levels or classes: then groups belong into the model.

At several places of the test the difficulty of the item that came next is correlated with the ability shown in the
answers before it (by answers) and with the ability shown only afterwards, what the answers before foretell of it taken
out (by something outside the log). If items were chosen by answers alone, the second correlation is zero. Where few
different items can come next, as with forms, the ability shown afterwards is also compared between them (η).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from issmp_calibration.log.links import sample
from issmp_calibration.log.rough import abilities, rasch
from issmp_cat.arrays import Floats, Ints
from issmp_cat.responses import ResponseLog

__all__ = ["SAMPLE", "Routing", "Verdict", "routing"]

Verdict: TypeAlias = Literal["same_items", "by_chance", "by_answers", "outside", "unknown"]
SAMPLE = 400_000  # answers looked at
PLACES = 8  # places of the test looked at
AHEAD = 8  # answers needed after a place
WORTH = 0.10  # a smaller correlation is of no consequence …
SURE = 4.0  # … and one within so many standard errors of zero may be chance
CANDIDATES = 50  # fewer tell nothing
KINDS, SMALLEST = 30, 20  # items, or sets of items, that are compared one by one, and candidates of each


@dataclass(frozen=True, slots=True)
class Routing:
    """What decided which items candidates saw.

    Attributes:
        verdict: ``same_items`` (one form), ``by_chance`` (unrelated to ability, as forms given at random),
            ``by_answers`` (adaptive), ``outside`` (something that is not in the log), or ``unknown``.
        by_answers: correlation of the next item's difficulty with the ability shown so far, the largest of the places;
            NaN where it cannot be told.
        outside: likewise with the ability shown afterwards and not foretold, or its η between the next items.
        place: where the latter was largest: so many answers had gone before.
        between: where there are no positions, correlation of ability with the mean difficulty of the items seen, or η
            of ability between a few sets of items.
        candidates: how many were looked at.
    """

    verdict: Verdict
    by_answers: float = float("nan")
    outside: float = float("nan")
    place: int = 0
    between: float = float("nan")
    candidates: int = 0


@dataclass(frozen=True, slots=True)
class _Answers:
    """Scored answers of a sample, in the order in which they were given.

    Attributes:
        person, item: from 0. Shape ``(answers,)``, as the next two.
        share: score as a share of the item's highest.
        turn: how many answers of the candidate came before.
        length: answers of each candidate. Shape ``(persons,)``.
    """

    person: Ints
    item: Ints
    share: Floats
    turn: Ints
    length: Ints


def routing(log: ResponseLog) -> Routing:
    """Find out what decided which items candidates saw."""
    persons = sample(log, SAMPLE)
    answers = _answers(log, persons)
    seen = np.bincount(answers.item)
    if len(persons) and (seen[seen > 0] == len(persons)).all():
        return Routing("same_items", candidates=len(persons))
    if len(persons) < CANDIDATES:
        return Routing("unknown", candidates=len(persons))
    difficulty = rasch(answers.person, answers.item, answers.share)
    if log.position is None:
        return _without_order(answers, difficulty)
    found = [_at(answers, difficulty, place) for place in _places(answers.length)]
    told = [at for at in found if at.candidates >= CANDIDATES]
    if not told:
        return Routing("unknown", candidates=len(persons))
    by, outside = max(told, key=lambda at: at.clear_by), max(told, key=lambda at: at.clear_outside)
    verdict: Verdict = "outside" if outside.clear_outside > 0 else "by_answers" if by.clear_by > 0 else "by_chance"
    return Routing(verdict, by.by_answers, outside.outside, outside.place, candidates=len(persons))


class _Place(NamedTuple):
    """What was found at one place; ``kinds`` is how many different items can come next, 2 for a plain correlation."""

    place: int
    candidates: int
    by_answers: float
    outside: float
    kinds: int

    @property
    def clear_by(self) -> float:
        return _clear(self.by_answers, self.candidates)

    @property
    def clear_outside(self) -> float:
        return _clear(self.outside, self.candidates, self.kinds)


def _clear(r: float, n: int, kinds: int = 2) -> float:
    """By how much a correlation exceeds what is of no consequence and what may be chance; negative if it does not.

    By chance n η² has the standard deviation √(2 (k − 1)) with k kinds.
    """
    return -1.0 if np.isnan(r) else abs(r) - max(WORTH, SURE * (kinds - 1) ** 0.25 / np.sqrt(max(n, 1)))


def _answers(log: ResponseLog, persons: Ints) -> _Answers:
    """The scored answers of some persons."""
    length = np.diff(log.start)[persons]
    row = np.repeat(np.arange(len(persons)), length)
    at = log.start[persons][row] + np.arange(len(row)) - (np.cumsum(length) - length)[row]
    scored = log.score[at] >= 0
    row, at = row[scored], at[scored]
    if log.position is not None:
        order = np.lexsort((log.position[at], row))
        row, at = row[order], at[order]
    number = np.bincount(row, minlength=len(persons))
    item = log.item[at].astype(np.int64)
    highest = np.zeros(log.n_items)
    np.maximum.at(highest, item, log.score[at])
    turn = np.arange(len(row)) - (np.cumsum(number) - number)[row]
    return _Answers(row, item, log.score[at] / np.maximum(highest[item], 1), turn, number)


def _places(length: Ints) -> list[int]:
    """The first item, and further places up to where half of the candidates still have answers ahead."""
    last = int(np.median(length)) - AHEAD
    return sorted({0, *np.linspace(0, max(last, 0), PLACES).astype(int).tolist()})


def _at(answers: _Answers, difficulty: Floats, place: int) -> _Place:
    """Compare the item at a place with ability before it, and after it."""
    n = len(answers.length)
    there = np.flatnonzero(answers.length > place + AHEAD)
    if len(there) < CANDIDATES:
        return _Place(place, len(there), float("nan"), float("nan"), 2)
    item = np.zeros(n, dtype=np.int64)
    here = answers.turn == place
    item[answers.person[here]] = answers.item[here]
    item = item[there]
    past, future = (
        abilities(answers.person[part], difficulty[answers.item[part]], answers.share[part], n)[there]
        for part in (answers.turn < place, answers.turn > place)
    )
    powers = np.vander(_standard(past), 4 if place else 1)
    unforetold = future - powers @ np.linalg.lstsq(powers, future, rcond=None)[0]
    outside, kinds = _stronger(_correlation(difficulty[item], unforetold), item, unforetold)
    by_answers = _correlation(difficulty[item], past) if place else float("nan")
    return _Place(place, len(there), by_answers, outside, kinds)


def _stronger(r: float, kind: Ints, ability: Floats) -> tuple[float, int]:
    """A correlation, or η between a few kinds where that is clearer; and the number of kinds it stands for."""
    eta, kinds = _eta(kind, ability)
    return (eta, kinds) if _clear(eta, len(kind), kinds) > _clear(r, len(kind)) else (r, 2)


def _without_order(answers: _Answers, difficulty: Floats) -> Routing:
    """Without positions: whether able candidates saw harder items, or other sets, whatever the reason."""
    n = len(answers.length)
    theta = abilities(answers.person, difficulty[answers.item], answers.share, n)
    mean = np.bincount(answers.person, difficulty[answers.item], minlength=n) / np.maximum(answers.length, 1)
    sets = np.bincount(answers.person, np.random.default_rng(170).normal(size=len(difficulty))[answers.item], n)
    r, kinds = _stronger(_correlation(mean, theta), np.round(sets * 1e6).astype(np.int64), theta)
    return Routing("unknown" if _clear(r, n, kinds) > 0 else "by_chance", between=r, candidates=n)


def _eta(kind: Ints, y: Floats) -> tuple[float, int]:
    """η of y between kinds, free of what chance adds to it; NaN unless there are 2 to ``KINDS`` kinds of some size."""
    kinds, of, number = np.unique(kind, return_inverse=True, return_counts=True)
    if not 1 < len(kinds) <= KINDS or number.min() < SMALLEST or y.std() < 1e-9:
        return float("nan"), 2
    means = np.bincount(of, y) / number
    between = float(number @ (means - y.mean()) ** 2) / float(((y - y.mean()) ** 2).sum())
    return float(np.sqrt(max(between - (len(kinds) - 1) / (len(y) - 1), 0.0))), len(kinds)


def _standard(x: Floats) -> Floats:
    spread = x.std()
    return np.asarray((x - x.mean()) / (spread if spread > 0 else 1.0))


def _correlation(x: Floats, y: Floats) -> float:
    """Pearson's r; NaN where one side does not vary."""
    if not len(x) or x.std() < 1e-9 or y.std() < 1e-9:
        return float("nan")
    return float(np.mean(_standard(x) * _standard(y)))

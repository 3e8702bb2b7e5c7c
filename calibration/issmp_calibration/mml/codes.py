"""From a response log to the one sparse layout every fit works on: a short whole number per answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Bools, Ints, read_only
from issmp_cat.compiled import jit
from issmp_cat.errors import ResponseLogError
from issmp_cat.responses import ResponseLog

__all__ = ["NO_ANSWERS", "Codes", "code_answers", "encode", "refuse_scores", "tally_scores", "usable"]

WAY_OUT = "use gpcm, grm or pcm (--model, model=, or the item file's column model)"
NO_ANSWERS = "no answers"
ALL_RIGHT = "everyone got it right: no difficulty can be estimated"
ALL_WRONG = "everyone got it wrong: no difficulty can be estimated"


@dataclass(frozen=True, slots=True)
class Codes:
    """Answers of the persons and items that enter a fit, in compressed sparse rows.

    Attributes:
        start: offsets of each person's answers. Shape ``(persons + 1,)``.
        code: ``first[item] + score`` of each answer, items counted among those in the fit. Shape ``(answers,)``, uint16
            while it fits.
        persons: index of each person in the log. Shape ``(persons,)``.
        items: index of each item in the log. Shape ``(items,)``.
        counts: answers per item of the log and score. Shape ``(items of the log, scores)``.
        apart: why an item of the log was left out, empty where it was not. Shape ``(items of the log,)``.
        first: code of each item's score 0; the number of codes comes last. Shape ``(items + 1,)``.
        pattern: index of each person's population. Shape ``(persons,)``, zeros when there is one.
    """

    start: Ints
    code: NDArray[np.unsignedinteger[Any]]
    persons: Ints
    items: Ints
    counts: Ints
    apart: tuple[str, ...]
    first: Ints
    pattern: NDArray[np.unsignedinteger[Any]]

    @property
    def n_persons(self) -> int:
        """Persons in the fit."""
        return len(self.persons)

    @property
    def n_answers(self) -> int:
        """Answers in the fit."""
        return len(self.code)

    @property
    def n_items(self) -> int:
        """Items in the fit."""
        return len(self.items)

    @property
    def n_codes(self) -> int:
        """Rows of a table indexed by code."""
        return int(self.first[-1])

    @property
    def owner(self) -> NDArray[np.unsignedinteger[Any]]:
        """The item, among those in the fit, that each code belongs to. Shape ``(codes,)``."""
        small = self.n_items <= np.iinfo(np.uint16).max
        return np.repeat(np.arange(self.n_items, dtype=np.uint16 if small else np.uint32), np.diff(self.first))

    @property
    def longest(self) -> int:
        """The largest number of answers of one person."""
        return int(np.diff(self.start).max(initial=0))


@jit()
def _count(item: Any, score: Any, counts: Any) -> None:
    """Add up answers per item and score; unscored answers (−1) are missing, scores above 1 land in the last column."""
    last = counts.shape[1] - 1
    for answer in range(item.size):
        if score[answer] >= 0:
            counts[item[answer], min(score[answer], last)] += 1


@jit()
def _encode(start: Any, item: Any, score: Any, row: Any, code: Any, length: Any) -> int:
    """Write the codes of the answers that count, person after person; returns how many there are."""
    written = 0
    for person in range(start.size - 1):
        items, scores = item[start[person] : start[person + 1]], score[start[person] : start[person + 1]]
        below, codes, kept = 0, code[written:], items.size
        for answer in range(items.size):  # as if all counted, without branches
            there, own = row[items[answer]], np.int64(scores[answer])
            below |= there | own
            codes[answer] = there + own
        if below < 0:
            kept = 0
            for answer in range(items.size):
                there = row[items[answer]]
                if scores[answer] >= 0 and there >= 0:
                    codes[kept] = there + scores[answer]
                    kept += 1
        length[person] = kept
        written += kept
    return written


def _verdicts(counts: Ints, steps: Ints) -> tuple[str, ...]:
    """Why an item cannot be estimated; empty where it can."""

    def verdict(tally: Ints, most: int) -> str:
        given = np.flatnonzero(tally)
        if given.size == 0:
            return NO_ANSWERS
        if given.size == 1 and most <= 1:
            return ALL_RIGHT if given[0] else ALL_WRONG
        if given.size == 1:
            return f"everyone scored {given[0]}: nothing can be estimated"
        if given.size <= most:
            gaps = ", ".join(str(score) for score in range(most + 1) if tally[score] == 0)
            return f"nobody scored {gaps} of 0 to {most}: join scores so that each occurs"
        return ""

    fine = ((counts > 0) | (np.arange(counts.shape[1]) > steps[:, None])).all(axis=1) & (steps > 0)
    rows = zip(fine, counts, steps, strict=True)
    return tuple("" if good else verdict(tally[: most + 1], int(most)) for good, tally, most in rows)


def refuse_scores(items: NDArray[Any], above: Bools, highest: Ints) -> None:
    """Name the items with scores above their highest.

    Raises:
        ResponseLogError: there are some.
    """
    if above.any():
        names = [
            f'item "{name}" has scores above 1; its model (2pl, if none was named) takes 0, 1 or missing: {WAY_OUT}'
            if most == 1
            else f'item "{name}" has scores above {most}; its parameters are for 0 to {most} or missing'
            for name, most in zip(items[above], highest[above], strict=True)
        ]
        raise ResponseLogError("response log", names)


def encode(
    log: ResponseLog,
    polytomous: Bools | None = None,
    pattern: Ints | None = None,
    known: Ints | None = None,
    fewest: int = 0,
) -> Codes:
    """Turn a log into codes, setting apart what no model can use.

    Items without answers, with one score only or with scores that nobody got below the highest, and persons without
    answers to the other items are left out of the fit; they are verdicts, not errors.

    Args:
        log: the answers.
        polytomous: which items may have scores above 1; the highest score that occurs is an item's highest. None of
            them when not given. Shape ``(items of the log,)``.
        pattern: index of each person's population; one when not given. Shape ``(persons of the log,)``.
        known: highest score of items with known parameters, which need not vary; −1 for the others. Shape ``(items of
            the log,)``.
        fewest: answers that an item needs to be estimated; items with known parameters need none.

    Raises:
        ResponseLogError: a score above 1 where there should be none, or nothing left to fit.
    """
    steps = np.ones(log.n_items, np.int64)
    if polytomous is not None and polytomous.any():
        found = np.ones(log.n_items, np.int64)
        np.maximum.at(found, log.item, log.score)
        steps[polytomous] = found[polytomous]
    if known is not None:
        steps = np.where(known >= 0, known, steps)
    counts = tally_scores(log, steps)
    apart, items, first = usable(counts, steps, known, fewest)
    row = np.full(log.n_items, -1, np.int64)
    row[items] = first[:-1]
    start, code, persons = code_answers(log, row, int(first[-1]))
    populations = np.zeros(len(persons), np.int64) if pattern is None else pattern[persons]
    return Codes(
        start=start,
        code=code,
        persons=persons,
        items=read_only(items),
        counts=read_only(counts),
        apart=apart,
        first=read_only(first),
        pattern=read_only(populations.astype(np.uint16 if populations.max(initial=0) < 2**16 else np.uint32)),
    )


def usable(counts: Ints, steps: Ints, known: Ints | None = None, fewest: int = 0) -> tuple[tuple[str, ...], Ints, Ints]:
    """Why items cannot be estimated, those that can, and the code of each one's score 0 and the number of codes.

    Args:
        counts: answers by item and score. Shape ``(items of the log, scores)``.
        steps: highest score of each item; ``known`` and ``fewest`` as for :func:`encode`.

    Raises:
        ResponseLogError: nothing left to fit.
    """
    apart = tuple(
        why or (f"{n:,} answers, fewer than the {fewest:,} asked for in a fit" if n < fewest else "")
        for why, n in zip(_verdicts(counts, steps), counts.sum(axis=1), strict=True)
    )
    if known is not None:
        apart = tuple("" if sure and why != NO_ANSWERS else why for why, sure in zip(apart, known >= 0, strict=True))
    items = np.flatnonzero([not why for why in apart])
    if items.size == 0:
        enough = f"{fewest:,} answers (--min-to-fit, min_to_fit=), with" if fewest else "both"
        raise ResponseLogError(
            "response log", [f"no item has {enough} right and wrong answers: there is nothing to fit"]
        )
    return apart, items, np.concatenate([[0], np.cumsum(steps[items] + 1)]).astype(np.int64)


def tally_scores(log: ResponseLog, highest: Ints | None = None) -> Ints:
    """Answers per item and score. Shape ``(items, scores)``.

    Args:
        log: the answers.
        highest: the most that each item may be scored; 1 when not given. Shape ``(items of the log,)``.

    Raises:
        ResponseLogError: a score above that.
    """
    most = np.ones(log.n_items, np.int64) if highest is None else highest
    categories = int(most.max(initial=1)) + 1
    tally = np.zeros((log.n_items, categories + 1), np.int64)
    _count(log.item, log.score, tally)
    beyond: Ints = tally * (np.arange(categories + 1) > most[:, None])
    refuse_scores(log.items, beyond.sum(axis=1) > 0, most)
    return tally[:, :categories]


def code_answers(log: ResponseLog, row: Ints, rows: int) -> tuple[Ints, NDArray[np.unsignedinteger[Any]], Ints]:
    """Answers to some items as codes, which are rows of a table with one row a score.

    Args:
        log: the answers.
        row: row of each item's score 0; −1 leaves its answers out. Shape ``(items of the log,)``.
        rows: how many rows there are.

    Returns:
        Offsets, codes, and the persons of the log who have any.
    """
    small = rows <= np.iinfo(np.uint16).max
    room: NDArray[np.unsignedinteger[Any]] = np.empty(log.n_answers, np.uint16 if small else np.uint32)
    length = np.zeros(log.n_persons, np.int64)
    written = _encode(log.start, log.item, log.score, row, room, length)
    persons = np.flatnonzero(length)
    start: Ints = np.concatenate([[0], np.cumsum(length[persons])])
    return read_only(start), read_only(room[:written]), read_only(persons)

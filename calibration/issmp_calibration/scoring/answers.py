"""Which answers of a log count against a bank, as rows of the bank's tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Ints, read_only
from issmp_cat.bank import ItemBank
from issmp_cat.compiled import jit
from issmp_cat.errors import ResponseLogError
from issmp_cat.irt import Parameters, select
from issmp_cat.responses import ResponseLog

__all__ = ["Answers", "match_answers", "places"]

NEVER = 128  # no score is that high


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers that count, person after person.

    Attributes:
        parameters: of the items that count, in the log's order.
        start: offsets of each person's answers. Shape ``(persons of the log + 1,)``.
        codes: ``parameters.first[item] + score``. Shape ``(answers,)``, uint16 while it fits.
        raw: points of each person. Shape ``(persons of the log,)``.
        left_out: items of the log that do not count, with the reason.
    """

    parameters: Parameters
    start: Ints
    codes: NDArray[np.unsignedinteger[Any]]
    raw: Ints
    left_out: dict[str, str]

    @property
    def n_persons(self) -> int:
        """Candidates of the log, those without answers included."""
        return len(self.raw)


def match_answers(log: ResponseLog, bank: ItemBank, *, pretest: bool = False) -> Answers:
    """Find the items of a log in a bank, and the rows of its answers.

    Args:
        log: the answers; those without a score are missing.
        bank: the items with their parameters.
        pretest: whether pretest items count; retired ones never do.

    Raises:
        ResponseLogError: scores above an item's highest, or no item of the log that counts.
    """
    place, left_out = places(log, bank, pretest=pretest)
    known = np.flatnonzero(place >= 0)
    if not len(known):
        first = next(iter(left_out), None)
        why = f': "{first}" is {left_out[first]}' if first is not None else ""
        raise ResponseLogError("response log", [f"none of its {log.n_items} items counts{why}"])
    parameters = select(bank.parameters, place[known])
    row, highest = np.full(log.n_items, -1, np.int32), np.full(log.n_items, NEVER, np.int32)
    row[known], highest[known] = parameters.first[:-1], np.diff(parameters.first) - 1
    small = len(parameters.steps) <= np.iinfo(np.uint16).max
    points = np.concatenate([bank.items[where].earned for where in place[known]]).astype(np.int64)
    codes: NDArray[Any] = np.empty(log.n_answers, np.uint16 if small else np.uint32)
    raw = np.zeros(log.n_persons, np.int64)
    own = np.arange(len(points)) - np.repeat(parameters.first[:-1], np.diff(parameters.first))
    alike = len(np.unique(highest)) == 1 and np.array_equal(points, own)
    if alike and highest[0] < NEVER and log.score.min(initial=0) >= 0:
        start, beyond = log.start, log.score.max(initial=0) > highest[0]
        _encode_alike(log.start, log.item, log.score, highest[0] + 1, codes, raw)
    else:
        counts = np.zeros(log.n_persons + 1, np.int64)
        beyond = _encode_some(log.start, log.item, log.score, row, highest, points, codes, raw, counts[1:])
        start = read_only(np.cumsum(counts))
    if beyond:
        raise ResponseLogError("response log", _beyond(log, highest))
    return Answers(parameters, start, read_only(codes[: start[-1]]), raw, left_out)


def places(log: ResponseLog, bank: ItemBank, *, pretest: bool) -> tuple[Ints, dict[str, str]]:
    """Place in the bank of each item of a log, −1 for those that do not count; and why they do not.

    Args:
        log: the answers; ``bank``: the items with their parameters.
        pretest: whether pretest items count; retired ones never do.
    """
    admitted = {"operational", "pretest"} if pretest else {"operational"}
    place, left_out = np.full(log.n_items, -1, np.int64), {}
    for number, name in enumerate(map(str, log.items.tolist())):
        where = bank.index.get(name)
        if where is None:
            left_out[name] = "not in the bank"
        elif bank.items[where].status not in admitted:
            left_out[name] = f"{bank.items[where].status} items do not count"
        else:
            place[number] = where
    return place, left_out


@jit()
def _encode_alike(start: Any, item: Any, score: Any, categories: Any, code: Any, raw: Any) -> None:
    """Every answer counts, and all items have as many scores."""
    for answer in range(item.size):
        code[answer] = categories * item[answer] + score[answer]
    for person in range(raw.size):
        points = 0
        for answer in range(start[person], start[person + 1]):
            points += score[answer]
        raw[person] = points


@jit()
def _encode_some(
    start: Any, item: Any, score: Any, row: Any, highest: Any, points: Any, code: Any, raw: Any, length: Any
) -> bool:
    """Some answers count: the others are passed over."""
    written, beyond = 0, 0
    for person in range(raw.size):
        before, earned = written, 0
        for answer in range(start[person], start[person + 1]):
            there, value = row[item[answer]], score[answer]
            if there >= 0 and value > highest[item[answer]]:
                beyond += 1
            elif there >= 0 and value >= 0:
                code[written] = there + value
                earned += points[there + value]
                written += 1
        length[person], raw[person] = written - before, earned
    return beyond != 0


def _beyond(log: ResponseLog, highest: NDArray[Any]) -> list[str]:
    """The items with scores above their highest."""
    faults = []
    for item in np.unique(log.item[log.score > highest[log.item]]):
        scores = "0, 1" if highest[item] == 1 else f"0 to {highest[item]}"
        name, most = log.items[item], highest[item]
        faults.append(f'item "{name}" has scores above {most}; this model takes {scores} or missing')
    return faults

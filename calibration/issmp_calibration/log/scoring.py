"""Score each distinct kind of answer once: the item, what was said, and what it is worth.

A log of 10⁸ rows holds a few thousand distinct (item, answer) pairs. They are judged here in plain Python; the rows
only carry the number of their pair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from issmp_calibration.log.key import ItemKey
from issmp_calibration.log.rules import Omitted, Rules
from issmp_cat.spelling import did_you_mean

__all__ = ["Fault", "Pair", "Scorer", "Verdict", "response_meaning"]

TRUTH = {"true": 1, "t": 1, "false": 0, "f": 0}
MISSING = {"", "na", "n/a", "nan", "null", "none"}
STATUS: Mapping[str, Literal["answered", "omitted", "not_reached", "not_presented"]] = {
    "answered": "answered",
    "omitted": "omitted",
    "not_reached": "not_reached",
    "timed_out": "not_reached",
    "not_presented": "not_presented",
}


class Pair(NamedTuple):
    """A distinct answer as it stands in the source; None where a cell is empty or a column absent."""

    code: int
    item: str | None
    option: str | None
    score: str | None
    response: str | None
    status: str | None
    rows: int


class Verdict(NamedTuple):
    """What a pair is worth: ``score`` −1 for none, ``option`` None for omitted."""

    item: str
    option: str | None
    score: int
    omitted: bool = False


class Fault(NamedTuple):
    """Why a pair is refused."""

    kind: str
    message: str


@dataclass(slots=True)
class Scorer:
    """Turns pairs into verdicts.

    Attributes:
        key: the item file, or None for a log that brings scores.
        rules: what counts as what.
        omitted: how an omitted answer to a scored item counts.
        response_is_option: whether the role ``response`` holds options; scores otherwise.
        by_option: whether answers are options, so that no option means omitted.
        wide: an empty cell means "not presented" there, unless the rules say otherwise.
        disagreements: answers whose own score is not the key's.
    """

    key: ItemKey | None
    rules: Rules
    omitted: Omitted
    response_is_option: bool
    by_option: bool
    wide: bool
    disagreements: int = field(default=0)

    def judge(self, pair: Pair) -> Verdict | Fault | None:
        """The pair's worth, its fault, or None if it is to be left out (not presented)."""
        status = STATUS.get((pair.status or "answered").strip().lower())
        option, score = self._said(pair)
        if status == "not_presented" or (self.wide and option is None and score is None and self._skip_empty()):
            return None
        if option in self.rules.omitted_codes:
            option = None
        if fault := self._fault(pair):
            return fault
        item = pair.item or ""
        if status == "not_reached":
            return Verdict(item, None, self._blank(item, self.rules.not_reached), omitted=True)
        nothing = option is None and (self.by_option or score is None)  # an empty score is an answer left out too
        if status == "omitted" or nothing:
            return Verdict(item, None, self._blank(item, self.omitted), omitted=True)
        return self._worth(pair, option, score)

    def _said(self, pair: Pair) -> tuple[str | None, str | None]:
        """Option and score of a pair."""
        option, score, response = _text(pair.option), _text(pair.score), _text(pair.response)
        if self.response_is_option:
            option = option or response
        else:
            score = score or response
        return option, score

    def _fault(self, pair: Pair) -> Fault | None:
        """What is wrong with a pair before its answer is looked at."""
        if pair.item is None:
            return Fault("rows without an item", "no item")
        if self.key is not None and pair.item not in self.key.index:
            hint = did_you_mean(pair.item, self.key.items)
            return Fault("unknown items", f'item "{pair.item}" is not in {self.key.name}{hint}')
        if pair.status is not None and pair.status.strip().lower() not in STATUS:
            hint = did_you_mean(pair.status, STATUS) or f"; expected {', '.join(STATUS)}"
            return Fault("unknown score_status", f'score_status "{pair.status}"{hint}')
        return None

    def _skip_empty(self) -> bool:
        return self.rules.empty_cell == "not_presented"

    def _blank(self, item: str, rule: Omitted) -> int:
        """The score of an item left blank; a pretest item's blank is never held against it."""
        pretest = self.key is not None and self.key.status[self.key.index[item]] == "pretest"
        return 0 if rule == "wrong" and not pretest else -1

    def _worth(self, pair: Pair, option: str | None, score: str | None) -> Verdict | Fault:
        """An answer that was given, by the key or by its own score."""
        own = _score(score, self.rules.max_score)
        if isinstance(own, Fault):
            return own
        item = pair.item or ""
        if self.key is None or option is None:
            return Verdict(item, option, own)
        place = self.key.index[item]
        allowed, correct = self.key.allowed(place), self.key.correct[place]
        option = option if option in allowed or option.upper() not in {*allowed, *correct} else option.upper()
        if allowed and option not in allowed:
            return Fault(
                "unknown options", f'option "{option}" for item "{item}"; its options are {", ".join(allowed)}'
            )
        if not correct:
            return Verdict(item, option, own)
        worth = int(option in correct)
        self.disagreements += pair.rows * (own not in {-1, worth})
        return Verdict(item, option, worth)

    def notes(self, pairs: Sequence[Pair], verdicts: Mapping[int, Verdict | Fault | None]) -> list[str]:
        """What was decided about answers without an answer, with counts."""
        blank = {0: 0, -1: 0}
        left_out = 0
        for pair in pairs:
            verdict = verdicts[pair.code]
            if verdict is None:
                left_out += pair.rows
            elif isinstance(verdict, Verdict) and verdict.omitted:
                blank[verdict.score] += pair.rows
        said = {
            f"{blank[0]:,} omitted answers count as wrong": blank[0],
            f"{blank[-1]:,} omitted or not reached answers count as missing": blank[-1],
            f"{left_out:,} {_skipped(wide=self.wide)}": left_out,
            f"{self.disagreements:,} answers carry another score than the key's; the key counts": self.disagreements,
        }
        return [note for note, number in said.items() if number]


def _skipped(*, wide: bool) -> str:
    """What was left out as not presented, and how a wide table's empty cells become omitted answers."""
    if not wide:
        return "rows are taken as not presented"
    return (
        "empty cells are taken as not presented, whatever --omitted says; "
        'as omitted answers with --empty-cell omitted, Rules(empty_cell="omitted")'
    )


def _text(cell: str | None) -> str | None:
    """A cell without its blanks; None if it says nothing."""
    if cell is None or cell.strip().lower() in MISSING:
        return None
    return cell.strip()


def _score(text: str | None, most: int) -> int | Fault:
    """A whole score from 0 to ``most``, −1 for none."""
    if text is None:
        return -1
    try:
        value = float(TRUTH.get(text.lower(), text))
    except ValueError:
        value = -1.0
    if 0 <= value <= most and value == int(value):
        return int(value)
    expected = "0, 1 or empty" if most == 1 else f"a whole number from 0 to {most}, or empty"
    return Fault("impossible scores", f"score {text} for {_item_of(most)}; expected {expected}")


def _item_of(most: int) -> str:
    return "a dichotomous item" if most == 1 else f"an item of {most} points"


def response_meaning(pairs: Sequence[Pair], key: ItemKey | None) -> Literal["option", "score"]:
    """What a column that may hold either holds.

    With a key: scores if there is nothing but 0, 1 and blanks, unless 0 or 1 are options of the key. Without a key
    whatever is a number is taken for a score, so that 7 is an impossible score and not an option.
    """
    said = {text for pair in pairs if (text := _text(pair.response)) is not None}
    if key is None:
        return "score" if any(_is_number(text) for text in said) or not said else "option"
    labels = set().union(*key.correct)
    scored = all(not isinstance(_score(text, 1), Fault) for text in said)
    return "score" if scored and not labels & {"0", "1"} else "option"


def _is_number(text: str) -> bool:
    return text.lower() in TRUTH or re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+", text) is not None

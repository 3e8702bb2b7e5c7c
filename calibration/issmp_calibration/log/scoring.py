"""Score each distinct kind of answer once: the item, what was said, and what it is worth.

A log of 10⁸ rows holds a few thousand distinct (item, answer) pairs. They are judged here in plain Python; the rows
only carry the number of their pair.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal, NamedTuple

from issmp_calibration.log.key import ItemKey
from issmp_calibration.log.rules import Omitted, Rules
from issmp_calibration.log.versions import base
from issmp_cat.spelling import did_you_mean

__all__ = ["MISSING", "Fault", "Pair", "Scorer", "Verdict", "is_code", "number", "response_meaning"]

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
    """What a pair is worth: ``score`` −1 for none, ``option`` None for omitted; not reached is omitted too."""

    item: str
    option: str | None
    score: int
    omitted: bool = False
    reached: bool = True


class Fault(NamedTuple):
    """Why a pair is refused; ``cell`` is what stands there, where that is the fault."""

    kind: str
    message: str
    cell: str = ""


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
        left_out: why a pair is left out, by code: ``retired``, ``not_presented`` or ``empty_cell``.
    """

    key: ItemKey | None
    rules: Rules
    omitted: Omitted
    response_is_option: bool
    by_option: bool
    wide: bool
    disagreements: int = field(default=0)
    left_out: dict[int, str] = field(default_factory=dict)

    def judge(self, pair: Pair) -> Verdict | Fault | None:
        """The pair's worth, its fault, or None if it is to be left out (not presented)."""
        status = STATUS.get((pair.status or "answered").strip().lower())
        option, score = self._said(pair)
        empty = self.wide and option is None and score is None and self._skip_empty()
        why = "retired" if self._is_retired(pair) else "not_presented" if status == "not_presented" else "empty_cell"
        if empty or why != "empty_cell":
            self.left_out[pair.code] = why
            return None
        codes = self.rules.omitted_codes
        option, score = None if is_code(option, codes) else option, None if is_code(score, codes) else score
        if fault := self._fault(pair):
            return fault
        nothing = option is None and (self.by_option or score is None)  # an empty score is an answer left out too
        if status in {"omitted", "not_reached"} or nothing:
            return self._blank(pair, reached=status != "not_reached")
        return self._worth(pair, option, score)

    def _is_retired(self, pair: Pair) -> bool:
        """Whether the item counts no more, whatever was answered."""
        return self.rules.retired == "drop" and self._status(pair.item or "") == "retired"

    def _status(self, item: str) -> str:
        """Status of an item; operational where no key says otherwise."""
        return (
            "operational" if self.key is None or item not in self.key.index else self.key.status[self.key.index[item]]
        )

    def _name(self, item: str) -> str:
        """The item that an answer counts for: its own version, or all of them together."""
        return base(item) if self.rules.item_versions == "pooled" else item

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

    def _blank(self, pair: Pair, *, reached: bool) -> Verdict:
        """An item left blank, or not reached; by default a pretest item's blank is never held against anyone."""
        item = pair.item or ""
        pretest = self._status(item) == "pretest"
        rule = self.rules.not_reached if not reached else self.rules.omitted_pretest if pretest else self.omitted
        wrong = rule == "wrong" and (reached or not pretest or self.rules.omitted_pretest == "wrong")
        return Verdict(self._name(item), None, 0 if wrong else -1, omitted=True, reached=reached)

    def _worth(self, pair: Pair, option: str | None, score: str | None) -> Verdict | Fault:
        """An answer that was given, by the key or by its own score."""
        item = pair.item or ""
        most = (
            self.rules.max_score if self.key is None else self.key.highest(self.key.index[item], self.rules.max_score)
        )
        own = _score(score, most)
        if isinstance(own, Fault):
            return own
        if self.key is None or option is None:
            return Verdict(self._name(item), option, own)
        place = self.key.index[item]
        allowed, correct = self.key.allowed(place), self.key.correct[place]
        option = option if option in allowed or option.upper() not in {*allowed, *correct} else option.upper()
        if allowed and option not in allowed:
            expected = f"its options are {', '.join(allowed)}"
            return Fault("unknown options", f'option "{option}" for item "{item}"; {expected}', option)
        if not correct:
            return Verdict(self._name(item), option, own)
        worth = self.key.worth(place, option)
        self.disagreements += pair.rows * (own not in {-1, worth})
        return Verdict(self._name(item), option, worth)

    def notes(self, pairs: Sequence[Pair], verdicts: Mapping[int, Verdict | Fault | None]) -> list[str]:
        """What was decided about answers without an answer, with counts."""
        blank = Counter[tuple[bool, int]]()
        left_out = Counter[bool]()
        for pair in pairs:
            verdict = verdicts[pair.code]
            if verdict is None:
                left_out[self.left_out.get(pair.code) == "retired"] += pair.rows
            elif isinstance(verdict, Verdict) and verdict.omitted:
                blank[verdict.reached, verdict.score] += pair.rows
        said = {
            f"{blank[reached, score]:,} {_unanswered(reached=reached)} answers count as {_counted_as(score)}": blank[
                reached, score
            ]
            for reached in (True, False)
            for score in (0, -1)
        }
        said |= {
            f"{left_out[True]:,} answers to retired items are left out (--retired keep brings them back)": left_out[
                True
            ],
            f"{left_out[False]:,} {_skipped(wide=self.wide)}": left_out[False],
            f"{self.disagreements:,} answers carry another score than the key's; the key counts": self.disagreements,
        }
        return [note for note, number in said.items() if number]


def _unanswered(*, reached: bool) -> str:
    return "omitted" if reached else "not reached"


def _counted_as(score: int) -> str:
    return "missing" if score < 0 else "wrong"


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


def number(text: str) -> float | None:
    """What a cell is as a finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def is_code(text: str | None, codes: Sequence[str]) -> bool:
    """Whether a cell stands for "no answer": by its text, or as a number, since programs write 9 as 9.0.

    >>> is_code("9.0", ["9"]), is_code("N", ["9", "N"]), is_code("90", ["9"])
    (True, True, False)
    """
    if text is None or not codes:
        return False
    return text in codes or ((value := number(text)) is not None and value in map(number, codes))


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
    return Fault("impossible scores", f"score {text} for {_item_of(most)}; expected {expected}", text)


def _item_of(most: int) -> str:
    return "a dichotomous item" if most == 1 else f"an item of {most} points"


def response_meaning(
    pairs: Sequence[Pair], key: ItemKey | None, most: int = 1, codes: Sequence[str] = ()
) -> Literal["option", "score"]:
    """What a column that may hold either holds.

    With a key: scores if there is nothing but 0 to ``most`` and blanks, unless one of them is an option of the key.
    Codes for "no answer" tell nothing.
    Without a key whatever is a number is taken for a score, so that 7 is an impossible score and not an option.
    """
    said = {text for pair in pairs if (text := _text(pair.response)) is not None and not is_code(text, codes)}
    if key is None:
        return "score" if any(_is_number(text) for text in said) or not said else "option"
    labels = set().union(*key.correct)
    scored = all(not isinstance(_score(text, most), Fault) for text in said)
    return "score" if scored and not labels & {str(score) for score in range(most + 1)} else "option"


def _is_number(text: str) -> bool:
    return text.lower() in TRUTH or re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+", text) is not None

"""Who answers: a person at a terminal, a list of answers, or the model itself."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from issmp_cat.cli.talk import say
from issmp_cat.errors import SessionError, UsageError

if TYPE_CHECKING:
    from issmp_cat.bank import Item, ItemBank
    from issmp_cat.session import Session

__all__ = ["Person", "Reply", "Respondent", "Script", "Simulee"]

# The project's standard candidates: a median of 60 seconds an item, SD 0.5 in logs.
MEDIAN_SECONDS, LOG_SD = 60.0, 0.5


class Reply(NamedTuple):
    """An answer (a score or a letter), or None to stop; the seconds it took; whether Ctrl-C ended it."""

    response: int | str | None
    seconds: float
    interrupted: bool = False


class Respondent(Protocol):
    """Answers the item that is due."""

    def __call__(self, session: Session, item: Item) -> Reply:
        """The answer to ``item``."""
        ...


class Person:
    """Somebody at a terminal: sees the question, is asked again until the answer can be read; q or no input stops."""

    def __call__(self, session: Session, item: Item) -> Reply:
        """Show the question and wait."""
        from issmp_cat.cli.pages import question_page

        say(question_page(session, item))
        began = time.monotonic()
        try:
            response = _ask(item)
        except KeyboardInterrupt:
            return Reply(None, time.monotonic() - began, interrupted=True)
        return Reply(response, time.monotonic() - began)


def _ask(item: Item) -> int | str | None:
    """What was typed, once it can be read; None for q and at the end of input."""
    while True:
        print(f"Your answer ({hint(item)}; q stops): ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line or line.strip().lower() in ("q", "quit"):
            return None
        response = understand(item, line)
        if response is not None:
            return response
        say(f'"{line.strip()}" is not an answer here: type {hint(item)}, or q to stop; your answers are kept.')


class Script:
    """Answers from a file, one after another, by letter or as 1 and 0; stops where they end."""

    def __init__(self, path: str) -> None:
        self._path = "standard input" if path == "-" else path
        self._words = _words(path)

    def __call__(self, session: Session, item: Item) -> Reply:
        """The next answer of the list."""
        place, word = next(self._words, (0, ""))
        if not word:
            return Reply(None, 0.0)
        response = understand(item, word)
        if response is None:
            where = f"answer {session.questions + 1}"
            raise SessionError(self._path, [f'line {place}: {where} is "{word}"; expected {hint(item)}'])
        return Reply(response, 0.0)


def _words(path: str) -> Iterator[tuple[int, str]]:
    """Line number and word of everything in a file, or of standard input."""
    from issmp_cat.files import read_text

    text = sys.stdin.read() if path == "-" else read_text(Path(path), SessionError)
    return iter([(n, word) for n, line in enumerate(text.splitlines(), 1) for word in line.replace(",", " ").split()])


class Simulee:
    """A simulated candidate: answers with the chances the model gives at ``theta``, by the bank that holds the truth.

    Args:
        theta: ability, logits.
        truth: the bank whose parameters answer.
        seed: what the draws follow from.
    """

    def __init__(self, theta: float, truth: ItemBank, seed: int) -> None:
        if not math.isfinite(theta):
            raise UsageError(f"--simulee {theta}: a number of logits is needed, such as -0.3")
        self.theta, self._truth, self._seed = theta, truth, seed

    def __call__(self, session: Session, item: Item) -> Reply:
        """Draw the answer and the time it takes."""
        from issmp_cat.irt import draw_score
        from issmp_cat.random import PRETEST_RESPONSE, PRETEST_TIME, RESPONSE, TIME, normal, uniform

        if item.id not in self._truth.index:
            raise SessionError("--truth", [f'item "{item.id}" is not in bank "{self._truth.id}"'])
        true = self._truth.index[item.id]
        if (other := self._truth.items[true].highest) != item.highest:
            problem = f'item "{item.id}" is scored 0 to {item.highest}, but 0 to {other} in bank "{self._truth.id}"'
            raise SessionError("--truth", [problem])
        n, person, answering, timing = len(session.answers), session.opening.person, RESPONSE, TIME
        if session.slot is not None:
            n, answering, timing = session.slot, PRETEST_RESPONSE, PRETEST_TIME
        score = draw_score(self._truth.parameters, true, self.theta, uniform(self._seed, answering, person, n))
        return Reply(score, MEDIAN_SECONDS * math.exp(LOG_SD * normal(self._seed, timing, person, n)))


def letters(item: Item) -> list[str]:
    """The letters of an item's options; none when the bank holds no text."""
    return [chr(ord("A") + k) for k in range(len(item.content.options))] if item.content else []


def hint(item: Item) -> str:
    """What may be answered."""
    given = letters(item)
    if given:
        return f"{given[0]}–{given[-1]}"
    if item.model == "nrm":
        return f"the category, 0 to {item.highest}"
    return "1 for right, 0 for wrong" if item.highest == 1 else f"the score, 0 to {item.highest}"


def understand(item: Item, text: str) -> int | str | None:
    """A typed answer as the session takes it; None when it cannot be read.

    >>> from issmp_cat.bank import Item
    >>> understand(Item(id="i", domain="D1", b=0.0), " 1 "), understand(Item(id="i", domain="D1", b=0.0), "A")
    (1, None)
    """
    word = text.strip().upper()
    given = letters(item)
    if given:
        return word if word in given else None
    return int(word) if word in map(str, range(item.highest + 1)) else None

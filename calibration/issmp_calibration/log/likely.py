"""What a column probably is, by its name: never decided upon, only offered in a message."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

__all__ = ["ignore_it", "likely", "name_it"]

# Beginnings of words that name a role, in names that the reader does not take by themselves.
WORDS: dict[str, tuple[str, ...]] = {
    "candidate": (
        "candidate", "person", "examinee", "student", "pupil", "learner", "participant", "respondent", "subject",
        "testtaker", "taker", "testee", "user", "login", "account", "name", "surname", "lastname", "email", "mail",
        "who", "id", "ident", "kandidat", "sch\u00fcler", "schueler",
    ),
    "item": ("item", "question", "task", "problem", "exercise", "stimulus", "qid", "frage", "aufgabe"),
    "response": (
        "response", "resp", "answer", "score", "scored", "point", "mark", "grade", "result", "correct", "option",
        "choice", "chosen", "value", "antwort", "punkte",
    ),
}  # fmt: skip
SHORTEST = 4  # letters of a word that longer ones may begin with: "userid" is near "user", "idea" is not near "id"


def likely(role: str, names: Iterable[str]) -> str | None:
    """The first column whose name sounds like a role; None if none does.

    >>> likely("item", ["pupil", "question_nr", "points"]), likely("candidate", ["Q1", "Q2"])
    ('question_nr', None)
    """
    return next((name for name in names if any(_sounds(word, role) for word in _words(name))), None)


def _words(name: str) -> list[str]:
    """The words of a name, cut at capitals as well: ``StudentID`` is student, id."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+", name)]


def _sounds(word: str, role: str) -> bool:
    return any(word == known or (len(known) >= SHORTEST and word.startswith(known)) for known in WORDS[role])


def name_it(role: str, name: str) -> str:
    """How to say that a column has a role, on the command line and in Python.

    >>> name_it("item", "question nr")
    "--column 'item=question nr' (columns={'item': 'question nr'})"
    """
    pair = {role: name}
    return f"--column {shlex.quote(f'{role}={name}')} (columns={pair!r})"


def ignore_it(name: str) -> str:
    """How to say that a column is not to be read.

    >>> ignore_it("total")
    "--column ignore=total (columns={'ignore': ['total']})"
    """
    pair = {"ignore": [name]}
    return f"--column {shlex.quote(f'ignore={name}')} (columns={pair!r})"

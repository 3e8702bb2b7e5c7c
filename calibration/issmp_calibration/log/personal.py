"""What rows say of their candidate, as far as all of them say the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from issmp_calibration.log.arrow import Column
from issmp_calibration.log.dictionary import NULL, Dictionary
from issmp_cat.arrays import Ints
from issmp_cat.compiled import jit

__all__ = ["Personal"]


@jit(allocates=False)
def _note(person: Any, code: Any, first: Any) -> bool:
    """Keep what is said first of each candidate; True if another row says something else. Nothing said is no word."""
    changed = False
    for row in range(person.size):
        if code[row] >= 0 and person[row] >= 0:
            known = first[person[row]]
            if known < 0:
                first[person[row]] = code[row]
            changed |= known >= 0 and known != code[row]
    return changed


class Personal:
    """One column about candidates, gathered while rows go by.

    Args:
        texts: whether cells are texts; whole numbers otherwise.

    >>> column = Personal(texts=False)
    >>> column.take(np.array([0, 1, 0], np.int32), Column(np.array([40, 25, 40]), np.zeros(0, np.uint8)))
    >>> column.cells(np.array([1, 0]), 2)
    ['25', '40']
    """

    def __init__(self, *, texts: bool) -> None:
        self._dictionary = Dictionary(texts=texts)
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._first = np.full(1024, NULL, np.int32)
        self._changed = False

    def take(self, person: Any, column: Column) -> None:
        """Hear some rows.

        Args:
            person: code of each row's candidate, −1 for none. Shape ``(rows,)``.
            column: what they say.
        """
        most = int(person.max(initial=-1)) + 1
        if most > len(self._first):
            more = np.full(max(most, len(self._first)), NULL, np.int32)
            self._first = np.concatenate([self._first, more])
        self._changed |= bool(_note(person, self._dictionary.code(column), self._first))

    def cells(self, place: Ints, persons: int) -> list[str] | None:
        """What is said of each candidate in order, empty for nothing; None if rows contradict each other.

        Args:
            place: place of each candidate's code. Shape ``(persons,)``.
            persons: how many there are.
        """
        if self._changed:
            return None
        codes = np.full(persons, NULL)
        codes[place] = self._first[: len(place)]
        texts = [*self._dictionary.strings(), ""]  # so that −1 finds the last
        return [texts[code] for code in codes.tolist()]

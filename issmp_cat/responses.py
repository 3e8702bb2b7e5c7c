"""A response log as arrays: who answered what, stored sparse, one row of answers per candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Floats, Ints, read_only
from issmp_cat.errors import ResponseLogError

__all__ = ["NO_OPTION", "NO_SCORE", "ResponseLog"]

NO_SCORE = -1
NO_OPTION = 255


@dataclass(frozen=True, slots=True)
class ResponseLog:
    """Answers in compressed sparse rows: those of person ``p`` are ``start[p]:start[p + 1]``.

    Attributes:
        persons: candidate ids. Shape ``(persons,)``.
        items: item ids. Shape ``(items,)``.
        start: offsets into the answers. Shape ``(persons + 1,)``.
        item: index into ``items``. Shape ``(answers,)``, as are the columns below.
        score: 0, 1, …; −1 where an answer has no score (treated as missing).
        option: index into ``options``, 255 for omitted; None when the log holds scores only.
        options: the option labels.
        seconds: time on the item, NaN where none was recorded; None when the log has no times.
        position: place of the item in the candidate's test, from 0; None when unknown.
        unscored: whether an answer counted nothing for its candidate, as those to pretest items; None when all counted.
        candidates: further columns about candidates, each of shape ``(persons,)``.
        note: what was understood, assumed or left out when the log was read.
        status: 0 answered, 1 omitted, 2 not reached, as the answers above; None when nothing tells them apart.
        report: what was dropped or changed when the log was read, rule by rule; None when it was not read from a file.
    """

    persons: NDArray[Any]
    items: NDArray[Any]
    start: Ints
    item: NDArray[np.unsignedinteger[Any]]
    score: NDArray[np.int8]
    option: NDArray[np.uint8] | None = None
    options: tuple[str, ...] = ()
    seconds: NDArray[np.float32] | None = None
    position: NDArray[np.int16] | None = None
    unscored: NDArray[np.bool_] | None = None
    candidates: Mapping[str, NDArray[Any]] = field(default_factory=lambda: MappingProxyType({}))
    note: tuple[str, ...] = ()
    status: NDArray[np.uint8] | None = None
    report: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in (
            "persons",
            "items",
            "start",
            "item",
            "score",
            "option",
            "seconds",
            "position",
            "unscored",
            "status",
        ):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, read_only(value))

    @property
    def n_persons(self) -> int:
        """Number of candidates, those without answers included."""
        return len(self.persons)

    @property
    def n_items(self) -> int:
        """Number of items, those nobody saw included."""
        return len(self.items)

    @property
    def n_answers(self) -> int:
        """Number of answers."""
        return len(self.item)

    @property
    def person(self) -> Ints:
        """Index of the candidate of each answer. Shape ``(answers,)``."""
        return np.repeat(np.arange(self.n_persons), np.diff(self.start))

    def wide(self) -> Floats:
        """Scores as a matrix with NaN where there is none. Shape ``(persons, items)``."""
        matrix = np.full((self.n_persons, self.n_items), np.nan)
        scored = self.score >= 0
        matrix[self.person[scored], self.item[scored]] = self.score[scored]
        return matrix

    @classmethod
    def from_wide(
        cls,
        scores: NDArray[Any],
        *,
        items: Sequence[str] | None = None,
        persons: Sequence[str] | None = None,
    ) -> ResponseLog:
        """A log from a matrix of scores, persons in rows, NaN for missing.

        Raises:
            ResponseLogError: not a matrix, names that do not fit it, or a score that is not a whole number from 0
                to 127.

        >>> log = ResponseLog.from_wide(np.array([[1, 0], [np.nan, 1]]))
        >>> log.start, log.item, log.score
        (array([0, 2, 3]), array([0, 1, 1], dtype=uint16), array([1, 0, 1], dtype=int8))
        """
        matrix = np.asarray(scores, dtype=np.float64)
        if matrix.ndim != 2:
            raise ResponseLogError("scores", [f"a matrix of persons × items is needed, got {matrix.ndim} dimension(s)"])
        seen = ~np.isnan(matrix)
        values = matrix[seen]
        wrong = (values < 0) | (values > 127) | (values != np.floor(values))
        if wrong.any():
            raise ResponseLogError("scores", [f"{wrong.sum()} impossible scores, for example {values[wrong][0]:g}"])
        n_persons, n_items = matrix.shape
        unfit = [
            f"{len(names)} names for {n} {what}"
            for what, names, n in (("persons", persons, n_persons), ("items", items, n_items))
            if names is not None and len(names) != n
        ]
        if unfit:
            raise ResponseLogError("scores", unfit)
        _, column = np.nonzero(seen)
        return cls(
            persons=np.array(persons if persons is not None else [f"C{p + 1:05d}" for p in range(n_persons)]),
            items=np.array(items if items is not None else [f"I{i + 1:04d}" for i in range(n_items)]),
            start=np.concatenate([[0], np.cumsum(seen.sum(axis=1))]).astype(np.int64),
            item=column.astype(np.uint16 if n_items <= 0xFFFF else np.uint32),
            score=values.astype(np.int8),
        )

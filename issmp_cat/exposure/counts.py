"""What finished exams tell: who was admitted to an item, and who was given it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from issmp_cat.arrays import Floats, read_only

__all__ = ["Counts", "next_admission"]


@dataclass(frozen=True, eq=False, slots=True)
class Counts:
    """Finished exams by the band of the final θ̂; weighted when earlier ones count less.

    Attributes:
        candidates: how many. Shape ``(bands,)``.
        eligible: how many were admitted to the item in that band. Shape ``(bands, items)``.
        given: how many were. Shape ``(bands, items)``.
    """

    candidates: Floats
    eligible: Floats
    given: Floats

    @classmethod
    def none(cls, bands: int, items: int) -> Self:
        """Nobody yet."""
        return cls(np.zeros(bands), np.zeros((bands, items)), np.zeros((bands, items)))

    def then(self, later: Counts, *, keep: float = 1.0) -> Counts:
        """With later exams added; ``keep`` is the weight that these keep beside them."""
        return Counts(
            read_only(keep * self.candidates + later.candidates),
            read_only(keep * self.eligible + later.eligible),
            read_only(keep * self.given + later.given),
        )

    @property
    def rates(self) -> Floats:
        """Share of a band's candidates who saw each item. Shape ``(bands, items)``."""
        return self.given / np.maximum(self.candidates, 1.0)[:, None]

    @property
    def overall(self) -> Floats:
        """Share of all candidates who saw each item. Shape ``(items,)``."""
        rates: Floats = self.given.sum(axis=0) / max(float(self.candidates.sum()), 1.0)
        return rates


def next_admission(counts: Counts, target: float, before: Floats) -> Floats:
    """The share of candidates to admit to each item from now on: ``min(1, r ε / α)``.

    ε candidates were admitted to the item and α were given it, so α / ε estimates P(S), the chance that an admitted
    candidate is given the item; a share r / P(S) of admitted candidates makes the rate r. With the counts of one round
    of simulation this is the step of Sympson and Hetter (1985): K = 1 where P(S) ≤ r, else r / P(S). With the counts of
    all exams so far it is the rule of van der Linden and Veldkamp (2004; by bands of θ: 2007). Whom a released domain
    lets have the item counts as given, not as admitted: the share then falls until the rate holds all the same.

    Args:
        counts: of finished exams.
        target: r, the largest rate wanted.
        before: the shares so far, kept where nobody was eligible. Shape ``(bands, items)``.

    >>> counts = Counts(np.array([100.0]), np.array([[50.0, 100.0, 0.0]]), np.array([[40.0, 10.0, 0.0]]))
    >>> next_admission(counts, 0.25, np.array([[0.5, 1.0, 0.1]]))
    array([[0.3125, 1.    , 0.1   ]])
    """
    wanted = target * counts.eligible / np.where(counts.given > 0, counts.given, 1.0)
    shares: Floats = np.where(counts.given > 0, np.minimum(1.0, wanted), 1.0)
    return np.where(counts.eligible > 0, shares, before)

"""Finished sessions as counts, from which the eligibility method goes on learning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_cat.errors import SessionError
from issmp_cat.exposure import Counts, ExposureTable
from issmp_cat.selection.admission import lots
from issmp_cat.session.session import Session

__all__ = ["exposure_counts"]


def exposure_counts(table: ExposureTable, sessions: Sequence[Session]) -> Counts:
    """Count finished sessions by the band of their final θ̂; the order in which they come does not matter.

    Args:
        table: under which they were given.
        sessions: finished ones.

    Raises:
        SessionError: sessions that have not ended, or that began under another table.
    """
    problems = [
        f"session {session.candidate or k + 1}: " + ("not finished" if not session.finished else "of another table")
        for k, session in enumerate(sessions)
        if not session.finished or session.exposure is None or session.exposure.version != table.version
    ]
    if problems:
        raise SessionError("exposure counts", problems)
    counts = Counts.none(*table.admit.shape)
    for session in sessions:
        band = int(np.searchsorted(table.edges, session.result.theta, side="right"))
        place = {id_: i for i, id_ in enumerate(table.items)}
        given = np.array([place[answer.item] for answer in session.answers], dtype=np.int64)
        luck = lots(len(table.items), session.seed, np.array([session.opening.person]))[0]
        counts.candidates[band] += 1
        counts.eligible[band] += luck <= table.admit[band]
        counts.given[band, given] += 1
    return counts

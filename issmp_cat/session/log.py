"""Sessions become the next response log: the loop closes here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_cat.errors import SessionError
from issmp_cat.responses import ResponseLog
from issmp_cat.session.session import Session

__all__ = ["response_log"]


def response_log(sessions: Sequence[Session]) -> ResponseLog:
    """The answers of many sessions as one log, ready to be calibrated; answers to pretest items are marked unscored.

    Args:
        sessions: at least one, all on one bank version; finished or not.

    Raises:
        SessionError: no sessions, sessions on different banks, or two of one candidate.
    """
    versions = {session.bank.version for session in sessions}
    if len(versions) != 1:
        raise SessionError(
            "response log", [f"{len(sessions)} sessions on {len(versions)} bank versions; one is needed"]
        )
    names = [session.candidate or f"C{p + 1:05d}" for p, session in enumerate(sessions)]
    if twice := sorted({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()):
        raise SessionError("response log", [f"candidates with more than one session: {', '.join(twice)}"])
    bank = sessions[0].bank
    events = [event for session in sessions for event in session.events]
    answers = [answer for answer, _ in events]
    lengths = [session.questions for session in sessions]
    scored = np.array([counts for _, counts in events], dtype=np.bool_)
    return ResponseLog(
        persons=np.array(names),
        items=np.array(bank.ids),
        start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        item=np.array([bank.index[answer.item] for answer in answers], dtype=np.uint32),
        score=np.array([answer.score for answer in answers], dtype=np.int8),
        seconds=np.array([answer.seconds or np.nan for answer in answers], dtype=np.float32),
        position=np.concatenate([np.arange(n, dtype=np.int16) for n in lengths]),
        unscored=None if scored.all() else ~scored,
    )

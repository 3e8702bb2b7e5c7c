"""May a candidate sit the exam again, and if not, from when?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from issmp_cat.errors import InputRejected

__all__ = ["Eligibility", "attempt_faults", "eligibility", "waiting_rule"]

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether a candidate may sit the exam on a day.

    Attributes:
        on: the day asked about.
        attempts: earlier attempts, in the order of their dates.
        eligible: whether ``on`` is ``earliest`` or later.
        earliest: the first day on which the next attempt is allowed; None when any day is.
        waiting_days: days to wait after the last attempt; 0 before the first.
        rule: which rule decided, in words.
        early: attempts that were taken before they were allowed.
    """

    on: dt.date
    attempts: tuple[dt.date, ...]
    eligible: bool
    earliest: dt.date | None
    waiting_days: int
    rule: str
    early: tuple[dt.date, ...] = ()

    @property
    def days_left(self) -> int:
        """Days from ``on`` until the next attempt is allowed; 0 when it is."""
        return 0 if self.eligible or self.earliest is None else (self.earliest - self.on).days


def eligibility(waiting_days: Sequence[int], attempts: Iterable[dt.date], *, on: dt.date) -> Eligibility:
    """Apply an exam's waiting times to a candidate's earlier attempts.

    After attempt k the candidate waits ``waiting_days[k − 1]`` days; beyond the list its last entry repeats. A wait of
    30 days after the 1st of a month ends on the 31st, which is the first day allowed. An attempt taken too early
    counts as any other, and is told.

    Args:
        waiting_days: days to wait after the first, second, … attempt (``exam.retakes.waiting_days``); empty for none.
        attempts: dates of the earlier attempts, in any order.
        on: the day of the next attempt.

    Raises:
        InputRejected: an attempt after ``on``, or one date given twice; all of them are listed.

    >>> attempts = [dt.date(2026, 1, 10), dt.date(2026, 3, 1)]
    >>> found = eligibility((30, 90, 180), attempts, on=dt.date(2026, 5, 20))
    >>> found.eligible, found.earliest.isoformat(), found.days_left, found.rule
    (False, '2026-05-30', 10, '90 days after the second attempt')
    """
    attempts = tuple(sorted(attempts))
    if faults := attempt_faults(waiting_days, attempts, on=on):
        raise InputRejected("attempts", faults)
    allowed = [_allowed_from(waiting_days, attempts[:k]) for k in range(len(attempts) + 1)]
    earliest = allowed[-1]
    return Eligibility(
        on=on,
        attempts=attempts,
        eligible=earliest is None or on >= earliest,
        earliest=earliest,
        waiting_days=_wait_after(waiting_days, len(attempts)),
        rule=waiting_rule(waiting_days, len(attempts)),
        early=tuple(day for day, since in zip(attempts, allowed, strict=False) if since is not None and day < since),
    )


def attempt_faults(waiting_days: Sequence[int], attempts: Sequence[dt.date], *, on: dt.date) -> list[str]:
    """What cannot be about the dates of earlier attempts; nothing when all can.

    >>> attempt_faults((30,), [dt.date(2026, 7, 1)], on=dt.date(2026, 6, 1))
    ['attempt 2026-07-01 lies in the future of 2026-06-01, the day asked about']
    """
    faults = [
        f"attempt {day} lies in the future of {on}, the day asked about" for day in sorted(set(attempts)) if day > on
    ]
    if 0 not in waiting_days and waiting_days:
        twice = sorted({day for day in attempts if list(attempts).count(day) > 1})
        faults += [f"attempt {day} is given twice; one day holds one attempt" for day in twice]
    return faults


def waiting_rule(waiting_days: Sequence[int], attempts: int) -> str:
    """The rule that holds after so many attempts, in words.

    >>> waiting_rule((30, 90, 180), 5), waiting_rule((30,), 0), waiting_rule((), 2)
    ('180 days after the fifth attempt', 'no earlier attempt', 'the exam has no waiting times')
    """
    if not attempts:
        return "no earlier attempt"
    if not waiting_days:
        return "the exam has no waiting times"
    which = _ORDINALS[attempts - 1] if attempts <= len(_ORDINALS) else f"{attempts}th"
    days = _wait_after(waiting_days, attempts)
    return f"{days} day{'' if days == 1 else 's'} after the {which} attempt"


def _wait_after(waiting_days: Sequence[int], attempts: int) -> int:
    """Days to wait after so many attempts; the last entry repeats."""
    return waiting_days[min(attempts, len(waiting_days)) - 1] if attempts and waiting_days else 0


def _allowed_from(waiting_days: Sequence[int], attempts: Sequence[dt.date]) -> dt.date | None:
    """The first day of the attempt that follows these."""
    if not attempts or not waiting_days:
        return None
    return attempts[-1] + dt.timedelta(days=_wait_after(waiting_days, len(attempts)))

"""One candidate's exam, as a value: each answer gives a new session, and replaying the answers gives the same one."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path
from typing import Any

from issmp_cat.arrays import Floats
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import SessionError
from issmp_cat.exam import Exam, Plan, choose, may_stop, plan_exam, record, standing
from issmp_cat.exam.overlap import Terms, terms_for
from issmp_cat.exam.plan import pool_of
from issmp_cat.selection import State
from issmp_cat.selection.state import copy_state
from issmp_cat.session.events import Answer, answer_event, impossible_answers
from issmp_cat.session.opening import Opening, opening_of
from issmp_cat.session.result import SessionResult, TraceRow
from issmp_cat.session.session_file import read_session_file, write_session_file
from issmp_cat.stopping import NO_ITEM, REASONS, TIME_OUT, count_run, decided_by, decision, is_late

__all__ = ["Session"]


@dataclass(frozen=True, eq=False)
class Session:
    """One candidate's exam.

    Open one with ``exam.start(bank, seed=…)``. A session never changes: :meth:`answer` returns the next one.

    Attributes:
        exam: what the programme decided; ``bank``: its items.
        seed: the session's draws follow from it.
        answers: what happened so far.
        opening: what was known of the candidate at the start.

    >>> from issmp_cat import Exam, ItemBank
    >>> exam, bank = Exam.load("practice"), ItemBank.load_packaged("practice-bank")
    >>> session = exam.start(bank, seed=1)
    >>> while not session.finished:
    ...     session = session.answer(session.next_item, 1)
    >>> session.result.items, session.result.passed
    (20, True)
    """

    exam: Exam
    bank: ItemBank
    seed: int
    candidate: str = ""
    answers: tuple[Answer, ...] = ()
    extra_seconds: float = 0.0
    opening: Opening = field(default_factory=Opening)
    _terms: Terms = field(repr=False, kw_only=True)
    _state: State = field(repr=False, kw_only=True)
    _theta: float = field(repr=False, kw_only=True)
    _se: float = field(repr=False, kw_only=True)
    _reason: int = field(repr=False, kw_only=True)
    _next: int = field(repr=False, kw_only=True)

    @classmethod
    def start(
        cls, exam: Exam, bank: ItemBank, *, seed: int | None = None, candidate: str = "", **known: Any
    ) -> Session:
        """Open a session; see :meth:`Exam.start`."""
        opening = opening_of(f"session {candidate}".strip(), **known)
        seed = secrets.randbits(32) if seed is None else seed
        return cls.replay(exam, bank, (), seed=seed, candidate=candidate, opening=opening)

    @classmethod
    def replay(
        cls,
        exam: Exam,
        bank: ItemBank,
        answers: Sequence[Answer],
        *,
        seed: int,
        candidate: str = "",
        extra_seconds: float = 0.0,
        opening: Opening | None = None,
    ) -> Session:
        """Rebuild a session from answers that are trusted: the cost of one decision, not of all.

        :meth:`load` checks what it reads; this is for a service that kept the answers itself.

        Args:
            exam: the exam; ``bank``: the bank it ran on.
            answers: items and scores in the order given.
            seed: the session's seed, 0 or more and below 2⁶³.
            candidate: whose session it is.
            extra_seconds: time that passed without an answer.
            opening: what was known of the candidate at the start.

        Raises:
            SessionError: an impossible seed, an item that is not in the bank or was given twice, or more answers than
                the exam holds.
        """
        plan = plan_exam(exam, bank)
        index = pool_of(bank).index
        problems = impossible_answers(answers, pool_of(bank), plan.rule.maximum)
        if not isinstance(seed, Integral) or not 0 <= int(seed) < 2**63:
            problems.insert(0, f"seed {seed!r}; expected a whole number from 0 to 2⁶³ − 1")
        opening = opening or Opening()
        if problems := problems + opening.faults(exam):
            raise SessionError(f"session {candidate}".strip(), problems)
        terms = terms_for(exam, bank, opening.seen)
        state = opening.begin(exam, terms)
        for n, answer in enumerate(answers):
            record(plan, state, n, index[answer.item], answer.score)
        session = cls(
            exam, bank, int(seed), candidate, tuple(answers), extra_seconds, opening,
            _terms=terms, _state=state, _theta=0.0, _se=0.0, _reason=0, _next=-1,
        )  # fmt: skip
        return session._assess()

    def _assess(self) -> Session:
        """Estimate, ask the stopping rule, choose the next item."""
        n = len(self.answers)
        theta, se, reason = standing(self._plan, self._state, n)
        programme = self._terms.programme
        if not may_stop(programme, self._state, n):
            reason = 0
        if reason == 0 and is_late(self._plan.rule, self.seconds):
            reason = TIME_OUT
        item = -1
        if reason == 0:
            person = self.opening.person
            item = choose(self._plan, self._plan.criterion, programme, self._state, n, theta, self.seed, person)
        if reason == 0 and item < 0:
            reason = NO_ITEM
        return replace(self, _theta=theta, _se=se, _reason=reason, _next=item)

    @property
    def _plan(self) -> Plan:
        return self._terms.plan

    @property
    def finished(self) -> bool:
        """Whether the exam has ended."""
        return self._reason != 0

    @property
    def seconds(self) -> float:
        """Test time used."""
        return sum(answer.seconds for answer in self.answers) + self.extra_seconds

    @property
    def next_item(self) -> Item | None:
        """The item to give next; None when the exam has ended."""
        return pool_of(self.bank).items[self._next] if self._next >= 0 else None

    @property
    def prior(self) -> tuple[float, float]:
        """Mean and SD of what was known of θ before the first answer, logits: the population's or the candidate's."""
        mean, sd = map(float, self._state.prior)
        return self._plan.prior if math.isnan(mean) else (mean, sd)

    @property
    def prior_weights(self) -> Floats:
        """The prior at the nodes of the posterior's grid, not normalised. Shape ``(nodes,)``."""
        return self._state.origin.copy()

    @property
    def unproven(self) -> int:
        """Decisions that the search had to leave without a proof of optimality."""
        return int(self._state.unproven[0])

    def answer(self, item: Item | str | None, response: int | str, *, seconds: float = 0.0) -> Session:
        """The session after one more answer.

        An answer that arrives after the time limit does not count; it ends the exam.

        Args:
            item: the item that was given, which must be :attr:`next_item`.
            response: 1 or 0, or the letter of the chosen option.
            seconds: time the candidate took.

        Raises:
            SessionError: the exam has ended, another item is due, or the response is impossible; this session is
                as it was.
        """
        given = item.id if isinstance(item, Item) else item
        due = self.next_item
        where = f"session {self.candidate}".strip()
        if due is None:
            raise SessionError(where, [f"the exam has ended: {REASONS[self._reason]}"])
        if given != due.id:
            raise SessionError(where, [f'an answer to "{given}", but "{due.id}" is due; answers come in order'])
        event = answer_event(where, due, response, seconds)
        if is_late(self._plan.rule, self.seconds + event.seconds):
            late = replace(self, extra_seconds=self.extra_seconds + event.seconds)
            return late._assess()  # noqa: SLF001 - our own next value
        state = copy_state(self._state)
        record(self._plan, state, len(self.answers), self._next, event.score)
        following = replace(self, answers=(*self.answers, event), _state=state)
        return following._assess()  # noqa: SLF001 - our own next value

    @property
    def result(self) -> SessionResult:
        """Decision, score and why the exam ended; provisional while it goes on."""
        passed = self._passed()
        ids = self.exam.blueprint.ids
        return SessionResult(
            candidate=self.candidate,
            final=self.finished,
            passed=passed,
            score=self.exam.scale.score(self._theta, passed=passed),
            theta=self._theta,
            se=self._se,
            estimator=self.exam.scoring.estimator,
            reason=REASONS.get(self._reason, "the exam is under way"),
            decided_by=decided_by(self._plan.rule, self._reason),
            items=len(self.answers),
            seconds=self.seconds,
            counts=dict(zip(ids, map(int, self._state.counts), strict=True)),
            quotas=dict(zip(ids, self.exam.blueprint.quotas(max(len(self.answers), 1)), strict=True)),
        )

    def _passed(self) -> bool:
        """By the rule that decided; the estimates on the way are worked out again where they count."""
        rule, run = self._plan.rule, 0
        if self._reason == TIME_OUT and rule.last_n > 0:
            for row in self.trace:
                run = count_run(rule, run, row.theta)
        return decision(rule, self._state, len(self.answers), self._theta, run, self._reason)

    @property
    def trace(self) -> tuple[TraceRow, ...]:
        """θ and its standard error after each answer, replayed."""
        state = self.opening.begin(self.exam, self._terms)
        index = pool_of(self.bank).index
        rows = []
        for n, answer in enumerate(self.answers):
            item = index[answer.item]
            record(self._plan, state, n, item, answer.score)
            theta, se, _ = standing(self._plan, state, n + 1)
            domain = pool_of(self.bank).items[item].domain
            rows.append(TraceRow(n + 1, answer.item, domain, answer.score, answer.seconds, theta, se))
        return tuple(rows)

    def save(self, path: str | Path) -> None:
        """Write the session, to be resumed by :meth:`load`; whole or not at all."""
        write_session_file(self, path)

    @classmethod
    def load(cls, path: str | Path, exam: Exam, bank: ItemBank) -> Session:
        """Resume a session; every answer is checked against the item the exam chose there.

        Raises:
            SessionError: not a session file, one of another exam or bank version, or one whose answers cannot have
                happened in this exam; the file is as it was.
        """
        saved = read_session_file(path, exam, bank)
        names: Any = {"seed": saved.seed, "candidate": saved.candidate, "opening": saved.opening}
        session = cls.replay(exam, bank, (), **names)
        for k, answer in enumerate(saved.answers):
            try:
                response = answer.score if answer.choice is None else answer.choice
                session = session.answer(answer.item, response, seconds=answer.seconds)
            except SessionError as fault:
                problem = f"answer {k + 1} cannot have happened in this exam: {'; '.join(fault.problems)}"
                raise SessionError(str(path), [problem]) from None
            if session.answers[-1:] != (answer,):
                raise SessionError(str(path), [f'answer {k + 1} to "{answer.item}" is not scored by its key'])
        if saved.extra_seconds:
            session = cls.replay(exam, bank, session.answers, **names, extra_seconds=saved.extra_seconds)
        return session

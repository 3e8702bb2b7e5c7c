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
from issmp_cat.exam.exposure import require_table, terms_under
from issmp_cat.exam.overlap import Terms
from issmp_cat.exam.plan import pool_of
from issmp_cat.exam.pretest import LAPSED, Trial, copy_trial, give_pretest
from issmp_cat.exam.pretest_plan import pretest_items
from issmp_cat.exposure import ExposureTable
from issmp_cat.selection import State
from issmp_cat.selection.admission import cast_lots
from issmp_cat.selection.state import copy_state
from issmp_cat.session.events import Answer, answer_event, impossible_answers
from issmp_cat.session.opening import Opening, opening_of
from issmp_cat.session.result import SessionResult, TraceRow
from issmp_cat.session.session_file import read_session_file, write_session_file
from issmp_cat.session.unscored import fresh_trial, impossible_unscored, next_unscored, replay_unscored
from issmp_cat.stopping import NO_ITEM, REASONS, TIME_OUT, count_run, decided_by, decision, is_late

__all__ = ["Session"]


@dataclass(frozen=True, eq=False)
class Session:
    """One candidate's exam.

    Open one with ``exam.start(bank, seed=…)``. A session never changes: :meth:`answer` returns the next one.

    Attributes:
        exam: what the programme decided; ``bank``: its items.
        seed: the session's draws follow from it.
        answers: the scored answers so far; ``unscored``: those to items that are being tried out.
        opening: what was known of the candidate at the start.
        exposure: who is admitted to which item; None where the exam has no exposure control.

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
    unscored: tuple[Answer, ...] = ()
    exposure: ExposureTable | None = field(default=None, repr=False)
    _terms: Terms = field(repr=False, kw_only=True)
    _state: State = field(repr=False, kw_only=True)
    _trial: Trial = field(repr=False, kw_only=True)
    _theta: float = field(repr=False, kw_only=True)
    _se: float = field(repr=False, kw_only=True)
    _reason: int = field(repr=False, kw_only=True)
    _next: int = field(repr=False, kw_only=True)
    _tries: bool = field(repr=False, kw_only=True)

    @classmethod
    def start(
        cls,
        exam: Exam,
        bank: ItemBank,
        *,
        seed: int | None = None,
        candidate: str = "",
        exposure: ExposureTable | None = None,
        **known: Any,
    ) -> Session:
        """Open a session; see :meth:`Exam.start`."""
        opening = opening_of(f"session {candidate}".strip(), **known)
        seed = secrets.randbits(32) if seed is None else seed
        return cls.replay(exam, bank, (), seed=seed, candidate=candidate, opening=opening, exposure=exposure)

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
        unscored: Sequence[Answer] = (),
        exposure: ExposureTable | None = None,
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
            unscored: answers to items that are being tried out, in the order given.
            exposure: the table the session began with.

        Raises:
            ExamError: the exposure table is missing, or another exam's.
            SessionError: an impossible seed, an item that is not in the bank or was given twice, more answers than the
                exam holds, or unscored answers that do not stand between the scored ones.
        """
        require_table(exam, exposure)
        plan = plan_exam(exam, bank)
        index = pool_of(bank).index
        problems = impossible_answers(answers, pool_of(bank), plan.rule.maximum)
        if not isinstance(seed, Integral) or not 0 <= int(seed) < 2**63:
            problems.insert(0, f"seed {seed!r}; expected a whole number from 0 to 2⁶³ − 1")
        opening = opening or Opening()
        problems += opening.faults(exam, bank)
        problems += impossible_unscored(unscored, bank, exam.pretest.slots if exam.pretest else 0)
        if problems:
            raise SessionError(f"session {candidate}".strip(), problems)
        terms = terms_under(exam, bank, opening.seen, exposure)
        state, trial = opening.begin(exam, terms), fresh_trial(terms, opening, bank, int(seed))
        cast_lots(terms.plan.admission, state, int(seed), opening.person)
        draws, tried = (int(seed), opening.person), list(unscored)
        for n, answer in enumerate(answers):
            trial = replay_unscored(terms, trial, state, n, draws, tried, bank)
            record(plan, state, n, index[answer.item], answer.score)
        trial = replay_unscored(terms, trial, state, len(answers), draws, tried, bank)
        if tried:
            raise SessionError(f"session {candidate}".strip(), [f'unscored item "{tried[0].item}" was not due there'])
        session = cls(
            exam, bank, int(seed), candidate, tuple(answers), extra_seconds, opening, tuple(unscored), exposure,
            _terms=terms, _state=state, _trial=trial, _theta=0.0, _se=0.0, _reason=0, _next=-1, _tries=False,
        )  # fmt: skip
        return session._assess()

    def _assess(self) -> Session:
        """Estimate, ask the stopping rule, choose the next item."""
        n = len(self.answers)
        theta, se, reason = standing(self._plan, self._state, n)
        programme = self._terms.programme
        if not may_stop(programme, self._state, n):
            reason = 0
        person, late = self.opening.person, is_late(self._plan.rule, self.seconds)
        trial, tried = next_unscored(self._terms, self._trial, self._state, n, (self.seed, person))
        if late and (reason == 0 or tried != LAPSED):
            reason = TIME_OUT
        if not late and tried != LAPSED:
            return replace(self, _theta=theta, _se=se, _reason=0, _next=tried, _tries=True, _trial=trial)
        item = -1
        if reason == 0:
            item = choose(self._plan, self._plan.criterion, programme, self._state, n, theta, self.seed, person)
        if reason == 0 and item < 0:
            reason = NO_ITEM
        return replace(self, _theta=theta, _se=se, _reason=reason, _next=item, _tries=False, _trial=trial)

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
        given = (answer.seconds for answers in (self.answers, self.unscored) for answer in answers)
        return sum(given) + self.extra_seconds

    @property
    def next_item(self) -> Item | None:
        """The item to give next, scored or not; None when the exam has ended."""
        if self._next < 0:
            return None
        return pretest_items(self.bank)[self._next] if self._tries else pool_of(self.bank).items[self._next]

    @property
    def questions(self) -> int:
        """Questions answered so far, scored or not."""
        return len(self.answers) + len(self.unscored)

    @property
    def slot(self) -> int | None:
        """Number of the unscored slot (from 0) that is due; None when a scored question is, or none at all."""
        return int(self._trial.used[0]) if self._tries else None

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

    @property
    def relaxed(self) -> int:
        """How often items held back for their exposure had to be released to fill a quota."""
        return int(self._state.relaxed[0])

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
        if self._tries:
            trial = copy_trial(self._trial)
            give_pretest(self._plan, self._terms.pretest, trial, state, len(self.answers), self._next)
            following = replace(self, unscored=(*self.unscored, event), _state=state, _trial=trial)
            return following._assess()  # noqa: SLF001 - our own next value
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
            unscored=len(self.unscored),
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
    def events(self) -> tuple[tuple[Answer, bool], ...]:
        """Every answer in the order given, and whether it is scored."""
        tried = [int(after) for after, item in zip(self._trial.after, self._trial.items, strict=True) if item >= 0]
        places = [(after, 0, k) for k, after in enumerate(tried[: len(self.unscored)])]
        places += [(n, 1, n) for n in range(len(self.answers))]
        return tuple((self.answers[k] if counts else self.unscored[k], bool(counts)) for _, counts, k in sorted(places))

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
    def load(cls, path: str | Path, exam: Exam, bank: ItemBank, exposure: ExposureTable | None = None) -> Session:
        """Resume a session; every answer is checked against the item the exam chose there.

        Raises:
            SessionError: not a session file, one of another exam, bank or exposure table, or one whose answers cannot
                have happened in this exam; the file is as it was.
        """
        saved = read_session_file(path, exam, bank, exposure)
        names: Any = {name: getattr(saved, name) for name in ("seed", "candidate", "opening")} | {"exposure": exposure}
        session = cls.replay(exam, bank, (), **names)
        scored, unscored = list(saved.answers), list(saved.unscored)
        while scored or unscored:
            due, other = (unscored, scored) if session.slot is not None else (scored, unscored)
            session = session._answered_before(str(path), (due or other).pop(0))  # noqa: SLF001 - our own next value
        if saved.extra_seconds:
            names["unscored"] = session.unscored
            session = cls.replay(exam, bank, session.answers, **names, extra_seconds=saved.extra_seconds)
        return session

    def _answered_before(self, path: str, answer: Answer) -> Session:
        """The session after an answer that a file tells of."""
        tried = self.slot is not None
        which = f"{'unscored ' if tried else ''}answer {len(self.unscored if tried else self.answers) + 1}"
        try:
            response = answer.score if answer.choice is None else answer.choice
            after = self.answer(answer.item, response, seconds=answer.seconds)
        except SessionError as fault:
            problem = f"{which} cannot have happened in this exam: {'; '.join(fault.problems)}"
            raise SessionError(path, [problem]) from None
        if (after.unscored if tried else after.answers)[-1:] != (answer,):
            raise SessionError(path, [f'{which} to "{answer.item}" is not scored by its key'])
        return after

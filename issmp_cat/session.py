"""One candidate's exam, as a value: each answer gives a new session, and replaying the answers gives the same one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from issmp_cat.bank import Item, ItemBank
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import SessionError
from issmp_cat.exam import Exam, Plan, next_item, plan_exam, record, standing
from issmp_cat.exam.plan import pool_of
from issmp_cat.files import read_json, write_json
from issmp_cat.selection import State, new_state
from issmp_cat.selection.state import copy_state
from issmp_cat.stopping import NO_ITEM, REASONS, TIME_OUT, is_late

__all__ = ["Answer", "Session", "SessionResult", "TraceRow"]

FORMAT, FORMAT_VERSION = "issmp-cat/session", 1


class Answer(BaseModel):
    """One event: an item was answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    score: Annotated[int, Field(ge=0, le=1)]
    choice: str | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class SessionFile(BaseModel):
    """A session on disk: which exam, which bank, which draws, and the answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["issmp-cat/session"]
    format_version: Literal[1]
    exam: str
    exam_version: str
    bank: str
    bank_version: str
    candidate: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    extra_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class TraceRow:
    """What a person wants to see of one step: the item, its answer, and θ after it."""

    position: int
    item: str
    domain: str
    score: int
    seconds: float
    theta: float
    se: float


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How an exam ended.

    ``theta`` and ``se`` are in logits, by ``estimator``; ``score`` is on the reporting scale. ``final`` is False for an
    exam still under way, whose figures are provisional.
    """

    candidate: str
    final: bool
    passed: bool
    score: int
    theta: float
    se: float
    estimator: str
    reason: str
    items: int
    seconds: float
    counts: dict[str, int]
    quotas: dict[str, int]


@dataclass(frozen=True, eq=False)
class Session:
    """One candidate's exam.

    Open one with ``exam.start(bank, seed=…)``. A session never changes: :meth:`answer` returns the next one.

    Attributes:
        exam: what the programme decided; ``bank``: its items.
        seed: the session's draws follow from it.
        answers: what happened so far.

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
    _plan: Plan = field(repr=False, kw_only=True)
    _state: State = field(repr=False, kw_only=True)
    _theta: float = field(repr=False, kw_only=True)
    _se: float = field(repr=False, kw_only=True)
    _reason: int = field(repr=False, kw_only=True)
    _next: int = field(repr=False, kw_only=True)

    @classmethod
    def start(cls, exam: Exam, bank: ItemBank, *, seed: int | None = None, candidate: str = "") -> Session:
        """Open a session; see :meth:`Exam.start`."""
        return cls.replay(exam, bank, (), seed=secrets.randbits(32) if seed is None else seed, candidate=candidate)

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
    ) -> Session:
        """Rebuild a session from its answers: the cost of one decision, not of all.

        Args:
            exam: the exam; ``bank``: the bank it ran on.
            answers: items and scores in the order given.
            seed: the session's seed.
            candidate: whose session it is.
            extra_seconds: time that passed without an answer.

        Raises:
            SessionError: an item that is not in the bank or was given twice, or more answers than the exam holds.
        """
        plan = plan_exam(exam, bank)
        index = pool_of(bank).index
        if problems := _impossible(answers, index, plan.rule.maximum):
            raise SessionError(f"session {candidate}".strip(), problems)
        state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
        for n, answer in enumerate(answers):
            record(plan, state, n, index[answer.item], answer.score)
        session = cls(
            exam, bank, seed, candidate, tuple(answers), extra_seconds,
            _plan=plan, _state=state, _theta=0.0, _se=0.0, _reason=0, _next=-1,
        )  # fmt: skip
        return session._assess()

    def _assess(self) -> Session:
        """Estimate, ask the stopping rule, choose the next item."""
        n = len(self.answers)
        theta, se, reason = standing(self._plan, self._state, n)
        if reason == 0 and is_late(self._plan.rule, self.seconds):
            reason = TIME_OUT
        item = next_item(self._plan, self._state, n, theta, self.seed, 0) if reason == 0 else -1
        if reason == 0 and item < 0:
            reason = NO_ITEM
        return replace(self, _theta=theta, _se=se, _reason=reason, _next=item)

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
        if is_late(self._plan.rule, self.seconds + seconds):
            late = replace(self, extra_seconds=self.extra_seconds + seconds)
            return late._assess()  # noqa: SLF001 - our own next value
        event = _event(where, due, response, seconds)
        state = copy_state(self._state)
        record(self._plan, state, len(self.answers), self._next, event.score)
        following = replace(self, answers=(*self.answers, event), _state=state)
        return following._assess()  # noqa: SLF001 - our own next value

    @property
    def result(self) -> SessionResult:
        """Decision, score and why the exam ended; provisional while it goes on."""
        passed = self._theta >= self._plan.rule.cut
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
            items=len(self.answers),
            seconds=self.seconds,
            counts=dict(zip(ids, map(int, self._state.counts), strict=True)),
            quotas=dict(zip(ids, self.exam.blueprint.quotas(max(len(self.answers), 1)), strict=True)),
        )

    @property
    def trace(self) -> tuple[TraceRow, ...]:
        """θ and its standard error after each answer, replayed."""
        state = new_state(self._plan.pool, self._plan.windows.quota, self._plan.grid.prior)
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
        content = SessionFile(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            exam=self.exam.id,
            exam_version=self.exam.version,
            bank=self.bank.id,
            bank_version=self.bank.version,
            candidate=self.candidate,
            seed=self.seed,
            extra_seconds=self.extra_seconds,
            answers=self.answers,
        )
        write_json(path, content.model_dump(mode="json"))

    @classmethod
    def load(cls, path: str | Path, exam: Exam, bank: ItemBank) -> Session:
        """Resume a session.

        Raises:
            SessionError: not a session file, or one of another exam or bank version; the file is as it was.
        """
        content: Any = read_json(path, SessionError)
        try:
            saved = SessionFile.model_validate(content)
        except ValidationError as error:
            raise SessionError(str(path), plain_faults(error)) from None
        problems = [
            f'begun with {kind} "{name}" version {was}; this is "{now_name}" version {now}'
            for kind, name, was, now_name, now in (
                ("exam", saved.exam, saved.exam_version, exam.id, exam.version),
                ("bank", saved.bank, saved.bank_version, bank.id, bank.version),
            )
            if was != now
        ]
        if problems:
            raise SessionError(str(path), problems)
        return cls.replay(
            exam, bank, saved.answers, seed=saved.seed, candidate=saved.candidate, extra_seconds=saved.extra_seconds
        )


def _event(where: str, item: Item, response: int | str, seconds: float) -> Answer:
    """The response as an event, scored by the item's key when it is a letter."""
    try:
        if isinstance(response, str):
            letters = [chr(ord("A") + k) for k in range(len(item.content.options))] if item.content else []
            choice = response.strip().upper()
            if item.content is None or choice not in letters:
                expected = f"one of {', '.join(letters)}" if letters else "0 or 1: this item has no key"
                raise SessionError(where, [f'response "{response}" to "{item.id}"; expected {expected}'])
            return Answer(item=item.id, score=item.content.score(choice), choice=choice, seconds=seconds)
        return Answer(item=item.id, score=response, seconds=seconds)
    except ValidationError as error:
        raise SessionError(where, plain_faults(error, f'answer to "{item.id}"')) from None


def _impossible(answers: Sequence[Answer], index: Any, maximum: int) -> list[str]:
    problems = [f"{len(answers)} answers; the exam has {maximum} items"] if len(answers) > maximum else []
    seen: set[str] = set()
    for k, answer in enumerate(answers):
        if answer.item not in index:
            problems.append(f'answer {k + 1}: item "{answer.item}" is not in the bank')
        elif answer.item in seen:
            problems.append(f'answer {k + 1}: item "{answer.item}" was answered before')
        seen.add(answer.item)
    return problems

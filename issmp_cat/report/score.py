"""The score report of one session: what was decided, by which numbers, and how the domains look."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

from issmp_cat.ability import posterior_moments, update_posterior
from issmp_cat.errors import InputRejected
from issmp_cat.exam import Exam, plan_exam
from issmp_cat.exam.plan import pool_of
from issmp_cat.report.words import per_cent
from issmp_cat.session import Session
from issmp_cat.stopping import ConfidenceInterval

__all__ = ["DomainReport", "ScoreReport", "Verdict", "score_report"]

Verdict: TypeAlias = Literal["below", "near", "above", "too few items to say"]


@dataclass(frozen=True, slots=True)
class DomainReport:
    """How one domain went.

    Attributes:
        items: questions answered; ``right``: how many correctly; ``share``: what the blueprint asks at this length.
        theta: ability by this domain's answers alone, logits; ``low`` and ``high``: its interval. None where there are
            too few answers to say.
        verdict: where the interval lies, seen from the cut.
    """

    id: str
    name: str
    items: int
    right: int
    share: float
    theta: float | None
    low: float | None
    high: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, repr=False)
class ScoreReport:
    """The score report of one session.

    Abilities in logits, scores on the exam's scale. ``decision`` is None while the exam is under way; ``score_low``
    and ``score_high`` bound the score at ``level``. ``simulated`` says how the answers came about when no person gave
    them.
    """

    exam: str
    title: str
    exam_version: str
    bank: str
    bank_version: str
    candidate: str
    simulated: str
    decision: Literal["pass", "fail"] | None
    score: int
    score_low: int
    score_high: int
    lowest: int
    pass_mark: int
    highest: int
    theta: float
    se: float
    estimator: str
    cut: float
    rule: str
    reason: str
    items: int
    minimum: int
    maximum: int
    seconds: float
    time_limit_seconds: float | None
    level: float
    domains: tuple[DomainReport, ...]
    off_blueprint: int
    unproven: int
    assumption: str
    provisional: bool
    retake_days: tuple[int, ...]

    def text(self) -> str:
        """The report for a terminal."""
        from issmp_cat.report.words import as_text

        return as_text(self)

    def html(self) -> str:
        """The report as one page that needs nothing else.

        Raises:
            MissingExtra: Jinja2 is not installed.
        """
        from issmp_cat.report.page import render

        return render("score-report.html", report=self)

    def as_dict(self) -> dict[str, Any]:
        """All values by name; numbers no finer than three decimals."""
        return {name: _rounded(value) for name, value in asdict(self).items()}

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=1)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ScoreReport:
        """A report from what :meth:`as_dict` gave; other entries are ignored.

        Raises:
            InputRejected: an entry is missing.
        """
        try:
            known = {entry.name: values[entry.name] for entry in fields(cls)}
            domains = tuple(DomainReport(**domain) for domain in known["domains"])
        except (KeyError, TypeError) as fault:
            raise InputRejected("score report", [f"not a score report: {fault}"]) from None
        return cls(**{**known, "domains": domains, "retake_days": tuple(known["retake_days"])})

    __repr__ = text


def score_report(session: Session, *, simulated: str = "") -> ScoreReport:
    """Report on a session.

    Args:
        session: finished, or under way: then nothing is decided yet.
        simulated: how the answers came about, when no person gave them.

    >>> from issmp_cat import Exam, ItemBank
    >>> report = score_report(Exam.load("practice").start(ItemBank.load_packaged(), seed=1))
    >>> report.decision, report.domains[0].verdict
    (None, 'too few items to say')
    """
    exam, result = session.exam, session.result
    z = ConfidenceInterval(level=exam.report.level).z
    return ScoreReport(
        exam=exam.id,
        title=exam.title,
        exam_version=exam.version,
        bank=session.bank.id,
        bank_version=session.bank.version,
        candidate=session.candidate,
        simulated=simulated,
        decision=("pass" if result.passed else "fail") if result.final else None,
        score=result.score,
        score_low=math.floor(exam.scale.exact(result.theta - z * result.se)),
        score_high=math.ceil(exam.scale.exact(result.theta + z * result.se)),
        lowest=exam.scale.lowest,
        pass_mark=exam.scale.pass_mark,
        highest=exam.scale.highest,
        theta=result.theta,
        se=result.se,
        estimator=result.estimator,
        cut=exam.scale.theta_cut,
        rule=_rule(exam),
        reason=result.reason,
        items=result.items,
        minimum=exam.length.minimum,
        maximum=exam.length.maximum,
        seconds=result.seconds,
        time_limit_seconds=None if exam.time_limit_minutes is None else exam.time_limit_seconds,
        level=exam.report.level,
        domains=tuple(_domain(session, k, z) for k in range(len(exam.blueprint.ids))),
        off_blueprint=_off_blueprint(session),
        unproven=session.unproven,
        assumption=exam.scale.assumed,
        provisional=session.bank.provisional,
        retake_days=exam.retakes.waiting_days,
    )


def _rule(exam: Exam) -> str:
    """The stopping rule in words."""
    if isinstance(exam.stopping, ConfidenceInterval):
        return f"{per_cent(exam.stopping.level)} confidence interval ({exam.stopping.sides}-sided) at the cut"
    return "fixed length"


def _domain(session: Session, k: int, z: float) -> DomainReport:
    """One domain from its own answers: EAP with the population as prior, on the exam's own grid."""
    exam = session.exam
    domain, grid = exam.blueprint.domains[k], plan_exam(exam, session.bank).grid
    index, items = pool_of(session.bank).index, pool_of(session.bank).items
    answers = [(index[a.item], a.score) for a in session.answers if items[index[a.item]].domain == domain.id]
    weights = grid.prior.copy()
    for n, (item, score) in enumerate(answers):
        update_posterior(grid, weights, n, item, score)
    theta, se = posterior_moments(grid.nodes, weights)
    low, high = theta - z * se, theta + z * se
    enough = len(answers) >= exam.report.minimum_items
    return DomainReport(
        id=domain.id,
        name=domain.name,
        items=len(answers),
        right=sum(score for _, score in answers),
        share=float(domain.weight) * len(session.answers),
        theta=theta if enough else None,
        low=low if enough else None,
        high=high if enough else None,
        verdict=_verdict(low, high, exam.scale.theta_cut) if enough else "too few items to say",
    )


def _verdict(low: float, high: float, cut: float) -> Verdict:
    """Below or above only when the whole interval is.

    >>> _verdict(-1.0, -0.4, -0.3), _verdict(-0.4, 0.1, -0.3), _verdict(-0.2, 0.9, -0.3)
    ('below', 'near', 'above')
    """
    if high < cut:
        return "below"
    return "above" if low > cut else "near"


def _off_blueprint(session: Session) -> int:
    """By how many items the fullest or emptiest domain misses its exact share, whole items either side allowed."""
    counts, n = session.result.counts, len(session.answers)
    missed = 0
    for domain in session.exam.blueprint.domains:
        share = domain.weight * n
        missed = max(missed, math.floor(share) - counts[domain.id], counts[domain.id] - math.ceil(share))
    return missed


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list | tuple) else value

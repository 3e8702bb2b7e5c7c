"""The score report of one session: what was decided, by which numbers, and how the domains look."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np

from issmp_cat.ability import Grid, posterior_moments, update_posterior
from issmp_cat.arrays import Floats
from issmp_cat.errors import InputRejected
from issmp_cat.exam import plan_exam
from issmp_cat.exam.plan import pool_of
from issmp_cat.report.subscores import augmented
from issmp_cat.session import Session
from issmp_cat.stopping import ConfidenceInterval, in_words

__all__ = ["DomainReport", "ScoreReport", "Verdict", "score_report"]

Verdict: TypeAlias = Literal["below", "near", "above", "too few items to say"]


@dataclass(frozen=True, slots=True)
class DomainReport:
    """How one domain went.

    Attributes:
        items: questions answered; ``right``: the points they gave, one for each right answer; ``possible``: the points
            they could give; ``share``: how many questions the blueprint asks at this length.
        theta: ability in this domain, logits, from its own answers and, by the correlation of domains, from the
            others'; ``se``: its standard error; ``low`` and ``high``: its interval. None where there are too few
            answers to say.
        own_theta: ability by this domain's answers alone; ``own_se`` alike.
        verdict: where the interval from ``low`` to ``high`` lies, seen from the cut.
    """

    id: str
    name: str
    items: int
    right: int
    possible: int
    share: float
    theta: float | None
    se: float | None
    own_theta: float | None
    own_se: float | None
    low: float | None
    high: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, repr=False)
class ScoreReport:
    """The score report of one session.

    Abilities in logits, scores on the exam's scale. ``decision`` is None while the exam is under way; ``score_low``
    and ``score_high`` bound the score at ``level``. ``prior_mean`` and ``prior_sd`` say what was taken to be known of
    θ before the first answer, by the candidate's ``background`` if any is named. ``seen_again`` counts the questions
    that the candidate had seen in an earlier attempt. ``domain_correlation`` is that of the abilities in two domains,
    by which domain scores borrow strength; an assumption where no source is given. ``simulated`` says how the answers
    came about when no person gave them.
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
    prior_mean: float
    prior_sd: float
    background: tuple[str, ...]
    rule: str
    reason: str
    decided_by: str
    items: int
    unscored: int
    minimum: int
    maximum: int
    seconds: float
    time_limit_seconds: float | None
    level: float
    domain_correlation: float
    domain_correlation_source: str
    domains: tuple[DomainReport, ...]
    off_blueprint: int
    seen_again: int
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
        tuples = {name: tuple(known[name]) for name in ("background", "retake_days")}
        return cls(**{**known, "domains": domains, **tuples})

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
        prior_mean=session.prior[0],
        prior_sd=session.prior[1],
        background=tuple(session.opening.background),
        rule=in_words(exam.stopping),
        reason=result.reason,
        decided_by=result.decided_by,
        items=result.items,
        unscored=result.unscored,
        minimum=exam.length.minimum,
        maximum=exam.length.maximum,
        seconds=result.seconds,
        time_limit_seconds=None if exam.time_limit_minutes is None else exam.time_limit_seconds,
        level=exam.report.level,
        domain_correlation=float(exam.report.domain_correlation),
        domain_correlation_source=exam.report.domain_correlation_source,
        domains=_domains(session, z),
        off_blueprint=_off_blueprint(session),
        seen_again=sum(answer.item in session.opening.seen for answer in session.answers),
        unproven=session.unproven,
        assumption=exam.scale.assumed,
        provisional=session.bank.provisional,
        retake_days=exam.retakes.waiting_days,
    )


def _domains(session: Session, z: float) -> tuple[DomainReport, ...]:
    """Every domain by its own answers, and with the help of the others'."""
    exam, grid, items = session.exam, plan_exam(session.exam, session.bank).grid, pool_of(session.bank).items
    answers = _answers_by_domain(session)
    prior = session.prior_weights
    own = [_own_ability(grid, prior, given) for given in answers]
    mean, sd = posterior_moments(grid.nodes, prior)
    theta, se = augmented(
        *(np.array(part) for part in zip(*own, strict=True)),
        mean=mean,
        sd=sd,
        correlation=float(exam.report.domain_correlation),
    )
    enough = [len(given) >= exam.report.minimum_items for given in answers]
    return tuple(
        DomainReport(
            id=domain.id,
            name=domain.name,
            items=len(answers[k]),
            right=sum(items[item].earned[score] for item, score in answers[k]),
            possible=sum(max(items[item].earned) for item, _ in answers[k]),
            share=float(domain.weight) * len(session.answers),
            **_abilities(float(theta[k]), float(se[k]), own[k], z, exam.scale.theta_cut) if enough[k] else _UNSAID,
        )
        for k, domain in enumerate(exam.blueprint.domains)
    )


_UNSAID: dict[str, Any] = {
    **dict.fromkeys(("theta", "se", "own_theta", "own_se", "low", "high")),
    "verdict": "too few items to say",
}


def _abilities(theta: float, se: float, own: tuple[float, float], z: float, cut: float) -> dict[str, Any]:
    """A domain's numbers; the verdict is that of the interval shown."""
    low, high = theta - z * se, theta + z * se
    return {
        "theta": theta,
        "se": se,
        "own_theta": own[0],
        "own_se": own[1],
        "low": low,
        "high": high,
        "verdict": _verdict(low, high, cut),
    }


def _answers_by_domain(session: Session) -> list[list[tuple[int, int]]]:
    """Item positions and scores of each domain, in the order given."""
    index, items = pool_of(session.bank).index, pool_of(session.bank).items
    blueprint = session.exam.blueprint
    found: list[list[tuple[int, int]]] = [[] for _ in blueprint.ids]
    for answer in session.answers:
        item = index[answer.item]
        found[blueprint.place(items[item].domain) or 0].append((item, answer.score))
    return found


def _own_ability(grid: Grid, prior: Floats, answers: list[tuple[int, int]]) -> tuple[float, float]:
    """EAP and posterior SD with the candidate's prior, on the exam's own grid."""
    weights = prior.copy()
    for n, (item, score) in enumerate(answers):
        update_posterior(grid, weights, n, item, score)
    return posterior_moments(grid.nodes, weights)


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

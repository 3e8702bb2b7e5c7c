"""The score report in words, for a terminal and for whoever cannot see a chart."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from issmp_cat.report.score import DomainReport, ScoreReport

__all__ = ["ESTIMATORS", "as_text", "borrowing", "caveats", "facts", "from_background", "gauge", "minus", "per_cent"]

ESTIMATORS = {
    "eap": "posterior mean (EAP); its standard error is the posterior SD",
    "map": "posterior mode (MAP); standard error from posterior information",
    "ml": "maximum likelihood (ML); standard error from the information",
    "wle": "weighted likelihood (WLE); standard error from the information",
}
WIDTH = 80
GAUGE = (-3.0, 3.0, 31)


def as_text(report: ScoreReport) -> str:
    """The whole report, 80 columns wide."""
    lines = [report.title, "=" * len(report.title)]
    lines += _wrapped(f"*** SIMULATED CANDIDATE: {report.simulated} ***", "") if report.simulated else []
    lines += [line for name, value in facts(report) for line in _wrapped(value, f"{name:<12}")]
    lines += [
        "",
        f"By domain: ability (SE); {per_cent(report.level)} interval from −3 to 3 logits; ┃ marks the cut",
        "",
    ]
    for domain in report.domains:
        right = f"{domain.right} of {domain.possible} {'right' if domain.possible == domain.items else 'points'}"
        said = "" if domain.theta is None or domain.se is None else f"θ = {minus(domain.theta)} ({minus(domain.se)})"
        name = textwrap.shorten(f"{domain.id} {domain.name}", WIDTH - len(said) - 2, placeholder=" …")
        lines += [f"{name}  {said}", f"   {right:<16}{gauge(domain, report.cut)}   {domain.verdict}"]
    lines += [""] + [line for said in caveats(report) for line in _wrapped(said, "- ")]
    return "\n".join(line.rstrip() for line in lines)


def _wrapped(text: str, mark: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark))


def facts(report: ScoreReport) -> list[tuple[str, str]]:
    """Name and value of what was decided, and by which numbers."""
    length = f"{report.minimum}" if report.minimum == report.maximum else f"{report.minimum} to {report.maximum}"
    limit = f" of {report.time_limit_seconds / 60:.0f}" if report.time_limit_seconds else ""
    decision = {"pass": "PASS", "fail": "FAIL", None: "not decided: the exam is under way"}[report.decision]
    rows = [("Candidate", report.candidate)] if report.candidate else []
    return [
        *rows,
        ("Result", decision),
        ("Score", f"{report.score} on a scale from {report.lowest} to {report.highest}; pass mark {report.pass_mark}"),
        ("Score range", f"{per_cent(report.level)} interval {report.score_low} to {report.score_high}"),
        ("Ability", f"θ = {minus(report.theta)}, standard error {minus(report.se)} logits; cut {minus(report.cut)}"),
        ("Estimator", ESTIMATORS[report.estimator]),
        ("Rule", report.rule),
        ("Ended", f"after {report.items} {_questions(report)} (of {length}): {report.reason}"),
        ("Time", f"{report.seconds / 60:.0f}{limit} minutes"),
    ]


def _questions(report: ScoreReport) -> str:
    """What is counted, in words."""
    return f"{'scored ' if report.unscored else ''}question{'' if report.items == 1 else 's'}"


def gauge(domain: DomainReport, cut: float) -> str:
    """The interval of a domain's ability on a line from −3 to 3 logits.

    >>> from issmp_cat.report.score import DomainReport
    >>> gauge(DomainReport("D1", "", 9, 5, 9, 9.0, 0.0, 0.8, 0.0, 0.8, -1.0, 1.0, "near"), -0.4)
    '          ├──┃─●────┤          '
    """
    low, high, width = GAUGE
    line = [" "] * width

    def at(theta: float) -> int:
        return round((min(max(theta, low), high) - low) / (high - low) * (width - 1))

    if domain.theta is not None and domain.low is not None and domain.high is not None:
        for k in range(at(domain.low), at(domain.high) + 1):
            line[k] = "─"
        line[at(domain.low)], line[at(domain.high)], line[at(domain.theta)] = "├", "┤", "●"
    line[at(cut)] = "┃"
    return "".join(line)


def caveats(report: ScoreReport) -> list[str]:
    """What a reader must know to read the numbers right."""
    said = [report.assumption] if report.assumption else []
    said += _decider(report)
    if report.provisional:
        said.append("Item difficulties are provisional: judged, not measured. The score is no better than they are.")
    if report.off_blueprint:
        said.append(f"The exam ended early and is up to {report.off_blueprint} items off its blueprint in a domain.")
    elif report.items:
        said.append("Every domain is within one item of its share of the blueprint.")
    if report.unproven:
        said.append(f"{report.unproven} items were chosen without a proof that they were the best possible.")
    if report.unscored:
        said.append(
            f"{report.unscored} further questions were unscored: they are being tried out, and count neither for nor "
            "against the candidate."
        )
    if report.seen_again:
        said.append(f"{report.seen_again} of the questions had been seen in an earlier attempt.")
    said += from_background(report)
    said += borrowing(report)
    said.append(
        "A domain is called below or above only if its whole interval is; neighbouring verdicts do not rank domains."
    )
    if report.decision == "fail" and report.retake_days:
        said.append(f"Waiting days before the next attempts: {', '.join(map(str, report.retake_days))}.")
    return said


def from_background(report: ScoreReport) -> list[str]:
    """What was known of the candidate before the first answer, and what it does to the estimate."""
    if not report.background:
        return []
    said = (
        f"The estimate starts from what was known of this candidate ({', '.join(report.background)}): prior mean "
        f"{minus(report.prior_mean)}, SD {minus(report.prior_sd)} logits."
    )
    moved = {"eap": " The score rests on it too, less with every answer.", "map": " The score rests on it too."}
    return [said + moved.get(report.estimator, " The score does not rest on it.")]


def _decider(report: ScoreReport) -> list[str]:
    """What decided in place of the estimate, and what that did to the score; nothing when the estimate did."""
    if report.decision is None or not report.decided_by:
        return []
    said = f"The result rests on {report.decided_by}; not on the estimate of ability."
    if (report.theta >= report.cut) == (report.decision == "pass"):
        return [said]
    moved = "raised to" if report.decision == "pass" else "held below"
    return [f"{said} The estimate alone would give the opposite result; the score is {moved} the pass mark."]


def borrowing(report: ScoreReport) -> list[str]:
    """How far a domain's score rests on the answers in others; nothing where none is told."""
    if all(domain.theta is None for domain in report.domains):
        return []
    rho = f"{report.domain_correlation:.2f}"
    if not report.domain_correlation:
        return ["Each domain's ability rests on its own answers alone."]
    source = f"source: {report.domain_correlation_source}" if report.domain_correlation_source else "assumed"
    said = (
        f"Domains borrow strength: abilities in two of them are taken to correlate {rho} ({source}), so that each "
        "domain's ability and standard error rest on its own answers first and on the other domains' second."
    )
    return [said]


def per_cent(share: float) -> str:
    """A share in words.

    >>> per_cent(0.8)
    '80 %'
    """
    return f"{100 * share:.0f} %"


def minus(value: float) -> str:
    """Two decimals with a true minus sign, the same from a value and from its JSON, which holds three decimals.

    >>> minus(-0.3), minus(-0.001)
    ('−0.30', '0.00')
    """
    return f"{round(round(value, 3), 2) + 0.0:.2f}".replace("-", "−")

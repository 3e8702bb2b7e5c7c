"""When an exam ends, and what it then decides: plain kernels."""

from __future__ import annotations

from issmp_cat.ability import chance_above
from issmp_cat.stopping.certain import Progress, is_certain, is_unlikely_to_change
from issmp_cat.stopping.precision import se_reduction
from issmp_cat.stopping.ratio import log_ratio
from issmp_cat.stopping.reasons import (
    CERTAIN,
    DECIDED,
    GENERALISED_RATIO,
    GO_ON,
    LITTLE_TO_GAIN,
    MAXIMUM_LENGTH,
    PRECISE,
    RATIO,
    TIME_OUT,
)
from issmp_cat.stopping.rule import StopRule

__all__ = ["count_run", "decided_by", "decision", "is_late", "stop_reason"]


def is_late(rule: StopRule, seconds: float) -> bool:
    """Whether an answer that arrives after ``seconds`` of test time is too late to count."""
    return seconds > rule.seconds


def stop_reason(rule: StopRule, state: Progress, n: int, theta: float, se: float, information: float) -> int:
    """Why the exam ends after ``n`` answers, or 0 when it goes on: the first rule that fires, else the length.

    Args:
        rule: limits, cut and confidence.
        state: the exam under way.
        n: answers given.
        theta: estimate; ``se``: its standard error, logits.
        information: of the best next item at θ̂, per logit²; looked at only when ``rule.looks_ahead``.
    """
    if n < rule.minimum:
        return GO_ON
    for k in range(len(rule.order)):
        if _fires(rule, state, rule.order[k], n, theta, se, information):
            return int(rule.order[k])
    return MAXIMUM_LENGTH if n >= rule.maximum else GO_ON


def _fires(rule: StopRule, state: Progress, code: int, n: int, theta: float, se: float, information: float) -> bool:
    """Whether one rule ends the exam."""
    if code == DECIDED:
        return abs(theta - rule.cut) > rule.z * se
    if code in (RATIO, GENERALISED_RATIO):
        ratio = log_ratio(state.evidence, rule.below)
        return ratio >= rule.accept or ratio <= rule.fail
    if code == PRECISE:
        return se <= rule.target
    return n < rule.maximum and _foresees(rule, state, code, n, theta, se, information)


def _foresees(rule: StopRule, state: Progress, code: int, n: int, theta: float, se: float, information: float) -> bool:
    """Whether one rule finds nothing worth waiting for in the items left, of which there is at least one."""
    if code == LITTLE_TO_GAIN:
        gain = se_reduction(se, information)
        return gain < rule.hypo or (se <= rule.satisfied and gain <= rule.hyper)
    if code == CERTAIN:
        bar = rule.cut if len(rule.above) == 0 else 0.5
        return is_certain(rule.extremes, state, _passes(rule, state, theta), bar)
    return is_unlikely_to_change(theta, se, rule.cut, rule.maximum - n, information, rule.sure)


def count_run(rule: StopRule, run: int, theta: float) -> int:
    """How many estimates in a row lie at or above the cut, counting this one."""
    return run + 1 if theta >= rule.cut else 0


def decision(rule: StopRule, state: Progress, n: int, theta: float, run: int, reason: int) -> bool:
    """Whether the candidate passes.

    By the rule that decided, else by the sign of the ratio, else by the posterior or the estimate, as the exam has it.

    Args:
        rule: the exam's.
        state: the exam under way or ended.
        n: answers that count; ``theta``: the estimate after them, logits.
        run: how many estimates in a row lay at or above the cut up to now (:func:`count_run`).
        reason: why the exam ended; 0 while it goes on: what would be decided now.
    """
    if reason == TIME_OUT and rule.last_n > 0:
        return n >= rule.minimum and run >= rule.last_n
    if reason != DECIDED and len(state.evidence) > 0:
        return log_ratio(state.evidence, rule.below) >= 0.0
    return _passes(rule, state, theta)


def _passes(rule: StopRule, state: Progress, theta: float) -> bool:
    """The decision by the posterior or the estimate, as the exam has it."""
    if len(rule.above) > 0:
        return chance_above(rule.above, state.weights) > 0.5
    return bool(theta >= rule.cut)


def decided_by(rule: StopRule, reason: int) -> str:
    """By what :func:`decision` decided, in words; empty when the estimate did."""
    if reason == TIME_OUT and rule.last_n > 0:
        return f"the last {rule.last_n} estimates when time ran out, all of which must reach the cut"
    if reason != DECIDED and rule.evidence.shape[1] > 0:
        return "the likelihood ratio at the cut"
    if len(rule.above) > 0:
        return "the posterior probability of an ability above the cut"
    return ""

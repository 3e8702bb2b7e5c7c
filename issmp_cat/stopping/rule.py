"""The stopping rules as numbers: when an exam ends, and what it then decides. Plain kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from issmp_cat.ability import chance_above
from issmp_cat.arrays import Floats, Ints, read_only
from issmp_cat.stopping.certain import Certain, Extremes, Progress, build_extremes, is_certain, is_unlikely_to_change
from issmp_cat.stopping.interval import ConfidenceInterval
from issmp_cat.stopping.precision import PredictedSeReduction, StandardError, se_reduction
from issmp_cat.stopping.ratio import GeneralisedLikelihoodRatio, RatioRule, SequentialRatio, evidence_points, log_ratio
from issmp_cat.stopping.reasons import (
    CERTAIN,
    CURTAILED,
    DECIDED,
    GENERALISED_RATIO,
    GO_ON,
    LITTLE_TO_GAIN,
    MAXIMUM_LENGTH,
    PRECISE,
    RATIO,
    TIME_OUT,
)
from issmp_cat.stopping.settings import StoppingRule, several

__all__ = ["BankTables", "StopRule", "build_stop_rule", "count_run", "decided_by", "decision", "is_late", "stop_reason"]


class StopRule(NamedTuple):
    """What the kernels need.

    Attributes:
        minimum: shortest permissible length; ``maximum``: the longest.
        cut: θ of the pass mark, logits.
        seconds: time limit; infinite when there is none.
        last_n: estimates that must lie at or above the cut to pass when time runs out; 0: the last one decides.
        order: the rules, by the reasons they give, in the order in which they are asked. Shape ``(rules,)``.
        z: half-width of the confidence interval in standard errors; infinite without one.
        fail: log ratio at or below which a ratio rule fails; ``accept``: at or above which it passes.
        below: how many of the points of ``evidence`` lie below the cut.
        evidence: log chance of each category at the points of the ratio rule. Shape ``(rows, points)``.
        target: standard error that is small enough, logits.
        hypo: reduction of the standard error not worth an item; ``hyper``: worth one even at ``satisfied``, the
            standard error that else is small enough. Logits.
        sure: normal quantile of the probability at which an exam is curtailed.
        looks_ahead: whether a rule asks for the information of the best next item.
        extremes: how far answers can move the posterior.
        above: how much of each node lies above the cut, where the posterior decides; of no length elsewhere.
    """

    minimum: int
    maximum: int
    cut: float
    seconds: float
    last_n: int
    order: Ints
    z: float
    fail: float
    accept: float
    below: int
    evidence: Floats
    target: float
    hypo: float
    hyper: float
    satisfied: float
    sure: float
    looks_ahead: bool
    extremes: Extremes
    above: Floats


class BankTables(NamedTuple):
    """What some rules tabulate a bank by.

    Attributes:
        curves: chance of each category at given abilities: θ of shape ``(points,)`` to ``(rows, points)``.
        nodes: θ of the scoring grid, logits. Shape ``(nodes,)``; ``likelihood``: chance of each category there.
        first: row at which each item's categories begin. Shape ``(items + 1,)``.
        domain: domain of each item. Shape ``(items,)``; ``most``: items of each domain at the maximum length.
    """

    curves: Callable[[Floats], Floats]
    nodes: Floats
    likelihood: Floats
    first: Ints
    domain: Ints
    most: Ints


def build_stop_rule(
    stopping: StoppingRule | tuple[StoppingRule, ...],
    *,
    minimum: int,
    maximum: int,
    cut: float,
    seconds: float,
    last_n: int = 0,
    bank: BankTables | None = None,
    above: Floats | None = None,
) -> StopRule:
    """The rules as numbers.

    Args:
        stopping: one rule, or several in the order in which they are asked.
        minimum: shortest length; ``maximum``: the longest; ``cut``: logits; ``seconds``: the time limit.
        last_n: estimates that must agree when time runs out; 0: the last decides.
        bank: needed by sprt, glr and certain.
        above: how much of each node lies above the cut, if the posterior decides. Shape ``(nodes,)``.
    """
    rules = several(stopping)
    ratio = next((rule for rule in rules if isinstance(rule, RatioRule)), None)
    certain = next((rule for rule in rules if isinstance(rule, Certain)), None)
    gain = next((rule for rule in rules if isinstance(rule, PredictedSeReduction)), None)
    proof = certain is not None and certain.probability == 1.0
    fail, accept = ratio.bounds if ratio else (-math.inf, math.inf)
    if bank is None and (ratio is not None or proof):
        msg = "sprt, glr and certain need the tables of a bank"
        raise ValueError(msg)
    below, evidence = _evidence(ratio, cut, bank) if ratio and bank else (0, np.zeros((0, 0)))
    return StopRule(
        minimum=minimum,
        maximum=maximum,
        cut=cut,
        seconds=seconds,
        last_n=last_n,
        order=read_only(np.array([code for rule in rules if (code := _code(rule))], dtype=np.int64)),
        z=next((rule.z for rule in rules if isinstance(rule, ConfidenceInterval)), math.inf),
        fail=fail,
        accept=accept,
        below=below,
        evidence=read_only(evidence),
        target=next((rule.target for rule in rules if isinstance(rule, StandardError)), -math.inf),
        hypo=gain.hypo if gain else -math.inf,
        hyper=gain.hyper if gain and gain.hyper is not None else math.inf,
        satisfied=gain.target if gain and gain.target is not None else -math.inf,
        sure=certain.z if certain else math.inf,
        looks_ahead=gain is not None or (certain is not None and not proof),
        extremes=_extremes(bank if proof else None),
        above=read_only(np.zeros(0) if above is None else above),
    )


def _code(rule: StoppingRule) -> int:
    """The reason that a rule gives; 0 for a fixed length, which gives none of its own."""
    if isinstance(rule, Certain):
        return CERTAIN if rule.probability == 1.0 else CURTAILED
    codes: dict[type, int] = {
        ConfidenceInterval: DECIDED,
        SequentialRatio: RATIO,
        GeneralisedLikelihoodRatio: GENERALISED_RATIO,
        StandardError: PRECISE,
        PredictedSeReduction: LITTLE_TO_GAIN,
    }
    return codes.get(type(rule), GO_ON)


def _evidence(rule: RatioRule, cut: float, bank: BankTables) -> tuple[int, Floats]:
    points, below = evidence_points(rule, cut, float(bank.nodes[0]), float(bank.nodes[-1]))
    # The least positive double, near enough: an answer of no chance at all is very strong evidence, not a fault.
    return below, np.log(np.maximum(bank.curves(points), 1e-300))


def _extremes(bank: BankTables | None) -> Extremes:
    if bank is not None:
        return build_extremes(bank.nodes, bank.likelihood, bank.first, bank.domain, bank.most)
    none = np.zeros(0, dtype=np.int64)
    empty = (np.zeros(0), np.zeros((2, 0, 0)), np.zeros((2, 0, 0), dtype=np.int32), none, none)
    return Extremes._make(map(read_only, empty))


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
        return is_certain(rule.extremes, state, theta, rule.cut)
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

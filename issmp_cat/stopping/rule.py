"""The stopping rules of an exam as numbers and tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints, read_only
from issmp_cat.stopping.certain import Certain, Extremes, build_extremes
from issmp_cat.stopping.interval import ConfidenceInterval
from issmp_cat.stopping.precision import PredictedSeReduction, StandardError
from issmp_cat.stopping.ratio import GeneralisedLikelihoodRatio, RatioRule, SequentialRatio, evidence_points
from issmp_cat.stopping.reasons import (
    CERTAIN,
    CURTAILED,
    DECIDED,
    GENERALISED_RATIO,
    GO_ON,
    LITTLE_TO_GAIN,
    PRECISE,
    RATIO,
)
from issmp_cat.stopping.settings import StoppingRule, several

__all__ = ["BankTables", "StopRule", "build_stop_rule"]


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
        extremes=_extremes(bank if proof else None, above),
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


def _extremes(bank: BankTables | None, above: Floats | None) -> Extremes:
    if bank is not None:
        return build_extremes(
            bank.nodes if above is None else above, bank.likelihood, bank.first, bank.domain, bank.most
        )
    none = np.zeros(0, dtype=np.int64)
    empty = (np.zeros(0), np.zeros((2, 0, 0)), np.zeros((2, 0, 0), dtype=np.int32), none, none)
    return Extremes._make(map(read_only, empty))

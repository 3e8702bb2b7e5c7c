"""The ``[stopping]`` of an exam file: one rule or several, and what may not stand together."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import Discriminator, Tag

from issmp_cat.ability import Estimator
from issmp_cat.stopping.certain import Certain
from issmp_cat.stopping.interval import ConfidenceInterval, FixedLength
from issmp_cat.stopping.precision import PredictedSeReduction, StandardError
from issmp_cat.stopping.ratio import GeneralisedLikelihoodRatio, RatioRule, SequentialRatio

__all__ = ["Stopping", "StoppingRule", "TimeOut", "contradictions", "in_words", "several", "unreachable"]

StoppingRule: TypeAlias = (
    FixedLength
    | ConfidenceInterval
    | SequentialRatio
    | GeneralisedLikelihoodRatio
    | StandardError
    | PredictedSeReduction
    | Certain
)
TimeOut: TypeAlias = Literal["final_estimate", "last_n_consistent"]

_NAMES = tuple(str(model.model_fields["rule"].default) for model in get_args(StoppingRule))


def _kind(value: Any) -> Any:
    """Which of the models a value is meant for."""
    if isinstance(value, list | tuple):
        return "several"
    return value.get("rule") if isinstance(value, dict) else getattr(value, "rule", None)


_KNOWN = Discriminator(
    _kind, custom_error_type="unknown_rule", custom_error_message=f"rule must be one of {', '.join(_NAMES)}"
)
_One: TypeAlias = Annotated[
    Annotated[FixedLength, Tag("fixed_length")]
    | Annotated[ConfidenceInterval, Tag("confidence_interval")]
    | Annotated[SequentialRatio, Tag("sprt")]
    | Annotated[GeneralisedLikelihoodRatio, Tag("glr")]
    | Annotated[StandardError, Tag("standard_error")]
    | Annotated[PredictedSeReduction, Tag("predicted_se_reduction")]
    | Annotated[Certain, Tag("certain")],
    _KNOWN,
]
Stopping: TypeAlias = Annotated[
    Annotated[FixedLength, Tag("fixed_length")]
    | Annotated[ConfidenceInterval, Tag("confidence_interval")]
    | Annotated[SequentialRatio, Tag("sprt")]
    | Annotated[GeneralisedLikelihoodRatio, Tag("glr")]
    | Annotated[StandardError, Tag("standard_error")]
    | Annotated[PredictedSeReduction, Tag("predicted_se_reduction")]
    | Annotated[Certain, Tag("certain")]
    | Annotated[tuple[_One, ...], Tag("several")],
    _KNOWN,
]
"""One table, or several in the order in which they are asked."""


def several(stopping: StoppingRule | tuple[StoppingRule, ...]) -> tuple[StoppingRule, ...]:
    """The rules in their stated order, also when there is one."""
    return stopping if isinstance(stopping, tuple) else (stopping,)


def in_words(stopping: StoppingRule | tuple[StoppingRule, ...]) -> str:
    """The rules as a report names them.

    >>> in_words((SequentialRatio(), StandardError(target=0.25)))
    'SPRT at the cut ± 0.2 (α 0.05, β 0.05); or standard error at most 0.25'
    """
    return "; or ".join(rule.words() for rule in several(stopping))


def contradictions(
    stopping: StoppingRule | tuple[StoppingRule, ...],
    *,
    minimum: int,
    maximum: int,
    estimator: Estimator,
    time_out: TimeOut,
    last_n: int | None,
    timed: bool,
) -> list[str]:
    """Settings of one exam that cannot hold together; nothing when all is well.

    Args:
        stopping: the rules.
        minimum: shortest length; ``maximum``: the longest.
        estimator: of θ.
        time_out: what decides when time runs out; ``last_n``: how many estimates must agree.
        timed: whether the exam has a time limit.
    """
    rules = several(stopping)
    names = [rule.rule for rule in rules]
    found = [] if rules else ['no stopping rule; a fixed length is [stopping] rule = "fixed_length"']
    found += [f"the stopping rule {name} is given {n} times" for name, n in Counter(names).items() if n > 1]
    if "fixed_length" in names and len(set(names)) > 1:
        found.append("fixed_length stops at one length only; drop it, or the other stopping rules")
    elif "fixed_length" in names and minimum != maximum:
        found.append(
            f"a fixed-length exam has one length, not {minimum} to {maximum}; "
            'set both alike, or [stopping] rule = "confidence_interval"'
        )
    if {"sprt", "glr"} <= set(names):
        found.append("sprt and glr both decide, each by its own ratio; keep one of them")
    if "certain" in names:
        if estimator != "eap":
            found.append(f'certain follows the posterior; it needs scoring.estimator "eap", not "{estimator}"')
        found += [
            f"certain speaks of the decision by the posterior, {name} decides by its ratio; keep one of them"
            for name in ("sprt", "glr")
            if name in names
        ]
    stubborn = [rule for rule in rules if isinstance(rule, PredictedSeReduction) and rule.hyper is not None]
    if stubborn and "standard_error" in names:
        found.append("standard_error would stop what hyper keeps going; give the target in predicted_se_reduction")
    return found + _time_contradictions(time_out, last_n, minimum=minimum, timed=timed)


def _time_contradictions(time_out: TimeOut, last_n: int | None, *, minimum: int, timed: bool) -> list[str]:
    if time_out == "final_estimate":
        return [] if last_n is None else ['last_n belongs to time_out = "last_n_consistent"']
    found = [] if timed else ['time_out = "last_n_consistent" needs time_limit_minutes']
    if last_n is None:
        found.append('time_out = "last_n_consistent" needs last_n, the number of estimates that must agree')
    elif last_n > minimum:
        found.append(f"last_n {last_n} is above the minimum length {minimum}: nobody there has as many estimates")
    return found


def unreachable(stopping: StoppingRule | tuple[StoppingRule, ...], cut: float, low: float, high: float) -> list[str]:
    """Ratio rules whose region of indifference leaves the abilities that scoring considers."""
    return [
        f"{rule.rule}: θ_cut {cut:g} ± {rule.indifference:g} leaves the abilities that scoring considers, "
        f"{low:g} to {high:g}. Lower indifference by {-room:.3g}, or raise scoring.limit."
        for rule in several(stopping)
        if isinstance(rule, RatioRule) and (room := min(cut - low, high - cut) - rule.indifference) < 0
    ]

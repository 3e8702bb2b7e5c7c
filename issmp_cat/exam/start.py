"""Where an exam starts: the θ of the first item, and what is known of a candidate before any answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from issmp_cat.arrays import Floats
from issmp_cat.random import START, uniform
from issmp_cat.selection import State
from issmp_cat.spelling import did_you_mean

__all__ = [
    "BackgroundTerm",
    "Start",
    "StartRule",
    "background_faults",
    "build_start_rule",
    "first_theta",
    "set_prior",
    "start_faults",
]

Logits = Annotated[float, Field(ge=-20, le=20)]


class BackgroundTerm(BaseModel):
    """One value known of a candidate, and how many logits a unit of it is worth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    weight: Annotated[float, Field(ge=-20, le=20)]
    center: Annotated[float, Field(allow_inf_nan=False)] = 0.0


class Start(BaseModel):
    """Start at the prior's mean, at a fixed θ, or at one drawn evenly; from the population, or from what is known.

    The prior of a candidate of known background is normal with mean μ + Σ weight (value − center), μ the population's,
    and SD ``background_sd``: a regression of θ on the background, with its residual SD.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    theta: Logits | None = None
    theta_from: Logits | None = None
    theta_to: Logits | None = None
    background: tuple[BackgroundTerm, ...] = ()
    background_sd: Annotated[float, Field(gt=0, le=20)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        if (self.theta_from is None) != (self.theta_to is None):
            faults.append("theta_from and theta_to belong together: θ is drawn evenly between them")
        if self.theta is not None and (self.theta_from is not None or self.theta_to is not None):
            faults.append("theta is fixed and also drawn from theta_from to theta_to: keep one of the two")
        if self.theta_from is not None and self.theta_to is not None and not self.theta_from < self.theta_to:
            faults.append(f"theta_from {self.theta_from:g} is not below theta_to {self.theta_to:g}")
        if bool(self.background) != (self.background_sd is not None):
            faults.append("background terms and background_sd, the SD of θ that they leave, belong together")
        names = [term.name for term in self.background]
        faults += [f'background "{name}" stands twice' for name in dict.fromkeys(names) if names.count(name) > 1]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def shift(self, background: Mapping[str, float]) -> float:
        """By how many logits the prior's mean of such a candidate lies above the population's.

        >>> Start(background=[{"name": "years", "weight": 0.5, "center": 5}], background_sd=0.8).shift({"years": 6})
        0.5
        """
        return math.fsum(float(term.weight) * (background[term.name] - float(term.center)) for term in self.background)


class StartRule(NamedTuple):
    """What the kernels need.

    Attributes:
        low: the θ of the first item is drawn evenly from here, logits; ``high``: to here. Equal when fixed; not a
            number when the prior's mean is taken.
        background_sd: SD of θ among candidates of one background, logits; not a number without background.
        spread: SD of the prior means over candidates that the population's SD and ``background_sd`` imply; 0 without
            background.
    """

    low: float
    high: float
    background_sd: float
    spread: float


def build_start_rule(start: Start, sd: float) -> StartRule:
    """The rule as numbers.

    Args:
        start: the exam's table.
        sd: of θ in the population, logits.
    """
    low = start.theta if start.theta is not None else start.theta_from
    high = start.theta if start.theta is not None else start.theta_to
    rest = math.nan if start.background_sd is None else float(start.background_sd)
    return StartRule(
        low=math.nan if low is None else float(low),
        high=math.nan if high is None else float(high),
        background_sd=rest,
        spread=0.0 if math.isnan(rest) else math.sqrt(max(sd * sd - rest * rest, 0.0)),
    )


def start_faults(start: Start, low: float, high: float, sd: float) -> list[str]:
    """What does not go with the population; nothing when all does.

    Args:
        start: the exam's table.
        low: lowest ability that scoring considers, logits; ``high``: the highest.
        sd: of θ in the population, logits.
    """
    named = [(name, getattr(start, name)) for name in ("theta", "theta_from", "theta_to")]
    faults = [
        f"start.{name} {value:g} lies outside the abilities that scoring considers, {low:g} to {high:g}"
        for name, value in named
        if value is not None and not low < value < high
    ]
    if start.background_sd is not None and not start.background_sd < sd:
        faults.append(
            f"start.background_sd {start.background_sd:g} is not below the population's SD {sd:g}: "
            "knowing a candidate's background would then tell nothing"
        )
    return faults


def background_faults(start: Start, background: Mapping[str, float]) -> list[str]:
    """What is missing, unknown or not a number of what is said about a candidate; nothing when it fits the exam."""
    known = [term.name for term in start.background]
    faults = [f'background "{name}" is missing' for name in known if name not in background]
    expects = f"the exam asks for {', '.join(known)}" if known else "the exam asks for none"
    return faults + [
        f'background "{name}" is unknown; {expects}{did_you_mean(name, known)}'
        for name in background
        if name not in known
    ]


def first_theta(rule: StartRule, theta: float, seed: int, person: int) -> float:
    """The θ for which the first item is chosen, logits.

    Args:
        rule: where to start.
        theta: mean of the candidate's prior.
        seed: of the study or session; ``person``: number of the candidate.

    >>> first_theta(StartRule(math.nan, math.nan, math.nan, 0.0), 0.2, 1, 0)
    0.2
    >>> -1 < first_theta(StartRule(-1.0, 1.0, math.nan, 0.0), 0.2, 1, 0) < 1
    True
    """
    if math.isnan(rule.low):
        return theta
    if rule.low == rule.high:
        return rule.low
    return rule.low + (rule.high - rule.low) * uniform(seed, START, person, 0)


def set_prior(nodes: Floats, state: State, mean: float, sd: float) -> None:
    """Begin from a candidate's own prior.

    Args:
        nodes: θ, logits. Shape ``(nodes,)``.
        state: an exam before its first answer; ``weights``, ``origin`` and ``prior`` change.
        mean: the prior's mean; ``sd``: its SD, logits.
    """
    state.prior[0] = mean
    state.prior[1] = sd
    for k in range(len(nodes)):
        z = (nodes[k] - mean) / sd
        state.weights[k] = math.exp(-0.5 * z * z)
        state.origin[k] = state.weights[k]

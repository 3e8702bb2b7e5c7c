"""One item as a bank file holds it: checked at the border, trusted behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from issmp_cat.bank.nominal import misfits, with_slope_and_place

__all__ = ["NOMINAL_FIELDS", "POLYTOMOUS", "Content", "Covariance", "Item", "Metric"]

POLYTOMOUS = ("grm", "gpcm", "pcm")
NOMINAL_FIELDS = ("slopes", "intercepts", "points", "options")
# Scores are kept in one signed byte, as everywhere in a response log.
MOST_STEPS = 127

Finite = Annotated[float, Field(allow_inf_nan=False)]
Location = Annotated[float, Field(ge=-50, le=50, allow_inf_nan=False)]
Identifier = Annotated[str, Field(min_length=1, max_length=200)]
# A parameter that was estimated; b1, b2, … are an item's steps, a1, … and c1, … slopes and intercepts of a nominal one.
ParameterName = Annotated[str, Field(pattern=r"^([abcd]|[abc][1-9]\d{0,2})$")]
Slope = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Intercept = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]


class Border(BaseModel):
    """What every model of a file shares: unknown fields are refused, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Metric(Border):
    """The scale the parameters stand on: D, and the population's latent mean and SD in logits."""

    D: Annotated[float, Field(ge=1, le=1)] = 1.0
    latent_mean: Finite = 0.0
    latent_sd: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


class Covariance(Border):
    """Sampling covariance of an item's estimated parameters, in the order of ``names``; steps are b1, b2 and so on."""

    names: tuple[ParameterName, ...]
    values: tuple[tuple[Finite, ...], ...]

    @model_validator(mode="after")
    def _square(self) -> Self:
        n = len(self.names)
        if len(self.values) != n or any(len(row) != n for row in self.values):
            msg = f"covariance of {n} parameters must be {n} × {n}"
            raise ValueError(msg)
        if any(self.values[i][i] < 0 for i in range(n)):
            msg = "a variance is negative"
            raise ValueError(msg)
        return self

    def standard_error(self, name: str) -> float | None:
        """Standard error of one parameter; None when it was not estimated."""
        if name not in self.names:
            return None
        i = self.names.index(name)
        return float(self.values[i][i] ** 0.5)

    def mean_error(self, names: Sequence[str]) -> float | None:
        """Standard error of the mean of some parameters, as of an item's steps; None unless all were estimated.

        >>> Covariance(names=("b1", "b2"), values=((0.04, 0.02), (0.02, 0.04))).mean_error(["b1", "b2"])
        0.17...
        """
        if not set(names) <= set(self.names):
            return None
        rows = [self.names.index(name) for name in names]
        return float(sum(self.values[i][j] for i in rows for j in rows) ** 0.5 / len(rows))


class Content(Border):
    """What a candidate sees, and why the key is right."""

    stem: Annotated[str, Field(min_length=1)]
    options: Annotated[tuple[str, ...], Field(min_length=2, max_length=26)]
    key: Annotated[str, Field(pattern=r"^[A-Z]$")]
    rationale: str = ""

    @model_validator(mode="after")
    def _key_is_an_option(self) -> Self:
        if ord(self.key) - ord("A") >= len(self.options):
            msg = f"key {self.key} is not among the {len(self.options)} options"
            raise ValueError(msg)
        return self

    def score(self, choice: str) -> int:
        """1 for the key, 0 for any other option."""
        return int(choice.strip().upper() == self.key)


class Item(Border):
    """An item: its parameters (a per logit, b in logits, D = 1), its place in the blueprint, its history.

    An item of the models grm, gpcm and pcm is scored 0, 1, … up to the number of its ``steps``, which stand on the θ
    scale, not relative to b; b is then their mean unless given.

    An item of the model nrm has ``slopes`` and ``intercepts``, one for each category but the first: the log-odds of
    category k against category 0 are ``slopes[k − 1] θ + intercepts[k − 1]``. Its score is the number of its category;
    ``points`` says what each category earns (else the key does, else the number itself), ``options`` what a log calls
    it. a and b follow from slopes and intercepts (:func:`issmp_cat.bank.nominal.slope_and_place`).

    >>> Item(id="essay", domain="D1", model="grm", a=1.2, steps=(-1.0, 0.0, 2.5)).b
    0.5
    >>> Item(id="D", domain="D1", model="nrm", slopes=(0.8, -0.2), intercepts=(0.3, 0.1), points=(0, 1, 0)).earned
    (0, 1, 0)
    """

    id: Identifier
    domain: Identifier
    model: Literal["rasch", "1pl", "2pl", "3pl", "4pl", "grm", "gpcm", "pcm", "nrm"] = "2pl"
    a: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] = 1.0
    b: Location
    steps: Annotated[tuple[Location, ...], Field(max_length=MOST_STEPS)] = ()
    slopes: Annotated[tuple[Slope, ...], Field(max_length=MOST_STEPS)] = ()
    intercepts: Annotated[tuple[Intercept, ...], Field(max_length=MOST_STEPS)] = ()
    points: tuple[Annotated[int, Field(ge=0, le=MOST_STEPS)], ...] = ()
    options: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    c: Annotated[float, Field(ge=0, lt=1)] = 0.0
    d: Annotated[float, Field(gt=0, le=1)] = 1.0
    covariance: Covariance | None = None
    status: Literal["operational", "pretest", "retired"] = "operational"
    enemies: tuple[str, ...] = ()
    item_set: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    verdict: str | None = None
    answers: Annotated[int, Field(ge=0)] | None = None
    statistics: dict[str, Finite | None] = Field(default_factory=dict)
    content: Content | None = None
    provisional: bool = False

    @property
    def highest(self) -> int:
        """The most the item can be scored: 1 when it is right or wrong; the last category's number when nominal."""
        return len(self.steps) or len(self.slopes) or 1

    @property
    def earned(self) -> tuple[int, ...]:
        """Points for each score from 0 on: the score itself, but for nominal items what ``points`` or the key say."""
        if self.points:
            return self.points
        if self.model == "nrm" and self.content is not None:
            return tuple(self.content.score(chr(ord("A") + k)) for k in range(self.highest + 1))
        return tuple(range(self.highest + 1))

    def score(self, letter: str) -> int:
        """The score of a chosen option of the content: 1 for the key, or the category's number of a nominal item.

        Raises:
            ValueError: the item has no content.
        """
        if self.content is None:
            msg = f'item "{self.id}" has no content'
            raise ValueError(msg)
        return ord(letter.strip().upper()) - ord("A") if self.model == "nrm" else self.content.score(letter)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_what_follows(cls, values: Any) -> Any:
        """Fill in b, and a of nominal items; steps that are not numbers are left to their own fault."""
        if isinstance(values, dict) and values.get("model") == "nrm":
            return with_slope_and_place(values)
        if isinstance(values, dict) and values.get("b") is None and values.get("steps"):
            try:
                steps = [float(step) for step in values["steps"]]
            except (TypeError, ValueError):
                steps = [0.0]
            return {**values, "b": fsum(steps) / len(steps)}
        return values

    @model_validator(mode="after")
    def _parameters_fit_the_model(self) -> Self:
        faults = [*self._misfits()]
        if self.id in self.enemies:
            faults.append("is its own enemy")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _misfits(self) -> Iterator[str]:
        """Parameters that the model does not have, or not so."""
        named = {"rasch": "Rasch", "pcm": "PCM"}
        if self.c >= self.d:
            yield f"c {self.c:g} is not below d {self.d:g}"
        if self.model in named and self.a != 1.0:
            yield f"a {named[self.model]} item has a = 1, this one {self.a:g}"
        if self.model not in ("3pl", "4pl") and self.c != 0.0:
            yield f"a {self.model} item has c = 0, this one {self.c:g}"
        if self.model != "4pl" and self.d != 1.0:
            yield f"a {self.model} item has d = 1, this one {self.d:g}"
        estimated = self.covariance.names if self.covariance else ()
        letters, n = ("ac", len(self.slopes)) if self.model == "nrm" else ("b", len(self.steps))
        numbered = [name for name in estimated if name[1:]] if self.model != "nrm" else estimated
        if beyond := [name for name in numbered if name[0] not in letters or not 1 <= int(name[1:] or 0) <= n]:
            yield f"covariance of {', '.join(beyond)}, but {n} {'slopes' if self.model == 'nrm' else 'steps'}"
        if self.model == "nrm":
            yield from misfits(self)
        elif unfit := [name for name in NOMINAL_FIELDS if getattr(self, name)]:
            yield f"a {self.model} item has no {' and no '.join(unfit)}; nrm items have"
        if self.model in POLYTOMOUS:
            yield from self._misplaced_steps()
        elif self.steps:
            yield f"a {self.model} item has no steps; models with steps are {', '.join(POLYTOMOUS)}"

    def _misplaced_steps(self) -> Iterator[str]:
        if not self.steps:
            yield f"a {self.model} item needs steps, one for each score above 0"
            return
        if self.model == "grm":
            for k, (lower, upper) in enumerate(zip(self.steps, self.steps[1:], strict=False), 2):
                if upper <= lower:
                    yield f"step {k} ({upper:g}) is not above step {k - 1} ({lower:g}), as thresholds of grm must be"
        # The mean of equal steps may miss them by a rounding.
        if not min(self.steps) - 1e-9 <= self.b <= max(self.steps) + 1e-9:
            lowest, highest = min(self.steps), max(self.steps)
            yield f"b {self.b:g} lies outside its steps, {lowest:g} to {highest:g}: steps are not relative to b"
        if self.content is not None:
            yield f"a key scores 0 or 1: a {self.model} item cannot have content with options"

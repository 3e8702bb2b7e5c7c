"""The exam as its TOML file holds it."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from issmp_cat.ability import Estimator
from issmp_cat.bank import ItemBank
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.blueprint import Blueprint
from issmp_cat.errors import ExamError
from issmp_cat.exam.pretest_table import Pretest
from issmp_cat.exam.start import Start
from issmp_cat.exposure import ExposureControl, ExposureTable
from issmp_cat.files import read_text
from issmp_cat.scale import Scale
from issmp_cat.selection import CriterionName
from issmp_cat.stopping import FixedLength, Stopping, TimeOut, contradictions

if TYPE_CHECKING:
    from issmp_cat.session import Session

__all__ = ["Exam", "Length", "Report", "Retakes", "Scoring", "Selection", "packaged_exams"]


class Part(BaseModel):
    """A table of the exam file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Length(Part):
    """Number of scored items: at least and at most."""

    minimum: Annotated[int, Field(ge=1)]
    maximum: Annotated[int, Field(ge=1, le=2000)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            msg = f"minimum {self.minimum} is above maximum {self.maximum}"
            raise ValueError(msg)
        return self


class Selection(Part):
    """By what items are judged, and whether the best is taken or one drawn among the best.

    Randomesque selection draws evenly among the best few (Kingsbury & Zara, 1989). ``progressive`` lets chance weigh
    at the start and the criterion at the end (Revuelta & Ponsoda, 1998); its number bends the growth, 0 is even.
    """

    criterion: CriterionName = "fisher_information"
    progressive: Annotated[float, Field(ge=0, le=20)] | None = None
    rule: Literal["best", "randomesque"] = "randomesque"
    among: Annotated[int, Field(ge=2, le=20_000)] = 5

    @property
    def best(self) -> int:
        """How many of the best to draw among; 1 takes the best."""
        return self.among if self.rule == "randomesque" else 1

    @property
    def tabulated(self) -> bool:
        """Whether the items' values are looked up; else every item is scored at each decision."""
        return self.criterion in ("fisher_information", "fisher_at_cut") and self.progressive is None


class Scoring(Part):
    """How θ is estimated.

    The grid spans the population's mean ± ``limit`` SDs; its ends are the fences of ML, MAP and WLE. Without
    ``prior_mean`` and ``prior_sd`` the bank's own population is the prior. Where no stopping rule decides by
    evidence of its own, who passes has θ̂ at or above the cut, or a posterior probability of more than ½ to be there.
    """

    estimator: Estimator = "eap"
    decide_by: Literal["estimate", "posterior_probability"] = "estimate"
    nodes: Annotated[int, Field(ge=15, le=401)] = 41
    limit: Annotated[float, Field(ge=2, le=8)] = 4.0
    prior_mean: Annotated[float, Field(ge=-20, le=20)] | None = None
    prior_sd: Annotated[float, Field(gt=0, le=20)] | None = None


class Retakes(Part):
    """Days to wait before the second, third, … attempt, the last one repeating; and whether items may come again.

    Items seen in earlier attempts are allowed, barred, or limited to ``at_most`` of them.
    """

    waiting_days: tuple[Annotated[int, Field(ge=0, le=36_500)], ...] = ()
    seen_items: Literal["allow", "bar", "limit"] = "allow"
    at_most: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _limit_has_a_number(self) -> Self:
        if (self.at_most is None) == (self.seen_items == "limit"):
            msg = 'seen_items = "limit" and at_most, how many seen items may come again, belong together'
            raise ValueError(msg)
        return self


class Report(Part):
    """How fine a score report may be.

    A domain is called below or above the cut only if the interval of its ability at this level excludes the cut, and
    only with at least ``minimum_items`` answers in it. Domains help each other by ``domain_correlation``, the
    correlation of abilities in any two of them: 0 leaves each to its own answers. It counts as assumed until
    ``domain_correlation_source`` says where it comes from.
    """

    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.8
    minimum_items: Annotated[int, Field(ge=1)] = 5
    domain_correlation: Annotated[float, Field(ge=0, le=0.99)] = 0.9
    domain_correlation_source: str = ""


class Exam(Part):
    """Everything a programme decides.

    >>> exam = Exam.load("issmp")
    >>> exam.length.maximum, exam.blueprint.quotas(125)
    (125, (28, 24, 22, 21, 15, 15))
    """

    id: Annotated[str, Field(min_length=1)]
    title: str
    note: str = ""
    source: str = ""
    date: dt.date | None = None
    blueprint: Blueprint
    length: Length
    time_limit_minutes: Annotated[float, Field(gt=0)] | None = None
    time_out: TimeOut = "final_estimate"
    last_n: Annotated[int, Field(ge=1)] | None = None
    selection: Selection = Field(default_factory=Selection)
    scoring: Scoring = Field(default_factory=Scoring)
    # The table [start]: the name belongs to the method.
    start_from: Start = Field(default_factory=Start, alias="start")
    stopping: Stopping = Field(default_factory=FixedLength)
    exposure: ExposureControl = Field(default_factory=ExposureControl)
    scale: Scale
    retakes: Retakes = Field(default_factory=Retakes)
    report: Report = Field(default_factory=Report)
    pretest: Pretest | None = None

    @model_validator(mode="after")
    def _stopping_makes_sense(self) -> Self:
        faults = contradictions(
            self.stopping,
            minimum=self.length.minimum,
            maximum=self.length.maximum,
            estimator=self.scoring.estimator,
            time_out=self.time_out,
            last_n=self.last_n,
            timed=self.time_limit_minutes is not None,
        )
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @model_validator(mode="after")
    def _slots_come_before_any_end(self) -> Self:
        if self.pretest and (faults := self.pretest.faults(self.length.minimum, self.blueprint.ids)):
            raise ValueError("; ".join(faults))
        return self

    @model_validator(mode="after")
    def _prices_fit_the_criterion(self) -> Self:
        criterion, progressive = self.selection.criterion, self.selection.progressive
        if self.exposure.control == "prices" and (criterion != "fisher_information" or progressive is not None):
            found = f'"{criterion}"' if progressive is None else "progressive weighting"
            msg = (
                f'exposure control "prices" weighs a price against information at θ̂, and has no scale for {found}; '
                'use criterion "fisher_information", or control "eligibility"'
            )
            raise ValueError(msg)
        return self

    @model_serializer(mode="wrap")
    def _as_in_the_file(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {("start" if name == "start_from" else name): part for name, part in handler(self).items()}

    @classmethod
    def load(cls, source: str | Path) -> Exam:
        """Read an exam from a TOML file, or one that ships with the package by its name.

        Args:
            source: a path, or ``"issmp"``, ``"issmp-linear"``, ``"practice"``.

        Raises:
            ExamError: listing every fault of the file.
        """
        if str(source) in packaged_exams():
            return cls.parse((_data() / f"{source}.toml").read_text(encoding="utf-8"), where=f"{source}.toml")
        path = Path(source)
        if not path.suffix and not path.exists():
            raise ExamError(
                str(source), [f"no such file, and no exam of this name; known: {', '.join(packaged_exams())}"]
            )
        return cls.parse(read_text(path, ExamError), where=str(path))

    @classmethod
    def parse(cls, text: str, *, where: str = "exam") -> Exam:
        """An exam from TOML text; raises as :meth:`load`."""
        if not text.strip():
            raise ExamError(where, ["the file is empty"])
        try:
            return cls.model_validate(tomllib.loads(text, parse_float=Decimal))
        except tomllib.TOMLDecodeError as error:
            raise ExamError(where, [f"not TOML: {error}"]) from None
        except ValidationError as error:
            raise ExamError(where, plain_faults(error)) from None
        except RecursionError:
            raise ExamError(where, ["not TOML that anyone wrote: nested too deeply"]) from None
        except ValueError:
            raise ExamError(where, ["a number has more than 4300 digits"]) from None

    @functools.cached_property
    def version(self) -> str:
        """Twelve hex digits of a hash over everything the exam decides; what it leaves to defaults is left out."""
        return hashlib.sha256(
            self.model_dump_json(exclude={"title", "note", "source"}, exclude_defaults=True).encode()
        ).hexdigest()[:12]

    @property
    def time_limit_seconds(self) -> float:
        """Test time in seconds; infinite when there is no limit."""
        return float("inf") if self.time_limit_minutes is None else 60.0 * self.time_limit_minutes

    def start(
        self,
        bank: ItemBank,
        *,
        seed: int | None = None,
        candidate: str = "",
        person: int = 0,
        background: Mapping[str, float] | None = None,
        seen: Iterable[str] = (),
        pretest_answers: Mapping[str, int] | None = None,
        exposure: ExposureTable | None = None,
    ) -> Session:
        """Open a session for one candidate.

        Args:
            bank: the items; must be able to fill the blueprint.
            seed: what the session's draws follow from; drawn when not given, and kept with the session.
            candidate: whose session it is.
            person: number of the candidate in a simulation of the same seed, to replay that exam.
            background: what is known of the candidate, by the names of the exam's ``[[start.background]]``.
            seen: ids of the items seen in earlier attempts, for the exam's ``[retakes] seen_items``.
            pretest_answers: answers collected so far by pretest items, by id; those that lack most are tried out most.
            exposure: who is admitted to which item, where the exam asks for exposure control.

        Raises:
            BlueprintInfeasible: the bank cannot fill the blueprint, or not with what the candidate has not seen.
            ExamError: the bank has items of a domain that the exam does not know, or the exposure table is missing
                or another exam's.
            SessionError: what is said about the candidate does not fit the exam; all faults are listed.
        """
        from issmp_cat.session import Session

        known = {"person": person, "background": dict(background or {}), "seen": sorted(set(seen))}
        known["pretest_answers"] = dict(pretest_answers or {})
        return Session.start(self, bank, seed=seed, candidate=candidate, exposure=exposure, **known)


def _data() -> resources.abc.Traversable:
    return resources.files("issmp_cat") / "data"


def packaged_exams() -> tuple[str, ...]:
    """Names of the exams that ship with the package."""
    return tuple(sorted(entry.name[:-5] for entry in _data().iterdir() if entry.name.endswith(".toml")))

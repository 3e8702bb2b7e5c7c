"""A study as its TOML file holds it: designs, each an exam with changes on one or several banks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from issmp_cat import Exam
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import InputRejected
from issmp_cat.files import read_text

__all__ = ["Candidates", "DesignTable", "Study", "load_study", "merged", "packaged_studies", "studies_folder"]

Text = Annotated[str, Field(min_length=1)]
Changes = dict[str, Any]


class Part(BaseModel):
    """A table of the study file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Candidates(Part):
    """Who sits the exams: normal abilities, logits. The same candidates in every design."""

    mean: float = 0.0
    sd: Annotated[float, Field(ge=0)] = 1.0


class DesignTable(Part):
    """One way to give the exam.

    Attributes:
        id: names it in tables and file names; with several banks, ``id@bank``.
        title: what a reader sees; ``exam``, ``banks`` and ``candidates`` replace those of the study.
        change: what differs from the exam, table by table as in an exam file.
        oracle: simulate instead what no exam can do: items given by true ability, no item to more than this share.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    title: Text
    exam: Text | None = None
    banks: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    candidates: Annotated[int, Field(ge=1)] | None = None
    change: Changes = Field(default_factory=dict)
    oracle: Annotated[float, Field(gt=0, le=1)] | None = None


class Study(Part):
    """Designs that are compared on the same candidates.

    Attributes:
        candidates: simulated in each design; ``seed``: all draws follow from it.
        population: their abilities.
        reference: id of the design with which the others are compared, candidate by candidate.
        exam: where designs start from: a packaged exam, or a file beside this one; ``banks`` alike.
        change: changes to the exam in every design, before the design's own.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Text
    note: str = ""
    candidates: Annotated[int, Field(ge=1)] = 100_000
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    population: Candidates = Field(default_factory=Candidates)
    reference: Text | None = None
    exam: Text = "issmp"
    banks: Annotated[tuple[Text, ...], Field(min_length=1)] = ("1500",)
    change: Changes = Field(default_factory=dict)
    designs: Annotated[tuple[DesignTable, ...], Field(min_length=1)]

    @field_validator("designs")
    @classmethod
    def _named_once(cls, designs: tuple[DesignTable, ...]) -> tuple[DesignTable, ...]:
        ids = [design.id for design in designs]
        if doubles := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
            raise ValueError(f"design id used twice: {', '.join(doubles)}")
        return designs

    @model_validator(mode="after")
    def _reference_exists(self) -> Self:
        if self.reference is not None and self.reference not in {design.id for design in self.designs}:
            raise ValueError(f'no design "{self.reference}" to compare with')
        return self

    def exam_of(self, design: DesignTable, folder: Path) -> Exam:
        """The exam of a design: the packaged one or the file, with all changes.

        Raises:
            ExamError: no such exam, or a file with faults.
            InputRejected: changes that no exam can have, each named.
        """
        source = design.exam or self.exam
        beside = folder / source
        start = Exam.load(beside if beside.is_file() else source)
        changed = merged(merged(start.model_dump(), self.change), design.change)
        try:
            return Exam.model_validate({**changed, "id": f"{start.id}/{design.id}", "title": design.title})
        except ValidationError as error:
            raise InputRejected(f'study "{self.id}", design "{design.id}"', plain_faults(error)) from None


def merged(table: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A table with changes: tables inside are merged, everything else is replaced.

    A table that names another ``rule`` is replaced whole: the old rule's settings mean nothing to the new one.

    >>> merged({"length": {"minimum": 75, "maximum": 125}}, {"length": {"minimum": 125}})
    {'length': {'minimum': 125, 'maximum': 125}}
    >>> merged({"stopping": {"rule": "sprt", "alpha": 0.05}}, {"stopping": {"rule": "fixed_length"}})
    {'stopping': {'rule': 'fixed_length'}}
    """
    result = dict(table)
    for name, value in change.items():
        old = result.get(name)
        inside = isinstance(value, Mapping) and isinstance(old, Mapping) and _same_rule(old, value)
        result[name] = merged(old or {}, value) if inside else value
    return result


def _same_rule(old: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    return bool(change.get("rule", old.get("rule")) == old.get("rule"))


def studies_folder() -> Path:
    """Where the studies are that ship with the package: beside it in a checkout, inside it when installed."""
    package = Path(__file__).parents[1]
    beside = package.parent / "studies"
    return beside if beside.is_dir() and package.parent.name == "simulations" else package / "kept_studies"


def packaged_studies() -> tuple[str, ...]:
    """Names of the studies that ship with the package.

    >>> "accuracy" in packaged_studies()
    True
    """
    return tuple(sorted(path.stem for path in studies_folder().glob("*.toml")))


def load_study(source: str | Path) -> tuple[Study, Path]:
    """A study from a file, or one that ships with the package by its name; and the folder its exams may lie in.

    Raises:
        InputRejected: no such study, or every fault of the file.
    """
    path = Path(source)
    if str(source) in packaged_studies():
        path = studies_folder() / f"{source}.toml"
    elif not path.suffix and not path.exists():
        known = ", ".join(packaged_studies())
        raise InputRejected(str(source), [f"no such file, and no study of this name; known: {known}"])
    text = read_text(path, InputRejected)
    try:
        return Study.model_validate(tomllib.loads(text, parse_float=Decimal)), path.parent
    except tomllib.TOMLDecodeError as error:
        raise InputRejected(str(path), [f"not TOML: {error}"]) from None
    except ValidationError as error:
        raise InputRejected(str(path), plain_faults(error)) from None

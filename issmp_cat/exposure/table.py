"""The table that a calibration found, as a file that sessions and simulations are given."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from issmp_cat.arrays import Floats, read_only
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import ExamError, UsageError
from issmp_cat.exposure.counts import Counts, next_admission
from issmp_cat.exposure.section import ExposureControl
from issmp_cat.files import atomic_write, read_json

__all__ = ["Evidence", "ExposureTable"]

FORMAT, FORMAT_VERSION = "issmp-cat/exposure", 1
DIGITS = 7

Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Evidence(BaseModel):
    """How a table was found, and what fresh candidates met under it.

    Attributes:
        iterations: rounds of simulation; ``candidates`` in each; ``seed`` of them all.
        converged: whether the largest rate was within noise of the target when the shares had come to rest.
        movement: largest change of a share in the last round.
        checked: fresh candidates simulated under the final table, and without control for comparison.
        largest_rate: among them; ``largest_conditional``: by band of final θ̂, none without bands.
        never_used: share of the items that none of them saw; ``overlap``: share of a test that two have in common.
        rmse: of θ̂, logits; ``accuracy``: share rightly passed or failed; ``length``: mean items.
        rmse_without: the same candidates without control; ``accuracy_without`` and ``length_without`` alike.
        relaxed: how often held items had to be released to fill a quota.
        histogram: items by rate, in steps of 0.05 from 0.
        path: largest rate after each round.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    iterations: int
    candidates: int
    seed: int
    population: str
    converged: bool
    movement: float
    checked: int
    largest_rate: float
    largest_conditional: tuple[float, ...] = ()
    never_used: float
    overlap: float
    rmse: float
    rmse_without: float
    accuracy: float
    accuracy_without: float
    length: float
    length_without: float
    relaxed: int
    histogram: tuple[int, ...]
    path: tuple[float, ...]


class _Tally(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: tuple[Number, ...]
    eligible: tuple[tuple[Number, ...], ...]
    given: tuple[tuple[Number, ...], ...]

    def arrays(self) -> Counts:
        return Counts(np.array(self.candidates), np.array(self.eligible), np.array(self.given))


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["issmp-cat/exposure"]
    format_version: Literal[1]
    version: str
    exam: str
    exam_version: str
    bank: str
    bank_version: str
    method: ExposureControl
    items: tuple[str, ...]
    admit: tuple[tuple[Share, ...], ...]
    price: tuple[Number, ...] = ()
    weight: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = ()
    evidence: Evidence | None = None
    counts: _Tally | None = None
    provenance: dict[str, Any] = {}


@dataclass(frozen=True, eq=False)
class ExposureTable:
    """Who is admitted to which item, for one version of an exam on one version of a bank.

    Attributes:
        exam: id of the exam; ``bank``: of the bank; their versions beside them.
        method: the exam's ``[exposure]``.
        items: ids of the operational items.
        admit: share of candidates admitted, by band of θ̂. Shape ``(bands, items)``.
        price: what using an item costs, in information at weight 1; empty without prices. Shape ``(items,)``.
        weight: what information is worth at each grid point, 1 at most. Shape ``(points,)``.
        evidence: how the table was found; None in one that nobody calibrated.
        counts: finished exams, from which the eligibility method goes on learning.
        provenance: versions of the programs.
    """

    exam: str
    exam_version: str
    bank: str
    bank_version: str
    method: ExposureControl
    items: tuple[str, ...]
    admit: Floats
    price: Floats
    weight: Floats
    evidence: Evidence | None = None
    counts: Counts | None = None
    provenance: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("admit", "price", "weight"):
            # As many digits as the file holds, so that the table read back is the table written.
            object.__setattr__(self, name, read_only(np.round(np.asarray(getattr(self, name), dtype=float), DIGITS)))

    @property
    def edges(self) -> Floats:
        """θ̂ between the bands, logits. Shape ``(bands - 1,)``."""
        return np.array(self.method.bands, dtype=np.float64)

    @functools.cached_property
    def version(self) -> str:
        """Twelve hex digits of a hash over everything that can change a decision."""
        digest = hashlib.sha256()
        digest.update(json.dumps([self.exam_version, self.bank_version, self.items, self.method.bands]).encode())
        for array in (self.admit, self.price, self.weight):
            digest.update(array.tobytes())
        return digest.hexdigest()[:12]

    def learn(self, later: Counts) -> ExposureTable:
        """The table after more finished exams, by the eligibility rule on all counts so far.

        Args:
            later: of exams given under this table.

        Raises:
            UsageError: the exam's control is not "eligibility": other tables are calibrated, not learnt.
        """
        if self.method.control != "eligibility":
            raise UsageError(f'a table for control "{self.method.control}" does not learn: calibrate it again')
        counts = later if self.counts is None else self.counts.then(later)
        admit = next_admission(counts, self.method.target, self.admit)
        return replace(self, admit=admit, counts=counts, evidence=None)

    def save(self, path: str | Path) -> None:
        """Write the table as JSON, one line a field; whole or not at all."""
        content = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "version": self.version,
            "exam": self.exam,
            "exam_version": self.exam_version,
            "bank": self.bank,
            "bank_version": self.bank_version,
            "method": self.method.model_dump(mode="json", exclude_unset=True),
            "items": self.items,
            "admit": self.admit.tolist(),
            "price": self.price.tolist(),
            "weight": self.weight.tolist(),
            "evidence": None if self.evidence is None else self.evidence.model_dump(mode="json"),
            "counts": None
            if self.counts is None
            else {name: getattr(self.counts, name).tolist() for name in ("candidates", "eligible", "given")},
            "provenance": self.provenance or {},
        }
        lines = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in content.items()]
        with atomic_write(path) as handle:
            handle.write("{\n" + ",\n".join(lines) + "\n}\n")

    @classmethod
    def load(cls, path: str | Path) -> ExposureTable:
        """Read a table.

        Raises:
            ExamError: not a table, or a damaged or edited one; every fault is listed.
        """
        content = read_json(path, ExamError)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ExamError(str(path), [f'not an exposure table: "format" must be "{FORMAT}"'])
        try:
            file = _File.model_validate(content)
        except ValidationError as error:
            raise ExamError(str(path), plain_faults(error)) from None
        if problems := _misshapen(file):
            raise ExamError(str(path), problems)
        table = cls(
            file.exam, file.exam_version, file.bank, file.bank_version, file.method, file.items,
            np.array(file.admit), np.array(file.price), np.array(file.weight), file.evidence,
            None if file.counts is None else file.counts.arrays(),
            file.provenance,
        )  # fmt: skip
        if table.version != file.version:
            raise ExamError(
                str(path), [f"its content has version {table.version}, its label says {file.version}: it was edited"]
            )
        return table


def _misshapen(file: _File) -> list[str]:
    """Arrays that do not go with the items and bands."""
    bands, items = len(file.method.bands) + 1, len(file.items)
    rows: list[tuple[str, tuple[tuple[float, ...], ...]]] = [("admit", file.admit)]
    if file.counts is not None:
        rows += [("counts.eligible", file.counts.eligible), ("counts.given", file.counts.given)]
    problems = [
        f"{name} has {len(table)} rows of {sorted({len(row) for row in table})} numbers; expected {bands} of {items}"
        for name, table in rows
        if len(table) != bands or any(len(row) != items for row in table)
    ]
    if file.counts is not None and len(file.counts.candidates) != bands:
        problems.append(f"counts.candidates has {len(file.counts.candidates)} numbers; expected {bands}")
    if len(file.price) not in (0, items):
        problems.append(f"price has {len(file.price)} numbers; expected none or {items}")
    return problems

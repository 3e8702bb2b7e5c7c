"""What a study found: figures with their uncertainty, tables, plots, and where it all comes from."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import InputRejected, UsageError
from issmp_cat.exposure import ExposureTable
from issmp_cat.files import atomic_write, read_json
from issmp_simulations.compliance import Compliance
from issmp_simulations.estimates import Estimate
from issmp_simulations.run import Exams
from issmp_simulations.tables import Bands, Exposure, Histogram, PretestUse, Sample

if TYPE_CHECKING:
    import pandas as pd

    from issmp_cat.plot import Plot

__all__ = ["StudyResult"]

FORMAT, FORMAT_VERSION = "issmp-cat/study", 2


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StudyResult:
    """Evidence about an exam on a bank for a population. Each :class:`Estimate` carries its Monte-Carlo error.

    Attributes:
        n: candidates simulated; ``cut``: θ of the pass mark, logits.
        pass_rate: share that passed; ``true_pass_rate``: share whose true θ is at or above the cut.
        accuracy: share rightly passed or failed.
        false_pass: share of all that passed with θ below the cut; ``false_fail``: the other way round.
        false_pass_rate: the same among those truly below the cut; ``false_fail_rate``: among those truly above.
        bias: mean of θ estimated minus θ, logits; ``rmse``: root of the mean square.
        mean_se: mean standard error, logits; ``coverage``: share of θ within 1.96 of them.
        mean_length: items; ``mean_seconds``: test time, None without a clock.
        reasons: how many exams ended for each reason.
        unproven: decisions that the search had to leave without a proof of optimality.
        compliance: rules broken, counted from the records; must be 0.
        exposure: use of the items; ``bands``, ``lengths``, ``scores``: the tables behind the plots.
        sample: the first thousand candidates.
        provenance: versions, hashes, seed, options.
        pretest: use of the items that are tried out; None when the exam tries out nothing.
        exams: every candidate; None in a study read from a file.
        exposure_table: who was admitted to which item; None without control, and in a study read from a file.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    n: int
    cut: float
    pass_rate: Estimate | None
    true_pass_rate: Estimate | None
    accuracy: Estimate | None
    false_pass: Estimate | None
    false_fail: Estimate | None
    false_pass_rate: Estimate | None
    false_fail_rate: Estimate | None
    bias: Estimate | None
    rmse: Estimate | None
    mean_se: Estimate | None
    coverage: Estimate | None
    mean_length: Estimate | None
    mean_seconds: Estimate | None
    reasons: Mapping[str, int]
    unproven: int
    compliance: Compliance
    exposure: Exposure
    bands: Bands
    lengths: Histogram
    scores: Histogram
    sample: Sample
    provenance: Mapping[str, Any]
    pretest: PretestUse | None = field(default=None)
    exams: Exams | None = field(default=None)
    exposure_table: ExposureTable | None = field(default=None)

    @property
    def figures(self) -> dict[str, float]:
        """Every single figure by name, as ``--gate`` knows them; those nobody could be counted for are left out."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            **{name: value.value for name, value in named.items() if isinstance(value, Estimate)},
            **self.exposure.as_dict(),
            "violations": self.compliance.violations,
            "unproven": self.unproven,
        }

    @property
    def frame(self) -> pd.DataFrame:
        """One row a candidate.

        Raises:
            UsageError: the study was read from a file, which holds no single candidates.
        """
        from issmp_simulations.frames import candidates

        if self.exams is None:
            raise UsageError("a study read from a file holds no single candidates; simulate again with the same seed")
        return candidates(self.exams, self.cut)

    def by_theta(self, width: float = 0.5) -> pd.DataFrame:
        """Pass rate, accuracy, bias, RMSE, standard error and length by bands of true θ, each with its error."""
        from issmp_simulations.frames import conditional

        return conditional(self.bands.rows(width))

    def plot(
        self,
        kind: Literal["pass_rate", "accuracy", "length", "exposure", "recovery", "bias", "se", "score"] = "pass_rate",
        **options: Any,
    ) -> Plot:
        """A plot of the study; see ``issmp_simulations.plots`` for what each kind can be told.

        Raises:
            UsageError: no such kind, or an option it does not have.
        """
        from issmp_simulations.plots import draw

        return draw(self, kind, options)

    def summary(self) -> str:
        """The study in some twenty lines."""
        from issmp_simulations.summary import summary

        return summary(self)

    __repr__ = summary

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.summary())}</pre>"

    def as_dict(self) -> dict[str, Any]:
        """Everything but the single candidates, in plain types."""
        content = TypeAdapter(StudyResult).dump_python(self, mode="json", exclude={"exams", "exposure_table"})
        return {"format": FORMAT, "format_version": FORMAT_VERSION, **content}

    def to_json(self, path: str | Path | None = None) -> str:
        """The study as JSON, one line a field; written to ``path`` too when it is given, whole or not at all."""
        lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in self.as_dict().items()]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        if path is not None:
            with atomic_write(path) as handle:
                handle.write(text)
        return text

    @classmethod
    def from_json(cls, path: str | Path) -> StudyResult:
        """Read a study; its single candidates are not in the file.

        Raises:
            InputRejected: not a study file, or a damaged one.
        """
        content = read_json(path, InputRejected)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise InputRejected(str(path), [f'not a study: "format" must be "{FORMAT}"'])
        if (version := content.pop("format_version", None)) != FORMAT_VERSION:
            raise InputRejected(str(path), [f"format_version {version!r} is not known here; expected {FORMAT_VERSION}"])
        try:
            return TypeAdapter(StudyResult).validate_python(content)
        except ValidationError as error:
            raise InputRejected(str(path), plain_faults(error)) from None

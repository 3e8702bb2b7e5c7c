"""What scoring found: where each candidate stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.faults import counted, some
from issmp_cat.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NO_ANSWERS", "Scores"]

NO_ANSWERS = "no answers"
PRETEST = "pretest items do not count"
NAMED = 8  # items that do not count, of each reason


@dataclass(frozen=True, slots=True)
class Scores:
    """Where each candidate of a log stands.

    Attributes:
        candidate: ids, as in the log. Shape ``(persons,)``, as all columns.
        theta: ability, logits; NaN for candidates without answers.
        se: its standard error, logits: the posterior SD with EAP, asymptotic otherwise.
        answers: to items that count; ``raw``: the points they gave, one for each right answer.
        at_bound: whether θ is no maximum but a fence of the search, which EAP does not have.
        candidates: the log's further columns about candidates.
        method: eap, map, ml or wle.
        items: how many items count.
        left_out: items of the log that do not, with the reason.
        provenance: versions, hash of the input, bank version, population in words, prior, nodes, seed.
        plausible_values: draws from each posterior, logits; NaN without answers. Shape ``(persons, draws)``.
    """

    candidate: NDArray[Any]
    theta: Floats
    se: Floats
    answers: Ints
    raw: Ints
    at_bound: Bools
    candidates: Mapping[str, NDArray[Any]]
    method: str
    items: int
    left_out: Mapping[str, str]
    provenance: Mapping[str, Any]
    plausible_values: Floats

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """Numbers by candidate, under the names they have in files."""
        columns: dict[str, NDArray[Any]] = {
            "theta": self.theta, "se": self.se, "answers": self.answers, "raw": self.raw
        }  # fmt: skip
        if self.method != "eap":
            columns["at_bound"] = self.at_bound
        draws = {f"pv{k + 1}": values for k, values in enumerate(self.plausible_values.T)}
        return columns | draws

    @property
    def frame(self) -> pd.DataFrame:
        """One row a candidate; numbers that do not exist are blank."""
        import pandas as pd

        columns = {"candidate": self.candidate, **self.columns}
        columns["verdict"] = np.where(self.answers > 0, "ok", NO_ANSWERS)
        more = {name: values for name, values in self.candidates.items() if name not in columns}
        draws = {name: "Float64" for name in columns if name.startswith("pv")}
        return pd.DataFrame(columns | more).astype({"theta": "Float64", "se": "Float64", **draws})

    @property
    def _population_counts(self) -> bool:
        """Whether a population had a part in any number here: ML and WLE know none."""
        by_prior = self.method in {"eap", "map"} or self.plausible_values.shape[1] > 0
        return by_prior and "population" in self.provenance

    @property
    def _why_left_out(self) -> str:
        """Names of the items that do not count, by reason, and what would let them."""
        by_reason = dict[str, list[str]]()
        for name, why in self.left_out.items():
            by_reason.setdefault(why, []).append(name)
        remedy = {PRETEST: "; --pretest (pretest=True) counts them"}
        return ", ".join(
            f"{len(names):,} {why} ({some(names, NAMED)}{remedy.get(why, '')})" for why, names in by_reason.items()
        )

    def summary(self) -> str:
        """The scores in a few lines."""
        known = self.answers > 0
        lines = [f"{known.sum():,} candidates scored by {self.method.upper()} on {self.items:,} items"]
        if known.any():
            theta, se = self.theta[known], self.se[known]
            mean, spread = float(theta.mean()), float(theta.std())
            lines.append(
                f"θ mean {mean:.4f}, SD {spread:.4f}, range {theta.min():.3f} … {theta.max():.3f}; "
                f"median SE {np.median(se):.4f} logits"
            )
        if self._population_counts:
            lines.append(f"population: {self.provenance['population']}")
        if not known.all():
            lines.append(f"{counted(int((~known).sum()), 'candidate')} had no answers to these items")
        if bound := int(self.at_bound.sum()):
            who, whose = ("1 candidate has", "its") if bound == 1 else (f"{bound:,} candidates have", "their")
            finite = "finite " if self.method == "ml" else ""
            lines.append(f"{who} no {finite}{self.method.upper()} estimate within the fences: {whose} θ is the fence")
        if draws := self.plausible_values.shape[1]:
            seed = self.provenance["options"]["seed"]
            lines.append(f"{counted(draws, 'plausible value')} of each, drawn with seed {seed}")
        if self.left_out:
            lines.append(f"{counted(len(self.left_out), 'item')} of the log left out of account: {self._why_left_out}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(self.summary())}</p>{self.frame.round(4).to_html(max_rows=20, index=False)}"

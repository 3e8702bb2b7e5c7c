"""The result of a calibration."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from issmp_calibration.item_table import FINE, ItemTable
from issmp_calibration.latent import Latent
from issmp_calibration.log import ItemKey
from issmp_calibration.log.faults import counted, some
from issmp_calibration.mml.em import Pass

if TYPE_CHECKING:
    import pandas as pd

    from issmp_cat.bank import ItemBank
    from issmp_cat.plot import Plot

__all__ = ["Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Item parameters with their standard errors, and what they rest on.

    Attributes:
        model: rasch, 1pl, 2pl or 3pl.
        items: one row for each item of the log; ``items.frame`` is a data frame.
        test: raw-score statistics of the operational items: candidates, items, mean, sd, lowest, highest, alpha
            (KR-20; null where candidates took different items), sem.
        latent: the population.
        log_likelihood: marginal, natural logarithm.
        log_prior: log density of the parameters under their priors; 0 without priors.
        n_parameters: how many were estimated.
        n_persons: candidates in the fit; ``n_answers``: their answers in it.
        persons_apart: candidates without an answer to any item in the fit.
        converged: whether every item has settled.
        reason: why the iteration ended, in words.
        passes: what happened in each pass over the answers.
        priors: by parameter, in words.
        provenance: versions, hash of the input, options, nodes, how the log was understood.
        key: what the item file said, for ``to_bank``.
    """

    model: str
    items: ItemTable
    test: Mapping[str, float | int | None]
    latent: Latent
    log_likelihood: float
    log_prior: float
    n_parameters: int
    n_persons: int
    n_answers: int
    persons_apart: tuple[str, ...]
    converged: bool
    reason: str
    passes: tuple[Pass, ...]
    priors: Mapping[str, str]
    provenance: Mapping[str, Any]
    key: ItemKey | None = field(default=None, repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """The item table."""
        return self.items.frame

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's information criterion, with the number of candidates."""
        return math.log(self.n_persons) * self.n_parameters - 2.0 * self.log_likelihood

    def summary(self) -> str:
        """The result in a few lines."""
        fitted = int(self.items.fitted.sum())
        verdicts = Counter(re.split(r" \(|:", verdict)[0] for verdict in self.items.verdict)
        fine = verdicts.pop(FINE, 0)
        priors = ", ".join(f"{name} ~ {prior}" for name, prior in self.priors.items()) or "none"
        sd = f"{self.latent.sd:.4f}" if self.latent.sd != 1.0 else "1"
        error = "" if self.latent.se_sd is None else f" (SE {self.latent.se_sd:.4f})"
        name = "Rasch" if self.model == "rasch" else self.model.upper()
        people = f"{self.n_persons:,} candidates, {self.n_answers:,} answers"
        criteria = f"AIC {self.aic:,.1f}, BIC {self.bic:,.1f}"
        lines = [
            f"{name} calibration: {fitted:,} of {len(self.items):,} items, {people}",
            self.reason,
            f"log likelihood {self.log_likelihood:,.4f}, {self.n_parameters:,} parameters, {criteria}",
            f"population: mean 0, SD {sd}{error} logits; priors: {priors}",
            f"verdicts: {fine:,} ok" + "".join(f"; {n:,} × {words}" for words, n in verdicts.most_common(5)),
        ]
        if self.persons_apart:
            apart = counted(len(self.persons_apart), "candidate")
            lines.append(f"{apart} without answers to fit: set apart ({some(self.persons_apart)})")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        import html

        lines = "<br>".join(html.escape(line) for line in self.summary().splitlines())
        table = self.frame.round(3).to_html(max_rows=20, index=False, na_rep="")
        return f"<p>{lines}</p>{table}"

    def to_bank(self, *, id: str = "bank", key: pd.DataFrame | ItemKey | None = None, title: str = "") -> ItemBank:  # noqa: A002 - the bank file's own word
        """The items that can be used, as an item bank.

        Args:
            id: name of the bank.
            key: item file with domain, status, enemies, item_set; that of the calibration when not given.
            title: what to call the bank.

        Items without parameters, and those whose discrimination is not positive, are left out; the bank's provenance
        names them.
        """
        from issmp_calibration.banking import make_bank

        return make_bank(self, id=id, key=key, title=title)

    def plot(
        self,
        kind: Literal["items", "information", "standard_error", "latent", "convergence", "curves"] = "items",
        *,
        items: Sequence[str] | None = None,
    ) -> Plot:
        """A picture of the result.

        Args:
            kind: difficulties with their intervals, test information, standard error, population, course of the
                iteration, or item curves.
            items: only these items (all of them otherwise; the first seven for curves).
        """
        from issmp_calibration.plots import draw

        return draw(self, kind, items)

    def to_json(self, path: str | Path | None = None) -> str:
        """The whole result as JSON; written to a file too if a path is given."""
        from issmp_calibration.storage import dump

        return dump(self, path)

    @classmethod
    def from_json(cls, source: str | Path) -> Calibration:
        """A result from its JSON text or file.

        Raises:
            InputRejected: not a calibration.
        """
        from issmp_calibration.storage import restore

        return restore(source)

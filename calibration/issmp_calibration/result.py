"""The result of a calibration."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from issmp_calibration.group_doubts import group_doubts
from issmp_calibration.item_table import ItemTable
from issmp_calibration.item_verdict import ACTIONS
from issmp_calibration.latent import Latent
from issmp_calibration.log import ItemKey
from issmp_calibration.log.faults import counted, some
from issmp_calibration.mml.em import Pass

if TYPE_CHECKING:
    import pandas as pd

    from issmp_cat.bank import Item, ItemBank
    from issmp_cat.plot import Plot

__all__ = ["Calibration"]

SHOWN = 12  # groups in the summary


def _with_error(value: float | None, error: float | None) -> str:
    """A number with its standard error, if it has one; numbers that are fixed stand bare."""
    if value is None:
        return "unknown"
    return f"{round(value, 9) + 0.0:.4g}" if error is None else f"{value:.4f} (SE {error:.4f})"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Item parameters with their standard errors, and what they rest on.

    Attributes:
        model: of all items (2pl, grm …), or "mixed"; ``items.model`` has that of each.
        items: one row for each item of the log; ``items.frame`` is a data frame.
        test: raw-score statistics of the operational items: candidates, items, mean, sd, lowest, highest, alpha
            (KR-20; null where candidates took different items), sem.
        groups: the populations, the reference group first; one where there are no groups.
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
        density: of ability within a group: normal, or histogram where it was estimated at the nodes.
        base: items of the bank that held items come from; ``kept``: ids of those held as they stand there;
            ``base_population``: latent mean and SD of that bank, logits.
        regression: coefficients of the candidates' covariates by name, logits per unit: estimate and se.
    """

    model: str
    items: ItemTable
    test: Mapping[str, float | int | None]
    groups: tuple[Latent, ...]
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
    density: str = "normal"
    regression: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    base: tuple[Item, ...] = field(default=(), repr=False)
    kept: tuple[str, ...] = ()
    base_population: tuple[float, float] | None = None

    @property
    def latent(self) -> Latent:
        """The population, or the reference group."""
        return self.groups[0]

    @property
    def figures(self) -> dict[str, float]:
        """Single figures by name, as ``--gate`` knows them."""
        from issmp_calibration.gate_figures import figures

        return figures(self)

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
        name = "Rasch" if self.model == "rasch" else self.model.upper() if self.model != "mixed" else self._mixture
        people = f"{self.n_persons:,} candidates, {self.n_answers:,} answers"
        lines = [
            f"{name} calibration: {fitted:,} of {len(self.items):,} items, {people}",
            self.reason,
            f"log likelihood {self.log_likelihood:,.4f}, {self.n_parameters:,} parameters, {self._criteria}",
            *self._population,
            *group_doubts(self.groups),
            f"priors: {self._beliefs}",
            self._verdicts,
            *self._set_apart,
            *self._needed,
        ]
        if self.persons_apart:
            apart = counted(len(self.persons_apart), "candidate")
            lines.append(f"{apart} without answers to fit: set apart ({some(self.persons_apart)})")
        return "\n".join(lines)

    @property
    def _criteria(self) -> str:
        """AIC and BIC, and what they are not, if they are not what their names say."""
        if self.density != "normal":
            return "no AIC or BIC: with a histogram they would depend on the number of nodes"
        told = f"AIC {self.aic:,.1f}, BIC {self.bic:,.1f}"
        return told + (" (at the posterior mode: compare only fits with the same priors)" if self.log_prior else "")

    @property
    def _beliefs(self) -> str:
        """All priors."""
        if any("~" in prior for prior in self.priors.values()):
            return "; ".join(f"{name}: {prior}" for name, prior in self.priors.items())
        return ", ".join(f"{name} ~ {prior}" for name, prior in self.priors.items()) or "none"

    @property
    def _needed(self) -> list[str]:
        """How many answers are still needed, if that was asked."""
        wanted = self.provenance.get("options", {}).get("wanted_error")
        if wanted is None:
            return []
        needed = self.items.answers_needed
        more = np.flatnonzero(needed > 0)
        line = f"for SE {wanted:g} of b, {len(more):,} of {len(needed):,} items need more answers"
        if more.size:
            worst = more[np.argsort(-needed[more], kind="stable")]
            named = some([f"{self.items.item[k]} ({needed[k]:,.0f})" for k in worst])
            line += f", median {np.median(needed[more]):,.0f}, most: {named}"
        unknown = int(np.isnan(needed).sum())
        return [line + (f"; unknown for {counted(unknown, 'item')}" if unknown else "")]

    @property
    def _set_apart(self) -> list[str]:
        """How many items with a few answers were left out of the fit, if that was asked."""
        fewest = self.provenance.get("options", {}).get("min_to_fit") or 0
        table = self.items
        few = ~table.fitted & (table.answers > 0) & (table.answers < fewest)
        if not few.any():
            return []
        share = table.answers[few].sum() / table.answers.sum()
        listed = counted(int(few.sum()), "item")
        return [f"{listed} with 1 to {fewest - 1:,} answers left out of the fit: {share:.1%} of all answers"]

    @property
    def _mixture(self) -> str:
        """How many items of which model."""
        return " + ".join(f"{n:,} {model.upper()}" for model, n in Counter(self.items.model.tolist()).most_common())

    @property
    def _population(self) -> list[str]:
        """A line a group, and one for what ability was regressed on."""
        lines = []
        for group in self.groups[:SHOWN]:
            mean, sd = _with_error(group.mean, group.se_mean), _with_error(group.sd, group.se_sd)
            named = f"group {group.label} ({group.persons:,} candidates)" if group.label else "population"
            estimated = "" if self.density == "normal" else f", {self.density}"
            lines.append(f"{named}: mean {mean}, SD {sd} logits{estimated}")
        if len(self.groups) > SHOWN:
            lines.append(f"and {len(self.groups) - SHOWN:,} more groups")
        asked = (self.provenance.get("options", {}).get("population") or {}).get("groups")
        if asked and len(self.groups) == 1:
            lines.append(f'one group only: all candidates have the same "{asked}"')
        if self.regression:
            slopes = [f"{name} {_with_error(b['estimate'], b['se'])}" for name, b in self.regression.items()]
            left = self.provenance.get("residual_sd")
            total = _with_error(self.groups[0].sd, None)
            spread = "" if left is None else f"; total SD {total}, residual SD {left:.4g} logits"
            lines.append("regression of ability, logits a unit: " + ", ".join(slopes) + spread)
        return lines

    @property
    def _verdicts(self) -> str:
        """How many items to use, hold and retire, and the commonest reasons."""
        actions = Counter(verdict.action for verdict in self.items.verdicts)
        reasons = Counter(code for verdict in self.items.verdicts for code in verdict.kinds)
        line = "verdicts: " + ", ".join(f"{actions[action]:,} {action}" for action in ACTIONS)
        return line + "".join(f"; {n:,} × {code.replace('_', ' ')}" for code, n in reasons.most_common(5))

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

        Items without parameters and those to retire are left out; items on hold keep their status, and their verdict
        stands with them. The bank's provenance names both, with reasons. Where items were held at a bank's parameters,
        that bank's items come first and stay as they are, those that nobody saw included; only items that were
        estimated anew are replaced.
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
            kind: difficulties with their intervals, test information, standard error, population or groups, course of
                the iteration, or curves of items and their scores.
            items: only these items; all of them otherwise, of curves as many as there are colours for: the worst
                verdicts, then sound items from easy to hard.
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

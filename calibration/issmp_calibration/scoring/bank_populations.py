"""The populations that a bank remembers, as priors, and what to say of the one that was used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from issmp_calibration.scoring.priors import GroupPrior, HistogramPrior, RegressionPrior
from issmp_calibration.ungrouped import OWN_GROUP
from issmp_cat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from issmp_calibration.scoring.priors import One, PriorLike
    from issmp_cat.bank import ItemBank

__all__ = ["bank_prior", "describe_population", "remembered_groups"]

SHOWN = 4  # groups in a line
FOR_NONE = f'--prior "{OWN_GROUP}=MEAN,SD"'


@dataclass(frozen=True, slots=True)
class _Groups:
    """Means and SDs (logits) by label on the bank's scale, and the column about candidates that made the groups.

    ``dropped``: whether candidates without a group had no part in the calibration.
    """

    column: str
    moments: dict[str, tuple[float, float]]
    dropped: bool


def bank_prior(bank: ItemBank, column: str) -> GroupPrior:
    """The groups that a bank was calibrated with, each with its own mean and SD.

    Args:
        bank: calibrated with groups (``PopulationModel(groups=…)``, ``calibrate --groups``).
        column: of the log's columns about candidates, which says who belongs to which group.

    Raises:
        UsageError: the bank remembers no groups.
    """
    found = _groups_of(bank)
    if found is None:
        raise UsageError(f'bank "{bank.id}" remembers no groups: give each group\'s mean and SD')
    return GroupPrior(column, found.moments)


def _groups_of(bank: ItemBank) -> _Groups | None:
    """What the provenance says of groups, moved as the bank's items were by linking since."""
    groups = bank.provenance.get("groups")
    if not groups:
        return None
    moments = {str(group["label"]): (float(group["mean"]), float(group["sd"])) for group in groups}
    for link in bank.provenance.get("links", []):
        slope, shift = float(link["A"]), float(link["B"])
        moments = {label: (slope * mean + shift, slope * sd) for label, (mean, sd) in moments.items()}
    options = (bank.provenance.get("calibration") or {}).get("options") or {}
    asked = options.get("population") or {}
    return _Groups(str(asked.get("groups") or "COLUMN"), moments, asked.get("missing_group") == "drop")


def _new_population(bank: ItemBank) -> tuple[float, float] | None:
    """Mean and SD (logits) of those a bank with held items was calibrated on, moved by links since."""
    found = bank.provenance.get("population")
    if not found:
        return None
    mean, sd = float(found["mean"]), float(found["sd"])
    for link in bank.provenance.get("links", []):
        mean, sd = float(link["A"]) * mean + float(link["B"]), float(link["A"]) * sd
    return mean, sd


def remembered_groups(bank: ItemBank, column: str) -> dict[str, One]:
    """The groups of a bank that this very column made; none otherwise."""
    found = _groups_of(bank)
    return {**found.moments} if found is not None and found.column == column else {}


def describe_population(bank: ItemBank, prior: PriorLike | None) -> str:
    """Which population θ was estimated under, where it came from, and which others the bank knows.

    Args:
        bank: scored against.
        prior: as asked for; None for the bank's own.
    """
    if prior is not None:
        return f"{_described(prior)}, as asked"
    own = (bank.metric.latent_mean, bank.metric.latent_sd)
    words = f"{_described(own)}, the bank's"
    if found := _groups_of(bank):
        reference = next((label for label, moments in found.moments.items() if moments == own), None)
        whose = f"{words} reference group {reference} for everyone" if reference else f"{words} for everyone"
        told = f"{whose}; --prior-by {found.column} (bank_prior) takes each group's own: {_listed(found.moments)}"
        return f"{told}; whoever has none needs {FOR_NONE} beside it" if found.dropped else told
    if population := _new_population(bank):
        mean, sd = population
        return (
            f"{words} reference population, that of the old bank whose items were held (--fixed); these items' own "
            f"candidates had mean {mean:.4g}, SD {sd:.4g}: --prior {mean:.4g},{sd:.4g} takes theirs"
        )
    if regression := bank.provenance.get("regression"):
        return (
            f"{words} for everyone; its regression on {', '.join(regression)} is not used (RegressionPrior is for that)"
        )
    return words


def _described(prior: PriorLike) -> str:
    if isinstance(prior, GroupPrior):
        return f'each group\'s own by "{prior.column}" ({_listed(prior.groups)})'
    if isinstance(prior, RegressionPrior):
        return f"a regression on {', '.join(prior.terms)}, SD {prior.sd:.4g} logits"
    if isinstance(prior, HistogramPrior):
        mean, sd = prior.moments
        return f"a histogram, mean {mean:.4g}, SD {sd:.4g} logits"
    return f"mean {prior[0]:.4g}, SD {prior[1]:.4g} logits"


def _listed(groups: Mapping[str, One]) -> str:
    named = [
        f"{label} {'histogram' if isinstance(one, HistogramPrior) else f'{one[0]:.3g},{one[1]:.3g}'}"
        for label, one in list(groups.items())[:SHOWN]
    ]
    return ", ".join(named) + (f" and {len(groups) - SHOWN:,} more" if len(groups) > SHOWN else "")

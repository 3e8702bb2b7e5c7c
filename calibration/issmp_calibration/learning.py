"""Beliefs about new items, learned from the items a bank already has, domain by domain.

A few hundred answers say little about an item; what its domain's other items are like says more than nothing.
Empirical Bayes for normal means with known errors: Efron, B., & Morris, C. (1975). Data analysis using Stein's
estimator and its generalizations. Journal of the American Statistical Association, 70, 311–319.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from issmp_calibration.log.faults import counted
from issmp_calibration.mml.models.named import ModelName
from issmp_calibration.mml.priors import NormalPrior, Priors
from issmp_cat.arrays import Floats
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import UsageError
from issmp_cat.irt import intercept

__all__ = ["LearnedPriors", "learn_priors"]

FEWEST = 8  # items of a domain below which the whole bank speaks for it
NARROWEST = {"log_slope": 0.1, "intercept": 0.3, "logit_guess": 0.2}  # SDs: a bank never proves its items all alike
STEPS = 200
WHOLE = ""


@dataclass(frozen=True, slots=True)
class LearnedPriors:
    """Priors by domain.

    Attributes:
        bank: version of the bank they were learned from.
        by_domain: the priors; those of the whole bank under "", for domains with fewer than 8 items and new ones.
        n_items: how many items each rests on.
    """

    bank: str
    by_domain: Mapping[str, Priors]
    n_items: Mapping[str, int]

    def of(self, domain: str) -> Priors:
        """The priors for items of a domain."""
        return self.by_domain.get(domain, self.by_domain[WHOLE])

    def for_items(self, domains: Sequence[str], models: Sequence[ModelName]) -> list[Priors]:
        """One for each item: what its model leaves free and its domain's items speak of, else the model's default.

        Items with steps keep their model's defaults but for the slope; a slope that items share is no item's own.
        """
        return [self._for(domain, model) for domain, model in zip(domains, models, strict=True)]

    def _for(self, domain: str, model: ModelName) -> Priors:
        learned, usual = self.of(domain), Priors.default(model.name)
        given: dict[str, NormalPrior | None] = {}
        if model.slope == "free":
            given["log_slope"] = learned.log_slope
        if not model.polytomous:
            given |= {"intercept": learned.intercept, "logit_guess": learned.logit_guess}
        return replace(usual, **{name: prior for name, prior in given.items() if prior is not None})

    def describe(self) -> dict[str, str]:
        """In words, for the result."""
        return {
            f"{domain or 'any other domain'}: {name}": f"{words}, from {counted(self.n_items[domain], 'item')}"
            for domain, prior in self.by_domain.items()
            for name, words in prior.describe().items()
        }


def learn_priors(bank: ItemBank) -> LearnedPriors:
    """Mean and spread of the bank's items on ln a, on the intercept −a b, and on logit c, by domain.

    The spread is that of the items themselves: what their estimates vary by sampling error is taken out, by maximum
    likelihood. Right-or-wrong items that are not retired count; where a bank holds no errors its values count as known.

    Raises:
        UsageError: fewer than 8 such items.

    >>> from issmp_cat import ItemBank
    >>> items = [Item(id=f"I{k}", domain="D1", a=1.0, b=k / 4 - 1) for k in range(9)]
    >>> learn_priors(ItemBank(id="known", items=items)).of("D1").intercept
    NormalPrior(mean=0.0, sd=0.6454972243679028)
    """
    usable = [item for item in bank.items if item.status != "retired" and item.highest == 1 and item.model != "nrm"]
    if len(usable) < FEWEST:
        raise UsageError(
            f"priors cannot be learned from bank {bank.id}: it has {counted(len(usable), 'right-or-wrong item')}, "
            f"{FEWEST} are needed; use the default priors"
        )
    groups = {WHOLE: usable}
    for domain in dict.fromkeys(item.domain for item in usable):
        mine = [item for item in usable if item.domain == domain]
        if len(mine) >= FEWEST:
            groups[domain] = mine
    return LearnedPriors(
        bank=bank.version,
        by_domain=MappingProxyType({domain: _learn(items) for domain, items in groups.items()}),
        n_items=MappingProxyType({domain: len(items) for domain, items in groups.items()}),
    )


def _learn(items: Sequence[Item]) -> Priors:
    """Priors from the items of one domain."""
    found: dict[str, NormalPrior] = {}
    for name, values in _by_scale(items):
        if len(values) >= FEWEST:
            mean, sd = normal_of_items(values[:, 0], values[:, 1])
            found[name] = NormalPrior(round(mean, 12) + 0.0, max(sd, NARROWEST[name]))
    return Priors(**found)


def _by_scale(items: Sequence[Item]) -> Iterator[tuple[str, Floats]]:
    """Value and sampling variance of each item that has the parameter, on the scale of its prior."""
    for name, scale in (("log_slope", _log_slope), ("intercept", _intercept), ("logit_guess", _logit_guess)):
        rows = [row for item in items if (row := scale(item)) is not None]
        yield name, np.array(rows, dtype=float).reshape(-1, 2)


def _log_slope(item: Item) -> tuple[float, float] | None:
    """Items with a slope of their own; Rasch items have none."""
    if item.model == "rasch":
        return None
    return math.log(item.a), _variance(item, {"a": 1.0 / item.a})


def _intercept(item: Item) -> tuple[float, float]:
    return float(intercept(item.a, item.b)), _variance(item, {"a": -item.b, "b": -item.a})


def _logit_guess(item: Item) -> tuple[float, float] | None:
    if item.model not in {"3pl", "4pl"} or item.c == 0.0:
        return None
    return math.log(item.c / (1.0 - item.c)), _variance(item, {"c": 1.0 / (item.c * (1.0 - item.c))})


def _variance(item: Item, slopes: Mapping[str, float]) -> float:
    """By the delta method; parameters without an error count as known."""
    if item.covariance is None:
        return 0.0
    gradient = np.array([slopes.get(name, 0.0) for name in item.covariance.names])
    return float(gradient @ np.array(item.covariance.values) @ gradient)


def normal_of_items(values: Floats, variances: Floats) -> tuple[float, float]:
    """Mean and SD of the items behind their estimates, by maximum likelihood (EM); SD 0 if sampling explains it all.

    Args:
        values: estimates. Shape ``(items,)``.
        variances: their sampling variances. Shape ``(items,)``.

    >>> normal_of_items(np.array([-1.0, 1.0]), np.zeros(2))
    (0.0, 1.0)
    """
    mean, spread = float(values.mean()), float(values.var())
    for _ in range(STEPS):
        if spread <= 0.0:
            break
        known = spread / (spread + variances)
        ability = mean + known * (values - mean)
        left = known * variances
        mean, before = float(np.average(values, weights=1.0 / (spread + variances))), spread
        spread = float(np.mean(np.square(ability - mean) + left))
        if abs(spread - before) < 1e-10 * before:
            break
    return mean, math.sqrt(max(spread, 0.0))

"""Parameters that are held at a value, or equal in several items: what people ask for, by the names they read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from issmp_calibration.log import ItemKey
from issmp_calibration.log.faults import some
from issmp_calibration.log.ranges import range_faults
from issmp_cat.errors import UsageError

if TYPE_CHECKING:
    from issmp_cat.bank import Item, ItemBank

__all__ = ["Constraints", "bank_parameters"]

FIX, EQUAL = "fix_", "equal_"


@dataclass(frozen=True, slots=True)
class Constraints:
    """What is not free.

    Attributes:
        fixed: values by item and parameter: a, b, c, d; b1, b2 … of items with steps; a1, c1 … of nominal items. A
            location (b) can be held only together with its slope.
        equal: groups of (item, parameter) that have one value. Locations can be equal only where slopes are.
        models: names of models by item, where they differ from that of the run.
        covariances: how well fixed values are known where they are estimates themselves, by item: names of parameters,
            and their covariance. The standard errors of the other items then hold these errors too.
        bank: items of the bank that the held ones come from, all of them: a new bank keeps these as they are.
        population: latent mean and SD (logits) of that bank, which stay those of its scale.

    >>> Constraints(fixed={"Q1": {"a": 1.0, "b": 0.3}}).held_items
    ('Q1',)
    """

    fixed: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    equal: Sequence[Sequence[tuple[str, str]]] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    covariances: Mapping[str, tuple[Sequence[str], Sequence[Sequence[float]]]] = field(default_factory=dict)
    bank: tuple[Item, ...] = ()
    population: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        problems = [
            f'{name} of item "{item}" is {value}: expected a finite number'
            for item, values in self.fixed.items()
            for name, value in values.items()
            if not _finite(value)
        ]
        problems += [
            f'item "{item}": {problem}'
            for item, values in self.fixed.items()
            for problem in range_faults({k: v for k, v in values.items() if _finite(v)}).values()
        ]
        problems += [f"a group of equal parameters has one member: {group}" for group in self.equal if len(group) < 2]
        if problems:
            raise UsageError("Constraints: " + "; ".join(problems))

    @property
    def held_items(self) -> tuple[str, ...]:
        """Items with a fixed parameter."""
        return tuple(item for item, values in self.fixed.items() if values)

    @classmethod
    def from_bank(cls, bank: ItemBank, items: Sequence[str] | None = None) -> Constraints:
        """Items of a bank held where they stand: new items of a log then come onto the bank's scale (Kim, 2006).

        Args:
            bank: items with their parameters.
            items: ids of those that are held; all operational ones when not given.

        Raises:
            UsageError: an item that the bank does not have.
        """
        wanted = [item.id for item in bank.items if item.status == "operational"] if items is None else list(items)
        if unknown := [item for item in wanted if item not in bank.index]:
            raise UsageError(f"Constraints.from_bank: not in the bank: {', '.join(unknown[:5])}")
        own = [bank.items[bank.index[item]] for item in wanted]
        return cls(
            fixed={item.id: bank_parameters(item) for item in own},
            models={item.id: item.model for item in own},
            covariances={item.id: (item.covariance.names, item.covariance.values) for item in own if item.covariance},
            bank=bank.items,
            population=(bank.metric.latent_mean, bank.metric.latent_sd),
        )

    @classmethod
    def from_key(cls, key: ItemKey) -> Constraints:
        """What the columns ``model``, ``fix_…`` and ``equal_…`` of an item file say."""
        rows = list(zip(key.items, key.constraints or ({},) * len(key.items), strict=True))
        fixed = {
            item: {name.removeprefix(FIX): float(cell) for name, cell in cells.items() if name.startswith(FIX)}
            for item, cells in rows
        }
        groups = dict[tuple[str, str], list[tuple[str, str]]]()
        for item, cells in rows:
            for name, label in cells.items():
                if name.startswith(EQUAL):
                    parameter = name.removeprefix(EQUAL)
                    groups.setdefault((parameter, label), []).append((item, parameter))
        models = {item: model for item, model in zip(key.items, key.model, strict=bool(key.model)) if model}
        return cls(
            fixed={item: values for item, values in fixed.items() if values},
            equal=tuple(tuple(group) for group in groups.values() if len(group) > 1),
            models=models,
        )

    def describe(self) -> dict[str, Any] | None:
        """As plain values, for the provenance; None where nothing is held or tied."""
        if not self.fixed and not self.equal:
            return None
        fixed = {item: dict(values) for item, values in self.fixed.items()}
        return {"fixed": fixed, "equal": [[list(member) for member in group] for group in self.equal]}

    def with_more(self, others: Constraints) -> Constraints:
        """Both together; where they say two things, the other one's."""
        fixed = {item: dict(values) for item, values in self.fixed.items()}
        for item, values in others.fixed.items():
            fixed[item] = fixed.get(item, {}) | dict(values)
        known = {item: known for item, known in self.covariances.items() if item not in others.fixed}
        models = dict(self.models) | dict(others.models)
        own = {item.id for item in others.bank}
        bank = (*(item for item in self.bank if item.id not in own), *others.bank)
        population = others.population or self.population
        return Constraints(
            fixed, (*self.equal, *others.equal), models, known | dict(others.covariances), bank, population
        )

    def kept(self) -> frozenset[str]:
        """Ids of the bank's items that are held at just the bank's parameters."""
        return frozenset(item.id for item in self.bank if self.fixed.get(item.id) == bank_parameters(item))

    def unused(self, items: Sequence[str]) -> tuple[str, ...]:
        """Held items that are not in the fit.

        Args:
            items: ids of those in the fit.

        Raises:
            UsageError: values were to hold the scale, and none of them is of an item in the fit.
        """
        fitted = set(items)
        scaling = [item for item, values in self.fixed.items() if set(values) - {"c", "d"}]
        if scaling and not fitted.intersection(scaling):
            raise UsageError(
                f"nothing holds the scale: none of the {len(scaling):,} item{'s' * (len(scaling) != 1)} with fixed "
                f"parameters ({some(scaling)}) is among the {len(items):,} items of the log that can be fitted "
                f"({some(list(items))}); check the item ids, add answers to held items, or hold none"
            )
        return tuple(item for item in self.held_items if item not in fitted)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def bank_parameters(item: Item) -> dict[str, float]:
    """Parameters of a bank's item by the names that constraints use."""
    if item.model == "nrm":
        slopes = {f"a{k}": value for k, value in enumerate(item.slopes, start=1)}
        return slopes | {f"c{k}": value for k, value in enumerate(item.intercepts, start=1)}
    if item.steps:
        return {"a": item.a} | {f"b{k}": value for k, value in enumerate(item.steps, start=1)}
    return {"a": item.a, "b": item.b, "c": item.c, "d": item.d}

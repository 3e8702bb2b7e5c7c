"""How well a calibration found the parameters that made its log: only a simulation knows the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_cat.arrays import Floats
from issmp_cat.bank import ItemBank

__all__ = ["Recovery", "recovery"]

WORDS = {"a": "discrimination", "b": "difficulty"}
NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True, eq=False)
class Recovery:
    """One parameter over all items: true and estimated values, each of shape ``(items,)``.

    ``mean_se`` and ``coverage`` (share of 95 % intervals that hold the truth) are None without standard errors.
    """

    name: str
    true: Floats
    estimated: Floats
    rmse: float
    bias: float
    correlation: float
    mean_se: float | None
    coverage: float | None

    @property
    def words(self) -> str:
        """The parameter in words."""
        return f"{WORDS[self.name]} {self.name}"


def recovery(truth: ItemBank, bank: ItemBank, name: str) -> Recovery:
    """Compare a calibrated bank with the bank that answered, item by item.

    Args:
        truth: the bank whose parameters made the answers.
        bank: the calibrated items.
        name: ``a`` or ``b``.

    >>> from issmp_cat.bank import Item
    >>> items = [Item(id=f"i{k}", domain="D1", b=float(k)) for k in range(3)]
    >>> bank = ItemBank.from_items(items)
    >>> recovery(bank, bank, "b").rmse
    0.0
    """
    true = np.array([getattr(truth.items[truth.index[item.id]], name) for item in bank.items])
    estimated: Floats = getattr(bank, name)
    away = estimated - true
    errors = np.array(
        [np.nan if i.covariance is None else i.covariance.standard_error(name) or np.nan for i in bank.items]
    )
    known = ~np.isnan(errors)
    return Recovery(
        name=name,
        true=true,
        estimated=estimated,
        rmse=float(np.sqrt(np.mean(away**2))),
        bias=float(away.mean()),
        correlation=float(np.corrcoef(true, estimated)[0, 1]),
        mean_se=float(errors[known].mean()) if known.any() else None,
        coverage=float((np.abs(away[known]) <= NORMAL_95 * errors[known]).mean()) if known.any() else None,
    )

"""A bank on another scale: parameters, their covariances, and the population it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from issmp_calibration.linking.pairs import SLOPE_ONE
from issmp_calibration.log.faults import some
from issmp_cat.bank import Item, ItemBank, Metric
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import BankError

__all__ = ["transform"]


def transform(bank: ItemBank, slope: float, shift: float, note: Mapping[str, Any]) -> ItemBank:
    """The bank with ``θ* = A θ + B``: ``a / A``, ``A b + B`` and steps alike, c and d as they are.

    Nominal items: slopes ``s / A``, intercepts ``i − s B / A`` (Baker, 1993, eqs. 3 and 4).

    Args:
        bank: on the scale of θ.
        slope: A; ``shift``: B, logits.
        note: what the provenance shall say; earlier notes stay.

    Raises:
        BankError: slopes that must be 1 but would not be, or parameters beyond what a bank may hold.
    """
    fixed = [item.id for item in bank.items if item.model in SLOPE_ONE]
    if fixed and slope != 1.0:
        problem = f"slopes of Rasch and PCM items are 1, so A must be 1, not {slope:g} ({some(fixed)})"
        raise BankError(f'bank "{bank.id}"', [problem])
    items, faults = [], []
    for item in bank.items:
        try:
            items.append(Item.model_validate(_moved(item, slope, shift)))
        except ValidationError as error:
            faults += plain_faults(error, f'item "{item.id}" on the other scale')
    if faults:
        raise BankError(f'bank "{bank.id}"', faults)
    metric = bank.metric
    return ItemBank.from_items(
        items,
        where=f'bank "{bank.id}"',
        metric=Metric(latent_mean=slope * metric.latent_mean + shift, latent_sd=slope * metric.latent_sd),
        provenance={**bank.provenance, "links": [*bank.provenance.get("links", []), dict(note)]},
        id=bank.id,
        title=bank.title,
        note=bank.note,
    )


def _moved(item: Item, slope: float, shift: float) -> dict[str, Any]:
    moved = {
        **item.model_dump(),
        "a": item.a / slope,
        "b": slope * item.b + shift,
        "steps": tuple(slope * step + shift for step in item.steps),
    }
    if item.model == "nrm":
        return moved | _moved_nominal(item, slope, shift)
    if item.covariance is not None:
        # Steps (b1, b2, …) stretch as b does.
        factor = [{"a": 1.0 / slope, "b": slope}.get(name[0], 1.0) for name in item.covariance.names]
        rows = zip(item.covariance.values, factor, strict=True)
        values = [[v * row_factor * f for v, f in zip(row, factor, strict=True)] for row, row_factor in rows]
        moved["covariance"] = {"names": item.covariance.names, "values": values}
    return moved


def _moved_nominal(item: Item, slope: float, shift: float) -> dict[str, Any]:
    """Slopes, intercepts and their covariance; a and b follow from them again."""
    moved: dict[str, Any] = {
        "a": None,
        "b": None,
        "slopes": tuple(s / slope for s in item.slopes),
        "intercepts": tuple(i - s * shift / slope for s, i in zip(item.slopes, item.intercepts, strict=True)),
    }
    if item.covariance is not None:
        names = item.covariance.names
        jacobian = np.zeros((len(names), len(names)))
        for k, name in enumerate(names):
            jacobian[k, k] = 1.0 / slope if name[0] == "a" else 1.0
            if name[0] == "c" and f"a{name[1:]}" in names:
                jacobian[k, names.index(f"a{name[1:]}")] = -shift / slope
        values = jacobian @ np.array(item.covariance.values) @ jacobian.T
        moved["covariance"] = {"names": names, "values": values.tolist()}
    return moved

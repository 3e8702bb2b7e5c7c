"""From a calibration to an item bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from issmp_calibration.item_table import FINE
from issmp_calibration.log import ItemKey, read_key
from issmp_cat.arrays import Floats
from issmp_cat.bank import Item, ItemBank
from issmp_cat.bank.item import Covariance, Metric

if TYPE_CHECKING:
    import pandas as pd

    from issmp_calibration.result import Calibration

__all__ = ["HARDEST", "make_bank"]

NO_DOMAIN = "all"
FREE = {"rasch": "b", "1pl": "ab", "2pl": "ab", "3pl": "abc"}
HARDEST = 50.0  # logits; the bank's own bound


def make_bank(result: Calibration, *, id: str, key: pd.DataFrame | ItemKey | None, title: str) -> ItemBank:  # noqa: A002
    """The usable items of a calibration as a bank; see ``Calibration.to_bank``."""
    known = result.key if key is None else read_key(key)
    table = result.items
    a, b, _ = table.parameters.T
    usable = table.fitted & (a > 0.0) & (np.abs(b) <= HARDEST)
    kept = {str(table.item[k]) for k in np.flatnonzero(usable)}
    items = [_item(result, int(k), known, kept) for k in np.flatnonzero(usable)]
    left_out = {str(table.item[k]): _why(result, int(k)) for k in np.flatnonzero(~usable)}
    return ItemBank.from_items(
        items,
        where=f'bank "{id}"',
        id=id,
        title=title,
        metric=Metric(latent_mean=result.latent.mean, latent_sd=result.latent.sd),
        provenance={
            "test_statistics": dict(result.test),
            "calibration": dict(result.provenance),
            "model": result.model,
            "candidates": result.n_persons,
            "log_likelihood": result.log_likelihood,
            "converged": result.converged,
            "priors": dict(result.priors),
            "left_out": left_out,
        },
    )


def _why(result: Calibration, place: int) -> str:
    verdict = result.items.verdict[place]
    return verdict if verdict != FINE else f"difficulty beyond ±{HARDEST:g} logits"


def _item(result: Calibration, place: int, known: ItemKey | None, kept: set[str]) -> Item:
    table, name = result.items, str(result.items.item[place])
    k = None if known is None else known.index.get(name)
    a, b, c = (float(value) for value in table.parameters[place])
    verdict = table.verdict[place]
    return Item(
        id=name,
        domain=(known.domain[k] if known and k is not None else "") or NO_DOMAIN,
        model=result.model,
        a=a,
        b=b,
        c=c,
        covariance=_covariance(FREE[result.model], table.covariance[place]),
        status=known.status[k] if known and k is not None else "operational",
        enemies=tuple(e for e in known.enemies[k] if e in kept) if known and k is not None else (),
        item_set=(known.item_set[k] or None) if known and k is not None else None,
        verdict=None if verdict == FINE else verdict,
        answers=int(table.answers[place]),
        statistics={"p": _or_none(table.p_value[place]), "item_total": _or_none(table.item_rest[place])},
    )


def _covariance(free: str, matrix: Floats) -> Covariance | None:
    """Of the parameters that were estimated; None where it is not known."""
    rows = ["abc".index(name) for name in free]
    own = matrix[np.ix_(rows, rows)]
    if np.isnan(own).any():
        return None
    names: Any = tuple(free)
    return Covariance(names=names, values=tuple(tuple(map(float, row)) for row in own))


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

"""From a calibration to an item bank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from issmp_calibration.item_table import FINE, ItemTable, numbered
from issmp_calibration.log import ItemKey, read_key
from issmp_cat.bank import Item, ItemBank
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.bank.item import Covariance, Metric

if TYPE_CHECKING:
    import pandas as pd

    from issmp_calibration.result import Calibration

__all__ = ["make_bank"]

NO_DOMAIN = "all"
SEVERAL = {"steps": "b", "slopes": "a", "intercepts": "c"}


def make_bank(result: Calibration, *, id: str, key: pd.DataFrame | ItemKey | None, title: str) -> ItemBank:  # noqa: A002
    """The usable items of a calibration as a bank; see ``Calibration.to_bank``."""
    known = result.key if key is None else read_key(key)
    table = result.items
    options = result.provenance.get("options", {}).get("categories") or {}
    found, left_out = _divided(table, known, options)
    items = _merged(result, found, known)
    kept = {item.id for item in items}
    told = _kept(result, kept)
    stand = set(told.get("as_in_the_old_bank", ()))
    mean, sd = result.base_population or (result.latent.mean, result.latent.sd)
    return ItemBank.from_items(
        [item.model_copy(update={"enemies": tuple(e for e in item.enemies if e in kept)}) for item in items],
        where=f'bank "{id}"',
        id=id,
        title=title,
        metric=Metric(latent_mean=mean, latent_sd=sd),
        provenance={
            "test_statistics": dict(result.test),
            "calibration": dict(result.provenance),
            "model": result.model,
            "candidates": result.n_persons,
            "log_likelihood": result.log_likelihood,
            "converged": result.converged,
            "priors": dict(result.priors),
            **_populations(result),
            "actions": dict(Counter(verdict.action for verdict in table.verdicts)),
            "hold": {
                str(table.item[k]): list(verdict.codes)
                for k, verdict in enumerate(table.verdicts)
                if verdict.action == "hold" and str(table.item[k]) in kept - stand
            },
            "left_out": {name: why for name, why in left_out.items() if name not in stand},
            **told,
        },
    )


def _merged(result: Calibration, found: Sequence[Item], known: ItemKey | None) -> list[Item]:
    """The old bank's items in their order, those that were estimated anew replaced; then the new ones."""
    anew, own = {item.id: item for item in found}, {item.id for item in result.base}
    fitted = {str(name) for name in result.items.item[result.items.fitted]}
    old = [
        _renewed(item, anew[item.id], known) if item.id in anew and item.id not in result.kept else item
        for item in result.base
        if item.id in result.kept or item.id in anew or item.id not in fitted
    ]
    return old + [item for item in found if item.id not in own]


def _renewed(old: Item, new: Item, known: ItemKey | None) -> Item:
    """An item of the old bank with new estimates; what only the bank knows stays."""
    stays = ["attributes", "content"]
    if known is None or old.id not in known.index:
        stays += ["domain", "status", "enemies", "item_set"]
    return new.model_copy(update={name: getattr(old, name) for name in stays})


def _kept(result: Calibration, kept: AbstractSet[str]) -> dict[str, Any]:
    """Items that stand as in the old bank, and what these answers say against held ones; nothing without a bank."""
    if not result.base:
        return {}
    table = result.items
    fitted = {str(name) for name in table.item[table.fitted]}
    stand = [item.id for item in result.base if item.id in kept and (item.id in result.kept or item.id not in fitted)]
    doubts = {
        str(name): list(verdict.codes)
        for name, verdict, seen in zip(table.item, table.verdicts, table.fitted, strict=True)
        if seen and str(name) in result.kept and verdict.action != "use"
    }
    return {"as_in_the_old_bank": stand, "doubts_about_held": doubts}


def _populations(result: Calibration) -> dict[str, Any]:
    """Means and SDs of several groups, and what ability was regressed on; nothing for one plain population."""
    groups = [
        {"label": g.label, "candidates": g.persons, "mean": g.mean, "sd": g.sd, "se_mean": g.se_mean, "se_sd": g.se_sd}
        for g in result.groups
    ]
    told: dict[str, Any] = {"groups": groups} if len(groups) > 1 else {}
    if result.base and len(groups) == 1:
        told["population"] = {name: value for name, value in groups[0].items() if name != "label"}
    return told | ({"regression": {k: dict(v) for k, v in result.regression.items()}} if result.regression else {})


def _divided(
    table: ItemTable, known: ItemKey | None, options: Mapping[str, Mapping[str, int]]
) -> tuple[list[Item], dict[str, str]]:
    """The items a bank can hold, and why it cannot hold the others; ``options`` names categories of nominal items."""
    items: list[Item] = []
    left_out: dict[str, str] = {}
    for place in range(len(table)):
        name = str(table.item[place])
        if why := _why_not(table, place):
            left_out[name] = why
            continue
        try:
            labels = options.get(name) or options.get(str(table.base[place])) or {}
            items.append(_item(table, place, known, labels))
        except ValidationError as fault:
            left_out[name] = "; ".join(plain_faults(fault))
    return items, left_out


def _why_not(table: ItemTable, place: int) -> str:
    """Why an item cannot stand in a bank; empty if it can."""
    verdict = table.verdicts[place]
    if not table.fitted[place] or verdict.action == "retire":
        return verdict.words if verdict.words != FINE else "it has no parameters"
    return ""


def _item(table: ItemTable, place: int, known: ItemKey | None, options: Mapping[str, int]) -> Item:
    name = str(table.item[place])
    k = None if known is None else known.index.get(str(table.base[place]))
    verdict = table.verdicts[place].words
    return Item(
        id=name,
        domain=(known.domain[k] if known and k is not None else "") or NO_DOMAIN,
        model=str(table.model[place]),
        **_parameters(table, place),
        options=tuple(options),
        points=tuple(options.values()) if any(options.values()) else (),
        covariance=_covariance(table, place),
        status=known.status[k] if known and k is not None else "operational",
        enemies=known.enemies[k] if known and k is not None else (),
        item_set=(known.item_set[k] or None) if known and k is not None else None,
        verdict=None if verdict == FINE else verdict,
        answers=int(table.answers[place]),
        statistics={"p": _or_none(table.p_value[place]), "item_rest": _or_none(table.item_rest[place])},
    )


def _parameters(table: ItemTable, place: int) -> dict[str, Any]:
    """a, b, c, d as far as the item has them, its steps, or the slopes and intercepts of its categories."""
    row = table.parameters[place]
    own = {name: float(value) for name, value in zip(table.names[:4], row, strict=False) if not np.isnan(value)}
    rows = {name: row[numbered(table.names, letter)] for name, letter in SEVERAL.items()}
    return own | {name: tuple(map(float, row[~np.isnan(row)])) for name, row in rows.items()}


def _covariance(table: ItemTable, place: int) -> Covariance | None:
    """Of the parameters that were estimated; None where it is not known."""
    matrix = table.covariance[place]
    known = ~np.isnan(np.diagonal(matrix))
    if known[numbered(table.names)].any():
        known[table.names.index("b")] = False  # the mean of the steps says nothing new
    rows = np.flatnonzero(known)
    own = matrix[np.ix_(rows, rows)]
    if not len(rows) or np.isnan(own).any():
        return None
    names: Any = tuple(table.names[k] for k in rows)
    return Covariance(names=names, values=tuple(tuple(map(float, row)) for row in own))


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

"""A bank as rows to print: what to show of an item, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from issmp_cat.bank import Item, ItemBank
from issmp_cat.bank.bank_file import item_row, list_columns
from issmp_cat.errors import UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["item_facts", "lost_in_csv", "rows_of", "sort_rows", "spread"]

Row = dict[str, Any]

STEPS = "steps"


def rows_of(bank: ItemBank) -> list[Row]:
    """One row an item: parameters, classical statistics of any kind the bank holds, verdict."""
    kinds = list(dict.fromkeys(name for item in bank.items for name in item.statistics))
    columns = list_columns(bank.items)
    return [_row(item, kinds, columns) for item in bank.items]


def _row(item: Item, kinds: list[str], columns: Sequence[str]) -> Row:
    plain = item_row(item, columns) | {name: list(getattr(item, name)) for name in columns}
    enemies, item_set = plain.pop("enemies"), plain.pop("item_set")
    statistics = {name: item.statistics.get(name) for name in kinds}
    if STEPS in columns:
        own = _step_errors(item)
        after = list(plain).index("se_c") + 1
        plain = {**dict(list(plain.items())[:after]), "se_steps": own, **dict(list(plain.items())[after:])}
        if own and item.covariance and plain["se_b"] is None:
            plain["se_b"] = item.covariance.mean_error(_step_names(item))
    return {**plain, **statistics, "enemies": enemies, "item_set": item_set, "verdict": item.verdict}


def _step_names(item: Item) -> list[str]:
    return [f"b{k}" for k in range(1, len(item.steps) + 1)]


def _step_errors(item: Item) -> list[float | None] | None:
    """Standard errors of an item's steps; None where none is known."""
    found = [item.covariance.standard_error(name) for name in _step_names(item)] if item.covariance else []
    return found if any(value is not None for value in found) else None


def sort_rows(rows: list[Row], column: str) -> list[Row]:
    """The rows in the order of one column, falling with a leading minus; rows without a value come last.

    Raises:
        UsageError: there is no such column.
    """
    name, falling = column.removeprefix("-"), column.startswith("-")
    if not name:
        return rows
    if name not in rows[0]:
        raise UsageError(f'no column "{name}"{did_you_mean(name, list(rows[0]))}; there are {", ".join(rows[0])}')
    known = [row for row in rows if row[name] is not None]
    return [*sorted(known, key=lambda r: r[name], reverse=falling), *(row for row in rows if row[name] is None)]


def spread(bank: ItemBank) -> dict[str, tuple[float, float, float]]:
    """Lowest, median and highest of each classical statistic over the operational items."""
    found: dict[str, list[float]] = {}
    for item in bank.items:
        for name, value in item.statistics.items() if item.status == "operational" else ():
            found.setdefault(name, []).extend([] if value is None else [value])
    return {name: (min(values), median(values), max(values)) for name, values in found.items() if values}


def item_facts(bank: ItemBank, name: str) -> Row:
    """Everything about one item.

    Raises:
        UsageError: the bank has no such item.
    """
    if name not in bank.index:
        raise UsageError(f'no item "{name}" in bank "{bank.id}"{did_you_mean(name, bank.ids)}')
    item = bank.items[bank.index[name]]
    facts = {**_row(item, list(item.statistics), list_columns([item])), **item.attributes}
    facts["enemies"] = " ".join(bank.ids[foe] for foe in bank.enemies[bank.index[name]])
    if item.provisional:
        facts["note"] = "provisional: judged, not measured"
    if item.content:
        options = {f"option {chr(ord('A') + k)}": text for k, text in enumerate(item.content.options)}
        facts |= {"stem": item.content.stem, **options, "key": item.content.key, "rationale": item.content.rationale}
    return facts


def lost_in_csv(bank: ItemBank) -> list[str]:
    """What a CSV file cannot hold of this bank."""
    metric = bank.metric
    present = {
        "question texts": any(item.content for item in bank.items),
        "classical statistics": any(item.statistics for item in bank.items),
        "verdicts": any(item.verdict for item in bank.items),
        "attributes": any(item.attributes for item in bank.items),
        "provisional marks": bank.provisional,
        "covariances between parameters": any(item.covariance for item in bank.items),
        "standard errors of steps, slopes of categories and upper asymptotes": any(
            item.covariance and set(item.covariance.names) - {"a", "b", "c"} for item in bank.items
        ),
        f"the population (mean {metric.latent_mean:g}, SD {metric.latent_sd:g})": metric.latent_mean != 0.0
        or metric.latent_sd != 1.0,
        "provenance": bool(bank.provenance),
    }
    return [words for words, there in present.items() if there]

"""What a row counts or sums in a bank: one coefficient an item, or every fault at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_cat.arrays import Bools, Floats
from issmp_cat.bank import Item
from issmp_cat.blueprint.rows import Row, label
from issmp_cat.spelling import did_you_mean

__all__ = ["attribute_of", "coefficients", "known_attributes", "matching", "shown"]

FIELDS = ("id", "domain", "key", "item_set", "model", "status")
SHOWN = 5


def attribute_of(item: Item, name: str) -> object:
    """An item's attribute, or the field of that name; None when it has neither.

    >>> attribute_of(Item(id="i1", domain="D1", b=0.0, attributes={"level": "apply"}), "level")
    'apply'
    """
    if name in item.attributes:
        return item.attributes[name]
    if name == "key":
        return item.content.key if item.content else None
    return getattr(item, name) if name in FIELDS else None


def known_attributes(items: Sequence[Item]) -> list[str]:
    """Every attribute that some item has."""
    found = dict.fromkeys(name for item in items for name in item.attributes)
    return [*found, *(name for name in FIELDS if any(attribute_of(item, name) is not None for item in items))]


def shown(names: Sequence[str]) -> str:
    """A few names, and how many more.

    >>> shown(["a", "b", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def matching(attribute: str, wanted: Sequence[str], items: Sequence[Item], faults: list[str], where: str) -> Bools:
    """Which items have one of the wanted values. Shape ``(items,)``.

    Args:
        attribute: the attribute's name; ``wanted``: its values, in one spelling.
        items: the bank's.
        faults: receives what is wrong: an unknown attribute, a value that no item has.
        where: who asks, for the message.
    """
    found = [attribute_of(item, attribute) for item in items]
    if all(value is None for value in found):
        known = known_attributes(items)
        guess = did_you_mean(attribute, known) or f"; it has {shown(known)}"
        faults.append(f'{where}: no item of the bank has an attribute "{attribute}"{guess}')
        return np.zeros(len(items), dtype=np.bool_)
    labels = ["" if value is None else label(value) for value in found]
    present = sorted(set(labels) - {""})
    faults += [
        f'{where}: no item has {attribute} "{value}"'
        f"{did_you_mean(value, present) or f'; the values are {shown(present)}'}"
        for value in wanted
        if value not in present
    ]
    return np.array([text in wanted and text != "" for text in labels], dtype=np.bool_)


def coefficients(row: Row, items: Sequence[Item], faults: list[str]) -> Floats:
    """What each item adds to a row: 1 or 0 for a count, the attribute for a sum. Shape ``(items,)``.

    Faults are added to the list: an unknown attribute, a value that no item has, an attribute to be summed that is
    not a number.

    >>> words = [Item(id=f"i{n}", domain="D1", b=0.0, attributes={"words": n}) for n in (40, 55)]
    >>> coefficients(Row(id="words", attribute="words", measure="sum", maximum=90), words, [])
    array([40., 55.])
    """
    where = f'row "{row.id}"'
    if row.measure == "count":
        return matching(row.attribute, row.wanted, items, faults, where).astype(np.float64)
    values = [attribute_of(item, row.attribute) for item in items]
    if all(value is None for value in values):
        matching(row.attribute, (), items, faults, where)
        return np.zeros(len(items))
    numbers = [_number(value) for value in values]
    if wrong := [f"{item.id} ({value!r})" for item, value, x in zip(items, values, numbers, strict=True) if x is None]:
        faults.append(
            f'{where}: "{row.attribute}" is summed, but {len(wrong)} items have no number there: {shown(wrong)}'
        )
    return np.array([x or 0.0 for x in numbers])


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        return None
    return float(value)

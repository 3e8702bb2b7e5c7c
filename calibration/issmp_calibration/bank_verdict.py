"""What a bank says of its items, as verdicts on those that a log of further answers does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from issmp_calibration.item_verdict import Action, Reason

if TYPE_CHECKING:
    from issmp_cat.bank import Item

__all__ = ["standing"]


def standing(items: Sequence[str], bank: Sequence[Item]) -> tuple[Reason | None, ...]:
    """The bank's own word on each item that nobody saw here: it is on the bank's scale, with the bank's errors.

    Args:
        items: ids.
        bank: items of the bank that the scale comes from.

    Returns:
        None for items that the bank does not have.
    """
    known = {item.id: _reason(item) for item in bank}
    return tuple(known.get(item) for item in items)


def _reason(item: Item) -> Reason:
    """To use, unless the bank had something against it."""
    action: Action = "use" if item.verdict is None else "hold"
    words = "as in the bank, no answers here" + (f": {item.verdict}" if item.verdict else "")
    if item.status == "retired":
        action, words = "retire", "retired in the bank; no answers here"
    return Reason("stands_in_bank", words, {"answers": item.answers or 0}, action)

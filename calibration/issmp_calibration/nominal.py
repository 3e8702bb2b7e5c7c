"""Answers to nominal items: the option chosen is the category, whatever the key made of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from issmp_calibration.log.faults import some
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import ResponseLogError
from issmp_cat.responses import NO_OPTION, NO_SCORE, ResponseLog

__all__ = ["with_categories"]


def with_categories(log: ResponseLog, bank: ItemBank) -> ResponseLog:
    """The log with the number of the chosen category as score of each nominal item of the bank.

    A log of scores is left as it is: they are the categories. An omitted answer to a nominal item has no category
    unless an option stands for it, and counts as missing.

    Args:
        log: the answers; ``bank``: which items are nominal, and what their options are called.

    Raises:
        ResponseLogError: an option that no category stands for, or a nominal item of the bank that names none.
    """
    found = {str(name): bank.items[bank.index[str(name)]] for name in log.items if str(name) in bank.index}
    nominal = {name: item for name, item in found.items() if item.model == "nrm"}
    if log.option is None or not nominal:
        return log
    scores = np.array(log.score)
    problems = []
    for number, name in enumerate(map(str, log.items)):
        if name in nominal:
            mine = np.flatnonzero(log.item == number)
            category = _categories(nominal[name], log.options)
            chosen = log.option[mine]
            if unknown := [log.options[k] for k in np.unique(chosen[chosen != NO_OPTION]) if category[k] == NO_SCORE]:
                named = ", ".join(nominal[name].options) or "none: give the bank's item its options"
                problems.append(f'item "{name}": option {some(unknown)} is no category; the bank names {named}')
            scores[mine] = category[chosen]
    if problems:
        raise ResponseLogError("response log", problems)
    return replace(log, score=scores)


def _categories(item: Item, options: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """The category that each option of a log stands for; NO_SCORE where none. Shape ``(256,)``."""
    category = np.full(NO_OPTION + 1, NO_SCORE, np.int8)
    place = {label: k for k, label in enumerate(item.options)}
    for k, label in enumerate(options):
        category[k] = place.get(label, NO_SCORE)
    return category

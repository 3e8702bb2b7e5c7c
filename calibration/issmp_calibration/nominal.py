"""Answers to nominal items: the option chosen is the category, whatever the key made of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from issmp_calibration.log.faults import some
from issmp_calibration.log.store import LogStore
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.bank import ItemBank
from issmp_cat.errors import ResponseLogError
from issmp_cat.responses import NO_OPTION, NO_SCORE, ResponseLog

__all__ = ["by_category", "by_points", "with_categories"]


def by_category(
    log: ResponseLog | LogStore, nominal: Collection[str]
) -> tuple[ResponseLog | LogStore, dict[str, dict[str, int]]]:
    """The log with the number of the chosen option as score of each nominal item, and what the numbers stand for.

    Options are numbered by what they earned in the log, then by label, as far as anyone chose them: the right one comes
    last, which tells a fit which end of the scale is up. An omitted answer is missing. A log of scores is left as it
    is: they are the categories.

    Args:
        log: the answers; a store is read as a whole if it has options of nominal items.
        nominal: ids of nominal items.

    Returns:
        The log, and for each nominal item its options in the order of their numbers, with the points they earned.
    """
    if not log.options or not nominal:
        return log, {}
    log = log if isinstance(log, ResponseLog) else log.log()
    if log.option is None:
        return log, {}
    scores = np.array(log.score)
    found: dict[str, dict[str, int]] = {}
    for number, name in enumerate(map(str, log.items)):
        if name in nominal:
            mine = np.flatnonzero(log.item == number)
            chosen = log.option[mine]
            earned = {
                log.options[k]: max(int(log.score[mine][chosen == k].max()), 0)
                for k in np.unique(chosen[chosen != NO_OPTION])
            }
            found[name] = dict(sorted(earned.items(), key=lambda entry: (entry[1], entry[0])))
            scores[mine] = _categories(tuple(found[name]), log.options)[chosen]
    return replace(log, score=scores), found


def by_points(log: ResponseLog, keyed: ResponseLog, nominal: Bools) -> tuple[ResponseLog, Ints, Floats]:
    """The log with the points of the key in place of categories: what raw scores are made of.

    Args:
        log: answers to which ``by_category`` gave numbers, items perhaps split by group.
        keyed: the same answers in the same order, as they were scored.
        nominal: items whose scores are numbers of options. Shape ``(items of log,)``.

    Returns:
        The log; the highest score of each item, at least 1; the share of the points to be had, NaN for items that are
        not nominal. Both of shape ``(items of log,)``.
    """
    scored = keyed.score >= 0
    highest = np.ones(log.n_items, np.int64)
    np.maximum.at(highest, log.item, keyed.score)
    answers = np.bincount(log.item[scored], minlength=log.n_items)
    points = np.bincount(log.item[scored], keyed.score[scored], minlength=log.n_items)
    share = np.where(nominal & (answers > 0), points / np.maximum(answers * highest, 1), np.nan)
    return replace(log, score=keyed.score), highest, share


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
            category = _categories(nominal[name].options, log.options)
            chosen = log.option[mine]
            if unknown := [log.options[k] for k in np.unique(chosen[chosen != NO_OPTION]) if category[k] == NO_SCORE]:
                named = ", ".join(nominal[name].options) or "none: give the bank's item its options"
                problems.append(f'item "{name}": option {some(unknown)} is no category; the bank names {named}')
            scores[mine] = category[chosen]
    if problems:
        raise ResponseLogError("response log", problems)
    return replace(log, score=scores)


def _categories(labels: tuple[str, ...], options: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """The category that each option of a log stands for; NO_SCORE where none. Shape ``(256,)``."""
    category = np.full(NO_OPTION + 1, NO_SCORE, np.int8)
    place = {label: k for k, label in enumerate(labels)}
    for k, label in enumerate(options):
        category[k] = place.get(label, NO_SCORE)
    return category

"""Items that have other parameters in each group, as so many items of their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Bools, Ints
from issmp_cat.responses import ResponseLog

__all__ = ["MARK", "split_by_group"]

MARK = ":"


def split_by_group(log: ResponseLog, apart: Bools, pattern: Ints, groups: Collection[str]) -> ResponseLog:
    """A log in which some items are another item in each group, called ``item:group``.

    Args:
        log: the answers.
        apart: items that are split. Shape ``(items,)``.
        pattern: group of each person. Shape ``(persons,)``.
        groups: their names.

    >>> log = ResponseLog.from_wide(np.array([[1, 0], [0, 1]]), items=["A", "B"])
    >>> split_by_group(log, np.array([False, True]), np.array([0, 1]), ["old", "new"]).items.tolist()
    ['A', 'B:old', 'B:new']
    """
    names = list(groups)
    copies = np.where(apart, len(names), 1)
    first = np.concatenate([[0], np.cumsum(copies)[:-1]])
    items: NDArray[np.str_] = np.array(
        [
            f"{item}{MARK}{group}" if split else str(item)
            for item, split in zip(log.items, apart, strict=True)
            for group in (names if split else names[:1])
        ]
    )
    place = first[log.item] + np.where(apart[log.item], pattern[log.person], 0)
    kind = np.uint16 if len(items) <= np.iinfo(np.uint16).max else np.uint32
    return replace(log, items=items, item=place.astype(kind))

"""The parameters of a bank as every kernel takes them: one model or many, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints, read_only

__all__ = [
    "DICHOTOMOUS",
    "GRADED",
    "NOMINAL",
    "PARTIAL",
    "Parameters",
    "build_parameters",
    "dichotomous",
    "select",
]

DICHOTOMOUS, GRADED, PARTIAL, NOMINAL = 0, 1, 2, 3


class Parameters(NamedTuple):
    """Items of every model in one set of arrays; metric D = 1.

    An item scored 0 to m has m + 1 rows in every table with one row a category; ``first[item] + score`` is the row.
    The score of a nominal item is the number of its category, whatever points that earns.

    Attributes:
        a: discrimination per logit. Shape ``(items,)``.
        b: difficulty in logits; the mean of the steps for items with several. Shape ``(items,)``. Nominal items have
            slopes and intercepts; their a and b say in the same units how steep and where they are.
        c: lower asymptote; ``d``: upper asymptote. Shape ``(items,)``.
        kind: 0 dichotomous, 1 graded response, 2 (generalised) partial credit, 3 nominal. Shape ``(items,)``.
        first: row of each item's score 0; the number of rows comes last. Shape ``(items + 1,)``.
        steps: by row, in logits: the threshold of that score (graded), or where it becomes likelier than the score
            below (partial credit); b for a dichotomous item, and 0, unused, for scores of 0; for a nominal item the
            intercept of that category. Shape ``(rows,)``.
        slopes: by row, per logit: of the category's log-odds against category 0 (nominal); 0, unused, for other items.
            Shape ``(rows,)``.
    """

    a: Floats
    b: Floats
    c: Floats
    d: Floats
    kind: Ints
    first: Ints
    steps: Floats
    slopes: Floats


def build_parameters(
    a: Floats,
    b: Floats,
    c: Floats,
    d: Floats,
    kind: Ints,
    steps: Sequence[Floats],
    slopes: Sequence[Floats] | None = None,
) -> Parameters:
    """Parameters of items of several models.

    Args:
        a: discriminations; ``b``, ``c``, ``d`` and ``kind`` alike. Shape ``(items,)``.
        steps: for each item its steps, logits; b alone for a dichotomous one, intercepts for a nominal one.
        slopes: for each item as many slopes as steps; they count for nominal items only.

    >>> one = np.ones(2)
    >>> build_parameters(one, 0 * one, 0 * one, one, np.array([0, 1]), [np.zeros(1), np.array([-1.0, 1.0])]).first
    array([0, 2, 5])
    """
    first = np.concatenate([[0], np.cumsum([len(row) + 1 for row in steps])]).astype(np.int64)
    flat = np.zeros(first[-1])
    above = np.delete(np.arange(first[-1]), first[:-1])
    flat[above] = np.concatenate(steps)
    rise = np.zeros(first[-1])
    if slopes is not None:
        rise[above] = np.concatenate(slopes)
    return Parameters(
        a=read_only(np.asarray(a, dtype=np.float64)),
        b=read_only(np.asarray(b, dtype=np.float64)),
        c=read_only(np.asarray(c, dtype=np.float64)),
        d=read_only(np.asarray(d, dtype=np.float64)),
        kind=read_only(np.asarray(kind, dtype=np.int64)),
        first=read_only(first),
        steps=read_only(flat),
        slopes=read_only(rise),
    )


def dichotomous(a: Floats, b: Floats, c: Floats, d: Floats) -> Parameters:
    """Parameters of right-or-wrong items, each array of shape ``(items,)``."""
    steps = np.asarray(b, dtype=np.float64).reshape(-1, 1)
    return build_parameters(a, b, c, d, np.full(len(steps), DICHOTOMOUS), list(steps))


def select(parameters: Parameters, items: Ints) -> Parameters:
    """The parameters of some items, in the order of their positions in ``items``.

    >>> one = np.ones(3)
    >>> select(dichotomous(one, np.array([-1.0, 0.0, 1.0]), 0 * one, one), np.array([2, 0])).b
    array([ 1., -1.])
    """
    counts = np.diff(parameters.first)[items]
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    rows = np.repeat(parameters.first[:-1][items] - first[:-1], counts) + np.arange(first[-1])
    return Parameters(
        a=read_only(parameters.a[items]),
        b=read_only(parameters.b[items]),
        c=read_only(parameters.c[items]),
        d=read_only(parameters.d[items]),
        kind=read_only(parameters.kind[items]),
        first=read_only(first),
        steps=read_only(parameters.steps[rows]),
        slopes=read_only(parameters.slopes[rows]),
    )

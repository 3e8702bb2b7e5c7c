"""How narrow the narrowest posterior is, by information: a grid that is too coarse cannot tell by itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.models.dispatch import fill_information
from issmp_calibration.mml.sources.source import Answers
from issmp_cat.arrays import Floats
from issmp_cat.compiled import jit

__all__ = ["narrowest_posterior"]

ENOUGH_PERSONS = 1_000  # finer nodes at the end tell whether somebody was missed


@jit()
def _largest_information(start: Any, code: Any, owner: Any, table: Any, stride: int) -> float:
    """The most information any person's answers give at any node of the table (items × nodes)."""
    largest = 0.0
    total = np.empty(table.shape[1])
    for person in range(0, start.size - 1, stride):
        total[:] = 0.0
        for answer in range(start[person], start[person + 1]):
            item = owner[code[answer]]
            for node in range(table.shape[1]):
                total[node] += table[item, node]
        largest = max(largest, total.max())
    return largest


def narrowest_posterior(
    answers: Answers | Codes, design: Design, parameters: Floats, grid: Grid, sd: float = 1.0
) -> float:
    """Posterior SD, logits, of the person whose answers could say most, at the ability where they say most.

    Looks at every person up to 1,000, at evenly spaced ones beyond.

    Args:
        answers: of the persons.
        design: what the items are; ``parameters``: their cells.
        grid: the nodes.
        sd: of the population, logits.
    """
    nodes = grid.nodes[4 : grid.live - 4 : 4]  # information changes slowly; nobody's ability lies at the very ends
    table = np.empty((design.n_items, len(nodes)))
    fill_information(design.kind, design.first, parameters, design.shift_cell, design.shift_times, nodes, table)
    stride = max(1, (len(answers.start) - 1) // ENOUGH_PERSONS)
    largest = _largest_information(answers.start, answers.code, design.owner, table, stride)
    return 1.0 / math.sqrt(sd**-2 + largest)

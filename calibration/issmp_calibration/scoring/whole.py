"""Posterior means and SDs over the whole range of abilities: any posterior, any prior, in double precision."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np

from issmp_calibration.mml.lanes import LANES, add_rows
from issmp_calibration.scoring.answers import Answers
from issmp_calibration.scoring.plausible import Draws, draw_values
from issmp_calibration.scoring.priors import Prior
from issmp_calibration.scoring.tables import log_chances, panels
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.compiled import jit

__all__ = ["Whole"]

RANGE = 8.0  # population SDs to each side
CHUNK = 2048  # persons to a task
RUN = 64  # persons whose sums are kept at once: each panel is then read from the processor's cache
FIRST_NODES = 97
COARSEST = 1.1  # spacing at most, in posterior SDs
TIMES = 6  # that nodes are doubled: no bank makes posteriors that need more
TOLERANCE = 2e-6  # population SDs


@jit(error_model="numpy")
def _sum_up(
    tables: Any, density: Any, nodes: Any, codes: Any, start: Any, persons: Any, mean: Any, sd: Any, pattern: Any,
    moments: Any, stream: Any, draws: Any,
) -> None:  # fmt: skip
    """Fill the moments and draws of some persons. ``tables``: panels of 16 nodes; ``nodes``: without the padding."""
    n = nodes.size
    total = np.empty((RUN, tables.shape[0] * LANES))
    for begin in range(0, persons.size, RUN):
        mine = persons[begin : begin + RUN]
        for panel in range(tables.shape[0]):
            for place in range(mine.size):
                first, last = start[mine[place]], start[mine[place] + 1]
                add_rows(total[place, panel * LANES :], tables[panel], codes, first, last)
        for place in range(mine.size):
            person = mine[place]
            _normalise(total[place, :n], density[pattern[person]], nodes, mean[person], sd[person], moments[person])
            if draws.shape[1] > 0:
                draw_values(total[place, :n], nodes[0], nodes[1] - nodes[0], stream[person], draws[person])


@jit(error_model="numpy")
def _normalise(room: Any, own: Any, nodes: Any, mean: float, sd: float, moments: Any) -> None:
    """Turn log likelihoods into posterior weights, the highest 1, in place; their mean and SD."""
    scale, peak = 1.0 / sd, -math.inf
    for k in range(nodes.size):
        z = (nodes[k] - mean) * scale
        room[k] += own[k] - 0.5 * z * z
        peak = max(peak, room[k])
    mass, first, second = 0.0, 0.0, 0.0
    for k in range(nodes.size):
        room[k] = math.exp(room[k] - peak)
        mass += room[k]
        first += room[k] * nodes[k]
    first /= mass
    for k in range(nodes.size):
        second += room[k] * (nodes[k] - first) ** 2
    moments[0] = first
    moments[1] = math.sqrt(second / mass)


class Whole:
    """Sums over the whole range. The tables of a number of nodes are made once.

    Args:
        answers: what counts.
        prior: of each person.
        moments: filled with means and SDs. Shape ``(persons, 2)``.
        draws: filled with plausible values.
        executor: threads; they do not change the result.
    """

    def __init__(
        self, answers: Answers, prior: Prior, moments: Floats, draws: Draws, executor: Executor | None
    ) -> None:
        self.answers, self.prior, self.moments, self.draws = answers, prior, moments, draws
        self._run: Any = map if executor is None else executor.map
        self._tables: dict[tuple[float, float, int], tuple[Floats, Floats, Floats]] = {}

    def on_nodes(self, low: float, high: float, count: int, persons: Ints) -> None:
        """Sum over equally spaced nodes for some persons; logits."""
        if (low, high, count) not in self._tables:
            nodes = np.linspace(low, high, count)
            tables = panels(log_chances(nodes, self.answers.parameters))
            self._tables[low, high, count] = nodes, tables, self.prior.log_density(nodes)
        nodes, tables, density = self._tables[low, high, count]
        codes, start, prior, draws = self.answers.codes, self.answers.start, self.prior, self.draws

        def work(mine: Ints) -> None:
            _sum_up(
                tables, density, nodes, codes, start, mine, prior.mean, prior.sd, prior.pattern, self.moments,
                draws.stream, draws.values,
            )  # fmt: skip

        for _ in self._run(work, np.array_split(persons, max(len(persons) // CHUNK, 1))):
            pass

    def roughly(self, persons: Ints) -> None:
        """Sum over ever finer nodes until each posterior is as wide as their distance."""
        for nodes in self._finer():
            self.on_nodes(*nodes, persons)
            persons = persons[self._is_narrow(persons, *nodes)]
            if not len(persons):
                return

    def exactly(self, persons: Ints) -> None:
        """The same, until finer nodes move neither mean nor SD: steep items make posteriors with corners."""
        tolerance = TOLERANCE * float(self.prior.moments[:, 1].min())
        before = np.full((len(persons), 2), np.nan)
        for nodes in self._finer():
            if not len(persons):
                return
            self.on_nodes(*nodes, persons)
            found = self.moments[persons]
            moves = ~(np.abs(found - before) <= tolerance).all(axis=1) | self._is_narrow(persons, *nodes)
            persons, before = persons[moves], found[moves]

    def _finer(self) -> Iterator[tuple[float, float, int]]:
        """Ends and numbers of ever more nodes, not further apart than the steepest item is wide."""
        low, high = self.prior.span(RANGE)
        count = FIRST_NODES
        while (high - low) * self.answers.parameters.a.max() > count - 1:
            count = 2 * count - 1
        for _ in range(TIMES):
            yield low, high, count
            count = 2 * count - 1

    def _is_narrow(self, persons: Ints, low: float, high: float, count: int) -> Bools:
        """Whose posteriors are narrower than the nodes are apart."""
        narrow: Bools = self.moments[persons, 1] * COARSEST < (high - low) / (count - 1)
        return narrow

"""One E-pass: answers per CPU-second on one core, by the nodes it works on.

2PL, 20,000 × 125 of 1,500 items, and complete data, 5,000 × 100 and 20,000 × 200. The first pass of a fit stands on
every second node, since nobody's window is known; then persons get windows; the last pass, for the likelihood, does so
in float64. All 61 nodes without windows are what a fit of few answers takes.
"""

from __future__ import annotations

import numpy as np
from growth import sample
from timing import timed

from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.sources.memory import InMemory
from issmp_calibration.mml.sources.source import Answers, Request

FULL, HALF = Grid.spaced(), Grid.spaced(live=31)
PASSES = (
    ("first pass, every second node", HALF, np.float32, False),
    ("all 61 nodes", FULL, np.float32, False),
    ("windows", FULL, np.float32, True),
    ("windows, float64", FULL, np.float64, True),
)


def logs(nodes: np.ndarray, items: int) -> np.ndarray:
    """Log probabilities of codes at the nodes, for the items that ``growth.sample`` draws. Shape ``(codes, nodes)``."""
    random = np.random.default_rng(1)
    slope, intercept = np.exp(random.normal(0.0, 0.3, items)), random.normal(size=items)
    z = slope[:, None] * nodes + intercept[:, None]
    return np.stack([-np.logaddexp(0.0, z), -np.logaddexp(0.0, -z)], axis=1).reshape(2 * items, -1)


def measure(persons: int, items: int, each: int) -> None:
    """Print a row for each kind of pass."""
    code, _ = sample(persons, items, each)
    answers = Answers.of(np.arange(persons + 1, dtype=np.int64) * each, code.ravel())
    source = InMemory(answers, 2 * np.arange(items + 1))
    for name, grid, kind, windowed in PASSES:
        request = Request(logs(grid.nodes, items).astype(kind), grid, grid.log_density[None], windowed=windowed)
        source.expect(request)  # compiles, and finds the posteriors that set the windows
        timing = timed(f"{persons:,} × {each} of {items:,}, {name}", lambda asked=request: source.expect(asked), runs=9)
        print(f"{timing}  {persons * each / timing.median / 1e6:.0f} M answers/s", flush=True)


def main() -> None:
    """Print the rates."""
    measure(20_000, 1_500, 125)
    measure(5_000, 100, 100)
    measure(20_000, 200, 200)


if __name__ == "__main__":
    main()

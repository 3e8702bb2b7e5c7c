"""2PL, 5,000 × 100 complete: this project beside girth 0.8.0 and mirt 1.2.0 (PyPI), in one run, CPU-seconds.

Recipe: a ~ lognormal(0, 0.3), intercept ~ N(0, 1), θ ~ N(0, 1). Accuracy is the largest distance of any slope, in
standard errors, from one fit on 241 nodes with a tolerance of 1e-6. mirt gets 41 nodes (its default 21 is biased on
tests this long) and no standard errors; girth knows no standard errors. Ours are timed without and with.
"""

from __future__ import annotations

import numpy as np
from timing import Timing, timed

from issmp_calibration import CalibrationOptions, calibrate
from issmp_cat import ResponseLog
from issmp_cat.irt import probability


def answers(persons: int = 5000, items: int = 100, seed: int = 20250601) -> np.ndarray:
    """Simulated answers, 0 or 1. Shape ``(persons, items)``."""
    random = np.random.Generator(np.random.Philox(seed))
    a = np.exp(random.normal(0.0, 0.3, items))
    intercept = random.normal(size=items)
    theta = random.normal(size=persons)
    one = np.ones(items)
    chance = probability(theta, a, -intercept / a, 0.0 * one, one)
    return (random.random((persons, items)) < chance).astype(np.int64)


def main() -> None:
    """Print a row a program, and how many times faster this one is."""
    import girth
    import mirt

    matrix = answers()
    log = ResponseLog.from_wide(matrix)
    exact = calibrate(log, options=CalibrationOptions(nodes=241, tolerance=1e-6)).frame
    slope, error = exact["a"].to_numpy(), exact["se_a"].to_numpy()
    found: dict[str, np.ndarray] = {}

    alone = CalibrationOptions(threads=1)

    def ours(*, standard_errors: bool) -> None:
        found["ours"] = calibrate(log, standard_errors=standard_errors, options=alone).frame["a"].to_numpy()

    def theirs_mirt() -> None:
        fit = mirt.fit_mirt(matrix, "2PL", n_quadpts=41, compute_standard_errors=False)
        found["mirt"] = np.asarray(fit.model.parameters["discrimination"]).ravel()

    def theirs_girth() -> None:
        found["girth"] = girth.twopl_mml(matrix.T)["Discrimination"]

    ours(standard_errors=True)  # compiles
    rows: list[tuple[Timing, str]] = [
        (timed("issmp-cat, no standard errors", lambda: ours(standard_errors=False), runs=7), "ours"),
        (timed("issmp-cat, with full-information standard errors", lambda: ours(standard_errors=True), runs=5), "ours"),
        (timed("mirt 1.2.0 (PyPI), 41 nodes", theirs_mirt, runs=3), "mirt"),
        (timed("girth 0.8.0 twopl_mml", theirs_girth, runs=1), "girth"),
    ]
    for timing, name in rows:
        worst = float(np.max(np.abs(found[name] - slope) / error))
        print(f"{timing}  worst slope {worst:.4f} SE from the optimum; {timing.median / rows[0][0].median:.0f} ×")


if __name__ == "__main__":
    main()

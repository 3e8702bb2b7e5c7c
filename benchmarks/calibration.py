"""2PL, 5,000 × 100 complete: this project beside girth 0.8.0, mirt 1.2.0 and theta-irt 0.1.1 (PyPI), CPU-seconds.

Recipe: a ~ lognormal(0, 0.3), intercept ~ N(0, 1), θ ~ N(0, 1). Accuracy is the largest distance of any slope, in
standard errors, from one fit on 241 nodes with a tolerance of 1e-6. mirt gets 41 nodes (its default 21 is biased on
tests this long), then 81 for like accuracy, and no standard errors; girth knows no standard errors; theta-irt takes its
61 Gauss–Hermite nodes and is warm. Ours are timed without and with. Then 20,000 × 200 complete and 20,000 and 100,000 ×
125 of 1,500, ours alone, from codes made anew in each run to the result; and the 3PL with its default priors against
the value it converges to.
"""

from __future__ import annotations

import functools

import numpy as np
from growth import sample
from timing import Timing, timed

from issmp_calibration import Calibration, CalibrationOptions, calibrate
from issmp_cat import ResponseLog
from issmp_cat.irt import probability

ONE = CalibrationOptions(threads=1)
NEAR = 0.01


def answers(persons: int = 5000, items: int = 100, seed: int = 20250601) -> np.ndarray:
    """Simulated answers, 0 or 1. Shape ``(persons, items)``."""
    random = np.random.Generator(np.random.Philox(seed))
    a = np.exp(random.normal(0.0, 0.3, items))
    intercept = random.normal(size=items)
    theta = random.normal(size=persons)
    one = np.ones(items)
    chance = probability(theta, a, -intercept / a, 0.0 * one, one)
    return (random.random((persons, items)) < chance).astype(np.int64)


def peers(matrix: np.ndarray, found: dict[str, np.ndarray]) -> list[tuple[Timing, str]]:
    """Those that are installed."""
    rows: list[tuple[Timing, str]] = []
    try:
        import mirt

        def theirs_mirt(nodes: int) -> None:
            fit = mirt.fit_mirt(matrix, "2PL", n_quadpts=nodes, compute_standard_errors=False)
            found[f"mirt {nodes}"] = np.asarray(fit.model.parameters["discrimination"]).ravel()

        for nodes in (41, 81):  # the second comes near the optimum
            row = timed(f"mirt 1.2.0 (PyPI), {nodes} nodes", functools.partial(theirs_mirt, nodes), runs=3)
            rows.append((row, f"mirt {nodes}"))
    except ImportError:
        print("mirt is not installed")
    try:
        import theta

        def theirs_theta() -> None:
            found["theta"] = np.asarray(theta.fit(matrix.astype(float), "2PL").a)

        theirs_theta()  # compiles
        rows.append((timed("theta-irt 0.1.1, warm", theirs_theta, runs=5), "theta"))
    except ImportError:
        print("theta-irt is not installed")
    import girth

    def theirs_girth() -> None:
        found["girth"] = girth.twopl_mml(matrix.T)["Discrimination"]

    rows.append((timed("girth 0.8.0 twopl_mml", theirs_girth, runs=1), "girth"))
    return rows


def complete() -> None:
    """5,000 × 100, beside peers."""
    matrix = answers()
    log = ResponseLog.from_wide(matrix)
    exact = calibrate(log, options=CalibrationOptions(nodes=241, tolerance=1e-6)).frame
    slope, error = exact["a"].to_numpy(), exact["se_a"].to_numpy()
    found: dict[str, np.ndarray] = {}

    def ours(errors: str | None) -> None:
        found["ours"] = calibrate(log, standard_errors=errors, options=ONE).items.parameters[:, 0]

    ours("observed")  # compiles
    rows: list[tuple[Timing, str]] = [
        (timed("issmp-cat, no standard errors", lambda: ours(None), runs=15), "ours"),
        (timed("issmp-cat, observed information", lambda: ours("observed"), runs=5), "ours"),
    ]
    rows += peers(matrix, found)
    for timing, name in rows:
        worst = float(np.max(np.abs(found[name] - slope) / error))
        print(f"{timing}  worst slope {worst:.4f} SE from the optimum; {timing.median / rows[0][0].median:.0f} ×")


def alone(persons: int, items: int, each: int, model: str = "2pl") -> tuple[ResponseLog, Calibration]:
    """One of the larger fits; prints its time."""
    code, _ = sample(persons, items, each)
    log = ResponseLog(
        persons=np.arange(persons),
        items=np.arange(items),
        start=np.arange(persons + 1) * each,
        item=(code // 2).ravel(),
        score=(code % 2).astype(np.int8).ravel(),
    )
    kept: list[Calibration] = []

    def fit() -> None:
        kept[:] = [calibrate(log, model=model, standard_errors=None, options=ONE)]

    fit()
    timing = timed(f"{model} {persons:,} × {each} of {items:,}", fit, runs=5)
    print(f"{timing}  {len(kept[0].passes)} passes", flush=True)
    return log, kept[0]


def main() -> None:
    """Print a row a program, and how many times faster this one is; then the larger fits."""
    complete()
    alone(20_000, 200, 200)
    alone(20_000, 1_500, 125)
    alone(100_000, 1_500, 125)
    log, quick = alone(100_000, 1_500, 125, "3pl")
    exact = calibrate(log, model="3pl", standard_errors=None, options=CalibrationOptions(tolerance=1e-6))
    away = np.abs(quick.frame[["a", "b", "c"]] - exact.frame[["a", "b", "c"]]).max(axis=1).to_numpy()
    named = ", ".join(quick.frame["item"][away > NEAR].astype(str))
    print(
        f"3pl: {np.mean(away <= NEAR):.2%} of items within {NEAR} of the converged value; the rest: {named or 'none'}"
    )


if __name__ == "__main__":
    main()

"""Do standard errors of new items hold the errors of the anchors they were calibrated beside? Two simulations.

1. Anchors drawn anew from the covariance the bank has of them, answers of new candidates drawn anew: the spread of the
   new items' estimates against their standard errors, with the anchors' part and without.
2. Two stages: the anchors are calibrated from candidates of their own, each time anew. Now the errors of different
   anchors go together, since one sample of candidates set the scale of all; a bank keeps no covariances between items.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from issmp_calibration import Constraints, calibrate

ANCHORS, NEW, OLD_PERSONS, NEW_PERSONS = 12, 6, 300, 3000


def answers(a: np.ndarray, intercept: np.ndarray, theta: np.ndarray, random: np.random.Generator) -> pd.DataFrame:
    """Right or wrong, items Q0, Q1 and so on."""
    chance = 1.0 / (1.0 + np.exp(-(a * theta[:, None] + intercept)))
    return pd.DataFrame((random.random(chance.shape) < chance).astype(int)).rename(columns=lambda k: f"Q{k}")


def study(replications: int, *, two_stages: bool) -> None:
    """Print spread and mean standard errors of the new items' b, root mean squares over items."""
    fixed = np.random.default_rng(7)
    a, intercept = np.exp(fixed.normal(0.0, 0.25, ANCHORS + NEW)), fixed.normal(0.0, 1.0, ANCHORS + NEW)
    random = np.random.default_rng(8)

    def old() -> Constraints:
        theta = random.normal(size=OLD_PERSONS)
        return Constraints.from_bank(calibrate(answers(a[:ANCHORS], intercept[:ANCHORS], theta, random)).to_bank())

    known = old()
    truth = -intercept / a
    found: dict[str, list[np.ndarray]] = {"estimate": [], "with": [], "without": []}
    for _ in range(replications):
        constraints = old() if two_stages else drawn(known, a, truth, random)
        frame = answers(a, intercept, random.normal(0.3, 1.1, NEW_PERSONS), random)
        whole = calibrate(frame, constraints=constraints)
        bare = calibrate(frame, constraints=Constraints(constraints.fixed, models=constraints.models))
        found["estimate"].append(whole.items.values("b")[ANCHORS:])
        found["with"].append(whole.items.errors("b")[ANCHORS:])
        found["without"].append(bare.items.errors("b")[ANCHORS:])
    spread = np.sqrt(np.mean(np.var(found["estimate"], axis=0, ddof=1)))
    held, bare = (np.sqrt(np.mean(np.square(found[name]))) for name in ("with", "without"))
    inside = np.abs(np.array(found["estimate"]) - truth[ANCHORS:]) < 1.96 * np.array(found["with"])
    name = "two stages" if two_stages else "anchors drawn from the bank's covariances"
    print(
        f"{name}: b of new items spreads by {spread:.4f}; standard errors {held:.4f} ({held / spread:.3f}), without "
        f"the anchors' part {bare:.4f} ({bare / spread:.3f}); 95 % intervals hold the truth in {inside.mean():.3f}"
    )


def drawn(known: Constraints, a: np.ndarray, b: np.ndarray, random: np.random.Generator) -> Constraints:
    """Anchors around the truth, as far from it as the bank says."""
    fixed = {}
    for item, (names, matrix) in known.covariances.items():
        place = int(item[1:])
        middle = np.array([{"a": a, "b": b}[name][place] for name in names])
        fixed[item] = known.fixed[item] | dict(
            zip(names, random.multivariate_normal(middle, np.array(matrix)).tolist(), strict=True)
        )
    return Constraints(fixed, models=known.models, covariances=known.covariances)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=200)
    given = parser.parse_args()
    study(given.replications, two_stages=False)
    study(given.replications, two_stages=True)

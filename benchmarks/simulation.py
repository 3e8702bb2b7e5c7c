"""Simulated exams of 125 items on the standard 1,500-item bank: this project beside catsim 0.21.0, CPU-seconds an exam.

Ours: blueprint quotas, 300 enemy pairs, randomesque-5, EAP on 41 nodes of ±4. catsim: randomesque-5 on the same items,
its numerical search (maximum likelihood); it has no blueprint, no enemies and no posterior, so it does less. catsim
runs a handful of exams, since one takes about half a second.
"""

from __future__ import annotations

import numpy as np
from timing import timed

from issmp_cat import Exam
from issmp_simulations import Population, simulate, standard_bank

OURS, THEIRS = 100_000, 20


def main() -> None:
    """Print CPU-seconds for both and the ratio per exam."""
    from catsim.estimation import NumericalSearchEstimator
    from catsim.initialization import FixedPointInitializer
    from catsim.selection import RandomesqueSelector
    from catsim.simulation import Simulator
    from catsim.stopping import TestLengthStopper

    exam, bank = Exam.load("issmp-linear"), standard_bank("1500")
    population = Population(mean=0.0, sd=1.0)
    simulate(exam, bank, population, n=200, seed=1)  # compiles
    ours = timed(
        f"issmp-cat, {OURS:,} exams, 1 thread",
        lambda: simulate(exam, bank, population, n=OURS, seed=1, threads=1),
        runs=3,
    )
    print(ours, f"{OURS / ours.median:,.0f} exams per CPU-second")

    parameters = np.column_stack([bank.a, bank.b, bank.c, bank.d])

    def catsim_exams() -> None:
        simulator = Simulator(parameters, THEIRS, seed=1)
        simulator.simulate(
            FixedPointInitializer(0.0),
            RandomesqueSelector(5),
            NumericalSearchEstimator(),
            TestLengthStopper(max_items=125),
        )

    theirs = timed(f"catsim 0.21.0, {THEIRS} exams", catsim_exams, runs=3)
    print(theirs, f"{THEIRS / theirs.median:.2f} exams per CPU-second")
    print(f"per exam: {theirs.median / THEIRS / (ours.median / OURS):,.0f} times catsim")


if __name__ == "__main__":
    main()

"""Simulated exams of 125 items per CPU-second, one thread: this project, and catsim 0.21.0 beside it.

Ours: six domains balanced at every stop, enemy pairs, EAP on 41 nodes of ±4, drawing among the five best or exactly the
best of the shadow test, on the standard banks of 1,500 items (300 enemy pairs) and 10,000 (2,000). Targets: 25,000 and
7,000 at 1,500 items, and at 10,000 not below 80 % of that. catsim: randomesque-5 on the same 1,500 items, its numerical
search (maximum likelihood); it has no blueprint, no enemies and no posterior, so it does less. It runs a handful of
exams, since one takes about half a second.
"""

from __future__ import annotations

import numpy as np
from timing import Timing, timed

from issmp_cat import Exam
from issmp_simulations import Population, simulate, standard_bank

RULES = {"randomesque": 100_000, "best": 50_000}
THEIRS = 20


def main() -> None:
    """Print CPU-seconds and exams per CPU-second; for the peer the ratio per exam."""
    rates = {(name, rule): ours(name, rule) for name in ("1500", "10000") for rule in RULES}
    for rule in RULES:
        share = rates["10000", rule] / rates["1500", rule]
        print(f"{rule}: at 10,000 items {100 * share:.0f} % of the exams per second at 1,500")
    theirs = catsim()
    each = theirs.median / THEIRS
    ratio = each * rates["1500", "randomesque"]
    print(theirs, f"{1 / each:.2f} exams per CPU-second; {ratio:,.0f} times ours per exam")


def ours(name: str, rule: str) -> float:
    """Exams per CPU-second."""
    linear = Exam.load("issmp-linear")
    exam = linear.model_copy(update={"selection": linear.selection.model_copy(update={"rule": rule})})
    bank, n = standard_bank(name), RULES[rule]
    simulate(exam, bank, Population(), n=200, seed=1)  # compiles, and builds the tables
    timing = timed(
        f"issmp-cat, {n:,} exams, {rule}, bank {name}",
        lambda: simulate(exam, bank, Population(), n=n, seed=1, threads=1),
        runs=3,
    )
    print(timing, f"{n / timing.median:,.0f} exams per CPU-second", flush=True)
    return n / timing.median


def catsim() -> Timing:
    """The peer's exams on the same items."""
    from catsim.estimation import NumericalSearchEstimator
    from catsim.initialization import FixedPointInitializer
    from catsim.selection import RandomesqueSelector
    from catsim.simulation import Simulator
    from catsim.stopping import TestLengthStopper

    bank = standard_bank("1500")
    parameters = np.column_stack([bank.a, bank.b, bank.c, bank.d])

    def exams() -> None:
        simulator = Simulator(parameters, THEIRS, seed=1)
        simulator.simulate(
            FixedPointInitializer(0.0),
            RandomesqueSelector(5),
            NumericalSearchEstimator(),
            TestLengthStopper(max_items=125),
        )

    return timed(f"catsim 0.21.0, {THEIRS} exams", exams, runs=3)


if __name__ == "__main__":
    main()

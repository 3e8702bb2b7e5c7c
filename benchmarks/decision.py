"""One next-item decision from a session resumed after 60 answers: 1,500 items, 300 enemy pairs, plain Python.

Target: under 2 ms, no numba imported. The session is rebuilt from its answers each time; the bank's tables are built
once, as a service would at its start.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from issmp_cat import Exam, ItemBank, Session
from issmp_cat.irt import probability_at
from issmp_cat.random import RESPONSE, normal, uniform

ANSWERS = 60


def main() -> None:
    """Print the median over 200 sessions, for the exam's own rule and for exact top-1 selection."""
    bank = standard_bank_in_another_process()
    exam = Exam.load("issmp-linear")
    best = exam.model_copy(update={"selection": exam.selection.model_copy(update={"rule": "best"})})
    for label, design in (("randomesque-5", exam), ("best item, exact", best)):
        begun = time.perf_counter()
        design.start(bank, seed=0)
        tables = time.perf_counter() - begun
        cold = [cold_decision(design, bank, person) for person in range(200)]
        middle, late = 1e3 * statistics.median(cold), 1e3 * sorted(cold)[189]
        print(
            f"{label}: tables {1e3 * tables:.0f} ms once; decision median {middle:.3f} ms CPU, 95 % under {late:.3f} ms"
        )
    print("numba imported:", "numba" in sys.modules)


def standard_bank_in_another_process() -> ItemBank:
    """The standard 1,500-item bank, made where numba may be imported, read where it may not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bank.json"
        command = Path(sys.executable).with_name("issmp-cat")
        subprocess.run([str(command), "sample", "bank", "1500", "-o", str(path), "--quiet"], check=True)
        return ItemBank.load(path)


def cold_decision(exam: Exam, bank: ItemBank, person: int) -> float:
    """CPU-seconds to rebuild a session from its answers and name the next item."""
    theta = normal(1, 9, person, 0)
    session = exam.start(bank, seed=person)
    while len(session.answers) < ANSWERS and (item := session.next_item) is not None:
        chance = probability_at(theta, item.a, item.b, item.c, item.d)
        right = uniform(person, RESPONSE, 0, len(session.answers)) < chance
        session = session.answer(item, int(right))
    begun = time.process_time()
    resumed = Session.replay(exam, bank, session.answers, seed=person)
    item = resumed.next_item
    seconds = time.process_time() - begun
    if item != session.next_item:
        sys.exit("the resumed session names another item: the benchmark would time something else")
    return seconds


if __name__ == "__main__":
    main()

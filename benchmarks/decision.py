"""One next-item decision, cold from 60 answers: 1,500 items, 300 enemy pairs, six domains, windows at every stop.

Compiled, in plain Python, and by ``scipy.optimize.milp`` (HiGHS, relative gap 0) on the same states. Cold means: state
and posterior are rebuilt from the answers, θ is estimated, the item chosen; the bank's tables are built once, as a
service would at its start. The programme alone is timed for milp, not its set-up. Targets: 15 µs compiled, 1 ms in
plain Python without numba, and 10,000 times faster than milp, with the same next item by the stated rule.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from issmp_cat import Exam, ItemBank, Session
from issmp_cat.irt import probability_at
from issmp_cat.random import RESPONSE, normal, uniform

ANSWERS, STATES, PROGRAMMES, REPEATS, TURNS = 60, 200, 100, 200, 50_000


def main() -> None:
    """Plain Python here, where no numba is; the rest in a process of its own."""
    if sys.argv[1:] == ["compiled"]:
        compiled_and_milp()
        return
    bank = standard_bank_in_another_process()
    for rule in ("best", "randomesque"):
        plain(rule, exam_with(rule), bank)
    print("numba imported:", "numba" in sys.modules, flush=True)
    subprocess.run([sys.executable, __file__, "compiled"], check=True)


def exam_with(rule: str) -> Exam:
    exam = Exam.load("issmp")
    return exam.model_copy(update={"selection": exam.selection.model_copy(update={"rule": rule})})


def standard_bank_in_another_process() -> ItemBank:
    """The standard 1,500-item bank, made where numba may be imported, read where it may not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bank.json"
        command = Path(sys.executable).with_name("issmp-cat")
        subprocess.run([str(command), "sample", "bank", "1500", "-o", str(path), "--quiet"], check=True)
        return ItemBank.load(path)


def plain(rule: str, exam: Exam, bank: ItemBank) -> None:
    """Median over sessions resumed by replaying their answers."""
    begun = time.perf_counter()
    exam.start(bank, seed=0)
    tables = time.perf_counter() - begun
    cold = sorted(cold_decision(exam, bank, person) for person in range(STATES))
    middle, late = 1e3 * statistics.median(cold), 1e3 * cold[int(0.95 * STATES)]
    print(
        f"plain Python, {rule}: median {middle:.3f} ms CPU, 95 % under {late:.3f} ms; tables {1e3 * tables:.0f} ms once"
    )


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


def compiled_and_milp() -> None:
    """The compiled decision and the programme, on the same states."""
    import compiled_decision

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the oracle of the proof
    from issmp_cat.exam import plan_exam
    from issmp_simulations.standard import standard_bank
    from oracle.compare import faults
    from oracle.programme import Balance, FullProgramme
    from oracle.states import decision_at

    bank = standard_bank("1500")
    exam = exam_with("best")
    plan, programme, balance = plan_exam(exam, bank), FullProgramme(exam, bank), Balance(exam)
    fast: list[float] = []
    slow: list[float] = []
    given, scored = [], []
    searched = different = 0
    for person in range(STATES):
        state, items, scores = compiled_decision.answered(plan, ANSWERS, person)
        item, seconds = compiled_decision.timed_decision(plan, items, scores, person, REPEATS)
        fast.append(seconds)
        given.append(items)
        scored.append(scores)
        if person >= PROGRAMMES:
            continue
        decision = decision_at(plan, state, ANSWERS, person, person)
        searched += decision.searched
        begun = time.process_time()
        programme.best(decision.value, decision.given)
        slow.append(time.process_time() - begun)
        different += item != decision.item or bool(faults(programme, balance, decision))
    micro = sorted(1e6 * seconds for seconds in fast)
    middle, late = statistics.median(micro), micro[int(0.95 * STATES)]
    turn = 1e6 * compiled_decision.timed_in_turn(plan, np.array(given), np.array(scored), TURNS)
    print(
        f"compiled, best: median {middle:.2f} µs CPU, 95 % under {late:.2f} µs, slowest {micro[-1]:.2f} µs; "
        f"mean {turn:.2f} µs with the candidates in turn"
    )
    peer = statistics.median(slow)
    print(
        f"scipy.optimize.milp, gap 0, on {PROGRAMMES} of these states ({searched} not settled by look-up): "
        f"median {peer:.3f} s CPU, {1e6 * peer / middle:,.0f} times the compiled decision; "
        f"{different} next items differ"
    )


if __name__ == "__main__":
    main()

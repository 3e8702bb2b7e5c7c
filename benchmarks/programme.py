"""What a decision costs where rows cross or items travel in sets; and the whole integer programme on the same states.

CPU milliseconds, plain Python and HiGHS, 1,500 items with 300 enemy pairs unless another standard bank is named:
``python benchmarks/programme.py [bank] [exams]``.
"""

import sys
import time

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from issmp_cat import Exam, ItemBank
from issmp_cat.arrays import Bools, Floats
from issmp_cat.exam import begin, plan_exam, record, standing
from issmp_cat.exam.programmes import programme_of
from issmp_cat.irt import probability_at
from issmp_cat.selection import at_point
from issmp_cat.selection.pool import grid_point
from issmp_cat.selection.structure import Structure
from issmp_simulations.standard import standard_bank

ROWS = [
    *({"id": f"key-{key}", "attribute": "key", "value": key, "minimum": 28, "maximum": 34} for key in "ABCD"),
    {"id": "recall", "attribute": "level", "value": "recall", "minimum": 35, "maximum": 42},
    {"id": "apply", "attribute": "level", "value": "apply", "minimum": 50, "maximum": 58},
    {"id": "analyse", "attribute": "level", "value": "analyse", "minimum": 28, "maximum": 34},
    {"id": "words", "attribute": "words", "measure": "sum", "maximum": 8500},
]
DRAWN = {"rule": "randomesque", "among": 5}
DESIGNS = [
    ("eight rows, best", ROWS, 0, {"rule": "best"}),
    ("eight rows, drawn among five", ROWS, 0, DRAWN),
    ("sets, best", [], 150, {"rule": "best"}),
    ("sets and eight rows, best", ROWS, 150, {"rule": "best"}),
    ("sets and eight rows, drawn among five", ROWS, 150, DRAWN),
]


def content(bank: ItemBank, sets: int, seed: int = 7) -> ItemBank:
    """Key, level and words drawn for each item, and sets of 2 to 4 neighbours of a domain that have no enemies."""
    rng = np.random.default_rng(seed)
    n = len(bank)
    key, level = rng.choice(list("ABCD"), n), rng.choice(["recall", "apply", "analyse"], n, p=[0.3, 0.45, 0.25])
    words, set_of = rng.integers(30, 121, n), [None] * n
    for number in range(sets):
        start = int(rng.integers(n - 4))
        for k in range(start, start + int(rng.integers(2, 5))):
            same = bank.items[k].domain == bank.items[start].domain
            set_of[k] = f"S{number}" if set_of[k] is None and same and not bank.items[k].enemies else set_of[k]
    attributes = [{"key": str(key[i]), "level": str(level[i]), "words": int(words[i])} for i in range(n)]
    return ItemBank.from_items(
        item.model_copy(update={"attributes": attributes[i], "item_set": set_of[i]})
        for i, item in enumerate(bank.items)
    )


def whole_programme(structure: Structure, given: Bools, value: Floats) -> float:
    """CPU seconds of ``scipy.optimize.milp`` (gap 0) on the same state."""
    pairs = np.zeros((len(structure.groups), len(structure.size)))
    for k, group in enumerate(structure.groups):
        pairs[k, list(group)] = 1.0
    table = np.vstack([structure.domains, structure.rows, pairs])
    low = np.concatenate([structure.quota, structure.lower, np.full(len(pairs), -np.inf)])
    high = np.concatenate([structure.quota, structure.upper, np.ones(len(pairs))])
    start = time.process_time()
    milp(
        -structure.by_unit(value),
        integrality=np.ones(len(structure.size)),
        bounds=Bounds(given.astype(float), 1.0),
        constraints=LinearConstraint(table, low, high),
        options={"mip_rel_gap": 0.0},
    )
    return time.process_time() - start


def measure(name: str, bank: ItemBank, rows: list[dict], sets: int, selection: dict, exams: int) -> None:
    """Print a line for one design."""
    base = Exam.load("issmp").model_dump()
    base["blueprint"]["rows"], base["selection"] = rows, selection
    exam, bank = Exam.model_validate(base), content(bank, sets)
    plan, programme = plan_exam(exam, bank), programme_of(exam, bank)
    rng, ours, theirs = np.random.default_rng(1), [], []
    for _ in range(exams):
        state, theta = begin(plan), rng.normal()
        for n in range(plan.rule.maximum):
            preference = at_point(plan.pool, grid_point(standing(plan, state, n).theta))
            between = programme.may_stop(state, n)
            if between and n % 25 == 12:
                given = np.zeros(len(programme.structure.size), dtype=bool)
                given[programme.structure.unit[state.items[:n]]] = True
                theirs.append(whole_programme(programme.structure, given, preference.value))
            start = time.process_time()
            item = programme.choose(plan, state, n, preference, rng.random())
            if between:
                ours.append(time.process_time() - start)
            right = probability_at(theta, *(getattr(bank.items[item], p) for p in "abcd"))
            record(plan, state, n, item, int(rng.random() < right))
    ms = 1e3 * np.array(ours)
    figures = np.median(ms), ms.mean(), np.quantile(ms, 0.95), ms.max(), 1e3 * np.median(theirs)
    print(f"{name:40s}" + "".join(f"{x:10.1f}" for x in figures), flush=True)


if __name__ == "__main__":
    named = sys.argv[1] if len(sys.argv) > 1 else "1500"
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(
        f"{'CPU ms a decision, ' + named:40s}" + "".join(f"{x:>10s}" for x in ("median", "mean", "95 %", "max", "milp"))
    )
    for design, rows, sets, selection in DESIGNS:
        measure(design, standard_bank(named), rows, sets, selection, times)

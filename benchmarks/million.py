"""A million exams: are the rules kept at every length at which an exam may stop, and is the result always the same?

``make million``, or ``python benchmarks/million.py [-n 1000000] [--bank 1500] [--folder million]``. Two things are run:

- the exam loop itself, with a stopping rule that never fires, each exam checked after *each* of its answers from the
  minimum length on: domain counts within floor and ceiling of their share, no enemies, no item twice. The check is a
  loop of its own over the recorded items; it reads blueprint and enemies, not the engine's tables;
- the packaged exam, adaptive, three times: on one thread, on two, and interrupted and resumed from its checkpoint. The
  results must be the same to the last bit.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from issmp_cat import Exam, ItemBank
from issmp_cat.compiled import jit
from issmp_cat.exam import begin, plan_exam
from issmp_cat.stopping import REASONS
from issmp_simulations import Population, standard_bank
from issmp_simulations.compliance import Rules, rules_of
from issmp_simulations.kernel import new_records, run_exams
from issmp_simulations.run import CHUNK, Design, Exams, pace_of, run_design

SEED = 20250601


@jit()
def check_prefixes(
    items: np.ndarray, domain: np.ndarray, floor: np.ndarray, ceiling: np.ndarray, foe_of: np.ndarray, foes: np.ndarray,
    minimum: int, found: np.ndarray,
) -> None:  # fmt: skip
    """Count, by length, exams checked, off the blueprint, with enemies, with an item twice. ``found``: (lengths, 4)."""
    counts = np.zeros(floor.shape[1], dtype=np.int64)
    held = np.full(len(domain), -1, dtype=np.int64)
    for p in range(items.shape[0]):
        counts[:] = 0
        hostile = 0
        twice = 0
        for n in range(items.shape[1]):
            item = items[p, n]
            if item < 0:
                break
            twice += held[item] == p
            held[item] = p
            counts[domain[item]] += 1
            for k in range(foe_of[item], foe_of[item + 1]):
                hostile += held[foes[k]] == p
            length = n + 1
            if length < minimum:
                continue
            off = False
            for d in range(len(counts)):
                off = off or counts[d] < floor[length, d] or counts[d] > ceiling[length, d]
            found[length, 0] += 1
            found[length, 1] += off
            found[length, 2] += hostile > 0
            found[length, 3] += twice > 0


def every_length(exam: Exam, bank: ItemBank, n: int) -> np.ndarray:
    """Run the loop and check every prefix; counts by length. Shape ``(maximum length + 1, 4)``."""
    never = {"stopping": {"rule": "standard_error", "target": 0.02}}
    exam = Exam.model_validate({**exam.model_dump(), **never})
    design = Design(exam, bank, bank, Population(), SEED)
    plan, rules, truth = plan_exam(exam, bank), rules_of(exam, bank), design.true_parameters()
    state = begin(plan)
    foe_of, foes = neighbours(rules)
    found = np.zeros((plan.rule.maximum + 1, 4), dtype=np.int64)
    for first in range(0, n, CHUNK):
        ability = design.population.draw(SEED, first, min(CHUNK, n - first))
        records = new_records(len(ability), plan.rule.maximum)
        run_exams(plan, None, truth, state, ability, first, SEED, pace_of(design.population), records)
        check_prefixes(
            records.items, rules.domain, rules.floor, rules.ceiling, foe_of, foes, plan.rule.minimum, found
        )  # fmt: skip
        told(f"every length: {first + len(ability):,} of {n:,}", first)
    return found


def neighbours(rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """Enemies of each item, one after the other, and where each item's begin."""
    pairs = np.concatenate([rules.foes, rules.foes[:, ::-1]])
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    return np.searchsorted(pairs[:, 0], np.arange(len(rules.domain) + 1)), pairs[:, 1].copy()


def digest(exams: Exams) -> str:
    """Sixteen digits that differ when anything differs."""
    hashed = hashlib.sha256()
    for field in dataclasses.fields(exams):
        value: Any = getattr(exams, field.name)
        hashed.update(field.name.encode())
        hashed.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return hashed.hexdigest()[:16]


def told(line: str, number: int) -> None:
    """Progress on stderr, now and then."""
    if number % (100 * CHUNK) == 0:
        print(line, file=sys.stderr, flush=True)


def interrupted_and_resumed(design: Design, n: int, folder: Path) -> Exams:
    """Stop after two fifths of the exams, by the signal a person would send; then go on."""

    def stop(done: int, wanted: int) -> None:
        if done >= 0.4 * wanted:
            raise KeyboardInterrupt

    shutil.rmtree(folder, ignore_errors=True)
    try:
        run_design(design, n, threads=2, progress=stop, checkpoint=folder)
        sys.exit("the run was not interrupted: it proves nothing about resuming")
    except KeyboardInterrupt as kept:
        print(kept, file=sys.stderr)
    exams = run_design(design, n, threads=2, checkpoint=folder)
    shutil.rmtree(folder)
    return exams


def main() -> None:
    """Print both tables; code 1 when a rule was broken or two runs differ."""
    parser = argparse.ArgumentParser(description="Check a million exams.")
    parser.add_argument("-n", type=int, default=1_000_000, help="exams")
    parser.add_argument("--bank", default="1500", help="standard bank")
    parser.add_argument("--rule", default="randomesque", choices=("randomesque", "best"), help="how an item is taken")
    parser.add_argument("--folder", type=Path, default=Path("million"), help="for checkpoints; removed in the end")
    options = parser.parse_args()
    bank, start = standard_bank(options.bank), Exam.load("issmp")
    exam = start.model_copy(update={"selection": start.selection.model_copy(update={"rule": options.rule})})
    begun = time.process_time()
    found = every_length(exam, bank, options.n)
    lengths = found[exam.length.minimum :]
    checked, *broken = lengths.sum(axis=0)
    print(f"{options.n:,} exams, bank {options.bank}, {options.rule}; {time.process_time() - begun:.0f} CPU-s\n")
    print("| checked at | exams | off the blueprint | with enemies | with an item twice |")
    print("|---|---:|---:|---:|---:|")
    for length in (75, 76, 100, 124, 125):
        print(f"| {length} items | " + " | ".join(f"{count:,}" for count in found[length]) + " |")
    print(f"| all {len(lengths)} lengths | {checked:,} | " + " | ".join(f"{count:,}" for count in broken) + " |\n")
    same = repeats(Design(exam, bank, bank, Population(), SEED), options.n, options.folder)
    sys.exit(0 if same and not any(broken) else 1)


def repeats(design: Design, n: int, folder: Path) -> bool:
    """The packaged exam three ways; whether all are the same and keep the rules."""
    ways = {
        "1 thread": lambda: run_design(design, n, threads=1),
        "2 threads": lambda: run_design(design, n, threads=2),
        "2 threads, interrupted after 40 % and resumed": lambda: interrupted_and_resumed(design, n, folder),
    }
    print("| adaptive, as packaged | result | violations | stopped by rule | unproven | CPU-s |")
    print("|---|---|---:|---:|---:|---:|")
    digests, violations = set(), 0
    for name, way in ways.items():
        begun = time.process_time()
        exams = way()
        ended = np.bincount(exams.reason, minlength=len(REASONS) + 1)
        digests.add(digest(exams))
        violations += exams.compliance.violations
        print(
            f"| {name} | {digest(exams)} | {exams.compliance.violations} | {ended[1]:,} | {exams.unproven.sum()} "
            f"| {time.process_time() - begun:.0f} |",
            flush=True,
        )
    return len(digests) == 1 and violations == 0


if __name__ == "__main__":
    main()

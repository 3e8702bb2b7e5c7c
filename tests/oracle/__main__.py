"""The long proof: ``make proof``, or ``python -m oracle [--share 0.1] [--workers 2] [--folder proof]`` beside it.

Takes states from simulated exams, compares each decision with the whole integer programme, and prints a table. Every
state is kept in the folder when it is done, so that an interrupted proof goes on; another state of the sources begins
anew. Ends with code 1 when a single decision differs.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from issmp_cat.compiled import cache_folder, source_hash
from oracle.designs import CASES
from oracle.judge import judge


def main() -> None:
    """Run what is missing, print the table."""
    parser = argparse.ArgumentParser(description="Compare decisions with the whole integer programme.")
    parser.add_argument("--share", type=float, default=1.0, help="of the states of the long proof")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--folder", type=Path, default=Path("proof"), help="keeps every state that is done")
    options = parser.parse_args()
    oracle = source_hash((Path(__file__).parent,))[:8]
    kept = options.folder / f"{cache_folder().name.removeprefix('numba-')}-{oracle}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    states = read(kept)
    wanted = [
        (case.design, case.bank, person) for case in CASES for person in range(math.ceil(options.share * case.states))
    ]
    missing = [key for key in wanted if key not in states]
    print(f"{len(wanted)} states, {len(wanted) - len(missing)} of them kept in {kept}", file=sys.stderr)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool, kept.open("a") as file:
        futures = [pool.submit(judge, *key) for key in missing]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                state = future.result()
                states[state["design"], state["bank"], state["person"]] = state
                file.write(json.dumps(state) + "\n")
                file.flush()
                if done % 25 == 0 or state["faults"]:
                    told = f": {state['faults']}" if state["faults"] else ""
                    print(f"{done} of {len(missing)} states, {state['design']} {state['bank']}{told}", file=sys.stderr)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            sys.exit(130)
    sys.exit(report([states[key] for key in wanted]))


def read(kept: Path) -> dict[tuple[str, str, int], dict]:
    """States that are done; a line that was cut off is not."""
    states = {}
    for line in kept.read_text().splitlines() if kept.exists() else []:
        try:
            state = json.loads(line)
        except json.JSONDecodeError:
            continue
        states[state["design"], state["bank"], state["person"]] = state
    return states


def report(states: list[dict]) -> int:
    """Print the table; 1 when a decision differs, else 0."""
    print("| design | bank | states | not settled by look-up | programmes | median CPU-s each | agreeing |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for case in CASES:
        _row(case.design, case.bank, [s for s in states if (s["design"], s["bank"]) == (case.design, case.bank)])
    _row("**all**", "", states)
    wrong = [state for state in states if state["faults"]]
    for state in wrong:
        print(f"\n{state['design']}, bank {state['bank']}, candidate {state['person']}, {state['length']} items given:")
        print("\n".join(f"  {fault}" for fault in state["faults"]))
    return 1 if wrong else 0


def _row(design: str, bank: str, states: Iterable[dict]) -> None:
    states = list(states)
    if not states:
        return
    agreeing = sum(not state["faults"] for state in states)
    each = median(state["seconds"] / max(state["programmes"], 1) for state in states)
    searched, solved = sum(s["searched"] for s in states), sum(s["programmes"] for s in states)
    share = f"{agreeing} ({100 * agreeing / len(states):.6g} %)"
    print(f"| {design} | {bank} | {len(states)} | {searched} | {solved} | {each:.3g} | {share} |")


if __name__ == "__main__":
    main()

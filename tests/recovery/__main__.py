"""The long study: ``make recovery``, or ``python -m recovery [--replications 200] [--only MODEL]`` beside it.

Simulates each model again and again, calibrates, and prints bias and coverage. Every replication is kept when it is
done, so that an interrupted study goes on; other sources begin anew. Ends with code 1 when coverage or bias is off.
"""

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from issmp_cat.compiled import cache_folder, source_hash
from recovery.judge import Row, pool, replicate
from recovery.worlds import WORLDS

COVERED = (0.93, 0.97)
# Of some twenty rows one is expected beyond 2 Monte-Carlo errors by chance; none beyond this (false alarm 1 in 70).
FAR = 3.4


def main() -> None:
    """Run what is missing, print the table."""
    parser = argparse.ArgumentParser(description="Bias and coverage over simulated replications.")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--only", action="append", choices=list(WORLDS), help="this model (may be repeated)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=Path("recovery"), help="keeps every replication that is done")
    options = parser.parse_args()
    study = source_hash((Path(__file__).parent,))[:8]
    kept = options.folder / f"{cache_folder().name.removeprefix('numba-')}-{study}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = read(kept)
    names = options.only or list(WORLDS)
    missing = [(name, k) for name in names for k in range(options.replications) if (name, k) not in done]
    print(f"{len(missing)} replications to do; kept in {kept}", file=sys.stderr)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as executor, kept.open("a") as file:
        futures = {executor.submit(replicate, *key): key for key in missing}
        try:
            for number, future in enumerate(as_completed(futures), start=1):
                key = futures[future]
                done[key] = future.result()
                file.write(json.dumps([*key, done[key]]) + "\n")
                file.flush()
                if number % 50 == 0:
                    print(f"{number} of {len(missing)} replications", file=sys.stderr)
        except KeyboardInterrupt:
            executor.shutdown(wait=False, cancel_futures=True)
            sys.exit(130)
    rows = [row for name in names for row in pool(name, [done[name, k] for k in range(options.replications)])]
    sys.exit(report(rows))


def read(kept: Path) -> dict[tuple[str, int], dict]:
    """Replications that are done; a line that was cut off is not."""
    done = {}
    for line in kept.read_text().splitlines() if kept.exists() else []:
        try:
            name, replication, found = json.loads(line)
        except ValueError:
            continue
        done[name, replication] = found
    return done


def report(rows: list[Row]) -> int:
    """Print the table as Markdown; 1 when something is off."""
    print("| model | parameter | replications | bias | without its part ∝ 1/n | in MC errors | 95 % intervals cover |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for row in rows:
        promised = f"{row.cleaned:+.4f} | {row.z:+.1f}" if unbiased(row) else "– | –"
        print(
            f"| {row.model} | {row.parameter} | {row.replications} | {row.bias:+.4f} | {promised} "
            f"| {row.coverage:.1%} ± {row.coverage_error:.1%} |"
        )
    judged = [row for row in rows if unbiased(row)]
    far = [row for row in judged if abs(row.z) > 2.0]
    chance = 0.0455 * len(judged)
    print(f"\n{len(far)} of {len(judged)} rows beyond 2 Monte-Carlo errors (by chance: {chance:.1f})")
    off = [row for row in rows if outside(row) > 2.0 * row.coverage_error or (row in judged and abs(row.z) > FAR)]
    for row in off:
        print(f"off: {row}")
    return int(bool(off))


def unbiased(row: Row) -> bool:
    """Whether theory promises a bias ∝ 1/n: where the answers outweigh priors, not for modes under strong ones."""
    return not WORLDS[row.model].believed


def outside(row: Row) -> float:
    """How far coverage lies outside its range."""
    return max(COVERED[0] - row.coverage, row.coverage - COVERED[1], 0.0)


if __name__ == "__main__":
    main()

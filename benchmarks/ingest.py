"""Reading 25 million answers: CPU-seconds of all threads, rows per CPU-second, and peak memory.

Targets: whole numbers as ids, sorted by candidate, into memory at 20 million rows per CPU-second or more; texts as ids,
shuffled, at 4 million, also when the log is stored on disk within 1 GiB. The peers do what a script would: pandas and
plain DuckDB bring the same files into integer codes of candidates and items, candidates together; neither judges a row,
looks for duplicates or writes a report. Each run is a process of its own, so that its peak is its own too. It reads the
first 1,000 rows beforehand: importing libraries and fetching compiled kernels is no matter of rows, and is told apart.
"""

# ruff: noqa: S608 - nobody else writes these queries

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import peak_memory_mib

RUNS = 3
PERSONS, ANSWERS, ITEMS = 200_000, 125, 1_500


def make(folder: Path) -> None:
    """The two logs: 200,000 candidates, 125 of 1,500 items each."""
    import duckdb

    con = duckdb.connect()
    con.execute(
        f"CREATE TABLE a AS SELECT p::INTEGER AS candidate, ((p * 7919) % {ITEMS} + i * 12) % {ITEMS} AS item, "
        f"((hash(p * 1000 + i) % 100) < 55)::TINYINT AS score FROM range({PERSONS}) t(p), range({ANSWERS}) s(i)"
    )
    numbers, texts = folder / "sorted.parquet", folder / "shuffled.parquet"
    con.execute(f"COPY (SELECT candidate, item::SMALLINT AS item, score FROM a ORDER BY candidate) TO '{numbers}'")
    con.execute(
        "COPY (SELECT printf('C%08d', candidate) AS candidate, printf('D%d-%04d', item % 6 + 1, item) AS item, score "
        f"FROM a ORDER BY hash(candidate * 1000 + item)) TO '{texts}'"
    )
    for log in (numbers, texts):
        con.execute(f"COPY (FROM '{log}' LIMIT 1000) TO '{log.with_name(f'first-{log.name}')}'")


def read(log: Path) -> int:
    """Ours, into memory."""
    from issmp_calibration import read_log

    return read_log(log).n_answers


def store(log: Path) -> int:
    """Ours, to disk."""
    from issmp_calibration.log import Room, write_store

    with tempfile.TemporaryDirectory(dir=log.parent) as folder:
        return write_store(log, Path(folder) / "store", room=Room(memory=1 << 30)).n_answers


def plain(log: Path) -> int:
    """DuckDB alone: candidates and items numbered by joins, rows sorted, 1 GiB allowed."""
    import duckdb

    with tempfile.TemporaryDirectory(dir=log.parent) as folder:
        con = duckdb.connect(str(Path(folder) / "peer.duckdb"))
        con.execute("SET memory_limit = '1GiB'")
        source = f"read_parquet('{log}')"
        for name in ("candidate", "item"):
            con.execute(
                f"CREATE TABLE {name}s AS SELECT {name}, row_number() OVER (ORDER BY {name}) - 1 AS code "
                f"FROM (SELECT DISTINCT {name} FROM {source})"
            )
        found = con.execute(
            "SELECT candidates.code::INTEGER AS p, items.code::SMALLINT AS i, score "
            f"FROM {source} JOIN candidates USING (candidate) JOIN items USING (item) ORDER BY p, i"
        ).fetchnumpy()
        return len(found["p"])


def pandas(log: Path) -> int:
    """Pandas (fed by DuckDB, for want of another Parquet reader): factorise, then sort."""
    import duckdb
    import numpy as np
    import pandas as pd

    frame = duckdb.sql(f"FROM read_parquet('{log}')").df()
    person, _ = pd.factorize(frame["candidate"], sort=True)
    item, _ = pd.factorize(frame["item"], sort=True)
    order = np.lexsort((item, person))
    return len(item[order]) + 0 * len(frame["score"].to_numpy()[order])


WORK = {"read": read, "store": store, "plain": plain, "pandas": pandas}
WORDS = {
    "read": "ours, into memory",
    "store": "ours, store on disk within 1 GiB",
    "plain": "plain DuckDB, joins and ORDER BY, 1 GiB",
    "pandas": "pandas, factorize and lexsort",
}


def measure(work: str, log: Path) -> None:
    """Do one piece of work in this process; print CPU-seconds to begin with and for the log, and MiB at the peak."""
    WORK[work](log.with_name(f"first-{log.name}"))
    begun = time.process_time()
    answers = WORK[work](log)
    if answers != PERSONS * ANSWERS:
        sys.exit(f"{work}: {answers:,} answers; expected {PERSONS * ANSWERS:,}")
    print(begun, time.process_time() - begun, peak_memory_mib())


def main() -> None:
    """Make the logs once, then run everything, the peers between our own runs."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "make", folder], check=True)  # its peak is not to be ours
        for name in ("sorted", "shuffled"):
            log = Path(folder) / f"{name}.parquet"
            print(f"{name}: {PERSONS * ANSWERS:,} rows, {log.stat().st_size >> 20} MiB")
            for work in ("read", "store"):
                run(work, log)  # compiles
            found: dict[str, list[tuple[float, ...]]] = {work: [] for work in WORK}
            for _ in range(RUNS):
                for work, runs in found.items():
                    runs.append(run(work, log))
            for work, runs in found.items():
                report(work, runs)


def run(work: str, log: Path) -> tuple[float, ...]:
    """CPU-seconds to begin with, CPU-seconds for the log, and peak of one run."""
    done = subprocess.run([sys.executable, __file__, work, str(log)], check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


def report(work: str, runs: list[tuple[float, ...]]) -> None:
    """One line: the median, its range, rows per CPU-second, the peak."""
    begun, seconds, peaks = zip(*runs, strict=True)
    middle = statistics.median(seconds)
    print(
        f"  {WORDS[work]:<40} {middle:6.2f} CPU-s ({min(seconds):.2f}–{max(seconds):.2f}, {len(runs)} runs): "
        f"{PERSONS * ANSWERS / middle / 1e6:5.1f} M rows per CPU-second; peak {max(peaks):5,.0f} MiB; "
        f"{statistics.median(begun):.1f} CPU-s to begin with",
        flush=True,
    )


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    elif sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        measure(sys.argv[1], Path(sys.argv[2]))

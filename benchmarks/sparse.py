"""2PL, 100,000 candidates × 125 of 1,500 items, from Parquet to parameters: CPU-seconds and peak memory.

Target: under 10 CPU-seconds and 1 GiB, reading included, kernels compiled beforehand. Each run is a process of its own,
so that the peak is its own too.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import peak_memory_mib

RUNS = 3


def measure(log: Path, *, standard_errors: bool) -> None:
    """Read and calibrate in this process; print what it took."""
    from issmp_calibration import calibrate, read_log

    begun = time.process_time()
    answers = read_log(log)
    read = time.process_time() - begun
    result = calibrate(answers, standard_errors="observed" if standard_errors else None)
    total = time.process_time() - begun
    print(
        f"answers {answers.n_answers:,}: read {read:.2f} s, fit {total - read:.2f} s, together {total:.2f} CPU-s; "
        f"{len(result.passes)} passes, converged {result.converged}; peak {peak_memory_mib():.0f} MiB"
    )


def main() -> None:
    """Make the log once, then measure it with and without standard errors."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        bank = Path(folder) / "bank.json"
        run("sample", "bank", "1500", "--model", "2pl", "-o", str(bank))
        run(
            "sample",
            "log",
            "--bank",
            str(bank),
            "--persons",
            "100000",
            "--answers",
            "125",
            "--seed",
            "1",
            "-o",
            str(log),
        )
        for errors in ("without", "with"):
            print(f"{errors} standard errors")
            for _ in range(RUNS):
                subprocess.run([sys.executable, __file__, str(log), errors], check=True)


def run(*arguments: str) -> None:
    """One command of ours."""
    subprocess.run([str(Path(sys.executable).with_name("issmp-cat")), *arguments], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]), standard_errors=sys.argv[2] == "with")
    else:
        main()

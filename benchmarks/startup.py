"""A process of its own from start to end, imports included, kernels compiled beforehand: CPU-seconds and peak memory.

A small log, 500 candidates × 60 items, as CSV: ``issmp-cat calibrate``, its bank written, and ``issmp-cat --help``.
Target: 2 seconds for the fit.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from timing import Timing

RUNS = 7


def command(name: str, *words: str) -> Timing:
    """CPU-seconds of the program, run again and again."""
    program, seconds = str(Path(sys.executable).with_name("issmp-cat")), []
    for _ in range(RUNS + 1):  # the first one fills caches
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return Timing(name, tuple(seconds[1:]), f"largest so far {after.ru_maxrss / 1024.0:.0f} MiB")


def main() -> None:
    """Print both."""
    random = np.random.default_rng(1)
    z = np.exp(random.normal(0.0, 0.3, 60)) * (random.normal(size=(500, 1)) - random.normal(size=60))
    scores = pd.DataFrame((random.random(z.shape) < 1.0 / (1.0 + np.exp(-z))).astype(int)).add_prefix("Q")
    print(command("issmp-cat --help", "--help"))
    with tempfile.TemporaryDirectory() as folder:
        log, bank = Path(folder, "log.csv"), Path(folder, "bank.json")
        scores.to_csv(log, index_label="candidate")
        print(command("issmp-cat calibrate, 500 × 60, CSV to bank", "calibrate", str(log), "-o", str(bank), "--quiet"))


if __name__ == "__main__":
    main()

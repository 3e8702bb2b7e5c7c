"""Every benchmark, one after the other, each in a process of its own."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALL = (
    *("startup.py", "decision.py", "criteria.py", "simulation.py", "calibration.py", "passes.py", "sparse.py"),
    *("ingest.py", "scoring.py", "linking.py", "growth.py"),
)


def main() -> None:
    """Run those named on the command line, or all."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors; medians of CPU-seconds, range in brackets")
    subprocess.run([str(Path(sys.executable).with_name("issmp-cat")), "warmup", "--quiet"], check=True)
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / name)], check=True)


if __name__ == "__main__":
    main()

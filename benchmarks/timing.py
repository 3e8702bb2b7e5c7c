"""Repeat, take CPU time, state the median and the spread."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """CPU-seconds of repeated runs, this process and all its threads."""

    name: str
    runs: tuple[float, ...]
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    def __str__(self) -> str:
        spread = f"{min(self.runs):.4g}–{max(self.runs):.4g}"
        return f"{self.name:<58} {self.median:>10.4g} s  ({spread}, {len(self.runs)} runs)  {self.note}".rstrip()


def timed(name: str, work: Callable[[], object], *, runs: int = 5, note: str = "") -> Timing:
    """CPU-seconds of ``work``; call it once beforehand if it compiles anything."""
    seconds = []
    for _ in range(runs):
        before = time.process_time()
        work()
        seconds.append(time.process_time() - before)
    return Timing(name, tuple(seconds), note)


def peak_memory_mib() -> float:
    """Largest resident size of this process so far, MiB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0

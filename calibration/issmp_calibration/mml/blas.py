"""Linear algebra on one thread, for its bits and for what it costs.

OpenBLAS splits its work by the number of threads: the last bits then depend on it, and waiting threads spin, which on a
busy machine doubles the processor time of an inverse.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["one_blas_thread"]

LOADED = Path("/proc/self/maps")  # Linux; elsewhere the environment decides (OPENBLAS_NUM_THREADS)
NAMES = [f"{before}openblas_{{}}_num_threads{after}" for before in ("scipy_", "") for after in ("64_", "")]

Switch = tuple[Callable[[], int], Callable[[int], None]]


@functools.cache
def _switches() -> tuple[Switch, ...]:
    """How to ask and to set the threads of every OpenBLAS in the process: numpy and scipy bring one each."""
    if not LOADED.exists():
        return ()
    files = {line.split(maxsplit=5)[-1] for line in LOADED.read_text(encoding="utf-8").splitlines() if "/" in line}
    found: list[Switch] = []
    for file in sorted(file for file in files if "openblas" in Path(file).name):
        library = ctypes.CDLL(file)
        name = next((name for name in NAMES if hasattr(library, name.format("set"))), None)
        if name is not None:
            found.append((getattr(library, name.format("get")), getattr(library, name.format("set"))))
    return tuple(found)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """One thread for all linear algebra of the process while the block runs."""
    before = [ask() for ask, _ in _switches()]
    for _, put in _switches():
        put(1)
    try:
        yield
    finally:
        for (_, put), threads in zip(_switches(), before, strict=True):
            put(threads)

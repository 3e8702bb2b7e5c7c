"""Threads where there is work for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

__all__ = ["workers"]

ANSWERS_EACH = 1_000_000


@contextmanager
def workers(threads: int | None, n_answers: int) -> Iterator[Executor | None]:
    """A pool of threads; None where the caller's own thread is quicker.

    Args:
        threads: how many at most; all processors when not given.
        n_answers: to be worked on; a million or so is worth another thread.
    """
    wanted = min(threads or os.cpu_count() or 1, 1 + n_answers // ANSWERS_EACH)
    if wanted == 1:
        yield None
        return
    with ThreadPoolExecutor(wanted) as executor:
        yield executor

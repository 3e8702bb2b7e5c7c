"""The workers of a Dask cluster, for one command."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from issmp_cat.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["workers_of"]

PATIENCE = 10  # seconds until a scheduler must have answered


@contextmanager
def workers_of(address: str | None) -> Iterator[Any]:
    """A client of the scheduler at this address while the command runs; None if there is none.

    Raises:
        MissingExtra: dask.distributed is not installed.
        UsageError: nobody answers there.
    """
    if address is None:
        yield None
        return
    try:
        import distributed
    except ImportError:
        raise MissingExtra("--cluster (dask.distributed)", "cluster") from None
    connect: Any = distributed.Client  # distributed is not typed
    try:
        client = connect(address, timeout=PATIENCE)
    except (OSError, ValueError) as fault:
        raise UsageError(
            f"--cluster {address}: no scheduler answers there within {PATIENCE} seconds ({fault}); start one with "
            "'dask scheduler', workers with 'dask worker', and give its address, as tcp://host:8786"
        ) from fault
    with client:
        yield client

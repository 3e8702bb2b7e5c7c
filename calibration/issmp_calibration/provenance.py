"""What a result was made from, so that it can be made again."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from issmp_cat import __version__
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    from issmp_calibration.log.store import LogStore

__all__ = ["fingerprint", "versions"]


def fingerprint(log: ResponseLog | LogStore) -> str:
    """Sixteen hex digits of SHA-256 over the scored answers, their items and their owners, in the log's order.

    Of a store, over what its index says of the files, whose SHA-256 it holds.
    """
    digest = hashlib.sha256()
    if not isinstance(log, ResponseLog):
        digest.update(json.dumps([log.told["items"], log.told["shards"]], sort_keys=True).encode())
        return digest.hexdigest()[:16]
    for column in (log.start, log.item, log.score):
        digest.update(np.ascontiguousarray(column).data)
    for names in (log.items, log.persons):
        plain = names.tolist()  # Python's own strings: iterating over numpy's takes three times as long
        digest.update("\n".join(plain if names.dtype.kind == "U" else map(str, plain)).encode())
    return digest.hexdigest()[:16]


@functools.cache  # reading a distribution's metadata takes milliseconds
def _installed() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in ("numpy", "scipy", "numba"))


def versions() -> dict[str, Any]:
    """Versions of all that computes."""
    return {"issmp-cat": __version__, "python": platform.python_version(), **dict(_installed())}

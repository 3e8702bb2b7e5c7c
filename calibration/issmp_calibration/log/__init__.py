"""Reading, checking and describing response logs.

Lazy, so that the command line can name this package without loading numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_calibration.log.key import ItemKey, read_key
    from issmp_calibration.log.read import read_log
    from issmp_calibration.log.rules import Rules

__all__ = ["ItemKey", "Rules", "read_key", "read_log"]

HOME = {"ItemKey": "key", "Rules": "rules", "read_key": "key", "read_log": "read"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOME[name]}"), name)

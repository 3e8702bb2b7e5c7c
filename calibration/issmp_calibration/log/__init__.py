"""Reading, checking and describing response logs.

Lazy, so that the command line can name this package without loading numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_calibration.log.audit import DesignAudit, audit_design
    from issmp_calibration.log.key import ItemKey, read_key
    from issmp_calibration.log.read import read_log
    from issmp_calibration.log.report import DataReport
    from issmp_calibration.log.rules import Rules
    from issmp_calibration.log.statistics import ClassicalStatistics, classical_statistics
    from issmp_calibration.log.store import LogStore
    from issmp_calibration.log.storing import Room, write_store

__all__ = [
    "ClassicalStatistics",
    "DataReport",
    "DesignAudit",
    "ItemKey",
    "LogStore",
    "Room",
    "Rules",
    "audit_design",
    "classical_statistics",
    "read_key",
    "read_log",
    "write_store",
]

HOME = {
    "ClassicalStatistics": "statistics",
    "DataReport": "report",
    "DesignAudit": "audit",
    "ItemKey": "key",
    "LogStore": "store",
    "Room": "storing",
    "Rules": "rules",
    "audit_design": "audit",
    "classical_statistics": "statistics",
    "read_key": "key",
    "read_log": "read",
    "write_store": "storing",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOME[name]}"), name)

"""issmp-cat: adaptive certification tests, from item bank to decision.

Names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_cat.bank import Item, ItemBank
    from issmp_cat.blueprint import Blueprint, Domain
    from issmp_cat.exam import Exam
    from issmp_cat.responses import ResponseLog
    from issmp_cat.scale import Scale
    from issmp_cat.session import Session, SessionResult

__version__ = "0.1.0"

_HOMES = {
    "Blueprint": "issmp_cat.blueprint",
    "Domain": "issmp_cat.blueprint",
    "Exam": "issmp_cat.exam",
    "Item": "issmp_cat.bank",
    "ItemBank": "issmp_cat.bank",
    "ResponseLog": "issmp_cat.responses",
    "Scale": "issmp_cat.scale",
    "Session": "issmp_cat.session",
    "SessionResult": "issmp_cat.session",
}

__all__ = [
    "Blueprint",
    "Domain",
    "Exam",
    "Item",
    "ItemBank",
    "ResponseLog",
    "Scale",
    "Session",
    "SessionResult",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    msg = f"module 'issmp_cat' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)

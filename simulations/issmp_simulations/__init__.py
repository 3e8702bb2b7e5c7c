"""Exams simulated through the engine's own decision code, and the evidence drawn from them.

Names are loaded when first used: the command line imports this package for its help alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_simulations.log_files import write_log
    from issmp_simulations.logs import sample_log
    from issmp_simulations.population import Clock, Population
    from issmp_simulations.result import StudyResult
    from issmp_simulations.standard import standard_bank
    from issmp_simulations.study import simulate

__all__ = ["Clock", "Population", "StudyResult", "sample_log", "simulate", "standard_bank", "write_log"]

_HOMES = {
    "Clock": "population",
    "Population": "population",
    "StudyResult": "result",
    "sample_log": "logs",
    "simulate": "study",
    "standard_bank": "standard",
    "write_log": "log_files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

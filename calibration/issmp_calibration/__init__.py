"""From a response log to a calibrated item bank.

Names are loaded when first used, so that the command line can name this package without loading numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_calibration.calibration import calibrate
    from issmp_calibration.constraints import Constraints
    from issmp_calibration.learning import LearnedPriors, learn_priors
    from issmp_calibration.linking import Drift, Link, chain, drift, link
    from issmp_calibration.log import classical_statistics, read_key, read_log
    from issmp_calibration.mml.priors import NormalPrior, Priors
    from issmp_calibration.options import CalibrationOptions
    from issmp_calibration.populations import PopulationModel
    from issmp_calibration.result import Calibration
    from issmp_calibration.scoring import Scores, score
    from issmp_calibration.verdict_rules import VerdictRules

_HOMES = {
    "Calibration": "result",
    "CalibrationOptions": "options",
    "Constraints": "constraints",
    "Drift": "linking",
    "LearnedPriors": "learning",
    "Link": "linking",
    "NormalPrior": "mml.priors",
    "PopulationModel": "populations",
    "Priors": "mml.priors",
    "calibrate": "calibration",
    "chain": "linking",
    "drift": "linking",
    "learn_priors": "learning",
    "link": "linking",
    "Scores": "scoring",
    "VerdictRules": "verdict_rules",
    "classical_statistics": "log",
    "read_key": "log",
    "read_log": "log",
    "score": "scoring",
}

__all__ = [
    "Calibration",
    "CalibrationOptions",
    "Constraints",
    "Drift",
    "LearnedPriors",
    "Link",
    "NormalPrior",
    "PopulationModel",
    "Priors",
    "Scores",
    "VerdictRules",
    "calibrate",
    "chain",
    "classical_statistics",
    "drift",
    "learn_priors",
    "link",
    "read_key",
    "read_log",
    "score",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"issmp_calibration.{_HOMES[name]}"), name)
    msg = f"module 'issmp_calibration' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)

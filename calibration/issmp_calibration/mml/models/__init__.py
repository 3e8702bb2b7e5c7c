"""Families of item response models: how likely each score is at each ability, and how that changes with the parameters.

A family is one file with two kernels, ``chances`` and ``terms``, and what the design of a fit must know of it. Working
parameters stand in a row, padded: slope first, then intercepts, then what else there is.
"""

from issmp_calibration.mml.models.family import GRADED, LOGISTIC, NOMINAL, PARTIAL, Family
from issmp_calibration.mml.models.named import FAMILIES, MODELS, ModelName, named
from issmp_calibration.mml.models.tables import log_table, score_tables

__all__ = [
    "FAMILIES",
    "GRADED",
    "LOGISTIC",
    "MODELS",
    "NOMINAL",
    "PARTIAL",
    "Family",
    "ModelName",
    "log_table",
    "named",
    "score_tables",
]

"""Item response theory's formulas, each in one place; see ``docs/model.md`` for symbols and sources."""

from issmp_cat.irt.curves import (
    difficulty,
    fisher,
    intercept,
    logit,
    probability_at,
    response_curve,
    slope,
    slope_change,
)
from issmp_cat.irt.vectors import category_probabilities, information, probability

__all__ = [
    "category_probabilities",
    "difficulty",
    "fisher",
    "information",
    "intercept",
    "logit",
    "probability",
    "probability_at",
    "response_curve",
    "slope",
    "slope_change",
]

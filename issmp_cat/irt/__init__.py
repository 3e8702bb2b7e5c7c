"""Item response theory's formulas, each in one place; see ``docs/model.md`` for symbols and sources."""

from issmp_cat.irt.categories import answer_terms, category_probability, draw_score, highest_score
from issmp_cat.irt.curves import (
    difficulty,
    fisher,
    intercept,
    log_odds,
    logit,
    probability_at,
    response_curve,
    slope,
    slope_change,
)
from issmp_cat.irt.parameters import (
    DICHOTOMOUS,
    GRADED,
    NOMINAL,
    PARTIAL,
    Parameters,
    build_parameters,
    dichotomous,
    select,
)
from issmp_cat.irt.tables import category_curves, category_rates, item_information
from issmp_cat.irt.vectors import category_probabilities, information, probability

__all__ = [
    "DICHOTOMOUS",
    "GRADED",
    "NOMINAL",
    "PARTIAL",
    "Parameters",
    "answer_terms",
    "build_parameters",
    "category_curves",
    "category_probabilities",
    "category_probability",
    "category_rates",
    "dichotomous",
    "difficulty",
    "draw_score",
    "fisher",
    "highest_score",
    "information",
    "intercept",
    "item_information",
    "log_odds",
    "logit",
    "probability",
    "probability_at",
    "response_curve",
    "select",
    "slope",
    "slope_change",
]

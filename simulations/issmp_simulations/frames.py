"""Tables of a study for people who work in pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from issmp_cat.stopping import REASONS
from issmp_simulations.estimates import Estimate
from issmp_simulations.run import Exams

__all__ = ["candidates", "conditional"]


def candidates(exams: Exams, cut: float) -> pd.DataFrame:
    """One row a candidate; θ and standard error in logits."""
    return pd.DataFrame(
        {
            "candidate": np.arange(1, len(exams.theta) + 1),
            "true_theta": exams.ability,
            "theta": exams.theta,
            "se": exams.se,
            "passed": exams.passed,
            "truly_above": exams.ability >= cut,
            "items": exams.length,
            "reason": pd.Categorical.from_codes(
                exams.reason.astype(np.int64) - 1, categories=pd.Index(list(REASONS.values()))
            ),
            "seconds": exams.seconds,
            "unproven": exams.unproven,
        }
    )


def conditional(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a band of θ; each figure with its Monte-Carlo standard error beside it."""
    flat = []
    for row in rows:
        cells: dict[str, Any] = {}
        for name, value in row.items():
            if isinstance(value, Estimate):
                cells[name], cells[f"{name}_se"] = value.value, value.se
            else:
                cells[name] = value
        flat.append(cells)
    return pd.DataFrame(flat)

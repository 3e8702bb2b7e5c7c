"""The items of a calibration: parameters, standard errors, statistics, verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FINE", "ItemTable"]

FINE = "ok"
NUMBERS = ("a", "b", "c", "se_a", "se_b", "se_c", "slope", "intercept", "se_slope", "se_intercept")


@dataclass(frozen=True, slots=True)
class ItemTable:
    """One row for each item of the log, in its order; a missing number is NaN here and blank in ``frame``.

    Attributes:
        item: ids. Shape ``(items,)``, as all below but one.
        domain: labels, empty where none was given; ``status`` alike.
        parameters: a (per logit), b (logits), c. Shape ``(items, 3)``.
        covariance: sampling covariance of a, b, c; NaN where there is none. Shape ``(items, 3, 3)``.
        slope: of the logit in slope–intercept form; ``intercept`` and the two standard errors alike.
        answers: scored answers.
        p_value: proportion right.
        item_rest: correlation with the proportion right on the other operational items.
        verdict: "ok", or what is wrong with the item.
    """

    item: NDArray[Any]
    domain: NDArray[Any]
    status: NDArray[Any]
    parameters: Floats
    covariance: Floats
    slope: Floats
    intercept: Floats
    se_slope: Floats
    se_intercept: Floats
    answers: Ints
    p_value: Floats
    item_rest: Floats
    verdict: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.item)

    @property
    def standard_errors(self) -> Floats:
        """Of a, b and c; NaN where there is none. Shape ``(items, 3)``."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Which items have parameters. Shape ``(items,)``."""
        return ~np.isnan(self.parameters[:, 1])

    @property
    def columns(self) -> dict[str, Any]:
        """All columns by name."""
        errors = self.standard_errors
        natural = dict(zip(("a", "b", "c"), self.parameters.T, strict=True))
        return {
            "item": self.item,
            "domain": self.domain,
            "status": self.status,
            **natural,
            **{f"se_{name}": errors[:, k] for k, name in enumerate("abc")},
            "slope": self.slope,
            "intercept": self.intercept,
            "se_slope": self.se_slope,
            "se_intercept": self.se_intercept,
            "answers": self.answers,
            "p_value": self.p_value,
            "item_rest": self.item_rest,
            "verdict": np.array(self.verdict),
        }

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a data frame; numbers that do not exist are blank (``<NA>``)."""
        import pandas as pd

        frame = pd.DataFrame(self.columns)
        return frame.astype(dict.fromkeys([*NUMBERS, "p_value", "item_rest"], "Float64"))

    def __repr__(self) -> str:
        return repr(self.frame)

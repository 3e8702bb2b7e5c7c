"""The items of a calibration: parameters, standard errors, statistics, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.item_verdict import FINE, ItemVerdict
from issmp_cat.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FINE", "USUAL", "ItemTable", "numbered", "parameter_names"]

USUAL = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True)
class ItemTable:
    """One row for each item of the log, in its order; a missing number is NaN here and blank in ``frame``.

    Attributes:
        item: ids. Shape ``(items,)``, as all below but the parameters.
        base: ids in the item file; another one where an item has parameters of its own in each group.
        domain: labels, empty where none was given; ``status`` and ``model`` alike.
        names: of the parameters: a (per logit), b (logits; the mean of an item's steps), c, d; b1, b2 … steps (logits);
            a1, c1 … slopes and intercepts of nominal items against score 0.
        parameters: NaN where an item has none of that name. Shape ``(items, names)``.
        covariance: sampling covariance of these; NaN where there is none. Shape ``(items, names, names)``.
        linear_names: slope, intercept, intercept_1 …: the same curves in slope–intercept form.
        linear: their values. Shape ``(items, linear names)``; ``linear_errors``: their standard errors.
        answers: scored answers.
        counts: of them by score. Shape ``(items, scores)``.
        p_value: mean score over the highest; for 0/1 items the proportion right.
        item_rest: correlation with the share of points on the other operational items.
        distance: how far from the solution the fit may have stopped, standard errors.
        integration_error: what a finer grid would change, standard errors.
        shrinkage: share of what is known about slope, location and lower asymptote that comes from a prior; NaN where
            none was estimated. Shape ``(items, 3)``.
        answers_needed: further answers until b is known as well as was wanted; NaN where nothing was asked or b is not
            known.
        verdicts: what to do with each item.
    """

    item: NDArray[Any]
    base: NDArray[Any]
    domain: NDArray[Any]
    status: NDArray[Any]
    model: NDArray[Any]
    names: tuple[str, ...]
    parameters: Floats
    covariance: Floats
    linear_names: tuple[str, ...]
    linear: Floats
    linear_errors: Floats
    answers: Ints
    counts: Ints
    p_value: Floats
    item_rest: Floats
    distance: Floats
    integration_error: Floats
    shrinkage: Floats
    answers_needed: Floats
    verdicts: tuple[ItemVerdict, ...]

    def __len__(self) -> int:
        return len(self.item)

    def values(self, name: str) -> Floats:
        """One parameter of all items, NaN where they have none. Shape ``(items,)``."""
        return self.parameters[:, self.names.index(name)]

    def errors(self, name: str) -> Floats:
        """Its standard errors. Shape ``(items,)``."""
        return self.standard_errors[:, self.names.index(name)]

    @property
    def standard_errors(self) -> Floats:
        """Of all parameters; NaN where there is none. Shape ``(items, names)``."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    @property
    def slope(self) -> Floats:
        """The one slope of each item, per logit; NaN for nominal items. Shape ``(items,)``, as the following."""
        return self.linear[:, self.linear_names.index("slope")]

    @property
    def intercept(self) -> Floats:
        """The one intercept of each item; NaN for items with several."""
        return self.linear[:, self.linear_names.index("intercept")]

    @property
    def se_slope(self) -> Floats:
        """Standard error of the slope."""
        return self.linear_errors[:, self.linear_names.index("slope")]

    @property
    def se_intercept(self) -> Floats:
        """Standard error of the intercept."""
        return self.linear_errors[:, self.linear_names.index("intercept")]

    @property
    def fitted(self) -> Bools:
        """Which items have parameters. Shape ``(items,)``."""
        return np.asarray(~np.isnan(self.parameters).all(axis=1))

    @property
    def verdict(self) -> tuple[str, ...]:
        """Why not to use each item, in words; "ok" where nothing is against it."""
        return tuple(verdict.words for verdict in self.verdicts)

    @property
    def action(self) -> NDArray[Any]:
        """use, hold or retire. Shape ``(items,)``."""
        return np.array([verdict.action for verdict in self.verdicts], dtype="<U6")

    @property
    def columns(self) -> dict[str, Any]:
        """All columns by name."""
        return {
            "item": self.item,
            "domain": self.domain,
            "status": self.status,
            "model": self.model,
            **self._numbers,
            "answers": self.answers,
            "p_value": self.p_value,
            "item_rest": self.item_rest,
            "distance": self.distance,
            "integration_error": self.integration_error,
            **self._belief,
            "action": self.action,
            "reasons": np.array([" ".join(verdict.codes) for verdict in self.verdicts], dtype=object),
            "verdict": np.array(self.verdict, dtype=object),
        }

    @property
    def _belief(self) -> dict[str, Floats]:
        """Shrinkage where there was a prior, answers needed where that was asked."""
        shares = dict(zip(("shrinkage_a", "shrinkage_b", "shrinkage_c"), self.shrinkage.T, strict=True))
        told = {name: share for name, share in shares.items() if (share > 0.0).any()}
        return told if np.isnan(self.answers_needed).all() else {**told, "answers_needed": self.answers_needed}

    @property
    def _numbers(self) -> dict[str, Floats]:
        """Parameters and their standard errors, natural and linear."""
        errors = self.standard_errors
        return {
            **dict(zip(self.names, self.parameters.T, strict=True)),
            **{f"se_{name}": errors[:, k] for k, name in enumerate(self.names)},
            **dict(zip(self.linear_names, self.linear.T, strict=True)),
            **{f"se_{name}": self.linear_errors[:, k] for k, name in enumerate(self.linear_names)},
        }

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a data frame; numbers that do not exist are blank (``<NA>``)."""
        import pandas as pd

        columns = self.columns
        words = {name: columns[name].astype(object) for name in ("item", "domain", "status", "model", "action")}
        numbers = [name for name, values in columns.items() if getattr(values, "dtype", None) == np.float64]
        return pd.DataFrame({**columns, **words}).astype(dict.fromkeys(numbers, "Float64"))

    def __repr__(self) -> str:
        return repr(self.frame)


def parameter_names(of_items: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Columns for items with these parameters: a, b, c, d first, then steps, then slopes and intercepts of scores.

    >>> parameter_names([("a", "b", "c", "d"), ("a", "b1", "b2"), ("a1", "c1")])
    ('a', 'b', 'c', 'd', 'b1', 'b2', 'a1', 'c1')
    """
    found = {name for names in of_items for name in names} - set(USUAL)
    return (*USUAL, *sorted(found, key=lambda name: ("bac".index(name[0]), int(name[1:]))))


def numbered(names: Sequence[str], letters: Sequence[str] = ("b",)) -> list[int]:
    """Places of b1, b2 … (or of other letters with numbers) among the names."""
    return [place for place, name in enumerate(names) if name[0] in letters and name[1:]]

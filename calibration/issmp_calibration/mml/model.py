"""What a fit estimates: which parameters are free, which are shared, what is believed beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.mml.dichotomous import GUESS, INTERCEPT, LOWER, N_PARAMETERS, NO_GUESSING, SLOPE, UPPER
from issmp_calibration.mml.priors import Priors
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.errors import UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["MODELS", "Model"]

MODELS = ("rasch", "1pl", "2pl", "3pl")
MIDDLE_GUESS = -1.4  # logit of 0.2: where the search for c starts


@dataclass(frozen=True, slots=True)
class Model:
    """One of the logistic models over a standard normal population.

    Rasch and 1PL are one model written twice: slopes 1 and a free SD, or one free slope and SD 1. Both are fitted as
    the latter, so that the nodes always span the population.

    Attributes:
        name: rasch, 1pl, 2pl or 3pl.
        priors: of the item parameters.
    """

    name: str
    priors: Priors

    @classmethod
    def named(cls, name: str, priors: Priors | None = None) -> Model:
        """The model called so, with its default priors unless others are given.

        Raises:
            UsageError: no such model.
        """
        lowered = name.lower()
        if lowered not in MODELS:
            raise UsageError(f'unknown model "{name}"; known: {", ".join(MODELS)}{did_you_mean(lowered, MODELS)}')
        return cls(lowered, Priors.default(lowered) if priors is None else priors)

    @property
    def common_slope(self) -> bool:
        """Whether all items share one slope."""
        return self.name in {"rasch", "1pl"}

    @property
    def free(self) -> Bools:
        """Which parameters each item has for itself. Shape ``(3,)``: slope, intercept, guess."""
        return np.array([not self.common_slope, True, self.name == "3pl"])

    def n_parameters(self, n_items: int) -> int:
        """How many numbers a fit of so many items estimates."""
        return n_items * int(self.free.sum()) + int(self.common_slope)

    def start(self, counts: Ints) -> Floats:
        """Where to begin: difficulty from the share of right answers, slope 1.

        Args:
            counts: wrong and right answers. Shape ``(items, 2)``.
        """
        start = np.empty((len(counts), N_PARAMETERS))
        start[:, SLOPE] = 1.0
        # 1.16 = √(1 + 1/1.7²): a population of SD 1 flattens the curve of the share right (Lord & Novick, 1968,
        # 16.9.4).
        start[:, INTERCEPT] = 1.16 * np.log((counts[:, 1] + 0.5) / (counts[:, 0] + 0.5))
        start[:, GUESS] = MIDDLE_GUESS if self.free[GUESS] else NO_GUESSING
        return start

    def log_prior(self, parameters: Floats) -> float:
        """Log density of the items' parameters under their priors."""
        mean, precision = self.priors.table().T
        used = precision > 0.0
        scale = parameters.copy()
        if used[SLOPE]:
            scale[:, SLOPE] = np.log(scale[:, SLOPE])
        peak = 0.5 * len(parameters) * np.log(precision[used] / (2.0 * np.pi)).sum()
        return float(peak - 0.5 * (precision[used] * np.square(scale[:, used] - mean[used])).sum())

    def pack(self, parameters: Floats) -> Floats:
        """All that is free as one vector: items' own parameters, then the common slope if there is one."""
        own = parameters[:, self.free].ravel()
        return np.append(own, parameters[0, SLOPE]) if self.common_slope else own

    def unpack(self, vector: Floats, like: Floats) -> Floats:
        """Parameters from a packed vector, moved inside their bounds; what is not in it as in ``like``."""
        parameters = like.copy()
        n_own = len(like) * int(self.free.sum())
        own = vector[:n_own].reshape(len(like), -1)
        parameters[:, self.free] = np.clip(own, LOWER[self.free], UPPER[self.free])
        if self.common_slope:
            parameters[:, SLOPE] = np.clip(vector[-1], 1e-3, UPPER[SLOPE])
        return parameters

    def weights(self, information: Floats) -> Floats:
        """Information about each coordinate of a packed vector. ``information`` has shape ``(items, 3, 3)``."""
        diagonal = np.abs(np.diagonal(information, axis1=1, axis2=2))
        own = diagonal[:, self.free].ravel()
        return np.append(own, diagonal[:, SLOPE].sum()) if self.common_slope else own

    def changes(self, before: Floats, after: Floats, information: Floats) -> Floats:
        """How far each item moved, in complete-data standard errors. Shape ``(items,)``."""
        free = self.free.copy()
        free[SLOPE] = True
        moved = after[:, free] - before[:, free]
        within = information[:, free][:, :, free]
        squared: Floats = np.einsum("ij,ijk,ik->i", moved, within, moved)
        return np.sqrt(np.maximum(squared, 0.0))

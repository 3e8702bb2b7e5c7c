"""Prior densities of item parameters, each normal on a scale without bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from issmp_cat.arrays import Floats

__all__ = ["NormalPrior", "Priors"]


@dataclass(frozen=True, slots=True)
class NormalPrior:
    """A normal density."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and 0.0 < self.sd < math.inf):
            msg = f"a prior needs a finite mean and an SD above 0; got mean {self.mean}, SD {self.sd}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Priors:
    """What is believed about items before the answers; None switches a prior off.

    Each density is taken on the transformed scale, without a Jacobian: the mode does not depend on how the parameter
    is written.

    Attributes:
        log_slope: of ln a.
        logit_guess: of ln(c / (1 − c)).
    """

    log_slope: NormalPrior | None = None
    logit_guess: NormalPrior | None = None

    @classmethod
    def default(cls, model: str) -> Priors:
        """None for the models whose parameters the answers determine; for the 3PL, slope and guessing.

        The guessing prior is that of an item with five equally attractive options, 95 % of it between 0.09 and 0.40.
        """
        if model == "3pl":
            return cls(NormalPrior(0.0, 0.5), NormalPrior(math.log(0.2 / 0.8), 0.5))
        return cls()

    def table(self) -> Floats:
        """Mean and precision of slope, intercept, guess; precision 0 where there is no prior. Shape ``(3, 2)``."""
        rows = [(0.0, 0.0) if prior is None else (prior.mean, prior.sd**-2) for prior in self._by_parameter()]
        return np.array(rows)

    def describe(self) -> dict[str, str]:
        """In words, for the result."""
        names = ("log slope", "intercept", "logit guessing")
        given = zip(names, self._by_parameter(), strict=True)
        return {name: f"normal({prior.mean:.4g}, SD {prior.sd:.4g})" for name, prior in given if prior is not None}

    def _by_parameter(self) -> tuple[NormalPrior | None, ...]:
        return self.log_slope, None, self.logit_guess

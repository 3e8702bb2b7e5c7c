"""Prior densities of item parameters, each normal on a scale without bounds."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, fields

__all__ = ["NormalPrior", "Priors"]

WORDS = {
    "log_slope": "log slope",
    "slope": "slope",
    "intercept": "intercept",
    "logit_guess": "logit guessing",
    "logit_slip": "logit slipping",
}


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
    is written. A parameter that an item does not have, or that is held, has no prior.

    Attributes:
        log_slope: of ln a.
        logit_guess: of ln(c / (1 − c)).
        slope: of each slope of the nominal model, whose slopes may be negative.
        intercept: of each intercept, −a b of an item that is right or wrong.
        logit_slip: of ln((1 − d) / d).
    """

    log_slope: NormalPrior | None = None
    logit_guess: NormalPrior | None = None
    slope: NormalPrior | None = None
    intercept: NormalPrior | None = None
    logit_slip: NormalPrior | None = None

    @classmethod
    @functools.cache
    def default(cls, model: str) -> Priors:
        """None for the models whose parameters the answers determine; for the 3PL and 4PL, slope and asymptotes.

        The guessing prior is that of an item with five equally attractive options, 95 % of it between 0.09 and 0.40;
        that of 1 − d has its mode at 0.05, 95 % of it between 0.02 and 0.12.
        """
        slope, guess = NormalPrior(0.0, 0.5), NormalPrior(math.log(0.2 / 0.8), 0.5)
        if model == "3pl":
            return cls(slope, guess)
        if model == "4pl":
            return cls(slope, guess, logit_slip=NormalPrior(math.log(0.05 / 0.95), 0.5))
        return cls()

    def by_name(self) -> dict[str, NormalPrior]:
        """Those that are given, by the words for their scale."""
        given = {WORDS[entry.name]: getattr(self, entry.name) for entry in fields(self)}
        return {words: prior for words, prior in given.items() if prior is not None}

    def describe(self) -> dict[str, str]:
        """In words, for the result.

        >>> Priors(log_slope=NormalPrior(0.0, 0.5)).describe()
        {'log slope': 'normal(0, SD 0.5)'}
        """
        return {words: f"normal({prior.mean:.4g}, SD {prior.sd:.4g})" for words, prior in self.by_name().items()}

"""Who takes the exam: abilities, and how long they take over an item."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from issmp_cat.errors import UsageError

if TYPE_CHECKING:
    from issmp_cat import ItemBank
    from issmp_cat.arrays import Floats

__all__ = ["Clock", "Population", "normal"]


def normal(mean: float, sd: float) -> str:
    """A normal distribution of θ, logits; the SD is written squared, so that nobody takes it for the variance.

    >>> normal(0.0, 1.0), normal(-0.25, 0.52714)
    ('N(0, 1)', 'N(-0.25, 0.5271²)')
    """
    return f"N({mean:.4g}, {sd:.4g}{'' if sd in (0.0, 1.0) else '²'})"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time on an item: lognormal, faster and slower candidates (van der Linden, 2006, eq. 1, equal items).

    Attributes:
        median_seconds: of an average candidate.
        log_sd: SD of the log time from item to item.
        speed_sd: SD of the log pace from candidate to candidate.
    """

    median_seconds: float = 60.0
    log_sd: float = 0.5
    speed_sd: float = 0.3

    def __post_init__(self) -> None:
        if not (self.median_seconds > 0 and math.isfinite(self.median_seconds)):
            raise UsageError(f"median_seconds is {self.median_seconds:g}; expected a number above 0")
        if not (self.log_sd >= 0 and self.speed_sd >= 0):
            raise UsageError(f"log_sd {self.log_sd:g} and speed_sd {self.speed_sd:g} must not be negative")


@dataclass(frozen=True, slots=True)
class Population:
    """Candidates: normal abilities, or a given list.

    Attributes:
        mean: of θ, logits; ``sd`` alike.
        clock: how long they take; None leaves time out of the simulation.
        thetas: abilities one by one, instead of mean and SD.
        predictor_correlation: with θ, of what an exam predicts from ``[[start.background]]``: each candidate's prior
            then has the mean that such a prediction gives. None leaves everybody with the population's prior.

    >>> Population(sd=0.527).describe(), Population.from_thetas([-1, 1]).describe()
    ('N(0, 0.527²)', '2 given abilities')
    """

    mean: float = 0.0
    sd: float = 1.0
    clock: Clock | None = None
    thetas: tuple[float, ...] | None = None
    predictor_correlation: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and self.sd >= 0 and math.isfinite(self.sd)):
            raise UsageError(
                f"a population has a finite mean and an SD of at least 0, not {self.mean:g} and {self.sd:g}"
            )
        if self.predictor_correlation is not None and not -1 <= self.predictor_correlation <= 1:
            raise UsageError(f"predictor_correlation is {self.predictor_correlation:g}; a correlation is -1 to 1")
        if self.predictor_correlation is not None and not self.sd > 0:
            raise UsageError("predictor_correlation needs a population whose abilities differ: its SD is 0")
        if self.thetas is not None and not (self.thetas and all(math.isfinite(theta) for theta in self.thetas)):
            raise UsageError("thetas must be a list of finite numbers, at least one")

    @classmethod
    def of_bank(cls, bank: ItemBank, *, clock: Clock | None = None) -> Population:
        """The candidates whose abilities the bank's metric describes."""
        return cls(bank.metric.latent_mean, bank.metric.latent_sd, clock)

    @classmethod
    def from_thetas(cls, thetas: Iterable[float], *, clock: Clock | None = None) -> Population:
        """Candidates of exactly these abilities, logits, in this order."""
        return cls(clock=clock, thetas=tuple(float(theta) for theta in thetas))

    def draw(self, seed: int, first: int, count: int) -> Floats:
        """Abilities of ``count`` candidates from number ``first`` on; independent of who else is drawn.

        Returns:
            θ in logits, shape ``(count,)``.
        """
        import numpy as np

        if self.thetas is not None:
            return np.array(self.thetas[first : first + count])
        from issmp_simulations.kernel import draw_abilities

        thetas = np.empty(count)
        draw_abilities(thetas, seed, first, self.mean, self.sd)
        return thetas

    def prior_means(self, abilities: Floats, seed: int, first: int, *, mean: float, spread: float) -> Floats | None:
        """Mean of each candidate's prior, predicted from background; None without a predictor.

        The prediction is ``mean + spread · u``, u standard normal with the stated correlation with θ: right on average
        if ``spread`` is the correlation times the SD of θ, too bold or too timid else.

        Args:
            abilities: θ, logits, of the candidates from number ``first`` on. Shape ``(persons,)``.
            seed: the study's seed; ``first``: number of the first candidate.
            mean: the exam's prior mean, logits.
            spread: SD of the prior means that the exam's table implies, logits.
        """
        import numpy as np

        if self.predictor_correlation is None:
            return None
        from issmp_simulations.kernel import draw_predictors

        found = np.empty(len(abilities))
        draw_predictors(found, (abilities - self.mean) / self.sd, seed, first, float(self.predictor_correlation))
        return mean + spread * found

    def describe(self) -> str:
        """In one phrase."""
        people = normal(self.mean, self.sd) if self.thetas is None else f"{len(self.thetas):,} given abilities"
        if self.predictor_correlation is not None:
            people = f"{people}, predictor correlated {self.predictor_correlation:g} with θ"
        if self.clock is None:
            return people
        pace = self.clock
        return (
            f"{people}, lognormal times (median {pace.median_seconds:g} s, SD {pace.log_sd:g}, pace {pace.speed_sd:g})"
        )

    def as_dict(self) -> dict[str, Any]:
        """For provenance; a list of abilities is told by its length and a hash."""
        import hashlib

        clock = None
        if self.clock is not None:
            clock = {name: getattr(self.clock, name) for name in ("median_seconds", "log_sd", "speed_sd")}
        predictor = {} if self.predictor_correlation is None else {"predictor_correlation": self.predictor_correlation}
        if self.thetas is None:
            return {"mean": self.mean, "sd": self.sd, "clock": clock, **predictor}
        digest = hashlib.sha256(repr(self.thetas).encode()).hexdigest()[:12]
        return {"thetas": len(self.thetas), "hash": digest, "clock": clock, **predictor}

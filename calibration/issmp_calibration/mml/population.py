"""The populations of a fit: one or several groups, normal or of any shape, with or without covariates.

Bock, R. D., & Zimowski, M. F. (1997). Multiple group IRT. In W. J. van der Linden & R. K. Hambleton (Eds.), Handbook of
modern item response theory (pp. 433–448). Springer. The histogram: Mislevy, R. J. (1984). Estimating latent
distributions. Psychometrika, 49, 359–381. The regression: Mislevy, R. J. (1985). Estimation of latent group effects.
Journal of the American Statistical Association, 80, 993–997.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from issmp_calibration.mml.design import Design
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.regression import bound_coefficients
from issmp_calibration.mml.sources.source import Expectation, Regression
from issmp_cat.arrays import Bools, Floats

__all__ = ["Freedom", "Population"]

FAINTEST = -60.0  # log weight below which a node of a histogram is as good as empty
NARROWEST = 1e-3  # SD of a group, logits


@dataclass(frozen=True, slots=True)
class Freedom:
    """What of the populations is estimated.

    Without held items the first group is N(0, 1) and all else is free; with held items all groups are free. What stands
    in the first group's place is estimated all the same and then moved into the items: parameter expansion.

    Attributes:
        mean: groups whose mean is free; ``sd`` alike. Shape ``(groups,)``.
        take_mean: move the first group's mean into the items; ``take_sd`` alike.
        histogram: whether the density has any shape.
        products: of the centred covariates with each other, summed over persons. Shape ``(covariates, covariates)``.
        persons: how many there are.
    """

    mean: Bools
    sd: Bools
    take_mean: bool
    take_sd: bool
    histogram: bool
    products: Floats
    persons: int

    @classmethod
    def of(
        cls,
        design: Design,
        standard: Bools,
        persons: int,
        products: Floats | None = None,
        *,
        histogram: bool = False,
    ) -> Freedom:
        """By the rules above; see ``Design.scalable`` and ``movable``. ``standard``: groups that stay N(0, 1)."""
        mean, sd = ~standard, ~standard
        mean[0] = not design.movable and design.holds_place
        sd[0] = not design.scalable and design.holds_scale
        given = np.zeros((0, 0)) if products is None else products
        # A group that nothing links to the first one would be moved along with it. Priors on slopes are weighed against
        # a normal population's SD alone (``best_log_sd``).
        alone = not standard.any()
        plain = not (design.believes_slopes and (histogram or given.size))
        return cls(mean, sd, alone and design.movable, alone and plain and design.scalable, histogram, given, persons)

    @property
    def bound(self) -> bool:
        """Whether what covariates explain and what they leave must make up a variance of 1."""
        return self.n_covariates > 0 and not self.sd[0]

    @property
    def n_covariates(self) -> int:
        """Covariates of the regression."""
        return len(self.products)


@dataclass(frozen=True, slots=True)
class Population:
    """Where the groups are.

    Attributes:
        labels: names of the groups, the one that sets the scale first.
        mean: logits; where the covariates are 0. Shape ``(groups,)``.
        sd: logits; what the covariates leave. Shape ``(groups,)``.
        coefficients: logits per unit of each covariate. Shape ``(covariates,)``.
        spread: SD of what the covariates explain, logits.
        log_weights: of the live nodes, where the density is a histogram. Shape ``(groups, live)``.
    """

    labels: tuple[str, ...]
    mean: Floats
    sd: Floats
    coefficients: Floats
    spread: float = 0.0
    log_weights: Floats | None = None

    @classmethod
    def standard(cls, labels: tuple[str, ...] = ("all",), covariates: int = 0) -> Population:
        """Every group N(0, 1)."""
        return cls(labels, np.zeros(len(labels)), np.ones(len(labels)), np.zeros(covariates))

    @property
    def total_sd(self) -> Floats:
        """SD of each group, covariates included. Shape ``(groups,)``."""
        return np.sqrt(np.square(self.sd) + self.spread**2)

    def log_density(self, grid: Grid) -> Floats:
        """Log weights of the nodes, −inf at dead ones. Shape ``(groups, nodes)``."""
        if self.log_weights is None:
            return np.stack([grid.normal(mean, sd) for mean, sd in zip(self.mean, self.sd, strict=True)])
        dead = np.full((len(self.labels), len(grid.nodes) - grid.live), -np.inf)
        return np.hstack([self.log_weights, dead])

    def regression(self) -> Regression | None:
        """As the E-step takes it; None without covariates."""
        return Regression(self.coefficients, self.mean, self.sd) if len(self.coefficients) else None

    def as_histogram(self, grid: Grid) -> Population:
        """The same densities as weights of the nodes."""
        return replace(self, log_weights=np.maximum(self.log_density(grid)[:, : grid.live], FAINTEST))

    def estimated(self, expectation: Expectation, grid: Grid, freedom: Freedom) -> Population:
        """What maximises the expected log density; the first group's mean and SD too where they are free or taken."""
        share = expectation.population
        persons = share.sum(axis=1)
        mean, sd = self.mean.copy(), self.sd.copy()
        moved, scaled = freedom.mean.copy(), freedom.sd.copy()
        moved[0] |= freedom.take_mean
        scaled[0] |= freedom.take_sd
        mean[moved] = (share @ grid.nodes / persons)[moved]
        variance = (share * np.square(grid.nodes - mean[:, None])).sum(axis=1) / persons
        coefficients, spread = self.coefficients, 0.0
        if freedom.n_covariates:
            towards = expectation.by_covariate.sum(axis=0)
            coefficients = np.linalg.solve(freedom.products, towards)
            if freedom.bound and not freedom.take_sd:
                total = float(variance[0] * persons[0])
                coefficients = bound_coefficients(freedom.products, towards, total, freedom.persons)
            explained = float(coefficients @ freedom.products @ coefficients / persons.sum())
            spread = explained**0.5
            variance = variance + explained - 2.0 * float(coefficients @ towards) / persons.sum()
        sd[scaled] = np.sqrt(np.maximum(variance, NARROWEST**2))[scaled]
        weights = self.log_weights
        if weights is not None:
            chance = share[:, : grid.live] / persons[:, None]
            weights = np.log(np.maximum(chance, np.exp(FAINTEST)))
        return replace(self, mean=mean, sd=sd, coefficients=coefficients, spread=spread, log_weights=weights)

    def first_moments(self, grid: Grid) -> tuple[float, float]:
        """Mean and SD of the first group's histogram."""
        weight, nodes = np.exp(self.log_density(grid)[0, : grid.live]), grid.nodes[: grid.live]
        mean = float(weight @ nodes / weight.sum())
        return mean, float(np.sqrt(weight @ np.square(nodes - mean) / weight.sum()))

    def rescaled(self, mean: float, sd: float) -> Population:
        """The same populations where θ is measured from this mean in units of this SD."""
        return replace(
            self,
            mean=(self.mean - mean) / sd,
            sd=self.sd / sd,
            coefficients=self.coefficients / sd,
            spread=self.spread / sd,
        )

    def pinned(self, freedom: Freedom) -> Population:
        """With the first group exactly N(0, 1) where its mean and SD have been moved into the items."""
        mean, sd = self.mean.copy(), self.sd.copy()
        if freedom.take_mean:
            mean[0] = 0.0
        if freedom.take_sd or freedom.bound:
            sd[0] = np.sqrt(max(1.0 - self.spread**2, NARROWEST**2))
        return replace(self, mean=mean, sd=sd)

    # ---- as part of the vector that is extrapolated

    def pack(self, freedom: Freedom, grid: Grid) -> Floats:
        """All that is free as one vector; the place of the nodes too where they go along with a histogram."""
        if self.log_weights is None:
            return np.concatenate([self.mean[freedom.mean], np.log(self.sd[freedom.sd]), self.coefficients])
        return np.concatenate([self.log_weights.ravel(), [grid.low, np.log(grid.spacing)]])

    def unpack(self, vector: Floats, freedom: Freedom, grid: Grid) -> tuple[Population, Grid]:
        """Populations and nodes from such a vector; what is not in it as here."""
        if self.log_weights is not None:
            weights = np.maximum(vector[:-2].reshape(self.log_weights.shape), FAINTEST)
            weights = weights - np.log(np.exp(weights).sum(axis=1, keepdims=True))
            low, spacing = float(vector[-2]), float(np.exp(vector[-1]))
            nodes: Floats = low + spacing * np.arange(len(grid.nodes), dtype=np.float64)
            return replace(self, log_weights=weights), Grid(nodes, grid.live)
        mean, sd = self.mean.copy(), self.sd.copy()
        n_mean, n_sd = int(freedom.mean.sum()), int(freedom.sd.sum())
        mean[freedom.mean] = vector[:n_mean]
        sd[freedom.sd] = np.exp(vector[n_mean : n_mean + n_sd])
        coefficients = vector[n_mean + n_sd :]
        spread = self.spread
        if len(coefficients):
            spread = float(coefficients @ freedom.products @ coefficients / freedom.persons) ** 0.5
        found = replace(self, mean=mean, sd=sd, coefficients=coefficients, spread=spread)
        return (found.pinned(freedom) if len(coefficients) else found), grid

    def weights(self, freedom: Freedom, grid: Grid, persons: Floats) -> Floats:
        """Information about each coordinate of ``pack``; ``persons`` by group."""
        if self.log_weights is not None:
            expected = np.exp(self.log_weights) * persons[:, None]
            total = float(persons.sum())
            return np.concatenate([expected.ravel(), [total, total * grid.high**2]])
        about_mean = persons / np.square(self.sd)
        about_slopes = np.diagonal(freedom.products) / self.sd[0] ** 2
        return np.concatenate([about_mean[freedom.mean], 2.0 * persons[freedom.sd], about_slopes])

    def distance(self, other: Population, persons: Floats) -> float:
        """How far the groups' means and SDs are from another's, standard errors of complete data; the largest."""
        means = persons * np.square((self.mean - other.mean) / self.sd)
        sds = 2.0 * persons * np.square(np.log(self.sd / other.sd))
        return float(np.sqrt(np.maximum(means, sds)).max())

"""What persons are drawn from, as one more item that each of them answered.

The log density of a person's group takes the place of the log probability of an answer, and mean, logarithm of the SD
and regression coefficients that of the item's parameters: so their standard errors come out of the same matrix. A
density that was estimated node by node has no such parameters: its shape is taken as given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.population import Freedom, Population
from issmp_cat.arrays import Bools, Floats, Ints

__all__ = ["Latents", "Moments"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the persons of each group at the solution.

    Attributes:
        population: expected persons at each node. Shape ``(groups, nodes)``.
        covariates: sum of the covariates. Shape ``(groups, covariates)``.
        products: sum of the products of the covariates. Shape ``(groups, covariates, covariates)``.
        by_covariate: sum of covariate times posterior mean of θ. Shape ``(groups, covariates)``.
    """

    population: Floats
    covariates: Floats
    products: Floats
    by_covariate: Floats

    @classmethod
    def plain(cls, population: Floats) -> Moments:
        """Without covariates."""
        n = len(population)
        return cls(population, np.zeros((n, 0)), np.zeros((n, 0, 0)), np.zeros((n, 0)))


@dataclass(frozen=True, slots=True)
class Latents:
    """Populations, θ ~ N(mean + x'coefficients, SD) in each group.

    Attributes:
        mean: logits. Shape ``(groups,)``; ``sd`` alike.
        coefficients: of the covariates, logits. Shape ``(covariates,)``.
        log_density: log weight of each node in each group, the covariates 0. Shape ``(groups, nodes)``.
        free: whether mean and SD are estimated. Shape ``(groups, 2)``.
        explained: how the logarithm of the first group's SD follows from the coefficients where all abilities together
            have an SD of 1: its derivatives; empty where it does not. Shape ``(covariates,)`` or ``(0,)``.
    """

    mean: Floats
    sd: Floats
    coefficients: Floats
    log_density: Floats
    free: Bools
    explained: Floats

    @classmethod
    def of(cls, population: Population, freedom: Freedom, grid: Grid) -> Latents:
        """The populations of a fit."""
        free = np.stack([freedom.mean, freedom.sd], axis=1) & (not freedom.histogram)
        explained, coefficients = np.zeros(0), population.coefficients
        if freedom.take_sd and len(coefficients):
            explained = -(freedom.products @ coefficients) / (freedom.persons * population.sd[0] ** 2)
        return cls(population.mean, population.sd, coefficients, population.log_density(grid), free, explained)

    def index(self, first: int) -> Ints:
        """Places of mean, logarithm of the SD and coefficients of each group; −1 where they are held.

        The coefficients are the same in all groups.

        Args:
            first: place of the first of them.

        Returns:
            Shape ``(groups, 2 + covariates)``.
        """
        own = np.where(self.free, first - 1 + np.cumsum(self.free).reshape(self.free.shape), -1)
        shared = first + int(self.free.sum()) + np.arange(len(self.coefficients))
        if self.explained.size:  # a place of its own until the chain rule takes it away
            own[0, 1] = first + int(self.free.sum()) + len(self.coefficients)
        return np.hstack([own, np.tile(shared, (len(own), 1))])

    @property
    def n_free(self) -> int:
        """How many numbers were estimated."""
        return int(self.free.sum()) + len(self.coefficients)

    def _raw(self, nodes: Floats) -> Floats:
        away = nodes - self.mean[:, None]
        variance = np.square(self.sd)[:, None]
        return np.stack([away / variance, np.square(away) / variance - 1.0])

    def scores(self, nodes: Floats) -> Floats:
        """Derivatives of the log weights by mean and logarithm of the SD. Shape ``(2, groups, nodes)``."""
        raw = self._raw(nodes)
        centred: Floats = raw - (np.exp(self.log_density) * raw).sum(axis=2, keepdims=True)
        return centred

    def complete(self, nodes: Floats, moments: Moments) -> Floats:
        """Complete-data information about mean, logarithm of the SD and coefficients of each group.

        Shape ``(groups, 2 + covariates, 2 + covariates)``.
        """
        persons = moments.population.sum(axis=1)
        variance = np.square(self.sd)
        away = nodes - self.mean[:, None]
        ahead = moments.covariates @ self.coefficients
        first = (moments.population * away).sum(axis=1) - ahead
        reached = moments.by_covariate - self.mean[:, None] * moments.covariates
        explained = moments.products @ self.coefficients
        second = (moments.population * np.square(away)).sum(axis=1)
        second += (explained - 2.0 * reached) @ self.coefficients
        n = 2 + len(self.coefficients)
        table = np.zeros((len(self.mean), n, n))
        table[:, 0, 0] = persons
        table[:, 0, 1] = table[:, 1, 0] = 2.0 * first
        table[:, 1, 1] = 2.0 * second
        table[:, 0, 2:] = table[:, 2:, 0] = moments.covariates
        table[:, 1, 2:] = table[:, 2:, 1] = 2.0 * (reached - explained)
        table[:, 2:, 2:] = moments.products
        table /= variance[:, None, None]
        table[:, :2, :2] += persons[:, None, None] * self._off_the_grid(nodes)
        return table

    def _off_the_grid(self, nodes: Floats) -> Floats:
        """Curvature of the sum that the weights are divided by: 0 where the nodes hold the whole density."""
        weight, raw, centred = np.exp(self.log_density), self._raw(nodes), self.scores(nodes)
        curvature = np.einsum("gn,agn,bgn->gab", weight, centred, centred)
        variance = np.square(self.sd)
        curvature[:, 0, 0] -= 1.0 / variance
        mixed = 2.0 * (weight * raw[0]).sum(axis=1)
        curvature[:, 0, 1] -= mixed
        curvature[:, 1, 0] -= mixed
        curvature[:, 1, 1] -= 2.0 * (weight * (raw[1] + 1.0)).sum(axis=1)
        return np.asarray(curvature)

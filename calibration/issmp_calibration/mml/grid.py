"""The nodes on which ability is integrated out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from issmp_calibration.mml.lanes import LANES
from issmp_cat.arrays import Floats, read_only

__all__ = ["Grid"]

COARSEST = 1.25  # spacing in posterior SDs up to which equally spaced nodes integrate a normal posterior to 1e-5


@dataclass(frozen=True, slots=True)
class Grid:
    """Equally spaced nodes over a standard normal population, filled up to a multiple of 16 with dead ones.

    Equal spacing integrates a smooth bell to near machine precision as soon as the spacing is below its SD;
    Gauss–Hermite nodes, chosen for the population, miss the narrow posteriors of long tests.

    Attributes:
        nodes: abilities, population SDs; dead nodes continue the spacing and have no weight. Shape ``(nodes,)``, a
            multiple of 16.
        live: how many of them count.
    """

    nodes: Floats
    live: int

    @classmethod
    def spaced(cls, limit: float = 6.0, live: int = 61) -> Grid:
        """``live`` nodes from −limit to limit.

        >>> grid = Grid.spaced()
        >>> len(grid.nodes), grid.live, float(grid.nodes[0]), round(grid.spacing, 3)
        (64, 61, -6.0, 0.2)
        """
        spacing = 2.0 * limit / (live - 1)
        padded = -(-live // LANES) * LANES
        nodes: Floats = -limit + spacing * np.arange(padded, dtype=np.float64)
        return cls(read_only(nodes), live)

    @property
    def spacing(self) -> float:
        """Distance of neighbouring nodes."""
        return float(self.nodes[1] - self.nodes[0])

    @property
    def limit(self) -> float:
        """The outermost node."""
        return float(-self.nodes[0])

    @property
    def log_density(self) -> Floats:
        """Log weights: normal density at the node, normalised; −inf at dead nodes. Shape ``(nodes,)``."""
        live = -0.5 * np.square(self.nodes[: self.live])
        live -= live.max() + math.log(np.exp(live - live.max()).sum())
        return np.concatenate([live, np.full(len(self.nodes) - self.live, -np.inf)])

    def holds(self, posterior_sd: float) -> bool:
        """Whether the spacing serves posteriors as narrow as this."""
        return self.spacing <= COARSEST * posterior_sd

    def refined(self, posterior_sd: float) -> Grid:
        """A grid over the same range whose spacing is one such SD."""
        return Grid.spaced(self.limit, 2 * math.ceil(self.limit / posterior_sd) + 1)

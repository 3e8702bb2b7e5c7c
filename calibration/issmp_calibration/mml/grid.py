"""The nodes on which ability is integrated out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from issmp_calibration.mml.lanes import LANES
from issmp_cat.arrays import Floats, read_only

__all__ = ["COARSEST", "Grid"]

COARSEST = 1.25  # spacing in posterior SDs up to which equally spaced nodes integrate a normal posterior to 1e-5


@dataclass(frozen=True, slots=True)
class Grid:
    """Equally spaced nodes, filled up to a multiple of 16 with dead ones.

    Equal spacing integrates a smooth bell to near machine precision as soon as the spacing is below its SD;
    Gauss–Hermite nodes, chosen for the population, miss the narrow posteriors of long tests.

    Attributes:
        nodes: abilities, logits; dead nodes continue the spacing and have no weight. Shape ``(nodes,)``, a multiple of
            16.
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

    @classmethod
    def between(cls, low: float, high: float, spacing: float) -> Grid:
        """Nodes from ``low`` to ``high`` or a little beyond, not further apart than ``spacing``.

        >>> grid = Grid.between(-1.0, 2.0, 0.25)
        >>> grid.live, float(grid.nodes[0]), float(grid.nodes[12])
        (13, -1.0, 2.0)
        """
        live = math.ceil((high - low) / spacing - 1e-9) + 1
        padded = -(-live // LANES) * LANES
        nodes: Floats = low + (high - low) / (live - 1) * np.arange(padded, dtype=np.float64)
        return cls(read_only(nodes), live)

    def moved(self, mean: float, sd: float) -> Grid:
        """The same nodes where θ is measured from this mean in units of this SD."""
        return Grid(read_only((self.nodes - mean) / sd), self.live)

    @property
    def low(self) -> float:
        """The first node."""
        return float(self.nodes[0])

    @property
    def high(self) -> float:
        """The last node that counts."""
        return float(self.nodes[self.live - 1])

    @property
    def spacing(self) -> float:
        """Distance of neighbouring nodes."""
        return float(self.nodes[1] - self.nodes[0])

    @property
    def limit(self) -> float:
        """How far the nodes reach to both sides of 0."""
        return float(-self.nodes[0])

    @property
    def log_density(self) -> Floats:
        """Log weights of a standard normal population; see ``normal``. Shape ``(nodes,)``."""
        return self.normal(0.0, 1.0)

    def normal(self, mean: float, sd: float) -> Floats:
        """Log weights: normal density at the node, normalised; −inf at dead nodes. Shape ``(nodes,)``."""
        live = -0.5 * np.square((self.nodes[: self.live] - mean) / sd)
        live -= live.max() + math.log(np.exp(live - live.max()).sum())
        return np.concatenate([live, np.full(len(self.nodes) - self.live, -np.inf)])

    def holds(self, posterior_sd: float) -> bool:
        """Whether the spacing serves posteriors as narrow as this."""
        return self.spacing <= COARSEST * posterior_sd

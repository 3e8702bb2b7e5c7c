"""Anderson acceleration of a fixed-point map: the best step is guessed from the last few.

Walker, H. F., & Ni, P. (2011). Anderson acceleration for fixed-point iterations. SIAM Journal on Numerical
Analysis, 49, 1715–1735, algorithm AA.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_cat.arrays import Floats

__all__ = ["Trail"]

DEPTH = 8
RIDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Trail:
    """The last points of an iteration and where the map took them, oldest first."""

    points: tuple[Floats, ...] = ()
    images: tuple[Floats, ...] = ()

    def __len__(self) -> int:
        return len(self.points)

    def extended(self, point: Floats, image: Floats) -> Trail:
        """With one more step, at most nine kept."""
        return Trail((*self.points, point)[-DEPTH - 1 :], (*self.images, image)[-DEPTH - 1 :])

    def next_point(self, weights: Floats) -> Floats:
        """The mixture of images whose residual, extrapolated linearly, is smallest.

        Args:
            weights: of the squared residuals, one per coordinate. Shape ``(coordinates,)``.

        >>> trail = Trail().extended(np.array([0.0]), np.array([1.0])).extended(np.array([1.0]), np.array([1.5]))
        >>> trail.next_point(np.ones(1)).round(6)  # x → 1 + x/2 has its fixed point at 2
        array([2.])
        """
        return self.points[-1] + self.reach(self.images[-1] - self.points[-1], weights)

    def reach(self, residual: Floats, weights: Floats) -> Floats:
        """How far the fixed point is from a point that the map moves by ``residual``, by the secants of the trail.

        Args:
            residual: shape ``(coordinates,)``.
            weights: of the squared residuals. Shape ``(coordinates,)``.
        """
        if len(self) < 2:
            return residual
        points, images = np.array(self.points), np.array(self.images)
        root = np.sqrt(weights)
        changes = np.diff((images - points) * root, axis=0)
        scale = np.sqrt(np.square(changes).sum(axis=1)) + np.finfo(float).tiny
        changes /= scale[:, None]
        normal = changes @ changes.T + RIDGE * np.eye(len(changes))
        mix = np.linalg.solve(normal, changes @ (residual * root)) / scale
        reached: Floats = residual - mix @ np.diff(images, axis=0)
        return reached

"""Tables by code: what the E-step and the standard errors read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.models.dispatch import fill_log, fill_scores
from issmp_cat.arrays import Floats

if TYPE_CHECKING:
    from issmp_calibration.mml.design import Design
    from issmp_calibration.mml.grid import Grid

__all__ = ["log_table", "score_tables"]


def log_table(design: Design, parameters: Floats, grid: Grid, kind: Any = np.float64) -> NDArray[Any]:
    """Log probability of each code at each node, 0 at dead nodes. Shape ``(codes, nodes)``.

    Args:
        design: what the items are.
        parameters: their cells. Shape ``(items, cells)``.
        grid: the nodes.
        kind: float32 or float64.
    """
    table: NDArray[Any] = np.zeros((design.n_codes, len(grid.nodes)), kind)
    fill_log(design.kind, design.first, parameters, grid.nodes[: grid.live], table)
    return table


def score_tables(design: Design, parameters: Floats, nodes: Floats) -> Floats:
    """Derivatives of the log probability of each code by each cell. Shape ``(cells, codes, nodes)``."""
    table: Floats = np.zeros((parameters.shape[1], design.n_codes, len(nodes)))
    fill_scores(design.kind, design.first, parameters, nodes, table)
    return table

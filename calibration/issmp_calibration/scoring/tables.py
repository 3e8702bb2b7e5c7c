"""Log chances of every score at any abilities, in the layouts that the kernels read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.lanes import LANES
from issmp_cat.ability.posterior import LEAST
from issmp_cat.arrays import Floats
from issmp_cat.irt import Parameters, category_curves

__all__ = ["aligned", "log_chances", "panels"]

LINE = 64  # bytes the processor fetches at once: a row of 16 float32 should be one


def aligned(shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """An empty array that begins where a cache line does; rows across two lines take twice as long to add."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    room = np.empty(size + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    mine: NDArray[Any] = room[first : first + size].view(kind).reshape(shape)
    return mine


def log_chances(nodes: Floats, parameters: Parameters) -> Floats:
    """Log chance of each score of each item; no answer is wholly impossible. Shape ``(rows, nodes)``."""
    found = category_curves(nodes, parameters)
    np.maximum(found, LEAST, out=found)
    return np.log(found, out=found)


def panels(table: Floats) -> NDArray[np.float64]:
    """A table cut into panels of 16 nodes each, flat, filled up with zeros. Shape ``(panels, rows · 16)``."""
    rows, nodes = table.shape
    cut = aligned((-(-nodes // LANES), rows, LANES), np.float64)
    for number, panel in enumerate(cut):
        mine = table[:, number * LANES : (number + 1) * LANES]
        panel[:, : mine.shape[1]], panel[:, mine.shape[1] :] = mine, 0.0
    return cut.reshape(len(cut), -1)

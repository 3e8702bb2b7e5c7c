"""Where a fit begins when a bank already knows its items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_calibration.constraints import bank_parameters
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.models.named import ModelName
from issmp_cat.arrays import Floats, Ints
from issmp_cat.bank import ItemBank

__all__ = ["start_from"]


def start_from(
    bank: ItemBank, design: Design, items: Sequence[str], models: Sequence[ModelName], counts: Ints
) -> Floats:
    """Cells to begin with: the bank's, for items that stand in it with the same model and scores; else the usual ones.

    The start changes how long a fit takes, not where it ends.

    Args:
        bank: items with their parameters.
        design: of the fit; ``items``: their ids; ``models``: alike.
        counts: answers by score, from which the others begin. Shape ``(items, scores)``.

    Returns:
        Shape ``(items, width)``.
    """
    cells = design.start(counts)
    for k, (item, model) in enumerate(zip(items, models, strict=True)):
        place = bank.index.get(item)
        if place is None or bank.items[place].model != model.name or bank.items[place].highest != design.steps(k):
            continue
        given = bank_parameters(bank.items[place])
        names = model.family.names(design.steps(k))
        own = model.family.working(np.array([given[name] for name in names]))
        if design.spread_is_slope:
            own[0] = bank.metric.latent_sd
        free = np.flatnonzero(design.free[k, : len(own)])
        cells[k, free] = own[free]
    return design.unpack(design.pack(cells), cells)

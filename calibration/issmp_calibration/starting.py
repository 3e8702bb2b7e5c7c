"""Where a fit begins: by what the raw scores say of each item, or where a bank has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from issmp_calibration.constraints import bank_parameters
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.models.family import LOGISTIC
from issmp_calibration.mml.models.logistic import ABSENT, GUESS, INTERCEPT, SLOPE
from issmp_calibration.mml.models.named import ModelName
from issmp_cat.arrays import Floats, Ints
from issmp_cat.bank import ItemBank

__all__ = ["start_by_scores", "start_from"]

PROBIT = 1.702  # logits to a unit of the normal ogive
LOOSEST, TIGHTEST = 0.1, 0.9  # biserial correlations that are believed
RELIABILITY = 0.9  # that the rest score is taken to have
STEP = 2.0**-6  # starts are rounded to it: chance digits of a correlation, as of items set apart, then change nothing


def start_by_scores(design: Design, counts: Ints, item_rest: Floats) -> Floats:
    """Cells to begin with: slopes of two-parameter items from their biserial correlations with the rest of the test.

    ``a = 1.702 ρ / √(1 − ρ²)`` and ``intercept = 1.702 Φ⁻¹(p) / √(1 − ρ²)`` (Lord & Novick, 1968, 16.10.5–6), ρ freed
    from the rest score's unreliability. All others begin as their families do.

    Args:
        design: of the fit.
        counts: answers by score. Shape ``(items, scores)``.
        item_rest: correlation of each item with the rest score, NaN where there is none. Shape ``(items,)``.

    Returns:
        Shape ``(items, width)``.
    """
    cells = design.start(counts)
    own = (design.index[:, SLOPE] >= 0) & (design.index[:, SLOPE] < design.n_own) & (design.index[:, INTERCEPT] >= 0)
    two = own & (design.kind == LOGISTIC) & (design.index[:, INTERCEPT] < design.n_own) & ~np.isnan(item_rest)
    if not two.any():
        return cells
    items = np.flatnonzero(two & (cells[:, GUESS] == ABSENT))
    p = (counts[items, 1] + 0.5) / (counts[items, :2].sum(axis=1) + 1.0)
    place = ndtri(p)
    height = np.exp(-0.5 * np.square(place)) / np.sqrt(2.0 * np.pi)
    biserial = item_rest[items] * np.sqrt(p * (1.0 - p)) / height / np.sqrt(RELIABILITY)
    rho = np.clip(biserial, LOOSEST, TIGHTEST)
    cells[items, SLOPE] = _rounded(PROBIT * rho / np.sqrt(1.0 - rho**2))
    cells[items, INTERCEPT] = _rounded(PROBIT * place / np.sqrt(1.0 - rho**2))
    return design.unpack(design.pack(cells), cells)


def _rounded(value: Floats) -> Floats:
    return np.asarray(np.round(value / STEP) * STEP)


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

"""Shadow prices of caps and floors: the dual of the best use of a bank.

Who ends at θ takes the quota of items of each domain that is worth most there. Which item to give to whom, so that
the information is largest on average over the candidates while each item is seen by at least a floor and at most a
cap of them, is a linear programme over x(i, θ), the share of candidates at θ who see item i:

    max Σ_θ f(θ) w(θ) Σ_i x(i, θ) I_i(θ)   with  Σ_{i in d} x(i, θ) = q_d(θ),  floor ≤ Σ_θ f(θ) x(i, θ) ≤ cap.

With a price λ_i for each item's use (negative where the floor binds) the programme falls apart into one choice a
point: the q_d items of largest w(θ) I_i(θ) − λ_i. Prices are found by projected subgradient steps, λ moving with
rate − cap (Bertsekas, 2016, section 7.5), averaged over the second half of them (Polyak & Juditsky, 1992).
"""

from __future__ import annotations

import numpy as np

from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.exam import Plan
from issmp_cat.selection.pool import LOWEST, POINTS, STEP
from issmp_simulations.run import Exams

__all__ = ["decision_weight", "even_weight", "shadow_prices", "where_exams_end"]

STEPS = 1_200
# After so many steps the step has halved.
HALF = 60
# A floor lies close to zero, so its distance says little: it counts several times.
FLOOR_FORCE = 5.0
# Nobody's information is worth less than this share of what it is worth near the cut.
LEAST_WEIGHT = 0.2


def where_exams_end(exams: Exams, minimum: int) -> tuple[Floats, Floats]:
    """Share of exams that end at each grid point of θ̂, smoothed over a quarter of a logit, and their mean length.

    Returns:
        Two arrays of shape ``(points,)``.
    """
    point = np.clip((exams.theta - LOWEST) / STEP + 0.5, 0, POINTS - 1).astype(np.int64)
    smooth = np.ones(5)
    ends = np.convolve(np.bincount(point, minlength=POINTS), smooth, "same")
    length = np.convolve(np.bincount(point, weights=exams.length, minlength=POINTS), smooth, "same")
    return ends / ends.sum(), np.where(ends > 0, length / np.maximum(ends, 1.0), minimum)


def shadow_prices(
    plan: Plan, ends: Floats, length: Floats, weight: Floats, *, cap: float, floor: float
) -> tuple[Floats, Floats]:
    """The price of each item.

    Args:
        plan: the exam on the bank, without prices.
        ends: share of exams that end at each grid point. Shape ``(points,)``; ``length``, their mean items, alike.
        weight: what information is worth at each point. Shape ``(points,)``.
        cap: largest rate; ``floor``: smallest.

    Returns:
        Prices, in information at weight 1, and the rates to which they lead. Shape ``(items,)``.
    """
    used = ends > 0
    worth = plan.pool.information[used] * weight[used, None]
    share = ends[used]
    quota = plan.windows.quota
    need = np.rint(length[used, None] * quota / quota.sum()).astype(np.int64)
    members = [np.flatnonzero(plan.pool.domain == d) for d in range(len(quota))]
    scale = float(share @ worth.max(axis=1))
    price = np.zeros(worth.shape[1])
    mean_price, mean_rate = np.zeros_like(price), np.zeros_like(price)
    for step in range(STEPS):
        rate: Floats = share @ _taken(worth - price, members, need)
        move = scale / (1.0 + step / HALF)
        above, below = price + move * (rate - cap), price + FLOOR_FORCE * move * (rate - floor)
        price = np.where(price > 0, np.maximum(above, 0.0), np.where(rate > cap, above, np.minimum(below, 0.0)))
        if step >= STEPS // 2:
            mean_price += price / (STEPS - STEPS // 2)
            mean_rate += rate / (STEPS - STEPS // 2)
    return mean_price, mean_rate


def _taken(value: Floats, members: list[Ints], need: Ints) -> Bools:
    """Which items are among the best of their domain at each point. Shape ``(points, items)``."""
    taken = np.zeros(value.shape, dtype=np.bool_)
    for d, items in enumerate(members):
        own = value[:, items]
        ranked = -np.sort(-own, axis=1)
        last = np.take_along_axis(ranked, np.clip(need[:, d : d + 1], 1, len(items)) - 1, axis=1)
        taken[:, items] = (own >= last) & (need[:, d : d + 1] > 0)
    return taken


def even_weight() -> Floats:
    """Information is worth the same at every θ. Shape ``(points,)``."""
    return np.ones(POINTS)


def decision_weight(plan: Plan, ends: Floats, length: Floats) -> Floats:
    """What information is worth for a right decision, largest near the cut and there 1. Shape ``(points,)``.

    A candidate δ from the cut is decided wrongly with probability Φ(−δ √T) after test information T; its slope is
    φ(δ √T) δ / (2 √T). It is averaged over the θ that a candidate with this θ̂ may have, 1.5 standard errors wide,
    since items are chosen before the final θ̂ is known.
    """
    points = LOWEST + STEP * np.arange(POINTS)
    quota = plan.windows.quota
    need = np.rint(length[:, None] * quota / quota.sum()).astype(np.int64)
    members = [np.flatnonzero(plan.pool.domain == d) for d in range(len(quota))]
    test = (plan.pool.information * _taken(plan.pool.information, members, need)).sum(axis=1)
    width = 1.5 / np.sqrt(test + 1.0 / plan.prior[1] ** 2)
    z = np.linspace(-3.0, 3.0, 61)
    normal = np.exp(-z * z / 2.0)
    delta = np.abs(points[:, None] + width[:, None] * z - plan.rule.cut)
    slope = (np.exp(-delta * delta * test[:, None] / 2.0) * delta) @ normal / np.sqrt(test)
    weight: Floats = np.clip(slope / slope[ends > 0].max(), LEAST_WEIGHT, 1.0)
    return weight

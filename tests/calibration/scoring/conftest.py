"""A log in which everyone answered a random part of a bank, large enough for the ways of large logs."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from issmp_cat.bank import Item, ItemBank
from issmp_cat.responses import ResponseLog

PERSONS, ITEMS = 5000, 120


@pytest.fixture(scope="session")
def sitting():
    """Bank, log, true abilities, and the exact posterior of any candidate by sums over 8,001 abilities."""
    rng = np.random.default_rng(11)
    a, b = np.exp(rng.normal(0.0, 0.35, ITEMS)), rng.normal(0.0, 1.2, ITEMS)
    c = np.where(np.arange(ITEMS) % 2, 0.2, 0.0)
    theta = rng.normal(size=PERSONS)
    scores = (rng.random((PERSONS, ITEMS)) < c + (1 - c) * expit(a * (theta[:, None] - b))).astype(float)
    scores[rng.random(scores.shape) > rng.uniform(0.05, 1.0, (PERSONS, 1))] = np.nan
    scores[0], scores[1], scores[2] = 1.0, 0.0, np.nan
    bank = ItemBank.from_items(
        Item(id=f"i{k}", domain="D", model="3pl" if c[k] else "2pl", a=a[k], b=b[k], c=c[k]) for k in range(ITEMS)
    )
    grid = np.linspace(-24.0, 24.0, 8001)
    z = a * (grid[:, None] - b)
    logs = np.log(np.stack([(1 - c) * expit(-z), c + (1 - c) * expit(z)]))

    def posterior(person, mean=0.0, sd=1.0):
        seen = np.flatnonzero(~np.isnan(scores[person]))
        total = logs[scores[person, seen].astype(int), :, seen].sum(axis=0) - 0.5 * ((grid - mean) / sd) ** 2
        weights = np.exp(total - total.max())
        return weights / weights.sum()

    def moments(person, mean=0.0, sd=1.0):
        weights = posterior(person, mean, sd)
        first = weights @ grid
        return first, np.sqrt(weights @ (grid - first) ** 2)

    log = ResponseLog.from_wide(scores, items=bank.ids)
    return SimpleNamespace(
        bank=bank, log=log, scores=scores, theta=theta, grid=grid, posterior=posterior, moments=moments
    )

"""Logs of this engine's own adaptive exams give the bank back; treating what was not given as wrong does not.

Which item came next hung on the answers so far alone, so how items were chosen may be ignored (Mislevy & Chang, 2000).
"""

import numpy as np
import pytest

from issmp_calibration import calibrate
from issmp_cat import ResponseLog
from issmp_cat.errors import ResponseLogError
from issmp_simulations import standard_bank
from issmp_simulations.logs import sample_log

BANK = standard_bank("218", model="2pl")
LOG = sample_log(BANK, 8000, 75, design="adaptive", seed=3)
ENOUGH = np.bincount(LOG.item, minlength=len(BANK)) >= 500


@pytest.fixture(scope="module")
def ours():
    return calibrate(LOG).frame[ENOUGH]


@pytest.fixture(scope="module")
def naive():
    """What was not given counts as wrong."""
    filled = np.nan_to_num(LOG.wide())
    return calibrate(ResponseLog.from_wide(filled, items=list(LOG.items))).frame[ENOUGH]


def in_errors(frame, parameter):
    """Distance of each estimate from the truth, in its own standard errors; items without an error left out."""
    true = getattr(BANK.parameters, parameter)[ENOUGH]
    distance = (frame[parameter].to_numpy(float, na_value=np.nan) - true) / frame[f"se_{parameter}"].to_numpy(
        float, na_value=np.nan
    )
    return distance[~np.isnan(distance)]


def test_the_log_is_adaptive():
    """The best candidates and the worst share hardly half of their items, and nobody saw all."""
    right = np.add.reduceat(LOG.score.astype(int), LOG.start[:-1])
    seen = ~np.isnan(LOG.wide())
    order = np.argsort(right)
    shares = [seen[group].mean(axis=0) for group in (order[:400], order[-400:])]
    assert np.minimum(*shares).sum() < 0.7 * 75
    assert not seen.all(axis=1).any()


@pytest.mark.parametrize("parameter", ["a", "b"])
def test_the_bank_comes_back(ours, parameter):
    """Intervals cover as they promise and lean to no side.

    Of some 150 items 90 to 98.5 % within 1.96 errors, and a mean distance below 0.35: false alarms below 1 in 200 each
    (the distances of b share the error of the population's mean).
    """
    distance = in_errors(ours, parameter)
    assert len(distance) > 120
    assert 0.90 <= np.mean(np.abs(distance) <= 1.96) <= 0.985
    assert abs(distance.mean()) < 0.35


@pytest.mark.parametrize("parameter", ["a", "b"])
def test_missing_taken_as_wrong_loses_it(ours, naive, parameter):
    """Next to ours: the middle item is five times as far from the truth, and half of the items are off by 0.3."""
    true = getattr(BANK.parameters, parameter)[ENOUGH]
    middle, lost = (
        np.nanmedian(np.abs(frame[parameter].to_numpy(float, na_value=np.nan) - true)) for frame in (ours, naive)
    )
    assert lost > 5.0 * middle
    assert lost > 0.3


def test_dropping_incomplete_rows_leaves_nothing():
    """Nobody answered every item."""
    wide = LOG.wide()
    complete = wide[~np.isnan(wide).any(axis=1)]
    assert len(complete) == 0
    with pytest.raises(ResponseLogError, match="no item has both"):
        calibrate(ResponseLog.from_wide(complete, items=list(LOG.items)))

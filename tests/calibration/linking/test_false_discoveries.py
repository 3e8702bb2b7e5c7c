"""Drift among many items: few accidents, and what moved is found all the same."""

import numpy as np
import pytest

from issmp_calibration.linking import drift
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import UsageError

N, SE_A, SE_B = 300, 0.08, 0.12


def sampled(rng, moved=()):
    """A calibration of the same 300 items, off by their standard errors; some moved by a logit."""
    covariance = {"names": ("a", "b"), "values": ((SE_A**2, 0.0), (0.0, SE_B**2))}
    b = np.linspace(-2, 2, N) + rng.normal(0, SE_B, N)
    b[list(moved)] += 1.0
    a = 1.2 + rng.normal(0, SE_A, N)
    return ItemBank.from_items(
        [Item(id=f"q{k}", domain="x", a=a[k], b=b[k], covariance=covariance) for k in range(N)], id="bank"
    )


def test_where_nothing_moved_hardly_ever_is_anything_found():
    """40 pairs of calibrations: at 5 % some 2 of 40 find anything; more than 6 would be 1 chance in 200."""
    rng = np.random.default_rng(5)
    pairs = [(sampled(rng), sampled(rng)) for _ in range(40)]
    plain = [len(drift(*pair, "mean_sigma").flagged) for pair in pairs]
    kept = [drift(*pair, "mean_sigma", false_discoveries=0.05) for pair in pairs]
    assert np.count_nonzero(plain) > 20
    assert np.count_nonzero([len(one.flagged) for one in kept]) <= 6
    assert kept[0].sure > 3.5
    assert kept[0].content()["sure"] == kept[0].sure


def test_what_moved_is_found_all_the_same():
    rng = np.random.default_rng(6)
    found = drift(sampled(rng, moved=range(0, 60, 6)), sampled(rng), "mean_sigma", false_discoveries=0.05)
    assert {f"q{k}" for k in range(0, 60, 6)} <= set(found.flagged)
    assert len(found.flagged) <= 12
    assert 2.58 <= found.sure < 3.5
    assert f"{found.sure:.2f} standard errors" in found.summary()


def test_a_share_that_is_none_is_refused():
    rng = np.random.default_rng(7)
    with pytest.raises(UsageError, match="expected a share between 0 and 1"):
        drift(sampled(rng), sampled(rng), false_discoveries=5.0)

"""Any log against any bank: strangers, retired items, patterns without a maximum, options of nominal items, stores."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration import score
from issmp_calibration.log import write_store
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import ResponseLogError, UsageError
from issmp_cat.responses import ResponseLog


def bank_with(**status):
    return ItemBank.from_items(
        Item(id=f"i{k}", domain="D", a=1.0 + 0.2 * k, b=k / 2 - 1, status=status.get(f"i{k}", "operational"))
        for k in range(5)
    )


def test_items_that_do_not_count_change_nothing_but_are_told():
    rng = np.random.default_rng(0)
    scores = (rng.random((40, 7)) < 0.5).astype(float)
    names = ["i4", "new", "i0", "i1", "i2", "i3", "new2"]
    bank = bank_with(i1="retired", i2="pretest")
    found = score(ResponseLog.from_wide(scores, items=names), bank)
    kept = [0, 2, 5]
    alone = score(ResponseLog.from_wide(scores[:, kept], items=[names[k] for k in kept]), bank)
    assert_array_equal(found.theta, alone.theta)
    assert_array_equal(found.raw, scores[:, kept].sum(axis=1))
    assert dict(found.left_out) == {
        "new": "not in the bank",
        "i1": "retired items do not count",
        "i2": "pretest items do not count",
        "new2": "not in the bank",
    }
    assert "4 items of the log left out of account" in found.summary()


@pytest.mark.parametrize("method", ["ml", "map", "wle"])
def test_patterns_without_a_maximum_stand_at_a_fence_and_say_so(method):
    patterns = np.array([[1.0] * 5, [0.0] * 5, [1, 0, 1, 0, 1]])
    found = score(ResponseLog.from_wide(patterns, items=bank_with().ids), bank_with(), method=method)
    extreme = method == "ml"
    assert found.at_bound.tolist() == [extreme, extreme, False]
    assert ("no finite ML estimate" in found.summary()) == extreme
    assert np.isfinite(found.theta).all()
    if extreme:
        assert_allclose(found.theta[:2], [6.0, -6.0])


def test_a_log_without_answers_is_scored_as_such():
    blank = ResponseLog.from_wide(np.full((3, 5), np.nan), items=bank_with().ids)
    for method in ("eap", "map", "ml", "wle"):
        found = score(blank, bank_with(), method=method, plausible_values=1, seed=1)
        assert np.isnan(found.theta).all()
        assert not found.at_bound.any()
        assert found.frame["verdict"].tolist() == ["no answers"] * 3
        assert found.summary().startswith("0 candidates scored")
    nobody = score(ResponseLog.from_wide(np.zeros((0, 5)), items=bank_with().ids), bank_with())
    assert len(nobody.frame) == 0


def test_the_option_chosen_is_a_nominal_items_category():
    item = Item(
        id="n",
        domain="D",
        model="nrm",
        slopes=(0.5, 1.2),
        intercepts=(0.3, -0.4),
        options=("a", "b", "c"),
        points=(0, 1, 2),
    )
    bank = ItemBank.from_items([item, Item(id="r", domain="D", a=1.5, b=0.0)])
    log = ResponseLog(
        persons=np.array(["x", "y", "z"]),
        items=np.array(["n", "r"]),
        start=np.array([0, 2, 4, 5]),
        item=np.array([0, 1, 0, 1, 0], np.uint16),
        score=np.array([1, 1, 0, 0, 0], np.int8),
        option=np.array([2, 0, 0, 1, 1], np.uint8),
        options=("a", "b", "c"),
    )
    found = score(log, bank)
    grid = np.linspace(-8, 8, 4001)
    odds = np.exp(np.stack([0 * grid, 0.5 * grid + 0.3, 1.2 * grid - 0.4]))
    right = 1 / (1 + np.exp(-1.5 * grid))
    for person, likelihood in enumerate([odds[2] * right, odds[0] * (1 - right), odds[1]]):
        weights = likelihood / odds.sum(axis=0) * np.exp(-0.5 * grid**2)
        mean = weights @ grid / weights.sum()
        assert_allclose(found.theta[person], mean, atol=1e-6)
    assert found.raw.tolist() == [3, 0, 1]


def test_a_store_is_scored_shard_by_shard(sitting, tmp_path):
    frame = pd.DataFrame(
        {
            "candidate": sitting.log.persons[sitting.log.person],
            "item": sitting.log.items[sitting.log.item],
            "score": sitting.log.score,
        }
    )
    store = write_store(frame, tmp_path / "store")
    whole = score(store.log(), sitting.bank, plausible_values=2, seed=8)
    for source in (store, tmp_path / "store"):
        found = score(source, sitting.bank, plausible_values=2, seed=8, method="eap")
        assert_array_equal(found.candidate, whole.candidate)
        assert_array_equal(found.raw, whole.raw)
        assert_allclose(found.theta, whole.theta, atol=1e-5)
        assert_allclose(found.plausible_values, whole.plausible_values, atol=1e-3)
        assert found.provenance["input"] != whole.provenance["input"]


def test_what_makes_no_sense_is_refused_at_once():
    bank = bank_with()
    log = ResponseLog.from_wide(np.ones((2, 5)), items=bank.ids)
    with pytest.raises(UsageError) as fault:
        score(log, bank, method="median", nodes=3, limit=0.0, plausible_values=2000, seed=-1)
    for said in ('estimator "median"', "3 nodes", "limit 0", "2000 plausible values", "seed -1"):
        assert said in str(fault.value)
    with pytest.raises(ResponseLogError, match="none of its 0 items counts"):
        score(
            replace(log, items=log.items[:0], item=log.item[:0], score=log.score[:0], start=0 * log.start), bank_with()
        )

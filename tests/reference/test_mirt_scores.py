"""mirt 1.47's fscores, with its own item parameters: 61 nodes on ±6, ML and WLE bounded at ±20.

mirt sums EAPs over these nodes whatever the posterior; ours do so when told. Its SEs of MAP and ML come from a
numerical Hessian, hence their tolerance; of WLE it has another formula, and they are not compared.
"""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from issmp_calibration import score
from issmp_cat.bank import Item, ItemBank
from issmp_cat.responses import ResponseLog

METHODS = [("eap", 6.0, 1e-5, 1e-5), ("map", 6.0, 1e-4, 1e-4), ("ml", 20.0, 1e-4, 1e-3), ("wle", 20.0, 1e-5, None)]


def bank_of(path):
    """The item parameters of a reference file."""
    entries = json.loads(path.read_text(encoding="utf-8"))["slope_intercept"]
    parts = [(entry["par"]["a1"], entry["par"]["d"]) for name, entry in entries.items() if name != "GroupPars"]
    return ItemBank.from_items(Item(id=f"i{k}", domain="D", a=a, b=-d / a) for k, (a, d) in enumerate(parts))


def close(ours, theta, se, error, error_of_se):
    """Where mirt's estimate is finite; where it is not, ours stands at a fence."""
    known = np.isfinite(theta)
    assert_allclose(ours.theta[known], theta[known], atol=error)
    if error_of_se is not None:
        assert_allclose(ours.se[known], se[known], atol=error_of_se)
    assert (np.abs(ours.theta[~known]) > 19.9).all()
    assert ours.at_bound[~known].all()


@pytest.mark.parametrize(("method", "limit", "error", "error_of_se"), METHODS)
def test_scores_of_lsat7_by_pattern(shared, method, limit, error, error_of_se):
    folder = shared / "reference" / "mirt"
    rows = json.loads((folder / "scores_lsat7_2PL.json").read_text(encoding="utf-8"))[method.upper()]
    patterns = np.array([[row[f"Item.{k}"] for k in range(1, 6)] for row in rows], dtype=float)
    bank = bank_of(folder / "lsat7_2PL.json")
    ours = score(ResponseLog.from_wide(patterns, items=bank.ids), bank, method=method, nodes=61, limit=limit)
    theta, se = (np.array([row[name] for row in rows], dtype=float) for name in ("F1", "SE_F1"))
    close(ours, theta, se, error, error_of_se)


@pytest.mark.parametrize(("method", "limit", "error", "error_of_se"), METHODS)
def test_scores_of_sat12_by_person(shared, method, limit, error, error_of_se):
    folder = shared / "reference" / "mirt"
    bank = bank_of(folder / "sat12_key3_2PL.json")
    raw = pd.read_csv(shared / "data" / "textbook" / "sat12_key3.csv").to_numpy(dtype=float)
    theirs = pd.read_csv(folder / "scores_sat12_key3_2PL.csv")
    ours = score(ResponseLog.from_wide(raw, items=bank.ids), bank, method=method, nodes=61, limit=limit)
    name = method.upper()
    close(ours, theirs[name].to_numpy(dtype=float), theirs[f"{name}_se"].to_numpy(dtype=float), error, error_of_se)


def test_as_many_nodes_as_needed_differ_from_mirts_where_the_population_was_cut_off(shared):
    """By at most 2e-5: mirt's range ends 5.7 posterior SDs above the most able of these candidates."""
    folder = shared / "reference" / "mirt"
    raw = pd.read_csv(shared / "data" / "textbook" / "sat12_key3.csv").to_numpy(dtype=float)
    theirs = pd.read_csv(folder / "scores_sat12_key3_2PL.csv")
    bank = bank_of(folder / "sat12_key3_2PL.json")
    ours = score(ResponseLog.from_wide(raw, items=bank.ids), bank)
    assert_allclose(ours.theta, theirs["EAP"], atol=1e-5)
    assert_allclose(ours.se, theirs["EAP_se"], atol=2e-5)

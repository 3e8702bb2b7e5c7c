"""A real licensure form, as it is: 170 scored items, 30 pretest items of which each candidate saw ten."""

import numpy as np
import pytest

from issmp_calibration import calibrate, read_log


@pytest.fixture(scope="module")
def form(shared):
    folder = shared / "data" / "credential"
    key = folder / "key.csv"
    return read_log(folder / "responses.csv.gz", key=key), key


def test_scored_and_pretest_items_are_calibrated_together(form):
    log, key = form
    found = calibrate(log, key=key)
    assert found.converged
    assert found.items.fitted.sum() == 200
    assert (found.items.status == "pretest").sum() == 30
    errors = found.items.standard_errors[:, :2]
    assert (errors > 0).all()
    # Fewer answers, wider errors: 302 to 723 candidates against 1,636.
    pretest = found.items.status == "pretest"
    assert np.median(errors[pretest, 1]) > 1.5 * np.median(errors[~pretest, 1])
    bank = found.to_bank(id="form-1", key=None)
    assert {item.status for item in bank.items} == {"operational", "pretest"}
    assert set(found.items.item) - set(bank.ids) == set(bank.provenance["left_out"])


def test_rasch_difficulties_are_those_of_conditional_maximum_likelihood(form):
    """CML, which assumes no population, from the data's README: range, SD and first five, summing to zero.

    Both estimators are consistent and differ by terms of order 1/items: 0.02 logits at 170 items, checked against
    standard errors of 0.05 to 0.09.
    """
    log, key = form
    found = calibrate(log, key=key, model="rasch")
    b = found.items.parameters[found.items.status == "operational", 1]
    b = b - b.mean()
    assert abs(b.min() + 2.0749) < 0.02
    assert abs(b.max() - 2.4455) < 0.02
    assert abs(b.std(ddof=1) - 0.8739) < 0.01
    assert np.abs(b[:5] - [-1.0647, -0.3105, -0.5300, 0.2904, 0.5090]).max() < 0.02


def test_the_bank_carries_the_test_and_item_statistics_of_the_form(form):
    """What ``bank show`` prints: the figures of the data's README."""
    log, key = form
    bank = calibrate(log, key=key, model="rasch", standard_errors=False).to_bank(id="form-1")
    test = bank.provenance["test_statistics"]
    assert (test["candidates"], test["items"], test["lowest"], test["highest"]) == (1636, 170, 54, 156)
    assert round(test["mean"], 4) == 123.3123
    assert round(test["sd"], 4) == 16.4691
    assert round(test["alpha"], 4) == 0.8950
    operational = [item.statistics for item in bank.items if item.status == "operational"]
    item_rest = [item["item_rest"] for item in operational]
    assert (round(min(item_rest), 3), round(max(item_rest), 3)) == (0.004, 0.433)
    assert (round(min(item["p"] for item in operational), 3), round(max(item["p"] for item in operational), 3)) == (
        0.230,
        0.957,
    )

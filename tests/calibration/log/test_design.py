"""Forms and connectedness."""

import numpy as np
import pytest

from issmp_calibration.log.design import connected_groups, forms
from issmp_cat.responses import ResponseLog

NAN = np.nan


def log_of(rows):
    return ResponseLog.from_wide(np.array(rows, dtype=float), items=[f"i{k}" for k in range(len(rows[0]))])


def test_forms_are_told_apart_by_their_items():
    log = log_of([[1, 0, NAN], [0, 0, NAN], [NAN, 1, 1], [NAN, NAN, NAN]])
    found = forms(log, np.ones(3, dtype=bool))
    assert found.count == 2  # a candidate without answers took no form
    assert [(form.items, form.candidates) for form in found.largest] == [(("i0", "i1"), 2), (("i1", "i2"), 1)]


def test_forms_look_at_some_items_only():
    log = log_of([[1, 0, NAN], [NAN, 1, 1]])
    assert forms(log, np.array([False, True, False])).count == 1


def test_items_without_common_candidates_fall_into_groups():
    log = log_of([[1, 0, NAN, NAN, NAN], [NAN, NAN, 1, 0, NAN]])
    assert connected_groups(log) == [("i0", "i1"), ("i2", "i3")]  # nobody saw i4


@pytest.mark.parametrize("block", [1, 2, 1 << 20])
def test_a_chain_of_candidates_connects(monkeypatch, block):
    monkeypatch.setattr("issmp_calibration.log.sums.BLOCK", block)
    log = log_of([[1, NAN, NAN, NAN], [NAN, NAN, 1, 0], [NAN, 1, 1, NAN], [1, 0, NAN, NAN]])
    assert connected_groups(log) == [("i0", "i1", "i2", "i3")]

"""mirt 1.47, Science data: graded and generalised partial credit, 61 nodes on ±6, TOL 1e-7, SEs by Oakes's identity."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from issmp_calibration import CalibrationOptions, calibrate
from issmp_cat.responses import ResponseLog


@pytest.fixture(scope="module", params=["GRM", "GPCM"])
def pair(request, shared):
    """Our calibration, and mirt's file."""
    scores = pd.read_csv(shared / "data" / "textbook" / "science.csv").to_numpy(dtype=float)
    theirs = json.loads((shared / "reference" / "mirt" / f"science_{request.param}.json").read_text(encoding="utf-8"))
    log = ResponseLog.from_wide(scores - scores.min(axis=0))
    return calibrate(log, model=request.param, options=CalibrationOptions(nodes=61, tolerance=1e-6)), theirs


def cells(theirs, kind):
    """Slope and intercepts of every item."""
    rows = [entry[kind] for label, entry in theirs["slope_intercept"].items() if label != "GroupPars"]
    return np.array([[row[name] for name in ("a1", "d1", "d2", "d3")] for row in rows], dtype=float)


def ours(found, of):
    names = ("slope", "intercept_1", "intercept_2", "intercept_3")
    return np.column_stack([of[:, found.items.linear_names.index(name)] for name in names])


def test_log_likelihood_is_mirts(pair):
    found, theirs = pair
    assert found.converged
    assert_allclose(found.log_likelihood, theirs["logLik"], atol=1e-7)
    assert found.n_parameters == theirs["nest"]


def test_slopes_and_intercepts_are_mirts(pair):
    found, theirs = pair
    # mirt itself lies up to 8e-5 from the optimum.
    assert_allclose(ours(found, found.items.linear), cells(theirs, "par"), atol=2e-4)


def test_standard_errors_are_mirts(pair):
    found, theirs = pair
    assert_allclose(ours(found, found.items.linear_errors), cells(theirs, "se"), rtol=5e-4)

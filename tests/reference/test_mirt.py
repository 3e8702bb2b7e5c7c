"""mirt 1.47 (R 4.2.2), 61 nodes on ±6, TOL 1e-7, SEs by Oakes's identity: see the header of each reference file.

The project asks for 0.002 in parameters and 2 % in standard errors; the figures below are what both programs can do.
"""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from issmp_calibration import CalibrationOptions, NormalPrior, Priors, calibrate
from issmp_cat.responses import ResponseLog

OPTIONS = CalibrationOptions(nodes=61, tolerance=1e-5)
GUESSING = Priors(logit_guess=NormalPrior(np.log(0.2 / 0.8), 0.5))

CASES = [
    ("lsat7", "2pl", "lsat7_2PL", None),
    ("lsat7", "1pl", "lsat7_1PL", None),
    ("lsat7", "rasch", "lsat7_Rasch", None),
    ("sat12_key3", "2pl", "sat12_key3_2PL", None),
    ("sat12_key3", "rasch", "sat12_key3_Rasch", None),
    ("sat12_key3", "3pl", "sat12_key3_3PL_normprior", GUESSING),
]


@pytest.fixture(scope="module", params=CASES, ids=[case[2] for case in CASES])
def pair(request, shared):
    """Our calibration, and mirt's file."""
    data, model, name, priors = request.param
    scores = pd.read_csv(shared / "data" / "textbook" / f"{data}.csv").to_numpy(dtype=float)
    theirs = json.loads((shared / "reference" / "mirt" / f"{name}.json").read_text(encoding="utf-8"))
    return calibrate(ResponseLog.from_wide(scores), model=model, priors=priors, options=OPTIONS), theirs


def column(theirs, kind, name):
    """One parameter (or its standard error) of every item, NaN where mirt fixed it."""
    items = [entry for label, entry in theirs["slope_intercept"].items() if label != "GroupPars"]
    return np.array([entry[kind][name] for entry in items], dtype=float)


def test_log_likelihood_is_mirts(pair):
    ours, theirs = pair
    assert ours.converged
    assert_allclose(ours.log_likelihood, theirs["logLik"], atol=2e-5)
    assert_allclose(ours.log_prior, theirs["logPrior"], atol=2e-5)


def test_slopes_and_intercepts_are_mirts(pair):
    ours, theirs = pair
    # mirt itself lies up to 5e-5 from the optimum (3PL), 8e-6 (2PL), 4e-5 (Rasch).
    assert_allclose(ours.items.slope, column(theirs, "par", "a1"), atol=1e-4)
    assert_allclose(ours.items.intercept, column(theirs, "par", "d"), atol=1e-4)


def test_difficulties_are_mirts(pair):
    ours, theirs = pair
    assert_allclose(ours.items.parameters[:, 1], -column(theirs, "par", "d") / column(theirs, "par", "a1"), atol=1e-4)


def test_guessing_is_mirts(pair):
    ours, theirs = pair
    expected = expit(column(theirs, "par", "logit(g)"))
    assert_allclose(ours.items.parameters[:, 2], expected, atol=1e-5)


def test_standard_errors_are_mirts(pair):
    ours, theirs = pair
    assert_allclose(ours.items.se_intercept, column(theirs, "se", "d"), rtol=1e-4)
    assert_allclose(ours.items.se_slope, column(theirs, "se", "a1"), rtol=1e-4)
    guess_error = column(theirs, "se", "logit(g)")
    c = ours.items.parameters[:, 2]
    assert_allclose(ours.items.standard_errors[:, 2], c * (1 - c) * guess_error, rtol=1e-4)


def test_the_rasch_populations_spread_is_mirts(pair):
    ours, theirs = pair
    group = theirs["slope_intercept"]["GroupPars"]
    assert_allclose(ours.latent.sd**2, group["par"]["COV_11"], atol=1e-4)
    if ours.model == "rasch":
        # Of the variance by the delta method.
        assert_allclose(2 * ours.latent.sd * ours.latent.se_sd, group["se"]["COV_11"], rtol=1e-3)


def test_covariance_of_lsat7_is_mirts_in_every_entry(shared):
    scores = pd.read_csv(shared / "data" / "textbook" / "lsat7.csv").to_numpy(dtype=float)
    kinds = json.loads((shared / "reference" / "mirt" / "se_types_lsat7_2PL.json").read_text(encoding="utf-8"))
    theirs = np.array(kinds["Oakes"]["vcov"])
    ours = calibrate(ResponseLog.from_wide(scores), options=OPTIONS)
    a, b = ours.items.parameters[:, 0], ours.items.parameters[:, 1]
    for item in range(5):
        block = theirs[2 * item : 2 * item + 2, 2 * item : 2 * item + 2]
        by_delta = np.array([[1.0, 0.0], [-b[item] / a[item], -1.0 / a[item]]])
        assert_allclose(ours.items.covariance[item, :2, :2], by_delta @ block @ by_delta.T, rtol=2e-4)

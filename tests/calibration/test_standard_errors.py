"""Standard errors as people get them: kinds, populations, and items held at a bank's estimates."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from issmp_calibration import CalibrationOptions, Constraints, PopulationModel, calibrate
from issmp_cat.errors import UsageError

EXACT = CalibrationOptions(tolerance=1e-6)


def wide(persons, items, *, mean=0.0, sd=1.0, seed=1, slopes=True):
    """Simulated right-or-wrong answers as a data frame, item names Q0, Q1 …; the same items for every seed."""
    fixed, rng = np.random.default_rng(99), np.random.default_rng(seed)
    a, intercept = np.exp(fixed.normal(0, 0.3, 40))[:items], fixed.normal(0, 1, 40)[:items]
    a, theta = a if slopes else np.ones(items), rng.normal(mean, sd, persons)
    right = rng.random((persons, items)) < 1 / (1 + np.exp(-(a * theta[:, None] + intercept)))
    return pd.DataFrame(right.astype(int), columns=[f"Q{k}" for k in range(items)])


def test_kinds_differ_a_little_and_are_named():
    frame = wide(800, 8)
    found = {kind: calibrate(frame, standard_errors=kind) for kind in ("observed", "crossproduct", "sandwich")}
    errors = {kind: one.items.standard_errors[:, :2] for kind, one in found.items()}
    for kind in ("crossproduct", "sandwich"):
        assert_allclose(errors[kind], errors["observed"], rtol=0.35)
        assert np.abs(errors[kind] / errors["observed"] - 1.0).max() > 1e-3
        assert found[kind].provenance["options"]["standard_errors"] == kind
    assert np.isnan(calibrate(frame, standard_errors=None).items.standard_errors).all()
    assert_allclose(calibrate(frame, standard_errors=True).items.standard_errors[:, :2], errors["observed"])
    with pytest.raises(UsageError, match="sandwich"):
        calibrate(frame, standard_errors="sandwhich")


def test_groups_have_mirts_standard_errors(shared):
    folder = shared / "reference" / "dif"
    theirs = json.loads((folder / "mirt_multigroup.json").read_text(encoding="utf-8"))["scalar"]["groups"]["ref"]
    frame = pd.read_csv(folder / "two_group.csv")
    found = calibrate(frame, population=PopulationModel(groups="group", reference="foc"), options=EXACT)
    group = next(group for group in found.groups if group.label == "ref")
    drawn = theirs["GroupPars"]
    assert_allclose(group.se_mean, drawn["se"]["MEAN_1"], rtol=2e-3)
    assert_allclose(2 * group.sd * group.se_sd, drawn["se"]["COV_11"], rtol=2e-3)
    reference = next(group for group in found.groups if group.label == "foc")
    assert reference.se_mean is None
    assert reference.se_sd is None


def test_rasch_groups_are_groups_of_items_with_slopes_held_at_one():
    """The same model written in another way: a free slope for the SD, or free SDs."""
    one, two = wide(500, 8, slopes=False), wide(500, 8, mean=0.5, sd=1.4, seed=2, slopes=False)
    frame = pd.concat([one.assign(group="north"), two.assign(group="south")], ignore_index=True)
    groups = PopulationModel(groups="group", reference="north")
    held = Constraints(fixed={f"Q{k}": {"a": 1.0} for k in range(8)})
    rasch = calibrate(frame, model="rasch", population=groups, options=EXACT)
    free = calibrate(frame, model="2pl", population=groups, constraints=held, options=EXACT)
    for ours, theirs in zip(rasch.groups, free.groups, strict=True):
        assert_allclose(ours.sd, theirs.sd, rtol=1e-4)
        assert_allclose(ours.se_sd, theirs.se_sd, rtol=1e-3)
    assert rasch.groups[0].se_mean is None
    assert_allclose(rasch.groups[1].se_mean, free.groups[1].se_mean, rtol=1e-3)
    assert_allclose(rasch.items.errors("b"), free.items.errors("b"), rtol=1e-3)


def test_a_regression_has_standard_errors_that_cover():
    """Sixty small studies; the spread of the estimates is that of which the standard errors speak."""
    estimates, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=300)
        frame = wide(300, 10, seed=1000 + seed, mean=0.5 * x, sd=np.sqrt(0.75))
        found = calibrate(frame.assign(cov_x=x), population=PopulationModel(covariates=["cov_x"]))
        estimates.append(found.regression["cov_x"]["estimate"])
        errors.append(found.regression["cov_x"]["se"])
    # 60 draws tell a standard deviation to 9 %: three of these.
    assert_allclose(np.mean(errors), np.std(estimates), rtol=0.3)


def test_errors_of_new_items_grow_by_those_of_the_anchors():
    old, new = wide(600, 12), wide(1500, 20, mean=0.4, sd=1.1, seed=2)
    bank = calibrate(old).to_bank()
    constraints = Constraints.from_bank(bank)
    assert set(constraints.covariances) == {item.id for item in bank.items}
    given = calibrate(new, constraints=constraints)
    as_truth = calibrate(new, constraints=Constraints(constraints.fixed, models=constraints.models))
    fresh = [place for place, name in enumerate(given.items.item) if int(str(name)[1:]) >= 12]
    ratio = given.items.errors("b")[fresh] / as_truth.items.errors("b")[fresh]
    assert (ratio > 1.02).all()
    assert (ratio < 3.0).all()
    assert given.groups[0].se_mean > as_truth.groups[0].se_mean

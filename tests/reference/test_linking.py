"""Linking against equateIRT 2.5.1 and plink 1.5-1 on the 20 items of link_2pl_params.csv.

Both peers give no standard errors for these items (they were handed over without covariances), so those are held to
simulation in tests/calibration/linking.
"""

import csv
import json

import pytest
from numpy.testing import assert_allclose

from issmp_calibration.linking import link
from issmp_cat.bank import Item, ItemBank


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "reference" / "linking"


@pytest.fixture(scope="module")
def banks(folder):
    """The new and the old bank."""
    with (folder / "link_2pl_params.csv").open() as handle:
        rows = list(csv.DictReader(handle))

    def bank(which):
        return ItemBank.from_items(
            [Item(id=r["item"], domain="D", a=float(r[f"a_{which}"]), b=float(r[f"b_{which}"])) for r in rows]
        )

    return bank("new"), bank("old")


def equate_irt(folder, method):
    found = json.loads((folder / "equateIRT.json").read_text())["fipc_new_to_old"][method]
    assert found["seA"] is None
    return found["A"], found["B"]


def plink(folder, variant, method):
    rows = json.loads((folder / "plink.json").read_text())["results"][variant]
    return next((row["A"], row["B"]) for row in rows if row["row"] == method)


@pytest.mark.parametrize(("method", "theirs"), [("mean_mean", "mean-mean"), ("mean_sigma", "mean-sigma")])
def test_moments_are_equate_irts_exactly(banks, folder, method, theirs):
    found = link(*banks, method)
    assert_allclose([found.A, found.B], equate_irt(folder, theirs), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("method", "theirs"), [("haebara", "Haebara"), ("stocking_lord", "Stocking-Lord")])
def test_characteristic_curves_are_equate_irts(banks, folder, method, theirs):
    """Held closer than the 1e-2 of the reference: both integrate over N(0, 1), on the old scale only."""
    found = link(*banks, method)
    assert_allclose([found.A, found.B], equate_irt(folder, theirs), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("method", "theirs"), [("mean_mean", "Mean/Mean"), ("mean_sigma", "Mean/Sigma")])
def test_moments_are_plinks_to_its_six_digits(banks, folder, method, theirs):
    found = link(*banks, method)
    assert_allclose([found.A, found.B], plink(folder, "normal_wt", theirs), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("method", "theirs"), [("haebara", "Haebara"), ("stocking_lord", "Stocking-Lord")])
@pytest.mark.parametrize(
    ("variant", "options", "tolerance"),
    [
        ("normal_wt", {}, 1e-5),
        ("default_uniform_theta", {"weights": "uniform"}, 2e-4),
        ("symmetric", {"weights": "uniform", "symmetric": True}, 2e-4),
    ],
)
def test_characteristic_curves_are_plinks(banks, folder, method, theirs, variant, options, tolerance):
    """With equal weights the number of points to ±4 differs (ours are 0.05 apart), and the ends weigh with it."""
    found = link(*banks, method, **options)
    assert_allclose([found.A, found.B], plink(folder, variant, theirs), rtol=0, atol=tolerance)

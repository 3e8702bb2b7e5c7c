"""catR 3.17 (R 4.2.2): graded response and generalised partial credit on its own 20-item banks, D = 1."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_cat import Item, ItemBank
from issmp_cat.ability import build_grid, maximise, posterior_moments, update_posterior
from issmp_cat.ability.maximum import MAP, ML, WLE
from issmp_cat.irt import category_curves, item_information

# The estimates of catR's own root searches are good to about this (its README).
SEARCH = 1e-4


@pytest.fixture(scope="module", params=["GRM", "GPCM"])
def peer(request, shared):
    """catR's bank as ours, and catR's results."""
    folder = shared / "reference" / "catR"
    table = np.genfromtxt(folder / f"bank_{request.param}.csv", delimiter=",", skip_header=1)
    items = [
        Item(id=f"i{k}", domain="all", model=request.param.lower(), a=row[0], steps=tuple(row[1:][~np.isnan(row[1:])]))
        for k, row in enumerate(table)
    ]
    results = json.loads((folder / f"poly_{request.param}.json").read_text(encoding="utf-8"))
    return ItemBank.from_items(items).parameters, results


def test_information_is_catrs(peer):
    bank, results = peer
    assert_allclose(item_information(np.array(results["theta"], dtype=float), bank), results["I"], atol=1e-12)


def test_category_probabilities_are_catrs(peer):
    bank, results = peer
    theirs = np.array([[p for p in row if p is not None] for row in results["P_item1"]])
    curves = category_curves(np.array(results["theta"], dtype=float), bank)
    assert_allclose(curves[: bank.first[1]].T, theirs, atol=1e-12)


@pytest.mark.parametrize(("name", "method"), [("ML", ML), ("BM", MAP), ("WL", WLE)])
def test_ability_estimates_are_catrs(peer, name, method):
    bank, results = peer
    items, scores = np.array(results["items"]) - 1, np.array(results["x"])
    theta, se = maximise(method, bank, items, scores, len(items), (-4.0, 4.0), (0.0, 1.0))
    assert theta == pytest.approx(results["estimates"][name]["theta"], abs=SEARCH)
    assert se == pytest.approx(results["estimates"][name]["se"], abs=SEARCH)


def test_posterior_means_are_catrs_on_its_own_nodes(peer):
    """catR integrates by trapezoid: our equal weights, but for half of the two end nodes."""
    bank, results = peer
    grid = build_grid(bank, nodes=33, limit=4.0, mean=0.0, sd=1.0)
    weights = grid.prior.copy()
    weights[[0, -1]] /= 2
    for n, (item, score) in enumerate(zip(results["items"], results["x"], strict=True)):
        update_posterior(grid, weights, n, item - 1, score)
    theta, se = posterior_moments(grid.nodes, weights)
    assert theta == pytest.approx(results["estimates"]["EAP"]["theta"], abs=1e-6)
    assert se == pytest.approx(results["estimates"]["EAP"]["se"], abs=1e-6)

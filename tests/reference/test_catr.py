"""catR 3.17 (R 4.2.2): curves, information and ability estimates on its own 100-item 3PL bank, D = 1."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_cat.ability import build_grid, maximise, posterior_moments, update_posterior
from issmp_cat.ability.maximum import MAP, ML, WLE, score_terms
from issmp_cat.irt import category_probabilities, dichotomous, information, probability, slope, slope_change

# The estimates of catR's own root searches are good to about this (its README).
SEARCH = 1e-4


@pytest.fixture(scope="module")
def bank(shared):
    table = np.genfromtxt(shared / "reference" / "catR" / "bank3pl.csv", delimiter=",", names=True)
    return tuple(np.ascontiguousarray(table[name]) for name in "abcd")


@pytest.fixture(scope="module")
def grid(shared):
    return json.loads((shared / "reference" / "catR" / "info_grid.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def histories(shared):
    results = json.loads((shared / "reference" / "catR" / "theta_estimates.json").read_text(encoding="utf-8"))[
        "results"
    ]
    assert len(results) == 10
    return [(row, np.array(row["items"]) - 1, np.array(row["x"])) for row in results]


def test_probabilities_are_catrs(bank, grid):
    assert_allclose(probability(np.array(grid["theta"]), *bank), grid["P"], atol=1e-12)


def test_fisher_information_is_catrs(bank, grid):
    assert_allclose(information(np.array(grid["theta"]), *bank), grid["I"], atol=1e-8)


def test_warms_j_is_catrs(bank, grid):
    """Item by item: the J of a one-item test."""
    wanted = np.array(grid["J"])
    found = np.array(
        [
            [score_terms(theta, dichotomous(*bank), np.array([i]), np.array([1]), 1)[3] for i in range(100)]
            for theta in grid["theta"]
        ]
    )
    assert_allclose(found, wanted, atol=1e-8)


def test_the_derivative_of_information_is_catrs(bank, grid):
    """From our slope and its change: I' = P' (2 P'' P Q − P'² (Q − P)) / (P Q)²."""
    a, _, c, d = bank
    q, p = np.moveaxis(category_probabilities(np.array(grid["theta"]), *bank), -1, 0)
    first = slope(p, q, a, c, d)
    second = slope_change(p, first, a, c, d)
    assert_allclose(first * (2 * second * p * q - first**2 * (q - p)) / (p * q) ** 2, grid["dI"], atol=1e-8)


@pytest.mark.parametrize(
    ("name", "method", "limit", "prior"),
    [
        ("ML", ML, 4.0, (0.0, 1.0)),
        ("ML_range6", ML, 6.0, (0.0, 1.0)),
        ("BM", MAP, 4.0, (0.0, 1.0)),
        ("BM_range6", MAP, 6.0, (0.0, 1.0)),
        ("BM_mean0.5_sd0.8", MAP, 4.0, (0.5, 0.8)),
        ("WL", WLE, 4.0, (0.0, 1.0)),
        ("WL_range6", WLE, 6.0, (0.0, 1.0)),
    ],
)
def test_ability_estimates_are_catrs(bank, histories, name, method, limit, prior):
    for row, items, scores in histories:
        if method == ML and row["history"] == 4:
            continue  # only a local maximum: see below
        theta, se = maximise(method, dichotomous(*bank), items, scores, len(items), (-limit, limit), prior)
        assert theta == pytest.approx(row[name]["theta"], abs=SEARCH), (name, row["history"])
        assert se == pytest.approx(row[name]["se"], abs=SEARCH, rel=SEARCH), (name, row["history"])


@pytest.mark.parametrize(("name", "nodes", "limit"), [("EAP", 33, 4.0), ("EAP_m6_6_121", 121, 6.0)])
def test_posterior_means_are_catrs_on_its_own_nodes(bank, histories, name, nodes, limit):
    """catR integrates by trapezoid: our equal weights, but for half of the two end nodes."""
    grid = build_grid(dichotomous(*bank), nodes=nodes, limit=limit, mean=0.0, sd=1.0)
    for row, items, scores in histories:
        weights = grid.prior.copy()
        weights[[0, -1]] /= 2
        for n, (item, score) in enumerate(zip(items, scores, strict=True)):
            update_posterior(grid, weights, n, item, score)
        theta, se = posterior_moments(grid.nodes, weights)
        assert theta == pytest.approx(row[name]["theta"], abs=1e-6), (name, row["history"])
        assert se == pytest.approx(row[name]["se"], abs=1e-6), (name, row["history"])


def test_catrs_fourth_maximum_is_only_local_and_ours_is_likelier(bank, histories):
    row, items, scores = histories[3]
    assert row["history"] == 4
    assert row["ML"]["theta"] == pytest.approx(-0.6119, abs=1e-4)
    theta, _ = maximise(ML, dichotomous(*bank), items, scores, len(items), (-4.0, 4.0), (0.0, 1.0))

    def log_likelihood(at):
        """Written out here, so that it is not our own code that judges."""
        a, b, c, d = (parameter[items] for parameter in bank)
        p = c + (d - c) / (1 + np.exp(-a * (at - b)))
        return np.log(np.where(scores == 1, p, 1 - p)).sum()

    theirs = log_likelihood(row["ML"]["theta"])
    assert log_likelihood(theta) > theirs + 0.01
    everywhere = [log_likelihood(at) for at in np.linspace(-4, 4, 8001)]
    assert log_likelihood(theta) >= max(everywhere) - 1e-9

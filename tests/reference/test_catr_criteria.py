"""catR 3.17 (R 4.2.2): item selection criteria after ten histories on its own 100-item 3PL bank, D = 1.

catR integrates by trapezoid over 33 nodes on [−4, 4], N(0, 1) prior, and takes θ from its Bayes modal estimate. It
leaves posterior and likelihood unnormalised; ours are normalised. Dividing all items by the same number changes no
choice: the tests multiply it back in and hold the products, item by item, to catR's numbers.
"""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_cat.ability import build_grid, maximise, posterior_mean, update_posterior
from issmp_cat.ability.maximum import MAP
from issmp_cat.irt import category_curves, dichotomous, slope, slope_change
from issmp_cat.selection.criteria import answers, information_after, new_workspace, score_all, weigh_nodes
from issmp_cat.selection.criteria_chance import progress
from issmp_cat.selection.criteria_sums import fold
from issmp_cat.selection.criteria_tables import build_criterion

# Sums of smooth functions over 33 nodes: rounding only.
INTEGRATED = {"rtol": 1e-6, "atol": 0.0}
# catR's root search stops at about this.
SEARCHED = {"rtol": 0.0, "atol": 1e-4}
# The distance of catR's nodes and the normal density's constant: what its integrals carry and our sums do not.
STEP, DENSITY = 0.25, 1 / np.sqrt(2 * np.pi)
FINE = np.linspace(-4, 4, 8001)


@pytest.fixture(scope="module")
def bank(shared):
    table = np.genfromtxt(shared / "reference" / "catR" / "bank3pl.csv", delimiter=",", names=True)
    return dichotomous(*(table[name] for name in "abcd"))


@pytest.fixture(scope="module")
def grid(bank):
    return build_grid(bank, nodes=33, limit=4.0, mean=0.0, sd=1.0)


@pytest.fixture(scope="module")
def histories(shared):
    path = shared / "reference" / "catR" / "selection_criteria.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["results"]
    assert len(rows) == 10
    return rows


def answered(row):
    return np.array(row["items"]) - 1, np.array(row["x"])


def available(row):
    return np.array(row["available"]) - 1


def weights_after(grid, row, *, ends=0.5):
    """The posterior after a history; the trapezoid rule takes half of the two end nodes."""
    weights = grid.prior.copy()
    weights[[0, -1]] *= ends
    for n, (item, score) in enumerate(zip(*answered(row), strict=True)):
        update_posterior(grid, weights, n, item, score)
    return weights


def likelihood_of(grid, row):
    items, scores = answered(row)
    likelihood = np.prod(grid.likelihood[2 * items + scores], axis=0)
    likelihood[[0, -1]] /= 2
    return likelihood


def scores_of(name, bank, grid, row, *, theta=None, ends=0.5, **points):
    criterion = build_criterion(name, bank, grid, cut=-0.3, length=40, **points)
    blocked = np.zeros(100, dtype=np.int64)
    out = np.zeros(100)
    theta = row["theta_BM"] if theta is None else theta
    weights = weights_after(grid, row, ends=ends)
    n = len(row["items"])
    score_all(criterion, new_workspace(criterion), weights, grid.prior, theta, n, 1, 0, blocked, out)
    return out[available(row)]


def chosen(row, scores):
    """catR counts items from 1."""
    return available(row)[scores.argmax()] + 1


def at(theta):
    """Tables at exactly this θ, instead of the nearest of 161 points."""
    return {"lowest": theta, "step": 1.0, "points": 1}


def test_fisher_information_and_its_choice_are_catrs(bank, grid, histories):
    for row in histories:
        found = scores_of("fisher_information", bank, grid, row, **at(row["theta_BM"]))
        assert_allclose(found, row["MFI"], **INTEGRATED)
        assert chosen(row, found) == row["next_item"]["MFI"]


def test_fisher_information_at_the_cut_is_the_same_criterion_with_another_theta(bank, grid, histories):
    for row in histories:
        theta = row["theta_BM"]
        criterion = build_criterion("fisher_at_cut", bank, grid, cut=theta, length=40, **at(theta))
        out = np.zeros(100)
        score_all(criterion, new_workspace(criterion), grid.prior, grid.prior, 3.0, 0, 1, 0, np.zeros(100, int), out)
        assert_allclose(out[available(row)], row["MFI"], **INTEGRATED)


@pytest.mark.parametrize(("name", "theirs"), [("mpwi", "MPWI"), ("klp", "KLP")])
def test_posterior_weighted_values_and_choices_are_catrs(bank, grid, histories, name, theirs):
    for row in histories:
        found = scores_of(name, bank, grid, row, **at(row["theta_BM"]))
        integral = STEP * DENSITY * (likelihood_of(grid, row) * grid.prior).sum()
        assert_allclose(found * integral, row[theirs], **INTEGRATED)
        assert chosen(row, found) == row["next_item"][theirs]


@pytest.mark.parametrize(("name", "theirs"), [("mlwi", "MLWI"), ("kl", "KL")])
def test_likelihood_weighted_values_and_choices_are_catrs(bank, grid, histories, name, theirs):
    for row in histories:
        found = scores_of(name, bank, grid, row, **at(row["theta_BM"]))
        assert_allclose(found * STEP * likelihood_of(grid, row).sum(), row[theirs], **INTEGRATED)
        assert chosen(row, found) == row["next_item"][theirs]


@pytest.mark.parametrize(("name", "theirs"), [("gdi", "GDI"), ("gdip", "GDIP")])
def test_discrimination_indices_and_their_choices_are_catrs(bank, grid, histories, name, theirs):
    """These catR sums over the nodes with normalised weights, the end nodes whole."""
    for row in histories:
        found = scores_of(name, bank, grid, row, ends=1.0)
        assert_allclose(found, row[theirs], **INTEGRATED)
        assert chosen(row, found) == row["next_item"][theirs]


def test_matching_difficulty_chooses_what_catr_chooses(bank, grid, histories):
    for row in histories:
        found = scores_of("b_matching", bank, grid, row)
        assert chosen(row, found) == row["next_item"]["bOpt"]
        distance = abs(bank.b[available(row)] - row["theta_BM"])
        assert_allclose(found.max() - found, distance - distance.min(), atol=1e-12)


def test_posterior_variances_after_each_answer_are_catrs(bank, grid, histories):
    """catR expects over the answer at θ̂ alone, we over the posterior: from our sums, with catR's chances, its EPV."""
    for row in histories:
        criterion = build_criterion("mepv", bank, grid, cut=-0.3, length=40)
        space = new_workspace(criterion)
        weigh_nodes(criterion, weights_after(grid, row), grid.prior, space.share)
        answers(criterion, space)
        away = (grid.nodes - posterior_mean(grid.nodes, space.share)[0]) ** 2
        squares = (space.share * away) @ grid.likelihood.T
        variance = squares / space.total - (space.second / space.total) ** 2
        there = category_curves(np.array([row["theta_BM"]]), bank)[:, 0]
        found = np.zeros(100)
        fold(bank.first, there * variance, found)
        found = found[available(row)]
        assert_allclose(found, row["MEPV"], **INTEGRATED)
        assert chosen(row, -found) == row["next_item"]["MEPV"]


def test_least_expected_variance_chooses_as_catr_but_where_its_chances_decide(bank, grid, histories):
    """With chances from the whole posterior one choice of ten is another: history 6, items 10 and 72."""
    other = {}
    for row in histories:
        found = chosen(row, scores_of("mepv", bank, grid, row))
        if found != row["next_item"]["MEPV"]:
            other[row["history"]] = (row["next_item"]["MEPV"], found)
    assert other == {6: (10, 72)}


def modes_after_each_answer(bank, row):
    """Bayes modal θ after each score of each item: the top of a grid 0.001 apart, then of a parabola."""
    curves = np.log(category_curves(FINE, bank))
    items, scores = answered(row)
    height = curves + curves[2 * items + scores].sum(axis=0) - FINE**2 / 2
    top, rows = height.argmax(axis=1), np.arange(len(height))
    left, middle, right = (height[rows, top + k] for k in (-1, 0, 1))
    return FINE[top] + 0.0005 * (left - right) / (left - 2 * middle + right)


def observed_information(bank):
    """``−d²/dθ² log P`` of each score at each point. Shape ``(points, rows)``."""
    wrong, right = category_curves(FINE, bank)[::2].T, category_curves(FINE, bank)[1::2].T
    first = slope(right, wrong, bank.a, bank.c, bank.d)
    second = slope_change(right, first, bank.a, bank.c, bank.d)
    out = np.zeros((len(FINE), 2 * len(bank.a)))
    out[:, ::2] = (first / wrong) ** 2 + second / wrong
    out[:, 1::2] = (first / right) ** 2 - second / right
    return out


def test_the_modes_supplied_are_those_of_our_own_estimator(bank, histories):
    for row in histories[:6]:
        items, scores = answered(row)
        modes = modes_after_each_answer(bank, row)
        for item in available(row)[::20]:
            for score in (0, 1):
                given = np.append(items, item), np.append(scores, score), len(items) + 1
                theta, _ = maximise(MAP, bank, *given, (-4.0, 4.0), (0.0, 1.0))
                assert theta == pytest.approx(modes[2 * item + score], abs=1e-6)


def test_maximum_expected_information_by_fisher_is_catrs(bank, grid, histories):
    """With catR's chances (at θ̂) and estimates (Bayes modal) in place of ours (posterior, EAP)."""
    criterion = build_criterion("mei", bank, grid, cut=-0.3, length=40, lowest=-4.0, step=0.001, points=8001)
    for row in histories:
        there = category_curves(np.array([row["theta_BM"]]), bank)[:, 0]
        found = np.zeros(100)
        information_after(criterion, there, modes_after_each_answer(bank, row), found)
        assert_allclose(found[available(row)], row["MEI_Fisher"], **SEARCHED)


def test_maximum_expected_information_by_observed_information_and_its_choice_are_catrs(bank, grid, histories):
    """The same sum over a table with a column a score; it is below 0 for some items, which Fisher's never is."""
    criterion = build_criterion("mei", bank, grid, cut=-0.3, length=40, lowest=-4.0, step=0.001, points=8001)
    by_score = criterion._replace(at_points=observed_information(bank), first=np.arange(201))
    least = []
    for row in histories:
        there = category_curves(np.array([row["theta_BM"]]), bank)[:, 0]
        parts, found = np.zeros(200), np.zeros(100)
        information_after(by_score, there, modes_after_each_answer(bank, row), parts)
        fold(bank.first, parts, found)
        found = found[available(row)]
        assert_allclose(found, row["MEI_observed"], **SEARCHED)
        assert chosen(row, found) == row["next_item"]["MEI"]
        least.append(found.min())
    assert min(least) < -0.05


@pytest.mark.parametrize("acceleration", [0.0, 1.0, 2.0])
def test_progressive_weights_are_catrs(acceleration):
    """Its rule "length": ``sum((1:n)^AP) / sum((1:(thr - 1))^AP)``, and 0 before the first item."""
    wanted = [
        sum(f**acceleration for f in range(1, n + 1)) / sum(f**acceleration for f in range(1, 20)) for n in range(20)
    ]
    assert_allclose(progress(20, acceleration), wanted, rtol=1e-12)

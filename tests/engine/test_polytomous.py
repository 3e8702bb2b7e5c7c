"""Items with several scores: the models against their definitions, written out here a second time."""

import itertools
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import brentq, minimize_scalar

from issmp_cat.ability import build_grid, maximise, posterior_moments, rebuild_posterior, update_posterior
from issmp_cat.ability.maximum import MAP, ML, WLE
from issmp_cat.irt import (
    DICHOTOMOUS,
    GRADED,
    PARTIAL,
    answer_terms,
    build_parameters,
    category_curves,
    category_probability,
    category_rates,
    dichotomous,
    draw_score,
    highest_score,
    information,
    item_information,
    probability,
    select,
)

THETA = np.linspace(-4, 4, 33)
# Each model twice, with two to six scores, steps of partial credit out of order, thresholds close together.
KIND = [DICHOTOMOUS, GRADED, PARTIAL, GRADED, PARTIAL, DICHOTOMOUS, PARTIAL, GRADED]
STEPS = [(0.3,), (-1.0, 0.2, 1.5), (0.8, -0.6, 0.1, 1.2), (0.4, 0.41), (0.2,), (1.0,), (-2, -1, 0, 1, 2), (-0.7,)]
A = [1.4, 0.9, 1.1, 2.3, 0.7, 0.8, 1.0, 1.6]
C = [0.2, 0, 0, 0, 0, 0, 0, 0]
D = [0.95, 1, 1, 1, 1, 1, 1, 1]


def mixed(a=A, c=C, d=D, kind=KIND, steps=STEPS):
    rows = [np.array(row, dtype=float) for row in steps]
    return build_parameters(
        np.array(a), np.array([r.mean() for r in rows]), np.array(c), np.array(d), np.array(kind), rows
    )


BANK = mixed()
ITEMS = range(len(KIND))


def chances(theta, item):
    """The models as their authors write them. Shape (scores, points)."""
    a, steps, theta = A[item], np.array(STEPS[item], dtype=float), np.atleast_1d(theta)
    if KIND[item] == PARTIAL:
        climbs = np.vstack([np.zeros(len(theta)), np.cumsum(a * (theta - steps[:, None]), axis=0)])
        return np.exp(climbs) / np.exp(climbs).sum(axis=0)
    reached = 1 / (1 + np.exp(-a * (theta - steps[:, None])))
    if KIND[item] == DICHOTOMOUS:
        reached = C[item] + (D[item] - C[item]) * reached
    edges = np.vstack([np.ones(len(theta)), reached, np.zeros(len(theta))])
    return edges[:-1] - edges[1:]


def slopes(theta, item, h=1e-3):
    """First and second derivatives of the chances, by five points: good to 1e-9."""
    at = {k: chances(theta + k * h, item) for k in (-2, -1, 0, 1, 2)}
    first = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * h)
    second = (-at[2] + 16 * at[1] - 30 * at[0] + 16 * at[-1] - at[-2]) / (12 * h * h)
    return first, second


# ---- probabilities


@pytest.mark.parametrize("item", ITEMS)
def test_curves_are_the_models(item):
    rows = slice(BANK.first[item], BANK.first[item + 1])
    assert_allclose(category_curves(THETA, BANK)[rows], chances(THETA, item), atol=1e-14)


@pytest.mark.parametrize("item", ITEMS)
def test_one_chance_is_that_of_the_table(item):
    table = category_curves(THETA, BANK)
    for score in range(highest_score(BANK, item) + 1):
        row = [category_probability(BANK, item, score, theta) for theta in THETA.tolist()]
        assert_allclose(row, table[BANK.first[item] + score], rtol=1e-13)


def test_the_scores_of_each_item_share_all_chance():
    totals = np.add.reduceat(category_curves(np.linspace(-60, 60, 241), BANK), BANK.first[:-1])
    assert_allclose(totals, 1.0, rtol=1e-14)


def test_with_one_step_both_models_are_the_two_parameter_model():
    a, b = np.array([1.3, 0.6]), np.array([0.4, -1.1])
    plain = dichotomous(a, b, np.zeros(2), np.ones(2))
    for kind in (GRADED, PARTIAL):
        one = build_parameters(a, b, np.zeros(2), np.ones(2), np.full(2, kind), list(b.reshape(-1, 1)))
        assert_allclose(category_curves(THETA, one), category_curves(THETA, plain), rtol=1e-13)
        assert_allclose(item_information(THETA, one), item_information(THETA, plain), rtol=1e-12)
        for item, score in itertools.product(range(2), range(2)):
            assert_allclose(answer_terms(one, item, score, 0.7), answer_terms(plain, item, score, 0.7), rtol=1e-12)


def test_neighbouring_scores_of_partial_credit_are_equally_likely_at_their_step():
    for k, step in enumerate(STEPS[2], 1):
        assert category_probability(BANK, 2, k, step) == pytest.approx(category_probability(BANK, 2, k - 1, step))


def test_half_reach_a_graded_score_at_its_threshold():
    for k, step in enumerate(STEPS[1], 1):
        assert sum(category_probability(BANK, 1, s, step) for s in range(k, 4)) == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize("theta", [-45.0, -20.0, 20.0, 45.0])
def test_chances_far_out_keep_their_relative_precision(theta):
    """Against 80 digits: in doubles P*_k − P*_{k+1} would be 1 − 1."""
    with localcontext() as context:
        context.prec = 80
        for item in (1, 3, 7):
            odds = [(Decimal(A[item]) * (Decimal(step) - Decimal(theta))).exp() for step in STEPS[item]]
            reached = [Decimal(1), *(1 / (1 + e) for e in odds), Decimal(0)]
            for score in range(len(STEPS[item]) + 1):
                exact = float(reached[score] - reached[score + 1])
                assert category_probability(BANK, item, score, theta) == pytest.approx(exact, rel=1e-12, abs=0)
                row = category_curves(np.array([theta]), BANK)[BANK.first[item] + score, 0]
                assert row == pytest.approx(exact, rel=1e-12, abs=0)


# ---- derivatives, information, Warm's J


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("theta", [-3.0, -0.8, 0.0, 0.405, 2.5])
def test_what_an_answer_says_is_what_differences_of_its_chance_say(item, theta):
    first, second = slopes(np.array([theta]), item)
    p = chances(theta, item)[:, 0]
    for score in range(len(p)):
        log_chance, rise, info, j = answer_terms(BANK, item, score, theta)
        assert log_chance == pytest.approx(math.log(p[score]), abs=1e-12)
        assert rise == pytest.approx(first[score, 0] / p[score], abs=1e-7)
        assert info == pytest.approx((first[:, 0] ** 2 / p).sum(), abs=1e-8)
        assert j == pytest.approx((first[:, 0] * second[:, 0] / p).sum(), abs=1e-6)


@pytest.mark.parametrize("item", ITEMS)
def test_tabulated_slopes_are_differences_of_the_chances(item):
    chances_too, rates = category_rates(THETA, BANK)
    rows = slice(BANK.first[item], BANK.first[item + 1])
    assert_allclose(rates[rows], slopes(THETA, item)[0], atol=1e-8)
    np.testing.assert_array_equal(chances_too, category_curves(THETA, BANK))


@pytest.mark.parametrize("item", ITEMS)
def test_tabulated_information_is_squared_slope_over_chance(item):
    first, _ = slopes(THETA, item)
    expected = (first**2 / chances(THETA, item)).sum(axis=0)
    assert_allclose(item_information(THETA, BANK)[:, item], expected, rtol=1e-6, atol=1e-9)


def test_partial_credit_with_whole_slopes_has_the_variance_of_its_score_as_information():
    p = chances(THETA, 6)
    score = np.arange(6)[:, None]
    variance = (p * score**2).sum(axis=0) - (p * score).sum(axis=0) ** 2
    assert_allclose(item_information(THETA, BANK)[:, 6], variance, rtol=1e-10)


def test_right_or_wrong_items_are_untouched_by_their_neighbours():
    """Bit for bit: a bank of one model takes the same way as before there were others."""
    plain = select(BANK, np.array([0, 5]))
    np.testing.assert_array_equal(category_curves(THETA, plain)[1::2].T, probability(THETA, *plain[:4]))
    np.testing.assert_array_equal(item_information(THETA, plain), information(THETA, *plain[:4]))
    np.testing.assert_array_equal(item_information(THETA, BANK)[:, [0, 5]], information(THETA, *plain[:4]))


def test_a_selection_of_items_is_a_bank_of_its_own():
    order = np.array([6, 0, 3])
    part = select(BANK, order)
    assert_allclose(item_information(THETA, part), item_information(THETA, BANK)[:, order], rtol=1e-15)
    assert part.first.tolist() == [0, 6, 8, 11]


# ---- draws


@pytest.mark.parametrize("item", ITEMS)
def test_draws_fall_on_each_score_as_often_as_its_chance(item):
    """Without chance: the draws at which the score changes are the cumulative chances, from the top down."""
    theta = 0.35
    p = [category_probability(BANK, item, s, theta) for s in range(highest_score(BANK, item) + 1)]
    reached = np.cumsum(p[::-1])[::-1]
    for score in range(1, len(p)):
        assert draw_score(BANK, item, theta, reached[score] * (1 - 1e-12)) >= score
        assert draw_score(BANK, item, theta, reached[score] * (1 + 1e-12)) < score
    assert draw_score(BANK, item, theta, 0.0) == len(p) - 1


@given(st.floats(0, 1, exclude_max=True), st.floats(-60, 60), st.sampled_from(ITEMS))
def test_every_draw_is_a_score(draw, theta, item):
    assert 0 <= draw_score(BANK, item, theta, draw) <= highest_score(BANK, item)


# ---- estimation


def log_likelihood(theta, items, scores):
    return sum(math.log(chances(theta, i)[s, 0]) for i, s in zip(items, scores, strict=True))


PATTERNS = [
    (range(8), (1, 2, 3, 1, 0, 1, 4, 0)),
    (range(8), (0, 0, 1, 2, 1, 0, 2, 1)),
    ((1, 2, 6, 7), (3, 2, 3, 0)),
    ((1, 1, 3, 2), (0, 3, 1, 4)),
]


@pytest.mark.parametrize("method", [ML, MAP])
@pytest.mark.parametrize(("items", "scores"), PATTERNS)
def test_modes_are_the_highest_points_that_a_dense_search_finds(method, items, scores):
    def height(theta):
        return log_likelihood(theta, items, scores) - (theta**2 / 2 if method == MAP else 0)

    found = estimate(method, BANK, items, scores)
    around = max(np.linspace(-4, 4, 401), key=height)
    best = minimize_scalar(lambda theta: -height(theta), bounds=(around - 0.02, around + 0.02), method="bounded")
    # A maximum is located to the root of rounding.
    assert found.theta == pytest.approx(float(np.clip(best.x, -4, 4)), abs=1e-5)


@pytest.mark.parametrize(("items", "scores"), PATTERNS)
def test_warms_estimate_solves_warms_equation(items, scores):
    def equation(theta):
        total, info, j = 0.0, 0.0, 0.0
        for i, s in zip(items, scores, strict=True):
            first, second = slopes(np.array([theta]), i)
            p = chances(theta, i)[:, 0]
            total += first[s, 0] / p[s]
            info += (first[:, 0] ** 2 / p).sum()
            j += (first[:, 0] * second[:, 0] / p).sum()
        return total + j / (2 * info)

    theta = estimate(WLE, BANK, items, scores).theta
    assert theta == pytest.approx(brentq(equation, theta - 0.05, theta + 0.05, xtol=1e-12), abs=1e-6)


def test_warms_estimate_under_partial_credit_is_jeffreys_mode():
    """For an exponential family J = I', so Warm's weight is √I (Warm, 1989, p. 431)."""
    items, scores = (2, 4, 6), (3, 0, 2)

    def information(theta, item):
        p, score = chances(theta, item)[:, 0], np.arange(len(STEPS[item]) + 1)
        return A[item] ** 2 * ((p * score**2).sum() - (p * score).sum() ** 2)

    def height(theta):
        info = sum(information(theta, item) for item in items)
        return log_likelihood(theta, items, scores) + 0.5 * math.log(info)

    best = minimize_scalar(lambda theta: -height(theta), bounds=(-4, 4), method="bounded", options={"xatol": 1e-10})
    assert estimate(WLE, BANK, items, scores).theta == pytest.approx(best.x, abs=1e-6)


@pytest.mark.parametrize(("items", "scores"), PATTERNS)
def test_the_posterior_is_the_product_of_the_chances(items, scores):
    grid = build_grid(BANK, nodes=81, limit=4.0, mean=0.0, sd=1.0)
    weights = np.exp([log_likelihood(theta, items, scores) - theta**2 / 2 for theta in grid.nodes])
    mean = (weights * grid.nodes).sum() / weights.sum()
    sd = math.sqrt((weights * (grid.nodes - mean) ** 2).sum() / weights.sum())
    assert eap(grid, items, scores) == pytest.approx((mean, sd), abs=1e-12)


def estimate(method, bank, items, scores, fences=(-4.0, 4.0)):
    items, scores = np.array(items), np.array(scores)
    return maximise(method, bank, items, scores, len(items), fences, (0.0, 1.0))


def eap(grid, items, scores):
    """As an exam records its answers."""
    weights, items, scores = grid.prior.copy(), np.array(items), np.array(scores)
    for n in range(len(items)):
        if update_posterior(grid, weights, n, items[n], scores[n]):
            rebuild_posterior(grid, grid.prior, weights, items, scores, n + 1)
    return posterior_moments(grid.nodes, weights)


# ---- long tests, extreme patterns, hard parameters


def long_bank(n=1500):
    rng = np.random.default_rng(5)
    kind = np.arange(n) % 3
    steps = [np.sort(rng.normal(0, 1, 1 if k == DICHOTOMOUS else rng.integers(1, 6))) for k in kind]
    guess = np.where(kind == DICHOTOMOUS, 0.2, 0.0)
    return mixed(a=rng.uniform(0.4, 2.2, n), c=guess, d=np.ones(n), kind=kind, steps=steps)


LONG = long_bank()
ENDS = {
    "all lowest": np.zeros(1500, dtype=int),
    "all highest": np.diff(LONG.first) - 1,
    "highest first": np.where(np.arange(1500) < 750, np.diff(LONG.first) - 1, 0),
}


@pytest.mark.parametrize("pattern", ENDS)
@pytest.mark.parametrize("method", [ML, MAP, WLE])
def test_1500_answers_of_any_pattern_have_an_estimate(pattern, method):
    theta, se = estimate(method, LONG, range(1500), ENDS[pattern], fences=(-8.0, 8.0))
    assert -8 <= theta <= 8
    assert 0 < se < math.inf
    if pattern != "highest first":
        assert abs(theta) > 3
        assert (theta > 0) == (pattern == "all highest")


@pytest.mark.parametrize("pattern", ENDS)
def test_1500_answers_give_the_posterior_of_the_sum_of_logarithms(pattern):
    grid = build_grid(LONG, nodes=41, limit=4.0, mean=0.0, sd=1.0)
    logs = np.log(category_curves(grid.nodes, LONG))[LONG.first[:-1] + ENDS[pattern]].sum(axis=0) - grid.nodes**2 / 2
    weights = np.exp(logs - logs.max())
    mean = (weights * grid.nodes).sum() / weights.sum()
    sd = math.sqrt((weights * (grid.nodes - mean) ** 2).sum() / weights.sum())
    assert eap(grid, range(1500), ENDS[pattern]) == pytest.approx((mean, sd), abs=1e-9)


def test_a_posterior_made_anew_is_the_one_that_grew():
    """Where nothing left the range of doubles both are exact; the prior may be a candidate's own."""
    rng = np.random.default_rng(6)
    items = rng.integers(0, 1500, 120)
    scores = np.array([rng.integers(highest_score(LONG, i) + 1) for i in items])
    grid = build_grid(LONG, nodes=81, limit=4.0, mean=0.0, sd=1.0)
    own = np.exp(-0.5 * ((grid.nodes - 0.7) / 0.6) ** 2)
    grown, anew = own.copy(), np.empty(81)
    for n in range(120):
        assert not update_posterior(grid, grown, n, items[n], scores[n])
    rebuild_posterior(grid, own, anew, items, scores, 120)
    assert posterior_moments(grid.nodes, anew) == pytest.approx(posterior_moments(grid.nodes, grown), abs=1e-12)


@pytest.mark.parametrize("kind", [DICHOTOMOUS, GRADED, PARTIAL])
@pytest.mark.parametrize("method", [ML, MAP, WLE])
@pytest.mark.parametrize("score", [0, 1])
def test_1500_like_items_all_lowest_or_all_highest_end_as_they_must(kind, method, score):
    """Under ML at the fence; under MAP and WLE inside, farther out than half a logit."""
    bank = mixed(a=[1.3], c=[0.0], d=[1.0], kind=[kind], steps=[(0.2,)])
    theta, se = estimate(method, bank, [0] * 1500, [score] * 1500, fences=(-9.0, 9.0))
    assert (abs(theta) == 9.0) == (method == ML)
    assert (theta > 0.2) == (score == 1)
    assert 0 < se < math.inf


@pytest.mark.parametrize("method", [ML, MAP, WLE])
def test_answers_that_no_ability_explains_leave_a_finite_estimate(method):
    """At the limits of what a bank file admits: slopes of 20, steps at ±50, the unlikeliest scores."""
    bank = mixed(a=[20.0] * 4, c=[0] * 4, d=[1] * 4, kind=[GRADED, PARTIAL] * 2,
                 steps=[(-50, -49.9999), (-50, -49.9), (49, 50), (49.9, 50)])  # fmt: skip
    for scores in itertools.product(range(3), repeat=4):
        theta, se = estimate(method, bank, range(4), scores)
        assert -4 <= theta <= 4
        assert se > 0
    for score in range(3):
        for item in range(4):
            assert all(map(math.isfinite, answer_terms(bank, item, score, 0.0)))
    assert np.isfinite(category_curves(np.array([-60.0, 0.0, 60.0]), bank)).all()
    assert np.isfinite(item_information(np.array([-60.0, -50.0, 60.0]), bank)).all()

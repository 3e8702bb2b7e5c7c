"""Ability estimates against numerical integration, numerical optimisation and Warm's equation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar

from issmp_cat.ability import build_grid, estimator_code, maximise, posterior_moments, update_posterior
from issmp_cat.ability.maximum import MAP, ML, WLE
from issmp_cat.irt import dichotomous

STANDARD = (0.0, 1.0)
FENCES = (-4.0, 4.0)


def curve(theta, a, b, c, d):
    """The model, written out here a second time."""
    return c + (d - c) / (1 + np.exp(-a * (theta - b)))


def log_likelihood(theta, bank, scores):
    p = curve(theta, *bank)
    return float(np.log(np.where(scores == 1, p, 1 - p)).sum())


def random_test(seed, n=20, guess=0.3):
    rng = np.random.default_rng(seed)
    bank = (rng.uniform(0.4, 2.2, n), rng.normal(0, 1, n), rng.uniform(0, guess, n), np.ones(n))
    scores = (rng.random(n) < curve(rng.normal(), *bank)).astype(int)
    return bank, scores


def estimate(method, bank, scores, fences=FENCES, prior=STANDARD):
    return maximise(method, dichotomous(*bank), np.arange(len(scores)), scores, len(scores), fences, prior)


def eap(bank, items, scores, *, nodes=41, limit=4.0, mean=0.0, sd=1.0):
    grid = build_grid(dichotomous(*bank), nodes=nodes, limit=limit, mean=mean, sd=sd)
    weights = grid.prior.copy()
    for n, (item, score) in enumerate(zip(items, scores, strict=True)):
        update_posterior(grid, weights, n, item, score)
    return posterior_moments(grid.nodes, weights)


# ---- EAP


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (0.4, 1.3)])
def test_the_posterior_mean_and_sd_are_the_integrals(seed, mean, sd):
    bank, scores = random_test(seed)

    def moment(power):
        def integrand(theta):
            density = math.exp(log_likelihood(theta, bank, scores) + 20 - 0.5 * ((theta - mean) / sd) ** 2)
            return theta**power * density

        return quad(integrand, mean - 6 * sd, mean + 6 * sd, epsabs=0, epsrel=1e-10, limit=200)[0]

    mass, first, second = (moment(power) for power in range(3))
    theta, se = eap(bank, range(20), scores, nodes=121, limit=6.0 * sd, mean=mean, sd=sd)
    # Equally spaced nodes are spectrally accurate for such bells; ±6 SDs leave out 2e-9.
    assert theta == pytest.approx(first / mass, abs=1e-7)
    assert se == pytest.approx(math.sqrt(second / mass - (first / mass) ** 2), abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_forty_one_nodes_on_four_logits_are_within_five_thousandths(seed):
    """The exam's own grid on a whole test, as docs/model.md claims."""
    bank, scores = random_test(100 + seed, n=125)
    coarse = eap(bank, range(125), scores)
    fine = eap(bank, range(125), scores, nodes=961, limit=6.0)
    assert coarse == pytest.approx(fine, abs=0.005)


def test_without_answers_the_posterior_is_the_population():
    bank, _ = random_test(1)
    assert eap(bank, [], [], nodes=161, limit=8.0, mean=0.3, sd=1.2) == pytest.approx((0.3, 1.2), abs=1e-9)


@settings(max_examples=40)
@given(st.permutations(range(40)), st.integers(0, 20))
def test_the_order_of_answers_does_not_matter(order, seed):
    bank, scores = random_test(seed, n=40)
    assert eap(bank, order, scores[order]) == pytest.approx(eap(bank, range(40), scores), abs=1e-9)


@pytest.mark.parametrize("pairs", [50, 250, 500, 750])
def test_rights_first_then_wrongs_end_where_alternation_ends(pairs):
    """The nodes that win in the end are hundreds of nats behind at half-time: they must not have been given up."""
    bank = tuple(np.full(1, value) for value in (1.0, 0.0, 0.0, 1.0))
    blocked = eap(bank, [0] * (2 * pairs), [1] * pairs + [0] * pairs)
    assert blocked == pytest.approx(eap(bank, [0] * (2 * pairs), [1, 0] * pairs), abs=1e-9)
    assert blocked[0] == pytest.approx(0.0, abs=1e-9)


def test_a_mixed_bank_of_1500_with_all_rights_first_gives_the_sum_of_logarithms():
    bank, scores = random_test(3, n=1500)
    order = np.argsort(-scores, kind="stable")
    nodes = np.linspace(-4, 4, 161)
    logs = np.array([log_likelihood(at, bank, scores) for at in nodes]) - nodes**2 / 2
    weights = np.exp(logs - logs.max())
    mean = (weights * nodes).sum() / weights.sum()
    sd = math.sqrt((weights * (nodes - mean) ** 2).sum() / weights.sum())
    assert eap(bank, order, scores[order], nodes=161) == pytest.approx((mean, sd), abs=1e-9)


@pytest.mark.parametrize("score", [0, 1])
def test_1500_answers_all_alike_stay_on_the_grid(score):
    bank, _ = random_test(4, n=1500)
    theta, se = eap(bank, range(1500), [score] * 1500)
    assert 3 < abs(theta) <= 4
    assert (theta > 0) == (score == 1)
    assert 0 <= se < 1


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 200])
def test_answers_that_no_ability_explains_leave_a_finite_estimate(n):
    """Hard items right and easy ones wrong, at the limits of what a bank file admits."""
    bank = tuple(np.array(values) for values in ([20.0, 20.0], [50.0, -50.0], [0.0, 0.0], [1.0, 1.0]))
    items = [k % 2 for k in range(n)]
    theta, se = eap(bank, items, [1 - item for item in items])
    assert -4 <= theta <= 4
    assert 0 < se <= 4


# ---- ML, MAP


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("method", [ML, MAP])
def test_the_modes_are_the_highest_points_that_a_dense_search_finds(seed, method):
    bank, scores = random_test(seed, n=2 + seed)

    def height(theta):
        return log_likelihood(theta, bank, scores) - (theta**2 / 2 if method == MAP else 0)

    found = estimate(method, bank, scores)
    around = max(np.linspace(*FENCES, 801), key=height)
    best = minimize_scalar(lambda theta: -height(theta), bounds=(around - 0.01, around + 0.01), method="bounded")
    assert FENCES[0] <= found.theta <= FENCES[1]
    assert height(found.theta) >= max(height(float(np.clip(best.x, *FENCES))), height(around)) - 1e-10


@pytest.mark.parametrize("seed", range(10))
def test_a_mode_inside_the_fences_has_no_slope(seed):
    bank, scores = random_test(seed, n=30)
    theta = estimate(MAP, bank, scores).theta
    h = 1e-5
    rise = log_likelihood(theta + h, bank, scores) - log_likelihood(theta - h, bank, scores)
    # Central differences at h = 1e-5 see slopes above 1e-9.
    assert rise / (2 * h) - theta == pytest.approx(0, abs=1e-7)


def test_standard_errors_are_one_over_the_root_of_information():
    bank = tuple(np.array(values) for values in ([1.0] * 2, [-1.0, 1.0], [0.0] * 2, [1.0] * 2))
    p = 1 / (1 + math.e)
    info = 2 * p * (1 - p)
    assert estimate(ML, bank, np.array([1, 0])) == pytest.approx((0, 1 / math.sqrt(info)), abs=1e-12)
    assert estimate(MAP, bank, np.array([1, 0]), prior=(0, 0.5)) == pytest.approx(
        (0, 1 / math.sqrt(info + 4)), abs=1e-12
    )


@pytest.mark.parametrize(("score", "fence"), [(0, 0), (1, 1)])
def test_all_wrong_and_all_right_end_at_the_fences_under_ml(score, fence):
    bank, _ = random_test(7)
    found = estimate(ML, bank, np.full(20, score), fences=(-3.5, 5.0))
    assert found.theta == (-3.5, 5.0)[fence]
    assert math.isfinite(found.se)


@pytest.mark.parametrize("method", [MAP, WLE])
@pytest.mark.parametrize("score", [0, 1])
def test_all_wrong_and_all_right_stay_inside_under_map_and_wle(method, score):
    bank = tuple(np.array(values) for values in ([1.0] * 10, np.linspace(-1, 1, 10), [0.0] * 10, [1.0] * 10))
    found = estimate(method, bank, np.full(10, score), fences=(-8.0, 8.0))
    assert 0.5 < abs(found.theta) < 6
    assert (found.theta > 0) == (score == 1)


def test_no_information_is_an_infinite_standard_error_not_a_crash():
    bank = tuple(np.full(1, value) for value in (20.0, 50.0, 0.0, 1.0))
    assert estimate(ML, bank, np.array([0])).se == math.inf


@pytest.mark.parametrize("method", [ML, MAP, WLE])
def test_1500_answers_are_numerically_safe(method):
    n = 1500
    bank = tuple(np.full(n, value) for value in (1.3, 0.25, 0.0, 1.0))
    scores = np.array([1] * (n // 2) + [0] * (n // 2))
    found = estimate(method, bank, scores, prior=(0.25, 1.0))
    assert found.theta == pytest.approx(0.25, abs=1e-9)
    information = n * 1.3**2 / 4 + (1.0 if method == MAP else 0.0)
    assert found.se == pytest.approx(1 / math.sqrt(information), rel=1e-9)


@pytest.mark.parametrize("method", [ML, MAP, WLE])
def test_maxima_do_not_depend_on_the_order_of_answers(method):
    bank, scores = random_test(11, n=30)
    order = np.random.default_rng(1).permutation(30)
    shuffled = estimate(method, tuple(x[order] for x in bank), scores[order])
    assert shuffled == pytest.approx(estimate(method, bank, scores), abs=1e-9)


# ---- WLE


def warms_equation(theta, bank, scores):
    """l' + J / (2 I) with every derivative of P taken numerically (Warm, 1989, eqs. 7 to 9)."""
    h = 1e-3
    p = curve(theta, *bank)
    low, high = curve(theta - h, *bank), curve(theta + h, *bank)
    lower, higher = curve(theta - 2 * h, *bank), curve(theta + 2 * h, *bank)
    first = (8 * (high - low) - (higher - lower)) / (12 * h)
    second = (-higher + 16 * high - 30 * p + 16 * low - lower) / (12 * h * h)
    score = (first * (scores - p) / (p * (1 - p))).sum()
    return score + (first * second / (p * (1 - p))).sum() / (2 * (first**2 / (p * (1 - p))).sum())


@pytest.mark.parametrize("seed", range(20))
def test_warms_estimate_solves_warms_equation(seed):
    bank, scores = random_test(seed, n=15, guess=0.25)
    theta = estimate(WLE, bank, scores, fences=(-8.0, 8.0)).theta
    if abs(theta) > 7.9:
        pytest.fail("an estimate at the fence proves nothing; choose another seed")
    # Five-point differences at h = 1e-3 are good to 1e-9; the root lies where the equation changes sign.
    root = brentq(warms_equation, theta - 0.02, theta + 0.02, args=(bank, scores), xtol=1e-12)
    assert theta == pytest.approx(root, abs=1e-6)


@pytest.mark.parametrize("right", range(9))
def test_warms_estimate_in_the_rasch_model_is_jeffreys_mode(right):
    """Without guessing Warm's weight is √I, so the estimate maximises L √I (Warm, 1989, p. 431)."""
    b = np.linspace(-1.5, 1.5, 8)
    bank = (np.ones(8), b, np.zeros(8), np.ones(8))
    scores = np.array([1] * right + [0] * (8 - right))

    def height(theta):
        p = curve(theta, *bank)
        return log_likelihood(theta, bank, scores) + 0.5 * math.log((p * (1 - p)).sum())

    best = minimize_scalar(lambda theta: -height(theta), bounds=(-6, 6), method="bounded", options={"xatol": 1e-10})
    # A maximum can be located to the root of rounding, 1e-8, times the flatness of these short tests.
    assert estimate(WLE, bank, scores, fences=(-6.0, 6.0)).theta == pytest.approx(best.x, abs=1e-6)


def test_warms_estimate_is_less_biased_than_maximum_likelihood():
    """Exactly, over all 2¹⁰ answer patterns of a ten-item Rasch test at θ = 1: no simulation, no chance."""
    bank = (np.ones(10), np.linspace(-1, 1, 10), np.zeros(10), np.ones(10))
    p = curve(1.0, *bank)
    bias = dict.fromkeys((ML, WLE), 0.0)
    by_total = {}
    for pattern in itertools.product((0, 1), repeat=10):
        scores = np.array(pattern)
        chance = float(np.where(scores == 1, p, 1 - p).prod())
        for method in bias:
            key = method, sum(pattern)  # the total is sufficient in the Rasch model
            if key not in by_total:
                by_total[key] = estimate(method, bank, scores, fences=(-6.0, 6.0)).theta
            bias[method] += chance * (by_total[key] - 1.0)
    assert abs(bias[WLE]) < 0.25 * abs(bias[ML])


def test_estimators_have_four_names():
    assert {estimator_code(name) for name in ("eap", "map", "ml", "wle")} == {0, ML, MAP, WLE}
    assert len({0, ML, MAP, WLE}) == 4

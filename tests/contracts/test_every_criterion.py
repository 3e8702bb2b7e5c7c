"""What every selection criterion owes: one suite for all, then each against its definition, computed another way."""

import itertools
import math
from typing import get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import issmp_simulations.kernel  # noqa: F401  registers the engine's functions with the compiler
from issmp_cat.ability import build_grid, posterior_mean, posterior_moments, update_posterior
from issmp_cat.compiled import jit
from issmp_cat.irt import Parameters, build_parameters, category_curves, item_information, select
from issmp_cat.irt.parameters import DICHOTOMOUS, GRADED, PARTIAL
from issmp_cat.selection.criteria import TIE_BREAK, new_workspace, score_all
from issmp_cat.selection.criteria_tables import CriterionName, build_criterion
from issmp_cat.selection.pool import QUANTUM

NAMES = get_args(CriterionName)
BY_CHANCE = {"random"}
LENGTH, CUT = 30, -0.3


def mixed_bank() -> Parameters:
    """Sixty items: Rasch, 2PL, 3PL and 4PL, graded with four scores, partial credit with three and with five."""
    rng = np.random.default_rng(5)
    kinds = np.repeat([DICHOTOMOUS, GRADED, PARTIAL], [40, 10, 10])
    a, b = rng.lognormal(0, 0.3, 60), rng.normal(0, 1, 60)
    c, d = np.zeros(60), np.ones(60)
    a[:10] = 1.0
    c[20:40], d[30:40] = 0.2, 0.95
    counts = np.repeat([1, 3, 2, 4], [40, 10, 5, 5])
    steps = [np.array([b[i]]) if n == 1 else b[i] + np.linspace(-1.2, 1.2, n) for i, n in enumerate(counts)]
    return build_parameters(a, b, c, d, kinds, steps)


BANK = mixed_bank()
SCORES = np.diff(BANK.first)
GRID = build_grid(BANK, nodes=41, limit=4.0, mean=0.0, sd=1.0)


def answered(answers):
    """The posterior after answers, given as pairs of item and score."""
    weights = GRID.prior.copy()
    for n, (item, score) in enumerate(answers):
        update_posterior(GRID, weights, n, item, score)
    return weights


def typical(theta, n, seed):
    """Answers of a candidate at θ, by numpy's generator rather than our own streams."""
    rng = np.random.default_rng(seed)
    curves = category_curves(np.array([theta]), BANK)[:, 0]
    items = rng.choice(60, n, replace=False)
    return [(i, rng.choice(SCORES[i], p=curves[BANK.first[i] : BANK.first[i + 1]])) for i in items]


POSTERIORS = {
    "no answer yet": GRID.prior,
    "1 answer": answered([(0, 1)]),
    "10 at the cut": answered(typical(CUT, 10, 1)),
    "30 far above": answered(typical(1.5, 30, 2)),
    "30 far below": answered(typical(-2.0, 30, 3)),
    "500 right": answered([(n % 60, SCORES[n % 60] - 1) for n in range(500)]),
    "500 wrong": answered([(n % 60, 0) for n in range(500)]),
    "250 right, 250 wrong": answered([(n % 60, (SCORES[n % 60] - 1) * (n < 250)) for n in range(500)]),
}


def built(name, *, parameters=BANK, grid=GRID, **options):
    return build_criterion(name, parameters, grid, cut=CUT, length=LENGTH, **options)


def scored(
    criterion,
    weights,
    *,
    n=5,
    seed=1,
    person=0,
    theta=None,
    blocked=None,
    score=score_all,
    space=None,
    prior=GRID.prior,
):
    items = len(criterion.location)
    blocked = np.zeros(items, dtype=np.int64) if blocked is None else blocked
    theta = posterior_moments(GRID.nodes, weights)[0] if theta is None else theta
    out = np.zeros(items)
    space = new_workspace(criterion) if space is None else space
    score(criterion, space, weights, prior, theta, n, seed, person, blocked, out)
    return out


@jit(allocates=False)
def compiled_scores(criterion, space, weights, prior, theta, n, seed, person, blocked, out):
    score_all(criterion, space, weights, prior, theta, n, seed, person, blocked, out)


@pytest.fixture(params=itertools.product(NAMES, (None, 0.0, 1.0)), ids=lambda p: f"{p[0]}-{p[1]}")
def criterion(request):
    name, progressive = request.param
    return built(name, progressive=progressive)


@pytest.fixture(params=POSTERIORS)
def weights(request):
    return POSTERIORS[request.param]


def test_every_score_is_finite_and_never_negative(criterion, weights):
    found = scored(criterion, weights)
    assert np.isfinite(found).all()
    assert found.min() >= 0


def test_every_score_has_the_same_bits_compiled_or_not(criterion, weights):
    blocked = (np.arange(60) % 7 == 0).astype(np.int64)
    plain = scored(criterion, weights, blocked=blocked)
    compiled = scored(criterion, weights, blocked=blocked, score=compiled_scores)
    assert plain.tobytes() == compiled.tobytes()


def test_every_score_depends_on_no_scratch_left_from_before(criterion, weights):
    space = new_workspace(criterion)
    for array in space:
        array.fill(np.nan)
    used = scored(criterion, weights, space=space)
    assert_array_equal(used, scored(criterion, weights))
    assert_array_equal(scored(criterion, weights, space=space), used)


def test_every_score_depends_on_the_shape_of_the_posterior_not_on_its_size(criterion, weights):
    assert_array_equal(scored(criterion, weights / 2**20), scored(criterion, weights))


@pytest.mark.parametrize("sd", [0.01, 0.05, 0.2, 1.5])
def test_every_score_is_finite_whatever_the_candidate_s_own_prior(criterion, sd):
    """A small SD leaves nothing at all at the far nodes; all right then pulls where it leaves next to nothing."""
    prior = np.exp(-0.5 * ((GRID.nodes + 1) / sd) ** 2)
    weights = prior.copy()
    for n in range(101):
        if n in {0, 1, 100}:
            found = scored(criterion, weights, prior=prior)
            assert np.isfinite(found).all()
            assert found.min() >= 0
        update_posterior(GRID, weights, n, n % 60, SCORES[n % 60] - 1)


def test_the_likelihood_does_not_depend_on_the_prior_it_is_divided_out_of():
    answers = typical(0.5, 20, 6)
    for name in ("mlwi", "kl", "gdi"):
        usual = scored(built(name), answered(answers), theta=0.5)
        prior = np.exp(-0.5 * ((GRID.nodes + 1) / 0.3) ** 2)
        weights = prior.copy()
        for n, (item, score) in enumerate(answers):
            update_posterior(GRID, weights, n, item, score)
        assert_allclose(scored(built(name), weights, prior=prior, theta=0.5), usual, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_CHANCE])
def test_every_item_scores_alike_wherever_it_stands_in_the_bank(name, weights):
    order = np.random.default_rng(8).permutation(60)
    bank = select(BANK, order)
    grid = build_grid(bank, nodes=41, limit=4.0, mean=0.0, sd=1.0)
    elsewhere = scored(built(name, parameters=bank, grid=grid), weights)
    assert_array_equal(elsewhere, scored(built(name), weights)[order])


@pytest.mark.parametrize("name", NAMES)
def test_every_criterion_still_tells_items_apart_when_rounded_for_selection(name, weights):
    found = np.rint(scored(built(name), weights) / QUANTUM)
    assert len(set(found)) >= 57


@pytest.mark.parametrize("name", NAMES)
def test_every_criterion_ends_progressive_weighting_as_itself_and_begins_with_chance(name, weights):
    plain, mixed = scored(built(name), weights), built(name, progressive=1.0)
    if name not in BY_CHANCE:
        assert_array_equal(scored(mixed, weights, n=LENGTH - 1), plain)
        first = scored(mixed, weights, n=0)
        assert 0 <= first.min() < first.max() <= plain.max()
    assert (scored(mixed, weights, n=0) != scored(mixed, weights, n=0, person=1)).all()
    assert (scored(mixed, weights, n=0) != scored(mixed, weights, n=0, seed=2)).all()
    assert_array_equal(scored(mixed, weights, n=0), scored(mixed, weights, n=0))


def test_progressive_chance_is_even_between_0_and_the_best_open_item():
    """Revuelta & Ponsoda's interval; 18,000 draws: the mean's standard error is 0.2 % of the interval."""
    weights = POSTERIORS["10 at the cut"]
    plain, mixed = scored(built("mpwi"), weights), built("mpwi", progressive=0.0)
    blocked = np.zeros(60, dtype=np.int64)
    blocked[plain.argmax()] = 1
    best = plain[blocked == 0].max()
    draws = [scored(mixed, weights, n=0, person=p, blocked=blocked)[blocked == 0] for p in range(300)]
    assert np.max(draws) < best
    assert np.max(draws) > 0.999 * best
    assert_allclose(np.mean(draws), best / 2, rtol=0.012)
    half = scored(mixed, weights, n=6, blocked=blocked)[blocked == 0]
    share = 6 / (LENGTH - 1)
    assert (half >= share * plain[blocked == 0]).all()
    assert (half <= share * plain[blocked == 0] + (1 - share) * best).all()


def test_twice_the_information_is_twice_the_weighted_information(weights):
    for name in ("mpwi", "mlwi"):
        criterion = built(name)
        doubled = criterion._replace(at_nodes=2 * criterion.at_nodes)
        assert_array_equal(scored(doubled, weights), 2 * scored(criterion, weights))


def shares(weights):
    return weights / weights.sum()


def after_each_score(weights, item):
    """Chance of each score and the posterior after it, by Bayes."""
    joint = shares(weights) * GRID.likelihood[BANK.first[item] : BANK.first[item + 1]]
    chance = joint.sum(axis=1)
    return chance, joint / chance[:, None]


def variance(posterior):
    mean = posterior @ GRID.nodes
    return posterior @ (GRID.nodes - mean) ** 2


def test_weighted_information_is_its_mean_over_the_posterior_or_the_likelihood(weights):
    """Scores of 0 to 4: information comes from the chances' slopes, by differences."""
    h = 1e-5
    low, here, high = (category_curves(GRID.nodes + step, BANK) for step in (-h, 0, h))
    by_score = ((high - low) / (2 * h)) ** 2 / here
    information = np.add.reduceat(by_score, BANK.first[:-1], axis=0)
    assert_allclose(scored(built("mpwi"), weights), information @ shares(weights), rtol=1e-6)
    assert_allclose(scored(built("mlwi"), weights), information @ shares(weights / GRID.prior), rtol=1e-6)


def test_the_reduction_of_variance_is_the_variance_less_the_one_expected(weights):
    now = variance(shares(weights))
    wanted = []
    for item in range(60):
        chance, posteriors = after_each_score(weights, item)
        wanted.append(now - sum(p * variance(q) for p, q in zip(chance, posteriors, strict=True)))
    # The difference of two near numbers carries their rounding; ours is no difference.
    assert_allclose(scored(built("mepv"), weights), wanted, rtol=1e-9, atol=1e-13 * max(1, now))


@pytest.mark.parametrize("name", ["kl", "klp"])
@pytest.mark.parametrize("theta", [-1.7, 0.0, 0.45])
def test_divergence_is_its_definition_summed_node_by_node(name, theta, weights):
    weigh = shares(weights / GRID.prior) if name == "kl" else shares(weights)
    here = category_curves(np.array([theta]), BANK)[:, 0]
    wanted = np.zeros(60)
    for item in range(60):
        for row in range(BANK.first[item], BANK.first[item + 1]):
            for share, chance in zip(weigh, GRID.likelihood[row], strict=True):
                wanted[item] += share * here[row] * math.log(here[row] / chance)
    assert_allclose(scored(built(name), weights, theta=theta), wanted, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("points", "tolerance"), [({}, 2e-3), ({"step": 0.002, "points": 4001}, 5e-6)])
def test_expected_information_is_that_at_the_mean_after_each_answer(points, tolerance, weights):
    """Interpolated between points 0.05 apart, good to 2e-3; the error falls with the square of their distance."""
    wanted = np.zeros(60)
    for item in range(60):
        for chance, posterior in zip(*after_each_score(weights, item), strict=True):
            mean = np.array([posterior @ GRID.nodes])
            wanted[item] += chance * item_information(mean, select(BANK, np.array([item])))[0, 0]
    assert_allclose(scored(built("mei", **points), weights), wanted, atol=tolerance)


def test_discrimination_indices_are_variances_of_the_chance_of_being_right(weights):
    right = GRID.likelihood[BANK.first[:40] + 1]
    for name, weigh in (("gdip", shares(weights)), ("gdi", shares(weights / GRID.prior))):
        wanted = weigh @ (right - (right @ weigh)[:, None]).T ** 2
        assert_allclose(scored(built(name), weights)[:40], wanted, rtol=1e-9, atol=1e-15)


def test_matching_difficulty_prefers_the_nearest(weights):
    theta = posterior_mean(GRID.nodes, weights)[0]
    found = scored(built("b_matching"), weights)
    distance = abs(BANK.b - theta)
    assert_array_equal(np.argsort(-found, kind="stable"), np.argsort(distance, kind="stable"))


ABOVE = GRID.nodes > CUT  # the cut lies midway between two nodes: no node is divided


def risk(posterior):
    above = posterior @ ABOVE
    return min(above, 1 - above)


@pytest.mark.parametrize("answers", [0, 1, 3, 5])
def test_the_reduction_of_risk_is_the_one_expected_by_enumeration(answers):
    weights = answered(typical(CUT, answers, 11))
    now = risk(shares(weights))
    wanted = []
    for item in range(60):
        chance, posteriors = after_each_score(weights, item)
        wanted.append(1 - sum(p * risk(q) for p, q in zip(chance, posteriors, strict=True)) / now)
    found = scored(built("misclassification"), weights)
    assert max(wanted) > 100 * TIE_BREAK
    assert_allclose(found, wanted, atol=TIE_BREAK)
    assert (found >= np.array(wanted) - 1e-12).all()


def test_where_no_answer_turns_the_decision_the_quadratic_risk_decides(weights):
    """In the order of what the answer takes from p (1 − p) on average, and worth less than any turning."""
    found = scored(built("misclassification"), weights)
    gained = []
    for item in range(60):
        chance, posteriors = after_each_score(weights, item)
        above = posteriors @ ABOVE
        gained.append(chance @ (above - chance @ above) ** 2)
    idle = found < TIE_BREAK
    order = np.argsort(-found[idle], kind="stable")
    gained = np.array(gained)[idle][order]
    # Brute force loses what is below rounding; where it does not, the orders agree.
    assert (np.diff(gained) <= 1e-9 * gained[:-1] + 1e-16).all()


def test_the_reduction_of_risk_is_what_candidates_gain():
    """400,000 candidates drawn from the posterior answer one item, and are decided upon by Bayes' rule."""
    weights = answered(typical(CUT, 5, 11))
    posterior = shares(weights)
    found = scored(built("misclassification"), weights)
    item = int(found.argmax())
    rng = np.random.default_rng(4)
    node = rng.choice(41, 400_000, p=posterior)
    rows = GRID.likelihood[BANK.first[item] : BANK.first[item + 1]]
    score = (rng.random(400_000) > np.cumsum(rows, axis=0)[:-1, node]).sum(axis=0)
    _, posteriors = after_each_score(weights, item)
    decided = (posteriors @ ABOVE > 0.5)[score]
    before = ABOVE[node] != (posterior @ ABOVE > 0.5)
    gain = before.astype(float) - (decided != ABOVE[node])
    # Five standard errors: one false alarm in two million runs.
    error = 5 * gain.std() / math.sqrt(len(gain)) / risk(posterior)
    assert gain.mean() / risk(posterior) == pytest.approx(found[item], abs=error)
    assert error < 0.02

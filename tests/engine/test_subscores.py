"""Domain scores that borrow strength are the posterior they say they are, and nearer the truth than domains alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from issmp_cat import Exam
from issmp_cat.report.subscores import augmented

QUOTAS = Exam.load("issmp").blueprint.quotas(125)


def alone(x, v, mean, sd):
    """Posterior of one domain under its own normal prior, from an estimate x with error variance v."""
    weight = sd**2 / (sd**2 + v)
    return mean + weight * (x - mean), np.sqrt(sd**2 * (1 - weight))


@given(
    st.lists(st.floats(-3, 3), min_size=2, max_size=6),
    st.floats(-1, 1), st.floats(0.3, 2), st.floats(0, 0.99), st.integers(0, 2**32),
)  # fmt: skip
def test_it_is_conditioning_in_the_joint_normal_distribution_of_truths_and_estimates(x, mean, sd, rho, seed):
    """By the Schur complement of the joint covariance of (τ, x), which the code never builds."""
    x, n = np.array(x), len(x)
    v = np.random.default_rng(seed).uniform(0.05, 3.0, n)
    truth = sd**2 * (np.full((n, n), rho) + (1 - rho) * np.eye(n))
    joint = np.block([[truth, truth], [truth, truth + np.diag(v)]])
    gain = np.linalg.solve(joint[n:, n:], joint[n:, :n]).T
    expected = mean + gain @ (x - mean)
    covariance = joint[:n, :n] - gain @ joint[n:, :n]
    theta, se = augmented(*alone(x, v, mean, sd), mean=mean, sd=sd, correlation=rho)
    assert_allclose(theta, expected, atol=1e-9)
    assert_allclose(se, np.sqrt(np.diagonal(covariance)), atol=1e-9)


def test_two_domains_by_numerical_integration():
    """The joint posterior on a fine square grid, from Bayes' theorem."""
    mean, sd, rho, x, v = 0.2, 1.1, 0.7, np.array([1.0, -0.6]), np.array([0.4, 0.2])
    axis = np.linspace(-7, 7, 701)
    one, two = np.meshgrid(axis, axis, indexing="ij")
    z, w = (one - mean) / sd, (two - mean) / sd
    log = -(z**2 - 2 * rho * z * w + w**2) / (2 * (1 - rho**2))
    log -= (one - x[0]) ** 2 / (2 * v[0]) + (two - x[1]) ** 2 / (2 * v[1])
    p = np.exp(log - log.max())
    p /= p.sum()
    means = [(p * one).sum(), (p * two).sum()]
    sds = [np.sqrt((p * (one - means[0]) ** 2).sum()), np.sqrt((p * (two - means[1]) ** 2).sum())]
    theta, se = augmented(*alone(x, v, mean, sd), mean=mean, sd=sd, correlation=rho)
    assert_allclose(theta, means, atol=1e-8)
    assert_allclose(se, sds, atol=1e-8)


def test_without_correlation_every_domain_keeps_its_own_posterior():
    means, sds = np.array([0.4, -1.2, 0.0]), np.array([0.3, 0.6, 1.0])
    theta, se = augmented(means, sds, mean=0.0, sd=1.0, correlation=0.0)
    assert_allclose(theta, means, atol=1e-12)
    assert_allclose(se, sds, atol=1e-12)


def test_a_domain_without_answers_stands_where_the_others_put_it():
    """The regression of one normal variable on another: ρ times the other's posterior mean."""
    theta, se = augmented(np.array([1.0, 0.0]), np.array([0.5, 1.0]), mean=0.0, sd=1.0, correlation=0.8)
    assert_allclose(theta[1], 0.8 * theta[0])
    assert_allclose(se[1] ** 2, 1 - 0.8**2 + 0.8**2 * 0.5**2)


def test_one_domain_alone_has_nobody_to_borrow_from():
    theta, se = augmented(np.array([0.7]), np.array([0.4]), mean=0.0, sd=1.0, correlation=0.9)
    assert_allclose((theta, se), ([0.7], [0.4]))


def test_answers_that_widen_a_posterior_do_no_harm():
    """A lucky guess under a three-parameter model can leave an SD above the prior's."""
    theta, se = augmented(np.array([0.1, 0.5]), np.array([1.02, 0.4]), mean=0.0, sd=1.0, correlation=0.9)
    assert np.isfinite(theta).all()
    assert (se <= 1.0 + 1e-12).all()


# ---- with answers: against the exact posterior, and against the truth


def candidates(rho, n, seed):
    """True domain abilities, and answers to an ISSMP-sized test: 125 2PL items, 28 to 15 a domain."""
    rng = np.random.default_rng(seed)
    domains = len(QUOTAS)
    truth = np.sqrt(rho) * rng.normal(size=(n, 1)) + np.sqrt(1 - rho) * rng.normal(size=(n, domains))
    items = [(np.exp(rng.normal(0, 0.3, q)), rng.normal(-0.2, 1, q)) for q in QUOTAS]
    answers = [
        rng.random((n, q)) < 1 / (1 + np.exp(-a * (truth[:, [k]] - b)))
        for k, (q, (a, b)) in enumerate(zip(QUOTAS, items, strict=True))
    ]
    return truth, items, answers


NODES = np.linspace(-5, 5, 101)


def likelihoods(items, answers):
    """Of each domain's answers at every node. Shape (domains, persons, nodes), largest 1."""
    found = []
    for (a, b), right in zip(items, answers, strict=True):
        p = 1 / (1 + np.exp(-a[:, None] * (NODES - b[:, None])))
        log = right @ np.log(p) + ~right @ np.log(1 - p)
        found.append(np.exp(log - log.max(axis=1, keepdims=True)))
    return np.array(found)


def moments(weights):
    total = weights.sum(axis=-1)
    mean = weights @ NODES / total
    return mean, np.sqrt((weights * (NODES - mean[..., None]) ** 2).sum(axis=-1) / total)


def exact(like, rho):
    """Given the common factor the domains are independent: their posterior by quadrature over both, no normality."""
    common = np.linspace(-5, 5, 101)
    prior = np.exp(-((NODES - np.sqrt(rho) * common[:, None]) ** 2) / (2 * (1 - rho)))
    given_common = like @ prior.T  # domains, persons, common
    whole = np.prod(given_common / given_common.max(axis=2, keepdims=True), axis=0) * np.exp(-(common**2) / 2)
    joint = (whole / given_common) @ prior  # what the factor and the other domains say of each domain
    return moments(like * joint)


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_the_normal_approximation_is_near_the_exact_posterior(rho):
    """15 to 28 answers a domain: θ within a fifth of the smallest SE reached; SE worst where nearly all is right."""
    _, items, answers = candidates(rho, 300, 1)
    like = likelihoods(items, answers)
    own = moments(like * np.exp(-(NODES**2) / 2))
    theta, se = np.array(
        [augmented(own[0][:, p], own[1][:, p], mean=0.0, sd=1.0, correlation=rho) for p in range(300)]
    ).transpose(1, 2, 0)
    expected, expected_se = exact(like, rho)
    assert np.sqrt(np.mean((theta - expected) ** 2)) < 0.05
    away = np.abs(se / expected_se - 1)
    assert away.mean() < 0.03
    assert away.max() < 0.25


@pytest.mark.parametrize(("rho", "gain"), [(0.5, 0.97), (0.8, 0.9), (0.9, 0.85)])
def test_borrowing_brings_every_domain_nearer_the_truth(rho, gain):
    """2,000 candidates; RMSE by domain against its own answers alone, and 80 % intervals that hold 80 %.

    A share of 12,000 domains has a standard error of at most 0.6 points (candidates' domains go together): a miss by
    2.5 points has a chance below 1e-4.
    """
    truth, items, answers = candidates(rho, 2000, 2)
    own = moments(likelihoods(items, answers) * np.exp(-(NODES**2) / 2))
    theta, se = np.array(
        [augmented(own[0][:, p], own[1][:, p], mean=0.0, sd=1.0, correlation=rho) for p in range(len(truth))]
    ).transpose(1, 0, 2)
    raw = np.sqrt(np.mean((own[0].T - truth) ** 2, axis=0))
    borrowed = np.sqrt(np.mean((theta - truth) ** 2, axis=0))
    assert (borrowed < gain * raw).all()
    assert abs(np.mean(np.abs(theta - truth) < 1.2815516 * se) - 0.8) < 0.025

"""The logistic curve written for vectors against the same curve written plainly."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration.mml.models import dispatch
from issmp_calibration.mml.models.family import LOGISTIC
from issmp_calibration.mml.weights import posterior

NODES = np.linspace(-7.0, 8.0, 43)  # two whole sixteens and a rest
ITEMS = [(1.0, 0.0), (0.3, -1.5), (-2.0, 0.7), (10.0, 30.0), (10.0, -30.0), (0.0, 2.0)]


@pytest.mark.parametrize(("slope", "intercept"), ITEMS)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_log_probabilities_are_those_of_the_plain_curve(slope, intercept, kind):
    parameters = np.array([[slope, intercept, -np.inf, -np.inf]])
    table = np.zeros((2, 48), kind)
    dispatch.fill_log(np.array([LOGISTIC]), np.array([0, 2]), parameters, NODES, table)
    plain = np.empty((2, len(NODES)))
    for node, theta in enumerate(NODES):
        dispatch.chances(LOGISTIC, parameters[0], theta, plain[:, node])
    assert_allclose(table[:, :43], plain, rtol=1e-6 if kind is np.float32 else 1e-13, atol=5e-16)
    assert (table[:, 43:] == 0.0).all()


@pytest.mark.parametrize(("slope", "intercept"), ITEMS)
def test_expected_terms_are_the_sums_of_the_plain_ones(slope, intercept):
    counts = np.random.default_rng(1).random((2, len(NODES)))
    counts[:, :5] = 0.0
    parameters = np.array([slope, intercept, -np.inf, -np.inf])
    gradient, information = np.zeros(4), np.zeros((4, 4))
    value = dispatch.expected(LOGISTIC, counts, NODES, parameters, gradient, information)
    total, first, second = 0.0, np.zeros(4), np.zeros((4, 4))
    for node, theta in enumerate(NODES):
        log_chance, score, curvature = np.zeros(2), np.zeros((2, 4)), np.zeros((2, 4, 4))
        dispatch.terms(LOGISTIC, parameters, theta, log_chance, score, curvature)
        total += counts[:, node] @ log_chance
        first += counts[:, node] @ score
        second -= np.tensordot(counts[:, node], curvature, axes=1)
    assert_allclose(value, total, rtol=1e-13)
    assert_allclose(gradient[:2], first[:2], rtol=1e-12, atol=1e-13)
    assert_allclose(information[:2, :2], second[:2, :2], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_posterior_weights_are_exponentials(kind):
    """Over the whole range of what is not negligible, and 0 beyond; dead nodes have weight 0."""
    nodes = np.arange(48.0)
    total = -np.square(nodes - 11.0) * 0.7
    density = np.where(nodes < 45, -0.01 * nodes, -np.inf)
    weights, moments = total.astype(kind), np.empty(2)
    value = posterior(weights, density.astype(kind), nodes, moments)
    plain = np.exp(total + density - np.logaddexp.reduce(total + density))
    assert_allclose(weights, plain, rtol=1e-5 if kind is np.float32 else 1e-13, atol=1e-36)
    assert (weights[45:] == 0.0).all()
    assert_allclose(value, np.logaddexp.reduce(total + density), rtol=1e-6 if kind is np.float32 else 1e-14, atol=1e-7)
    assert_allclose(moments, [plain @ nodes, np.sqrt(plain @ np.square(nodes - plain @ nodes))], rtol=1e-6)

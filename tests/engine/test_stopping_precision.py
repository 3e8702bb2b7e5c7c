"""Standard-error rules: targets, and the predicted reduction against the posterior worked out answer by answer."""

import math

import numpy as np
import pytest

from issmp_cat.irt import category_probabilities, information
from issmp_cat.stopping import (
    GO_ON,
    LITTLE_TO_GAIN,
    MAXIMUM_LENGTH,
    PRECISE,
    PredictedSeReduction,
    StandardError,
    build_stop_rule,
    stop_reason,
)
from issmp_cat.stopping.precision import se_reduction

NODES = np.linspace(-4, 4, 161)


def rule(*stopping, minimum=5, maximum=10):
    return build_stop_rule(stopping, minimum=minimum, maximum=maximum, cut=0.0, seconds=math.inf)


def posterior(parameters, seed, n):
    """A posterior after ``n`` answers of a candidate from N(0, 1)."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(parameters[0]), n, replace=False)
    curves = category_probabilities(NODES, *(x[chosen] for x in parameters))
    score = (rng.random(n) < curves[np.argmin(abs(NODES - rng.normal())), :, 1]).astype(int)
    weights = np.exp(-0.5 * NODES**2) * np.prod(curves[:, np.arange(n), score], axis=1)
    return weights / weights.sum()


def moments(weights):
    mean = weights @ NODES
    return mean, math.sqrt(weights @ (NODES - mean) ** 2)


@pytest.mark.parametrize("guessing", [False, True])
@pytest.mark.parametrize(("n", "excess"), [(10, 0.4), (40, 0.2), (100, 0.1)])
def test_the_predicted_reduction_is_the_expected_one_and_a_little_more(guessing, n, excess):
    """Directly: the posterior SD after each answer, averaged by the chance of the answer."""
    rng = np.random.default_rng(4)
    size = 300
    parameters = (
        np.clip(np.exp(rng.normal(0, 0.3, size)), 0.4, 2.5),
        rng.normal(-0.2, 1, size),
        rng.beta(8, 32, size) if guessing else np.zeros(size),
        np.ones(size),
    )
    off = []
    for seed in range(20):
        weights = posterior(parameters, seed, n)
        theta, sd = moments(weights)
        info = information(np.array([theta]), *parameters)[0]
        best = int(np.argmax(info))
        curves = category_probabilities(NODES, *(x[[best]] for x in parameters))[:, 0, :]
        chance = weights @ curves
        after = [moments(weights * curves[:, k] / chance[k])[1] for k in (0, 1)]
        direct = sd - float(chance @ after)
        off.append(se_reduction(sd, float(info[best])) / direct - 1)
    # At θ̂ the best item tells more than elsewhere under the posterior, so the prediction is too high, never too low.
    assert 0 < np.mean(off) < excess
    assert np.min(off) > 0 - 0.01


def test_precisions_add():
    for se, info in ((0.5, 0.2), (0.2, 1.0), (2.0, 0.01)):
        assert se_reduction(se, info) == pytest.approx(se - (se**-2 + info) ** -0.5, rel=1e-12)
    assert se_reduction(0.3, 0.0) == 0.0


def test_an_unknown_standard_error_leaves_everything_to_gain_and_reaches_no_target():
    both = rule(StandardError(target=0.3), PredictedSeReduction(hypo=0.01))
    for se in (math.inf, math.nan):
        assert stop_reason(both, None, 7, 0.0, se, 0.2) == GO_ON
        assert stop_reason(both, None, 7, 0.0, se, 0.0) == GO_ON
        assert stop_reason(both, None, 10, 0.0, se, 0.2) == MAXIMUM_LENGTH


def test_the_target_is_reached_at_the_target_and_from_the_minimum_length_on():
    precise = rule(StandardError(target=0.3))
    assert stop_reason(precise, None, 4, 0.0, 0.1, 0.0) == GO_ON
    assert stop_reason(precise, None, 5, 0.0, 0.3, 0.0) == PRECISE
    assert stop_reason(precise, None, 5, 0.0, math.nextafter(0.3, 1), 0.0) == GO_ON
    assert stop_reason(precise, None, 10, 0.0, 0.3, 0.0) == PRECISE


def test_an_exam_stops_when_nothing_is_to_be_gained_even_short_of_the_target():
    hypo = rule(PredictedSeReduction(hypo=0.01, target=0.3))
    assert hypo.looks_ahead
    poor, rich = 0.05, 2.0
    assert se_reduction(0.4, poor) < 0.01 < se_reduction(0.4, rich)
    assert stop_reason(hypo, None, 7, 0.0, 0.4, poor) == LITTLE_TO_GAIN
    assert stop_reason(hypo, None, 7, 0.0, 0.4, rich) == GO_ON
    assert stop_reason(hypo, None, 7, 0.0, 0.29, rich) == LITTLE_TO_GAIN
    assert stop_reason(hypo, None, 4, 0.0, 0.4, poor) == GO_ON


def test_an_exam_goes_on_at_the_target_while_much_is_to_be_gained():
    hyper = rule(PredictedSeReduction(hypo=0.005, target=0.3, hyper=0.02))
    assert se_reduction(0.29, 2.0) > 0.02 > se_reduction(0.29, 1.0) > 0.005
    assert stop_reason(hyper, None, 7, 0.0, 0.29, 2.0) == GO_ON
    assert stop_reason(hyper, None, 7, 0.0, 0.29, 1.0) == LITTLE_TO_GAIN
    assert stop_reason(hyper, None, 10, 0.0, 0.29, 2.0) == MAXIMUM_LENGTH

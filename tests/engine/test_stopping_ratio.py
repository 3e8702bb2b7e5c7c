"""SPRT and GLR: error rates against Wald's theory, statistics against brute force, decisions by their own evidence."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from issmp_cat.irt import category_probabilities
from issmp_cat.stopping import (
    DECIDED,
    GENERALISED_RATIO,
    GO_ON,
    MAXIMUM_LENGTH,
    NO_ITEM,
    RATIO,
    TIME_OUT,
    BankTables,
    ConfidenceInterval,
    GeneralisedLikelihoodRatio,
    SequentialRatio,
    StandardError,
    add_evidence,
    build_stop_rule,
    decided_by,
    decision,
    stop_reason,
    unreachable,
)

CUT, DELTA = -0.3, 0.25


class Sitting(NamedTuple):
    evidence: np.ndarray


def tables(a, b, c, d):
    """Four-parameter items, numbered in rows of two categories."""
    parameters = [np.asarray(x, dtype=np.float64) for x in (a, b, c, d)]
    n = len(parameters[0])

    def curves(theta):
        return np.moveaxis(category_probabilities(theta, *parameters), 0, -1).reshape(2 * n, len(theta))

    nodes = np.linspace(-4, 4, 41)
    first = 2 * np.arange(n + 1)
    return BankTables(curves, nodes, curves(nodes), first, np.zeros(n, dtype=np.int64), np.array([n]))


def rule_of(stopping, bank, minimum=1, maximum=10_000, last_n=0):
    return build_stop_rule(
        stopping, minimum=minimum, maximum=maximum, cut=CUT, seconds=math.inf, last_n=last_n, bank=bank
    )


def sitting(rule):
    return Sitting(np.zeros(rule.evidence.shape[1]))


def walk(rule, answers):
    """Answer one Rasch item again and again until the rule ends it."""
    state = sitting(rule)
    for n, answer in enumerate(answers):
        add_evidence(rule.evidence, state.evidence, answer)
        if reason := stop_reason(rule, state, n + 1, 0.0, 1.0, 0.0):
            return n + 1, reason, decision(rule, state, n + 1, 0.0, 0, reason)
    raise AssertionError("the walk did not end")


@pytest.mark.parametrize(("alpha", "beta"), [(0.05, 0.05), (0.1, 0.02)])
@pytest.mark.parametrize("side", [-1, 1])
def test_sprt_errs_as_the_gamblers_ruin_says_and_within_walds_bounds(alpha, beta, side):
    """With items at the cut the log ratio is a walk of equal steps h: Feller (1968, XIV.2) has its error exactly.

    Beyond 4.5 standard errors, as here, once in 150,000 runs.
    """
    rule = rule_of(SequentialRatio(alpha=alpha, beta=beta, indifference=DELTA), tables([1.0], [CUT], [0.0], [1.0]))
    p = 1 / (1 + math.exp(-side * DELTA))
    h = math.log(p / (1 - p)) * side
    up, down = math.ceil(rule.accept / h), math.ceil(-rule.fail / h)
    odds = (1 - p) / p
    passes = (1 - odds**down) / (1 - odds ** (up + down))
    rng, n = np.random.default_rng(1), 1500
    ends = [walk(rule, (rng.random(3000) < p).astype(int)) for _ in range(n)]
    wrong = np.mean([passed == (side < 0) for _, _, passed in ends])
    expected = passes if side < 0 else 1 - passes
    assert {reason for _, reason, _ in ends} == {RATIO}
    assert abs(wrong - expected) < 4.5 * math.sqrt(expected * (1 - expected) / n)
    assert expected <= (alpha / (1 - beta) if side < 0 else beta / (1 - alpha))
    # Wald's identity: mean length × mean step = mean end of the walk, here known exactly.
    lengths = np.array([length for length, _, _ in ends])
    mean = (passes * up - (1 - passes) * down) / (2 * p - 1)
    assert abs(lengths.mean() - mean) < 4.5 * lengths.std() / math.sqrt(n)


def test_sprt_keeps_walds_error_rates_on_a_mixed_bank():
    """α/(1 − β) bounds false passes whatever the items (Wald, 1947); overshoot only helps. Once in 150,000 runs."""
    rng = np.random.default_rng(2)
    bank = tables(rng.uniform(0.6, 1.8, 60), rng.normal(CUT, 1, 60), rng.choice([0.0, 0.2], 60), np.ones(60))
    rule = rule_of(SequentialRatio(alpha=0.05, beta=0.05, indifference=DELTA), bank)
    chance = bank.curves(np.array([CUT - DELTA]))[1::2, 0]
    n, passes = 600, 0
    for _ in range(n):
        items = rng.integers(60, size=3000)
        passes += walk(rule, 2 * items + (rng.random(3000) < chance[items]))[2]
    bound = 0.05 / 0.95
    assert passes / n < bound + 4.5 * math.sqrt(bound * (1 - bound) / n)


def log_likelihood(bank_parameters, rows, theta):
    a, b, c, d = bank_parameters
    total = 0.0
    for row in rows:
        i, right = divmod(int(row), 2)
        p = c[i] + (d[i] - c[i]) / (1 + math.exp(-a[i] * (theta - b[i])))
        total += math.log(p if right else 1 - p)
    return total


@pytest.mark.parametrize("seed", range(6))
def test_glr_is_the_ratio_of_the_best_on_either_side(seed):
    rng = np.random.default_rng(seed)
    parameters = (rng.uniform(0.5, 2, 30), rng.normal(0, 1, 30), rng.uniform(0, 0.25, 30), rng.uniform(0.95, 1, 30))
    rule = rule_of(GeneralisedLikelihoodRatio(indifference=DELTA), tables(*parameters), maximum=30)
    state, theta = sitting(rule), rng.normal()
    above = [CUT + DELTA + 0.05 * k for k in range(82)]
    below = [CUT - DELTA - 0.05 * k for k in range(70)]
    assert above[-1] <= 4 < above[-1] + 0.05 + 1e-9
    assert below[-1] >= -4 > below[-1] - 0.05 - 1e-9
    rows = []
    for item in range(30):
        rows.append(2 * item + int(rng.random() < 1 / (1 + math.exp(-theta))))
        add_evidence(rule.evidence, state.evidence, rows[-1])
        found = max(log_likelihood(parameters, rows, t) for t in above)
        found -= max(log_likelihood(parameters, rows, t) for t in below)
        if math.isclose(found, rule.accept, abs_tol=1e-9) or math.isclose(found, rule.fail, abs_tol=1e-9):
            continue
        ends = found >= rule.accept or found <= rule.fail
        expected = GENERALISED_RATIO if ends else MAXIMUM_LENGTH if item == 29 else GO_ON
        assert stop_reason(rule, state, item + 1, 0.0, 1.0, 0.0) == expected
        assert decision(rule, state, item + 1, 0.0, 0, expected) == (found >= 0)


def test_glr_stops_no_later_than_sprt_where_the_likelihood_has_one_maximum():
    rng = np.random.default_rng(3)
    bank = tables(rng.uniform(0.6, 1.8, 60), rng.normal(CUT, 1, 60), np.zeros(60), np.ones(60))
    sprt, glr = (rule_of(kind(indifference=DELTA), bank) for kind in (SequentialRatio, GeneralisedLikelihoodRatio))
    earlier = 0
    for theta in (-1.5, -0.3, 0.5, 1.5):
        chance = bank.curves(np.array([theta]))[1::2, 0]
        for _ in range(5):
            items = rng.integers(60, size=2000)
            rows = 2 * items + (rng.random(2000) < chance[items])
            lengths = walk(glr, rows)[0], walk(sprt, rows)[0]
            assert lengths[0] <= lengths[1]
            earlier += lengths[0] < lengths[1]
    assert earlier > 5


def test_at_the_maximum_length_the_sign_of_the_ratio_decides_against_the_estimate():
    rule = rule_of(SequentialRatio(indifference=DELTA), tables([1.0], [CUT], [0.0], [1.0]), maximum=3)
    for rights, passes in ((1, False), (2, True)):
        state = sitting(rule)
        for answer in (1,) * rights + (0,) * (3 - rights):
            add_evidence(rule.evidence, state.evidence, answer)
        assert stop_reason(rule, state, 3, 0.0, 0.1, 0.0) == MAXIMUM_LENGTH
        for reason in (MAXIMUM_LENGTH, TIME_OUT, NO_ITEM):
            for theta in (-2.0, 2.0):
                assert decision(rule, state, 3, theta, 0, reason) == passes
            assert "likelihood ratio" in decided_by(rule, reason)


def test_a_rule_by_the_interval_beside_sprt_decides_by_the_estimate():
    bank = tables([1.0], [CUT], [0.0], [1.0])
    rule = rule_of((ConfidenceInterval(), SequentialRatio(), StandardError(target=0.1)), bank)
    state = sitting(rule)
    add_evidence(rule.evidence, state.evidence, 0)
    reason = stop_reason(rule, state, 1, 2.0, 0.5, 0.0)
    assert reason == DECIDED
    assert decision(rule, state, 1, 2.0, 0, reason)
    assert decided_by(rule, reason) == ""
    assert not decision(rule, state, 1, 2.0, 0, MAXIMUM_LENGTH)


def test_exams_without_a_ratio_rule_gather_nothing():
    rule = rule_of(ConfidenceInterval(), None)
    assert rule.evidence.shape == (0, 0)
    assert not rule.looks_ahead
    assert rule.extremes.value.size == 0


def test_ratio_rules_ask_for_the_bank():
    with pytest.raises(ValueError, match="tables of a bank"):
        rule_of(SequentialRatio(), None)


def test_a_region_of_indifference_beyond_the_fences_is_refused():
    mend = "Lower indifference by 0.1, or raise scoring.limit."
    assert unreachable(SequentialRatio(indifference=0.5), -3.6, -4.0, 4.0) == [
        f"sprt: θ_cut -3.6 ± 0.5 leaves the abilities that scoring considers, -4 to 4. {mend}"
    ]
    assert unreachable((ConfidenceInterval(), SequentialRatio(indifference=0.3)), -3.6, -4.0, 4.0) == []

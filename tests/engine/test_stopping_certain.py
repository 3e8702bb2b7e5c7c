"""The decision can no longer change: against every continuation of small exams, and curtailment against its odds."""

import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest

from issmp_cat.ability import part_above
from issmp_cat.irt import category_probabilities, information
from issmp_cat.stopping import CERTAIN, CURTAILED, GO_ON, MAXIMUM_LENGTH, Certain, build_stop_rule, stop_reason
from issmp_cat.stopping.certain import DOWN, UP, build_extremes, furthest_mean, is_unlikely_to_change
from issmp_cat.stopping.rule import BankTables

NODES = np.linspace(-4, 4, 41)
PRIOR = np.exp(-0.5 * NODES**2)


class Sitting(NamedTuple):
    blocked: np.ndarray
    counts: np.ndarray
    weights: np.ndarray
    evidence: np.ndarray


class SmallBank(NamedTuple):
    """Items as rows of likelihood; some with three categories, some with guessing, some steep."""

    likelihood: np.ndarray
    first: np.ndarray
    domain: np.ndarray
    most: np.ndarray
    foes: tuple


def small_bank(seed, items=7, most=(2, 3), categories=(2, 3)):
    rng = np.random.default_rng(seed)
    rows, first = [], [0]
    for _ in range(items):
        k = rng.choice(categories)
        slopes = np.sort(rng.uniform(0.4, 2.5) * np.arange(k)) * rng.uniform(0.7, 1.3)
        shares = np.exp(np.outer(slopes, NODES) + rng.normal(0, 1.5, (k, 1)))
        shares /= shares.sum(axis=0)
        floor = rng.choice([0.0, 0.2]) * (k == 2)
        shares[-1] = floor + (1 - floor) * shares[-1]
        shares[0] = (1 - floor) * shares[0] if k == 2 else shares[0]
        rows.extend(shares / shares.sum(axis=0))
        first.append(len(rows))
    domain = np.sort(np.arange(items) % len(most))
    foes = tuple({1} if i == 0 else {0} if i == 1 else set() for i in range(items))
    return SmallBank(np.array(rows), np.array(first), domain, np.array(most), foes)


def give(bank, state, item, score):
    state.weights[:] = state.weights * bank.likelihood[bank.first[item] + score]
    state.counts[bank.domain[item]] += 1
    state.blocked[item] += 1
    for foe in bank.foes[item]:
        state.blocked[foe] += 1


def sitting(bank, given):
    blank = Sitting(np.zeros(len(bank.domain), int), np.zeros(len(bank.most), int), PRIOR.copy(), np.zeros(0))
    for item, score in given:
        give(bank, blank, item, score)
    return blank


def reachable_means(bank, state, value=NODES):
    """Posterior means (of θ) after every number of further answers to every set of items that may still come."""
    left = bank.most - state.counts
    open_items = [i for i in range(len(bank.domain)) if state.blocked[i] == 0]
    for n in range(int(left.sum()) + 1):
        for items in itertools.combinations(open_items, n):
            used = np.bincount(bank.domain[list(items)], minlength=len(left)) if items else 0 * left
            if (used > left).any() or any(bank.foes[i] & set(items) for i in items):
                continue
            for rows in itertools.product(*(range(bank.first[i], bank.first[i + 1]) for i in items)):
                weights = state.weights * np.prod(bank.likelihood[list(rows)], axis=0)
                yield float(weights @ value / weights.sum())


def random_start(bank, rng, n):
    """Some answers to items that may stand together."""
    given, state = [], sitting(bank, [])
    while len(given) < n:
        free = [
            i for i in np.flatnonzero(state.blocked == 0) if state.counts[bank.domain[i]] < bank.most[bank.domain[i]]
        ]
        item = int(rng.choice(free))
        given.append((item, int(rng.integers(bank.first[item + 1] - bank.first[item]))))
        give(bank, state, *given[-1])
    return state


def rule_of(bank, probability=1.0, cut=0.0, above=None):
    tables = BankTables(lambda theta: theta, NODES, bank.likelihood, bank.first, bank.domain, bank.most)
    return build_stop_rule(
        Certain(probability=probability),
        minimum=0,
        maximum=int(bank.most.sum()),
        cut=cut,
        seconds=math.inf,
        bank=tables,
        above=above,
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_bound_holds_for_every_continuation_and_a_certain_decision_never_turns(seed):
    """Enumerated: all items, all orders (the posterior has none), all answers, all earlier ends."""
    bank, rng = small_bank(seed), np.random.default_rng(seed)
    cut = float(rng.normal(0, 0.3))
    rule = rule_of(bank, cut=cut)
    proved = certain = 0
    for n in (1, 2, 3, 3, 4, 4, 4):
        state = random_start(bank, rng, n)
        means = np.array(list(reachable_means(bank, state)))
        theta = means[0]
        assert furthest_mean(rule.extremes, state, UP) >= means.max() - 1e-12
        assert furthest_mean(rule.extremes, state, DOWN) <= means.min() + 1e-12
        stops = stop_reason(rule, state, n, theta, 0.5, 0.0)
        turns = bool(((means >= cut) != (theta >= cut)).any())
        assert stops in (GO_ON, CERTAIN)
        assert not (stops == CERTAIN and turns)
        proved += stops == CERTAIN
        certain += not turns
    assert proved <= certain


@pytest.mark.parametrize("seed", range(4))
def test_where_the_chance_above_the_cut_decides_it_is_bounded_too(seed):
    bank, rng = small_bank(seed), np.random.default_rng(seed)
    cut = float(rng.normal(0, 0.3))
    above = part_above(NODES, cut)
    rule, fired = rule_of(bank, cut=cut, above=above), 0
    for n in (2, 3, 4, 4, 4):
        state = random_start(bank, rng, n)
        chances = np.array(list(reachable_means(bank, state, above)))
        assert furthest_mean(rule.extremes, state, UP) >= chances.max() - 1e-12
        assert furthest_mean(rule.extremes, state, DOWN) <= chances.min() + 1e-12
        # The estimate is told wrong on purpose: it has no say.
        stops = stop_reason(rule, state, n, -9.0 if chances[0] > 0.5 else 9.0, 0.5, 0.0) == CERTAIN
        assert not (stops and ((chances > 0.5) != (chances[0] > 0.5)).any())
        fired += stops
    assert fired > 0


def test_the_bound_is_sharp_for_one_last_item_and_often_proves_what_is_so():
    """Without a choice of items the furthest sequence is a real one, and the bound is its posterior mean."""
    proved = certain = 0
    for seed in range(40):
        bank, rng = small_bank(seed, items=5, most=(3, 2)), np.random.default_rng(seed)
        bank = bank._replace(foes=(set(),) * 5)
        rule, state = rule_of(bank), random_start(bank, rng, 4)
        means = np.array(list(reachable_means(bank, state)))
        # Categories in order: the largest ratio is the last category's in every cell.
        assert furthest_mean(rule.extremes, state, UP) == pytest.approx(means.max(), abs=1e-9)
        assert furthest_mean(rule.extremes, state, DOWN) == pytest.approx(means.min(), abs=1e-9)
        proved += stop_reason(rule, state, 4, means[0], 0.5, 0.0) == CERTAIN
        certain += bool(((means >= 0) == (means[0] >= 0)).all())
    assert proved == certain > 10


def test_it_fires_before_the_maximum_and_not_at_once():
    """Fifty Rasch items, all answered right: sure long before the end, and not after the first few."""
    n = 50
    b = np.linspace(-1.5, 1.5, n)
    p = category_probabilities(NODES, np.ones(n), b, np.zeros(n), np.ones(n))
    bank = SmallBank(
        np.moveaxis(p, 0, -1).reshape(2 * n, -1), 2 * np.arange(n + 1), np.zeros(n, int), np.array([n]), (set(),) * n
    )
    rule, state, ends = rule_of(bank), sitting(bank, []), {}
    for k, item in enumerate(np.random.default_rng(0).permutation(n)):
        give(bank, state, int(item), 1)
        theta = float(state.weights @ NODES / state.weights.sum())
        reason = stop_reason(rule, state, k + 1, theta, 0.3, 0.0)
        if reason:
            ends.setdefault(reason, k + 1)
    assert set(ends) == {CERTAIN, MAXIMUM_LENGTH}
    assert 20 < ends[CERTAIN] <= 27  # half of them right and half wrong would be a draw


def test_lists_that_end_before_the_domain_is_full_still_bound():
    """Blocked items beyond the depth of the list are counted at the last value there."""
    bank = small_bank(3, items=6, most=(1,))
    extremes = build_extremes(NODES, bank.likelihood, bank.first, bank.domain, bank.most)
    assert extremes.reach.shape[-1] == 2
    state = sitting(bank._replace(foes=(set(),) * 6), [])
    free = furthest_mean(extremes, state, UP)
    state.blocked[:5] = 1
    assert free >= furthest_mean(extremes, state, UP) >= max(reachable_means(bank._replace(foes=(set(),) * 6), state))


def test_a_weight_that_underflowed_does_no_harm():
    bank = small_bank(2)
    state = random_start(bank, np.random.default_rng(2), 3)
    state.weights[:5] = 1e-300
    rule = rule_of(bank)
    before = [furthest_mean(rule.extremes, state, side) for side in (UP, DOWN)]
    state.weights[:5] = 0.0
    assert [furthest_mean(rule.extremes, state, side) for side in (UP, DOWN)] == pytest.approx(before, abs=1e-12)


def test_with_nothing_left_the_length_is_the_reason():
    bank = small_bank(1)
    state = random_start(bank, np.random.default_rng(1), 5)
    for probability in (1.0, 0.9):
        assert stop_reason(rule_of(bank, probability), state, 5, 1.0, 0.3, 0.5) == MAXIMUM_LENGTH


# ---- stochastic curtailment


@pytest.mark.parametrize("gamma", [0.8, 0.95])
@pytest.mark.parametrize("n", [15, 30])
def test_a_curtailed_decision_turns_no_more_often_than_it_says(gamma, n):
    """Candidates from the prior, 50 items; those who would be curtailed after n go on, and are counted if they turn.

    Beyond 4.5 standard errors once in 150,000 runs.
    """
    rng, persons, size, cut = np.random.default_rng(n), 20_000, 50, -0.3
    parameters = (np.exp(rng.normal(0, 0.3, size)), rng.normal(-0.2, 1, size), np.zeros(size), np.ones(size))
    curves = category_probabilities(NODES, *parameters)
    theta = rng.normal(size=persons)
    chance = category_probabilities(theta, *parameters)[..., 1]
    right = rng.random((persons, size)) < chance
    logs = np.log(curves)

    def estimate(k):
        like = right[:, :k] @ logs[:, :k, 1].T + ~right[:, :k] @ logs[:, :k, 0].T
        weights = np.exp(like - like.max(axis=1, keepdims=True)) * PRIOR
        weights /= weights.sum(axis=1, keepdims=True)
        mean = weights @ NODES
        return mean, np.sqrt((weights * (NODES - mean[:, None]) ** 2).sum(axis=1))

    now, sd = estimate(n)
    final, _ = estimate(size)
    info = information(now, *parameters)[:, n:].max(axis=1)
    z = Certain(probability=gamma).z
    stops = np.array([
        is_unlikely_to_change(*case, z)
        for case in zip(now, sd, itertools.repeat(cut), itertools.repeat(size - n), info, strict=False)
    ])  # fmt: skip
    turned = (now >= cut) != (final >= cut)
    bound = 1 - gamma
    assert 0.2 < stops.mean() < 0.98
    assert turned[stops].mean() < bound + 4.5 * math.sqrt(bound * (1 - bound) / stops.sum())
    # At the margin the odds are about what was asked for: the approximation is not idle.
    margin = abs(now - cut) / sd
    edge = np.quantile(margin[stops], 0.05)
    near = stops & (margin < edge)
    assert turned[near].mean() < bound + 4.5 * math.sqrt(bound * (1 - bound) / near.sum())
    assert turned[near].mean() > bound / 6


def test_curtailment_gives_its_own_reason_and_needs_no_table():
    rule = build_stop_rule(Certain(probability=0.9), minimum=5, maximum=20, cut=0.0, seconds=math.inf)
    assert rule.looks_ahead
    assert stop_reason(rule, None, 10, 1.0, 0.3, 0.2) == CURTAILED
    assert stop_reason(rule, None, 10, -1.0, 0.3, 0.2) == CURTAILED
    assert stop_reason(rule, None, 10, 0.05, 0.3, 0.2) == GO_ON
    assert stop_reason(rule, None, 4, 1.0, 0.3, 0.2) == GO_ON

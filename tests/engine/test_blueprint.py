"""Quotas and windows against brute force: every vector of whole numbers, every order of domains."""

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from issmp_cat.blueprint import Blueprint, build_windows, largest_remainder, open_domains
from issmp_cat.errors import BlueprintInfeasible

ISSMP = [Decimal(w) for w in ("0.22", "0.19", "0.18", "0.17", "0.12", "0.12")]


@st.composite
def weights(draw, most=6, parts=100):
    """Exact decimals of two places that sum to 1."""
    k = draw(st.integers(1, most))
    cuts = sorted(draw(st.lists(st.integers(1, parts - 1), min_size=k - 1, max_size=k - 1, unique=True)))
    return [Decimal(b - a) / parts for a, b in itertools.pairwise([0, *cuts, parts])]


def blueprint(shares):
    return Blueprint(domains=[{"id": f"D{k + 1}", "weight": w} for k, w in enumerate(shares)])


# ---- largest remainder


def test_the_issmp_divides_125_as_published():
    assert largest_remainder(ISSMP, 125) == (28, 24, 22, 21, 15, 15)
    assert blueprint(ISSMP).quotas(125) == (28, 24, 22, 21, 15, 15)


@given(weights(), st.integers(0, 300))
def test_quotas_sum_to_the_length_and_lie_within_one_of_each_share(shares, length):
    quotas = largest_remainder(shares, length)
    assert sum(quotas) == length
    assert all(abs(q - Fraction(w) * length) < 1 for q, w in zip(quotas, shares, strict=True))


@settings(max_examples=60)
@given(weights(most=4, parts=20), st.integers(0, 12))
def test_quotas_are_the_closest_whole_numbers_there_are(shares, length):
    """Hamilton's quotas minimise Σ |q − n w|; of several such, the one that favours earlier domains."""
    exact = [Fraction(w) * length for w in shares]
    every = [q for q in itertools.product(range(length + 1), repeat=len(shares)) if sum(q) == length]

    def distance(q):
        return sum(abs(a - b) for a, b in zip(q, exact, strict=True))

    closest = min(map(distance, every))
    # Among equally close ones only vectors within one item of each share, then the lexicographically largest.
    within = [q for q in every if distance(q) == closest and all(abs(a - b) < 1 for a, b in zip(q, exact, strict=True))]
    assert largest_remainder(shares, length) == max(within)


def test_ties_go_to_the_earlier_domain():
    assert largest_remainder([Decimal("0.25")] * 4, 6) == (2, 2, 1, 1)
    assert largest_remainder([Decimal("0.5"), Decimal("0.5")], 1) == (1, 0)


def test_weights_are_exact_decimals_even_when_given_as_binary_numbers():
    """0.29 × 100 is 28.999… in binary; as a decimal it is 29."""
    assert int(0.29 * 100) == 28
    assert blueprint([0.29, 0.71]).quotas(100) == (29, 71)
    assert blueprint([0.1, 0.2, 0.7]).weights == (Decimal("0.1"), Decimal("0.2"), Decimal("0.7"))


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        (["0.5", "0.4"], "change them by +0.1"),
        (["0.5", "0.6"], "change them by -0.1"),
        (["0.3333", "0.3333", "0.3333"], "change them by +0.0001"),
        (["0.5", "0.5000001"], "-1E-7"),
        (["0", "1"], "greater than 0"),
        (["-0.5", "1.5"], "greater than 0"),
        (["NaN", "1"], "finite"),
        (["Infinity"], "finite"),
        (["1/2", "1/2"], "decimal"),
        ([], "at least 1"),
    ],
)
def test_weights_that_do_not_sum_to_one_are_refused_with_the_difference(shares, words):
    with pytest.raises(ValidationError, match="domains") as error:
        Blueprint.model_validate({"domains": [{"id": f"D{k}", "weight": w} for k, w in enumerate(shares)]})
    assert words in str(error.value)


def test_a_domain_named_twice_is_refused_together_with_the_wrong_sum():
    with pytest.raises(ValidationError, match=r"used twice: D1; weights sum to 0\.9, not to 1"):
        Blueprint.model_validate({"domains": [{"id": "D1", "weight": 0.4}, {"id": "D1", "weight": 0.5}]})


# ---- windows


def permissible(shares, counts, n):
    """⌊n w⌋ or ⌈n w⌉ of every domain."""
    return all(int(n * Fraction(w)) <= c <= -int(-n * Fraction(w) // 1) for w, c in zip(shares, counts, strict=True))


def completable_moves(shares, minimum, maximum, end=None):
    """By plain recursion over all count vectors: from which states, by which domains, can the end be reached?"""
    quota = end or largest_remainder(shares, maximum)
    seen = {}

    def alive(counts):
        if counts not in seen:
            n = sum(counts)
            balanced = n < minimum or permissible(shares, counts, n)
            seen[counts] = balanced and (counts == quota if n == maximum else bool(moves(counts)))
        return seen[counts]

    def moves(counts):
        grown = [tuple(c + (k == j) for j, c in enumerate(counts)) for k in range(len(counts))]
        return {k for k, after in enumerate(grown) if after[k] <= quota[k] and alive(after)}

    return moves, alive(tuple(0 for _ in shares))


def bits(mask):
    return {k for k in range(mask.bit_length()) if mask >> k & 1}


def agree_everywhere(shares, minimum, maximum):
    """Walk every state that can be reached; return how many there are."""
    windows = build_windows(blueprint(shares), minimum, maximum)
    moves, _ = completable_moves(shares, minimum, maximum)
    level = {tuple(0 for _ in shares)}
    states = 0
    for n in range(maximum):
        following = set()
        for counts in level:
            offered = bits(open_domains(windows, np.array(counts), n))
            assert offered == moves(counts), (shares, minimum, maximum, counts)
            assert offered
            following |= {tuple(c + (k == j) for j, c in enumerate(counts)) for k in offered}
        states += len(level)
        if n + 1 >= minimum:
            assert all(permissible(shares, counts, n + 1) for counts in following)
        level = following
    assert level == {largest_remainder(shares, maximum)}
    assert open_domains(windows, np.array(next(iter(level))), maximum) == 0
    return states


@settings(max_examples=250, deadline=None)
@given(weights(most=5), st.integers(1, 12), st.integers(0, 8))
def test_the_windows_offer_exactly_the_moves_from_which_the_end_can_be_reached(shares, minimum, more):
    """No false opening and no false closing, over every state that can be reached; or a refusal, rightly."""
    maximum = minimum + more
    _, feasible = completable_moves(shares, minimum, maximum)
    if feasible:
        agree_everywhere(shares, minimum, maximum)
    else:
        with pytest.raises(BlueprintInfeasible):
            build_windows(blueprint(shares), minimum, maximum)


def test_five_domains_of_which_two_are_tiny():
    assert agree_everywhere([Decimal(w) for w in ("0.45", "0.3", "0.15", "0.07", "0.03")], 6, 14) > 100


def test_an_end_that_no_order_reaches_is_refused_with_numbers(monkeypatch):
    """Largest-remainder ends were always reachable; this other end, within one of each share too, is not."""
    shares = [Decimal(w) for w in ("0.05", "0.22", "0.04", "0.19", "0.11", "0.39")]
    end = (0, 2, 0, 3, 1, 5)
    assert permissible(shares, end, 11)
    _, feasible = completable_moves(shares, 1, 11, end)
    assert not feasible
    monkeypatch.setattr(Blueprint, "quotas", lambda *_: end)
    with pytest.raises(BlueprintInfeasible, match=r"from 1 to 11 and ends on the quotas 0, 2, 0, 3, 1, 5") as error:
        build_windows(blueprint(shares), 1, 11)
    assert error.value.exit_code == 4


def test_the_issmp_has_1867_states_if_it_may_stop_anywhere():
    """The number that an independent program counted before this one was written (the empty test included)."""
    windows = build_windows(blueprint(ISSMP), 1, 125)
    level, states = {(0,) * 6}, 1
    for n in range(125):
        level = {
            tuple(c + (k == j) for j, c in enumerate(counts))
            for counts in level
            for k in bits(open_domains(windows, np.array(counts), n))
        }
        states += len(level)
    assert states == 1867


@given(st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_any_walk_through_the_issmps_open_domains_is_balanced_at_every_stop(random):
    windows = build_windows(blueprint(ISSMP), 75, 125)
    counts = np.zeros(6, dtype=np.int64)
    for n in range(125):
        counts[random.choice(sorted(bits(open_domains(windows, counts, n))))] += 1
        if n + 1 >= 75:
            assert permissible(ISSMP, counts, n + 1)
    assert tuple(counts) == (28, 24, 22, 21, 15, 15)


def test_counts_outside_every_window_open_nothing():
    windows = build_windows(blueprint([Decimal("0.5")] * 2), 4, 6)
    assert open_domains(windows, np.array([4, 0]), 4) == 0
    assert open_domains(windows, np.array([3, 0]), 3) == 0


def test_a_fixed_length_needs_no_balance_on_the_way():
    windows = build_windows(blueprint([Decimal("0.5")] * 2), 6, 6)
    assert bits(open_domains(windows, np.array([2, 0]), 2)) == {0, 1}
    assert bits(open_domains(windows, np.array([3, 0]), 3)) == {1}


def test_twelve_domains_are_tabulated_and_thirteen_refused():
    twelve = [Decimal("0.08")] * 11 + [Decimal("0.12")]
    windows = build_windows(blueprint(twelve), 24, 36)
    assert windows.quota.sum() == 36
    with pytest.raises(ValidationError, match="at most 12"):
        blueprint([Decimal("0.08")] * 12 + [Decimal("0.04")])


def test_a_star_takes_the_items_of_every_domain_that_is_not_named():
    loose = Blueprint(domains=[{"id": "D2", "weight": "0.5"}, {"id": "*", "weight": "0.5"}])
    assert [loose.place(name) for name in ("D1", "D2", "D3")] == [1, 0, 1]
    assert Blueprint(domains=[{"id": "D2", "weight": 1}]).place("D1") is None

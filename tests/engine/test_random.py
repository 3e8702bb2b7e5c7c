"""The random streams against the published vectors of Random123, and for what they promise."""

import math

import numpy as np
import pytest
from scipy import stats

from issmp_cat import random as streams
from issmp_cat.compiled import compile_kernels, jit
from issmp_cat.random import ABILITY, RESPONSE, SELECTION, TIME, normal, philox, uniform

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter, key, words):
    """kat_vectors of Random123 1.14, philox4x32 with 10 rounds: zeros, ones, and the digits of π."""
    assert philox(*counter, *key) == words


def draws(function, n, *, seed=20250601, purpose=RESPONSE, person=3):
    return np.array([function(seed, purpose, person, k) for k in range(n)])


def test_uniform_numbers_are_uniform():
    """False-alarm rate 1e-6: a fixed seed, so it either always passes or never."""
    assert stats.kstest(draws(uniform, 20_000), "uniform").pvalue > 1e-6


def test_normal_numbers_are_normal():
    """False-alarm rate 1e-6 each for the whole distribution and for the four first moments."""
    x = draws(normal, 20_000)
    assert stats.kstest(x, "norm").pvalue > 1e-6
    z = stats.norm.isf(0.5e-6)
    n = len(x)
    assert abs(x.mean()) < z / math.sqrt(n)
    assert abs(x.var() - 1) < z * math.sqrt(2 / n)
    assert abs((x**3).mean()) < z * math.sqrt(15 / n)
    assert abs((x**4).mean() - 3) < z * math.sqrt(96 / n)


@pytest.mark.parametrize(
    ("seed", "purpose", "person"), [(1, RESPONSE, 4), (1, SELECTION, 3), (2, RESPONSE, 3), (1 + 2**32, RESPONSE, 3)]
)
def test_another_seed_purpose_or_person_is_another_stream(seed, purpose, person):
    """Uncorrelated, at a false-alarm rate of 1e-6; the upper half of the seed counts too."""
    r = np.corrcoef(draws(uniform, 5000, seed=1), draws(uniform, 5000, seed=seed, purpose=purpose, person=person))[0, 1]
    assert abs(r) < stats.norm.isf(0.5e-6) / math.sqrt(5000)


def test_neighbours_in_every_direction_draw_different_numbers():
    drawn = {
        uniform(seed, purpose, person, position)
        for seed in (0, 1, 2**32)
        for purpose in (SELECTION, RESPONSE, TIME, ABILITY)
        for person in range(20)
        for position in range(50)
    }
    assert len(drawn) == 3 * 4 * 20 * 50


def test_purposes_have_numbers_of_their_own():
    codes = [getattr(streams, name) for name in ("SELECTION", "RESPONSE", "TIME", "ABILITY", "SPEED", "ORDER")]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("word", [0, ONES])
def test_uniform_numbers_never_reach_nought_or_one_whatever_the_words(monkeypatch, word):
    """At 1 an index drawn from it would lie one past the end."""
    monkeypatch.setattr(streams, "philox", lambda *_: (word,) * 4)
    assert 0 < uniform(1, 0, 0, 0) < 1
    assert int(uniform(1, 0, 0, 0) * 5) < 5
    assert math.isfinite(normal(1, 0, 0, 0))


def test_draws_do_not_depend_on_the_order_of_drawing():
    forwards = [uniform(5, RESPONSE, 1, k) for k in range(10)]
    backwards = [uniform(5, RESPONSE, 1, k) for k in reversed(range(10))]
    assert forwards == backwards[::-1]


def test_seeds_and_persons_of_any_size_are_folded_not_refused():
    assert 0 < uniform(2**63 - 1, SELECTION, 2**40, 10**6) < 1


compile_kernels(philox, uniform, normal)


@jit()
def compiled_draws(seed, person, n):
    found = np.zeros((n, 2))
    for k in range(n):
        found[k, 0] = uniform(seed, 1, person, k)
        found[k, 1] = normal(seed, 1, person, k)
    return found


def test_compiled_streams_are_the_same_bits():
    seed = 2**62 + 12345
    plain = np.array([[uniform(seed, 1, 7, k), normal(seed, 1, 7, k)] for k in range(200)])
    np.testing.assert_array_equal(compiled_draws(seed, 7, 200), plain)

"""Who is admitted to which item: lots, bands, and quotas that still fill."""

import itertools
from decimal import Decimal

import numpy as np
import pytest

from issmp_cat.blueprint import Blueprint, build_windows
from issmp_cat.irt import dichotomous
from issmp_cat.selection import at_point, build_pool, give, new_state, pick
from issmp_cat.selection.admission import HELD, admit_all, build_admission, cast_lots, draw_lots, hold, lots
from issmp_cat.selection.state import reset

NO_EDGES = np.array([])


def small_pool(rng, n=24, domains=2, pairs=0, best=2, length=6):
    """Two domains of equal weight; ``pairs`` random enemies."""
    domain = np.sort(np.arange(n) % domains)
    foes = [set() for _ in range(n)]
    for _ in range(pairs):
        i, j = rng.choice(n, 2, replace=False)
        foes[i].add(int(j))
        foes[j].add(int(i))
    blueprint = Blueprint(domains=[{"id": f"D{k}", "weight": Decimal(1) / domains} for k in range(domains)])
    windows = build_windows(blueprint, length, length)
    a, b = rng.uniform(0.5, 2, n), rng.normal(0, 1, n)
    enemies = tuple(tuple(sorted(f)) for f in foes)
    pool = build_pool(dichotomous(a, b, 0 * a, 0 * a + 1), domain, enemies, windows.quota, best=best)
    return pool, windows, enemies


@pytest.mark.parametrize(("seed", "person"), [(0, 0), (7, 3), (2**40 + 5, 12), (2**62, 2**32 - 1)])
def test_lots_at_once_are_the_lots_one_by_one(seed, person):
    admission = build_admission(*small(17), NO_EDGES, np.full((1, 17), 0.5))
    one_by_one = np.zeros(17)
    draw_lots(admission, one_by_one, seed, person)
    assert one_by_one.tolist() == lots(17, seed, np.array([person]))[0].tolist()


def small(n):
    pool, windows, _ = small_pool(np.random.default_rng(0), n=n)
    return pool, windows.quota


def test_a_lot_depends_on_seed_person_and_item_alone():
    many = lots(50, 9, np.arange(100))
    np.testing.assert_array_equal(lots(30, 9, np.array([80, 3])), many[[80, 3], :30])
    few = build_admission(*small(24), NO_EDGES, np.where(np.arange(24) == 13, 0.5, 1.0)[None, :])
    luck = np.zeros(24)
    draw_lots(few, luck, 9, 80)
    assert luck[13] == many[80, 13]
    assert np.count_nonzero(luck) == 1


def test_lots_are_uniform_and_uncorrelated():
    """40,000 lots in 20 cells: chi-squared with 19 degrees of freedom exceeds 52 in 1 of 12,000 cases."""
    drawn = lots(200, 3, np.arange(200))
    cells = np.histogram(drawn, bins=20, range=(0, 1))[0]
    assert ((cells - 2000.0) ** 2 / 2000.0).sum() < 52
    neighbours = np.corrcoef(drawn[:, ::4].ravel(), drawn[:, 1::4].ravel())[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(10_000)
    assert drawn.min() > 0.0
    assert drawn.max() < 1.0


def test_items_are_held_exactly_where_the_lot_exceeds_the_chance_and_change_with_the_band():
    rng = np.random.default_rng(1)
    pool, windows, _ = small_pool(rng, n=60)
    admit = np.clip(rng.uniform(0.4, 1.3, (3, 60)), None, 1.0)
    admission = build_admission(pool, windows.quota, np.array([-0.5, 0.5]), admit)
    state = new_state(pool, windows.quota, np.ones(3))
    u = lots(60, 5, np.array([8]))[0]
    for theta, band in ((0.0, 1), (0.49, 1), (0.5, 2), (-3.0, 0), (-0.5, 1), (9.0, 2)):
        hold(pool, admission, state, windows.quota, 0, theta, 5, 8)
        np.testing.assert_array_equal(state.blocked >= HELD, u > admit[band])
        assert state.band[0] == band
    assert set(np.unique(state.blocked)) == {0, HELD}
    assert state.relaxed[0] == 0


def test_lots_cast_ahead_change_nothing():
    pool, windows, _ = small_pool(np.random.default_rng(2), n=40)
    admission = build_admission(pool, windows.quota, NO_EDGES, np.full((1, 40), 0.6))
    states = [new_state(pool, windows.quota, np.ones(3)) for _ in range(2)]
    cast_lots(admission, states[0], 4, 2)
    for state in states:
        hold(pool, admission, state, windows.quota, 0, 0.0, 4, 2)
    np.testing.assert_array_equal(states[0].blocked, states[1].blocked)


def test_no_control_draws_nothing_and_holds_nothing():
    admission = admit_all(12)
    pool, windows, _ = small_pool(np.random.default_rng(2), n=12)
    state = new_state(pool, windows.quota, np.ones(3))
    cast_lots(admission, state, 1, 1)
    assert (len(admission.controlled), admission.tight, int(state.band[0])) == (0, False, -2)


def test_a_used_state_is_new_again():
    pool, windows, _ = small_pool(np.random.default_rng(2), n=12)
    admission = build_admission(pool, windows.quota, NO_EDGES, np.zeros((1, 12)))
    state = new_state(pool, windows.quota, np.ones(3))
    hold(pool, admission, state, windows.quota, 0, 0.0, 1, 1)
    assert state.relaxed[0] == 2
    reset(state, np.ones(3))
    assert (int(state.band[0]), int(state.relaxed[0]), int(state.blocked.max())) == (-2, 0, 0)


def has_whole_test(pool, windows, enemies, state):
    """By trying every set of open items."""
    free = [np.flatnonzero((pool.domain == d) & (state.blocked == 0)).tolist() for d in range(len(windows.quota))]
    need = windows.quota - state.counts
    for parts in itertools.product(*(itertools.combinations(f, int(k)) for f, k in zip(free, need, strict=True))):
        test = set().union(*parts)
        if not any(test.intersection(enemies[i]) for i in test):
            return True
    return False


@pytest.mark.parametrize("pairs", [0, 3, 9])
@pytest.mark.parametrize("best", [1, 3])
def test_every_exam_can_be_filled_however_few_items_its_candidate_is_admitted_to(pairs, best):
    """Against enumeration, on 12 items for a test of 6, with enemies within and across the domains."""
    rng = np.random.default_rng(10 * pairs + best)
    released = 0
    for person in range(60):
        pool, windows, enemies = small_pool(rng, n=12, pairs=pairs, best=best)
        state = new_state(pool, windows.quota, np.ones(3))
        if not has_whole_test(pool, windows, enemies, state):
            continue
        admission = build_admission(pool, windows.quota, np.array([0.0]), rng.choice([0.1, 0.4, 0.9], (2, 12)))
        for n in range(6):
            hold(pool, admission, state, windows.quota, n, float(rng.normal()), 3, person)
            assert has_whole_test(pool, windows, enemies, state)
            item = pick(pool, windows, state, n, at_point(pool, 80), rng.random())
            assert item >= 0
            assert state.blocked[item] == 0
            give(pool, state, n, item, 1)
        assert not any(set(state.items.tolist()).intersection(enemies[i]) for i in state.items)
        released += int(state.relaxed[0])
    assert released > 0


def test_a_domain_is_released_only_when_it_must_be():
    """Quota 3 of 12 items without enemies: with three open ones nothing is released, with two the domain is."""
    pool, windows, _ = small_pool(np.random.default_rng(2), n=24)
    u = lots(24, 1, np.array([1]))[0]
    for kept, released in ((3, 0), (2, 1)):
        admit = np.ones((1, 24))
        admit[0, :12] = 0.0
        admit[0, np.argsort(u[:12])[:kept]] = 1.0
        state = new_state(pool, windows.quota, np.ones(3))
        admission = build_admission(pool, windows.quota, NO_EDGES, admit)
        hold(pool, admission, state, windows.quota, 0, 0.0, 1, 1)
        assert state.relaxed[0] == released
        assert np.count_nonzero(state.blocked[:12]) == (0 if released else 9)

"""The next item against enumeration of every whole test, on banks small enough to try them all."""

import itertools
from decimal import Decimal

import numpy as np
import pytest

from issmp_cat.blueprint import Blueprint, build_windows, open_domains
from issmp_cat.irt import dichotomous, information
from issmp_cat.selection import at_point, build_pool, give, new_state, pick
from issmp_cat.selection.pool import LOWEST, POINTS, STEP, grid_point
from issmp_cat.selection.shadow import search
from issmp_cat.selection.state import copy_state, reset

NO_PRIOR = np.ones(3)


def parameters(a, b=None):
    n = len(a)
    return dichotomous(
        np.asarray(a, dtype=float),
        np.zeros(n) if b is None else np.asarray(b, dtype=float),
        np.zeros(n),
        np.ones(n),
    )


def mutual(pairs, n):
    foes = [set() for _ in range(n)]
    for i, j in pairs:
        foes[i].add(j)
        foes[j].add(i)
    return tuple(tuple(sorted(f)) for f in foes)


def blueprint(shares):
    return Blueprint(domains=[{"id": f"D{k}", "weight": Decimal(w)} for k, w in enumerate(shares)])


class Case:
    """A bank, a blueprint and an exam under way, with the slow truth beside them."""

    def __init__(self, a, b, domain, pairs, shares, minimum, maximum, best=1):
        self.n_items = len(a)
        self.domain = np.asarray(domain, dtype=np.int64)
        self.enemies = mutual(pairs, self.n_items)
        self.windows = build_windows(blueprint(shares), minimum, maximum)
        self.pool = build_pool(parameters(a, b), self.domain, self.enemies, self.windows.quota, best=best)
        self.state = new_state(self.pool, self.windows.quota, NO_PRIOR)
        self.given = []

    def give(self, item):
        give(self.pool, self.state, len(self.given), item, 1)
        self.given.append(item)

    def pick(self, point, draw=0.0):
        return pick(self.pool, self.windows, self.state, len(self.given), at_point(self.pool, point), draw)

    def search(self, point, *, first_only):
        preference = at_point(self.pool, point)
        return search(self.pool, self.state, self.windows.quota, preference, 0, self.state.items, first_only=first_only)

    def open(self):
        mask = open_domains(self.windows, self.state.counts, len(self.given))
        return {k for k in range(len(self.windows.quota)) if mask >> k & 1}

    def whole_tests(self):
        """Every set of items that holds those given, fills the quotas and holds no two enemies."""
        by_domain = [
            list(itertools.combinations(np.flatnonzero(self.domain == k).tolist(), int(q)))
            for k, q in enumerate(self.windows.quota)
        ]
        for parts in itertools.product(*by_domain):
            test = set().union(*parts)
            if test.issuperset(self.given) and not any(test.intersection(self.enemies[i]) for i in test):
                yield frozenset(test)

    def optimal_heads(self, point):
        """The most informative next item, over the open domains, of every optimal whole test."""
        info = self.pool.information[point]
        tests = list(self.whole_tests())
        if not tests:
            return set()
        values = [sum(info[i] for i in test) for test in tests]  # exact: multiples of a power of two
        heads = set()
        for test, value in zip(tests, values, strict=True):
            if value == max(values):
                eligible = [i for i in test - set(self.given) if self.domain[i] in self.open()]
                heads.add(min(eligible, key=lambda i: (-info[i], i)))
        return heads


def random_case(rng, *, best=1):
    """At most 12 items in two or three domains, enemies within and across, now and then equal items."""
    while True:
        shares = [["0.5", "0.5"], ["0.6", "0.4"], ["0.7", "0.3"], ["0.4", "0.3", "0.3"], ["0.5", "0.3", "0.2"]][
            int(rng.integers(5))
        ]
        domains = len(shares)
        maximum = int(rng.integers(2, 6))
        minimum = int(rng.integers(1, maximum + 1))
        n = int(rng.integers(max(2 * domains, maximum), 13))
        domain = np.sort(np.concatenate([np.arange(domains), rng.integers(0, domains, n - domains)]))
        a = rng.choice([0.6, 0.8, 1.0, 1.3], n) if rng.random() < 0.4 else rng.uniform(0.4, 2, n)
        b = np.zeros(n) if rng.random() < 0.2 else rng.normal(0, 1, n)
        every = list(itertools.combinations(range(n), 2))
        pairs = [every[k] for k in rng.permutation(len(every))[: rng.integers(0, 9)]]
        if rng.random() < 0.4:  # an enemy set, as item writers make them
            members = rng.choice(np.flatnonzero(domain == rng.integers(domains)), 3)
            pairs += list(itertools.combinations(sorted(set(members.tolist())), 2))
        case = Case(a, b, domain, pairs, shares, minimum, maximum, best=best)
        if (np.bincount(domain, minlength=domains) >= case.windows.quota).all() and next(case.whole_tests(), None):
            return case


@pytest.mark.parametrize("seed", range(8))
def test_the_pick_heads_an_optimal_whole_test(seed):
    """250 states a seed along exams whose items are picked, or drawn from any completable test, at moving θ."""
    rng = np.random.default_rng(seed)
    states = searched = 0
    while states < 250:
        case = random_case(rng)
        while len(case.given) < case.windows.maximum:
            point = int(rng.integers(30, 130))
            heads = case.optimal_heads(point)
            assert heads, "an exam whose every pick heads a whole test cannot reach a dead end"
            picked = case.pick(point)
            assert picked in heads
            states += 1
            searched += len(heads) > 0 and any(case.enemies)
            # Follow another optimal or merely completable path now and then, so that odd states are met too.
            if rng.random() < 0.3:
                others = [
                    i for test in case.whole_tests() for i in test - set(case.given) if case.domain[i] in case.open()
                ]
                picked = int(rng.choice(others))
            case.give(picked)
        assert not any(set(case.given).intersection(case.enemies[i]) for i in case.given)
        np.testing.assert_array_equal(case.state.counts, case.windows.quota)
        assert case.pick(80) == -1
        assert case.state.unproven[0] == 0
    assert searched > 100


@pytest.mark.parametrize("seed", range(4))
def test_randomesque_draws_evenly_among_the_best_completable_items_and_never_into_a_dead_end(seed):
    rng = np.random.default_rng(100 + seed)
    for _ in range(40):
        case = random_case(rng, best=3)
        while len(case.given) < case.windows.maximum:
            point = int(rng.integers(30, 130))
            info = case.pool.information[point]
            completable = {i for test in case.whole_tests() for i in test - set(case.given)}
            wanted = sorted((i for i in completable if case.domain[i] in case.open()), key=lambda i: (-info[i], i))[:3]
            assert wanted
            drawn = [case.pick(point, (k + 0.5) / 60) for k in range(60)]
            assert [drawn.count(i) * len(wanted) for i in wanted] == [60] * len(wanted)
            case.give(drawn[int(rng.integers(60))])
        np.testing.assert_array_equal(case.state.counts, case.windows.quota)


def test_the_dead_end_of_one_item_that_is_the_enemy_of_both_others_is_never_drawn():
    """DESIGN §5.2: counting says the most informative item 0 may come; then neither 1 nor 2 could follow."""
    case = Case([2.0, 1.0, 0.9, 1.0], [0] * 4, [0, 0, 0, 1], [(0, 1), (0, 2)], ["0.7", "0.3"], 3, 3, best=2)
    assert case.windows.quota.tolist() == [2, 1]
    assert not case.pool.simple
    drawn = {case.pick(80, (k + 0.5) / 100) for k in range(100)}
    assert drawn == {1, 3}  # the two best of the completable ones; they tie, 2 is third
    single = Case([2.0, 1.0, 0.9, 1.0], [0] * 4, [0, 0, 0, 1], [(0, 1), (0, 2)], ["0.7", "0.3"], 3, 3)
    assert single.pick(80) == 1


def test_among_many_domains_the_best_open_one_leads():
    case = Case([1.0, 2.0, 1.5, 1.2], None, [0, 0, 1, 1], [], ["0.5", "0.5"], 1, 4)
    order = []
    while (item := case.pick(80)) >= 0:
        order.append(item)
        case.give(item)
    # Balanced at every length: the best of each domain first; of the next two the more informative.
    assert order == [1, 2, 3, 0]


def test_ties_go_to_the_lower_index_within_and_across_domains():
    case = Case([1.0] * 6, None, [0, 0, 0, 1, 1, 1], [], ["0.5", "0.5"], 4, 4)
    order = []
    while (item := case.pick(80)) >= 0:
        order.append(item)
        case.give(item)
    assert order == [0, 1, 3, 4]
    swapped = Case([1.0] * 6, None, [1, 1, 1, 0, 0, 0], [], ["0.5", "0.5"], 4, 4)
    assert swapped.pick(80) == 0


def test_equal_information_that_differs_by_rounding_alone_is_a_tie():
    """b = ±0.3 mirrored at θ = 0: the same information by algebra, not by floating point."""
    a, b = [1.1, 1.1], [0.3, -0.3]
    raw = information(np.array([0.0]), *parameters(a, b)[:4])[0]
    case = Case(a, b, [0, 0], [], ["1"], 1, 1)
    assert abs(raw[0] - raw[1]) < 1e-15
    assert case.pool.information[80, 0] == case.pool.information[80, 1]
    assert case.pick(80) == 0


# ---- the tables


def test_the_pool_lists_each_domain_from_most_to_least_informative():
    rng = np.random.default_rng(3)
    domain = rng.integers(0, 4, 60)
    case = Case(rng.uniform(0.5, 2, 60), rng.normal(0, 1, 60), domain, [], ["0.25"] * 4, 4, 8)
    pool = case.pool
    for point in range(0, POINTS, 20):
        for k in range(4):
            listed = pool.order[point, pool.begin[k] : pool.begin[k + 1]]
            members = np.flatnonzero(domain == k)
            expected = sorted(members.tolist(), key=lambda i, point=point: (-pool.information[point, i], i))
            assert listed.tolist() == expected


def test_tabulated_information_is_the_information_and_sums_exactly():
    rng = np.random.default_rng(4)
    a, b = rng.uniform(0.5, 2.5, 500), rng.normal(0, 1, 500)
    case = Case(a, b, np.zeros(500, dtype=int), [], ["1"], 1, 3)
    points = LOWEST + STEP * np.arange(POINTS)
    # Rounded to 2⁻³⁸ ≈ 3.6e-12, so at most half of that away.
    np.testing.assert_allclose(case.pool.information, information(points, *parameters(a, b)[:4]), atol=2.0**-39)
    row = case.pool.information[80]
    assert sum(row.tolist()) == sum(row[::-1].tolist()) == sum(rng.permutation(row).tolist())


@pytest.mark.parametrize("theta", [-9.0, -4.0, -3.976, -0.026, -0.024, 0.0, 0.024, 0.026, 3.99, 4.0, 9.0])
def test_the_grid_point_is_the_nearest(theta):
    points = LOWEST + STEP * np.arange(POINTS)
    assert grid_point(theta) == int(np.abs(points - theta).argmin())


def test_enemy_sets_within_one_domain_are_cliques_and_others_are_not():
    domain = np.array([0, 0, 0, 0, 1, 1, 1, 0])
    pairs = [(0, 1), (0, 2), (1, 2), (3, 4), (5, 6)]
    pool = build_pool(parameters([1.0] * 8), domain, mutual(pairs, 8), np.array([2, 1]))
    assert pool.clique[[0, 1, 2]].tolist() == [pool.clique[0]] * 3
    assert pool.clique[[5, 6]].tolist() == [pool.clique[5]] * 2
    assert len({int(pool.clique[0]), int(pool.clique[5]), -1}) == 3
    assert pool.clique[[3, 4, 7]].tolist() == [-1] * 3
    assert pool.cliques == 2
    # A chain 0-1-2 is no clique: 0 and 2 may stand together.
    chain = build_pool(parameters([1.0] * 3), np.zeros(3, dtype=np.int64), mutual([(0, 1), (1, 2)], 3), np.array([2]))
    assert chain.clique.tolist() == [-1] * 3


@pytest.mark.parametrize("seed", range(3))
def test_a_simple_pool_has_no_dead_ends(seed):
    """`simple` promises that counting suffices: whatever is drawn within the windows, a whole test remains."""
    rng = np.random.default_rng(200 + seed)
    met = 0
    while met < 30:
        case = random_case(rng, best=2)
        if not case.pool.simple or not any(case.enemies):
            continue
        met += 1
        while len(case.given) < case.windows.maximum:
            free = [
                i
                for i in range(case.n_items)
                if case.domain[i] in case.open()
                and i not in case.given
                and not set(case.enemies[i]).intersection(case.given)
            ]
            case.give(int(rng.choice(free)))
            assert next(case.whole_tests(), None) is not None


# ---- bookkeeping


def snapshot(state):
    return {name: np.array(getattr(state, name)) for name in ("blocked", "counts", "met", "weights", "unproven")}


@pytest.mark.parametrize("best", [1, 3])
def test_choosing_leaves_the_exam_as_it_was(best):
    rng = np.random.default_rng(9)
    for _ in range(40):
        case = random_case(rng, best=best)
        while len(case.given) < case.windows.maximum:
            before = snapshot(case.state)
            item = case.pick(int(rng.integers(30, 130)), float(rng.random()))
            after = snapshot(case.state)
            for name, value in before.items():
                np.testing.assert_array_equal(after[name], value, err_msg=name)
            assert not case.state.met.any()
            case.give(item)
        assert case.state.items.tolist() == case.given


def test_blocks_count_every_reason_and_a_reset_forgets_them():
    case = Case([1.0] * 4, None, [0, 0, 1, 1], [(0, 2), (1, 2)], ["0.5", "0.5"], 4, 4)
    case.give(0)
    assert case.state.blocked.tolist() == [1, 0, 1, 0]
    case.give(1)
    assert case.state.blocked.tolist() == [1, 1, 2, 0]
    reset(case.state, NO_PRIOR)
    assert not case.state.blocked.any()
    assert not case.state.counts.any()
    np.testing.assert_array_equal(case.state.weights, NO_PRIOR)


def test_a_copy_goes_its_own_way():
    case = Case([1.0] * 4, None, [0, 0, 1, 1], [(0, 2)], ["0.5", "0.5"], 4, 4)
    copy = copy_state(case.state)
    give(case.pool, copy, 0, 0, 1)
    assert not case.state.blocked.any()
    assert not case.state.counts.any()
    assert not case.state.items.any()


def test_a_search_stopped_at_the_first_test_also_cleans_up():
    rng = np.random.default_rng(12)
    for _ in range(60):
        case = random_case(rng)
        before = snapshot(case.state)
        length, proved = search(
            case.pool, case.state, case.windows.quota, at_point(case.pool, 0), 0, case.state.items, first_only=True
        )
        assert (length, proved) == (case.windows.maximum, True)
        found = frozenset(case.state.items.tolist())
        assert found in set(case.whole_tests())
        for name, value in before.items():
            np.testing.assert_array_equal(getattr(case.state, name), value)


def test_a_search_that_must_give_up_says_so_and_cleans_up(monkeypatch):
    from issmp_cat.selection import shadow

    monkeypatch.setattr(shadow, "NODE_CAP", 2)
    rng = np.random.default_rng(13)
    gave_up = 0
    for _ in range(200):
        case = random_case(rng)
        before = snapshot(case.state)
        _, proved = search(
            case.pool, case.state, case.windows.quota, at_point(case.pool, 80), 0, case.state.items, first_only=False
        )
        gave_up += not proved
        for name, value in before.items():
            np.testing.assert_array_equal(getattr(case.state, name), value)
    assert gave_up > 10

"""The standard banks are what DESIGN §10 says they are, and stay so."""

import numpy as np
import pytest
from scipy import stats

from issmp_cat import Exam
from issmp_cat.blueprint import largest_remainder
from issmp_cat.errors import UsageError
from issmp_simulations import standard_bank

SUMS = (1571.8944112218219, -279.9488014703939, 179.77476565896512)
PAIRS = {"218": 30, "1500": 300, "10000": 2000, "1500-unequal": 300}


@pytest.fixture(scope="module", params=PAIRS)
def named(request):
    return request.param, standard_bank(request.param)


def pairs_of(bank):
    return {tuple(sorted((i, foe))) for i, foes in enumerate(bank.enemies) for foe in foes}


def test_items_stand_sorted_in_domains_of_the_blueprints_size(named):
    _, bank = named
    domains = [item.domain for item in bank.items]
    weights = Exam.load("issmp").blueprint.weights
    assert domains == sorted(domains)
    assert tuple(domains.count(f"D{k}") for k in range(1, 7)) == largest_remainder(weights, len(bank))
    assert bank.items[0].id == "D1-0001"


@pytest.mark.parametrize("name", ["218", "1500", "10000"])
def test_parameters_follow_the_stated_distributions(name):
    """Kolmogorov–Smirnov at 1e-4 each: a false alarm in one run of 2,500; the seeds are fixed, so none comes later."""
    bank = standard_bank(name)
    inside = bank.a[(bank.a > 0.4) & (bank.a < 2.5)]
    assert bank.a.min() >= 0.4
    assert bank.a.max() <= 2.5
    assert stats.kstest(np.log(inside), "norm", (0, 0.3)).pvalue > 1e-4
    assert stats.kstest(bank.b, "norm", (-0.2, 1)).pvalue > 1e-4
    guessed = bank.c[bank.c > 0]
    assert len(guessed) == np.ceil(0.6 * len(bank))
    assert stats.kstest(guessed, "beta", (8, 32)).pvalue > 1e-4


def test_enemy_pairs_are_as_many_as_stated_and_mostly_inside_a_domain(named):
    name, bank = named
    pairs = pairs_of(bank)
    assert len(pairs) == PAIRS[name]
    inside = sum(bank.items[i].domain == bank.items[j].domain for i, j in pairs)
    assert stats.binomtest(inside, len(pairs), 0.7).pvalue > 1e-4


def test_unequal_domains_differ_by_the_stated_factors():
    equal, unequal = standard_bank("1500"), standard_bank("1500-unequal")
    domain = np.array([int(item.domain[1]) - 1 for item in equal.items])
    np.testing.assert_allclose(unequal.a / equal.a, np.array([0.8, 0.9, 1, 1, 1.1, 1.2])[domain])
    np.testing.assert_allclose(unequal.b - equal.b, np.linspace(-0.5, 0.5, 6)[domain], atol=1e-12)


def test_the_2pl_bank_is_the_3pl_bank_without_guessing():
    three, two = standard_bank("218"), standard_bank("218", model="2pl")
    np.testing.assert_array_equal(two.a, three.a)
    np.testing.assert_array_equal(two.b, three.b)
    assert (two.c == 0).all()
    assert "guessing set to 0" in two.note
    assert two.enemies == three.enemies


def test_the_banks_are_the_same_ones_every_time():
    """Sums of the first bank as made when the banks were defined; figures elsewhere are comparable only on these."""
    bank = standard_bank("1500")
    assert (bank.a.sum(), bank.b.sum(), bank.c.sum()) == pytest.approx(SUMS, rel=1e-12)


def test_unknown_names_are_refused():
    with pytest.raises(UsageError, match="218, 1500, 10000, 1500-unequal"):
        standard_bank("1501")
    with pytest.raises(UsageError, match='not "4pl"'):
        standard_bank("218", model="4pl")

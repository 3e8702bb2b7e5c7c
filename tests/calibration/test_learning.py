"""Priors learned from a bank: what they are, and that they help where answers are few."""

import numpy as np
import pytest

from issmp_calibration.learning import learn_priors, normal_of_items
from issmp_calibration.precision import answers_needed, shrinkage
from issmp_cat import ItemBank
from issmp_cat.bank import Covariance, Item
from issmp_cat.errors import UsageError


def estimated(domain, count, mean, stream):
    """Items of a domain as a calibration leaves them: intercepts spread by 0.8, estimates with errors of 0.3."""
    items = []
    for k in range(count):
        a = float(np.exp(stream.normal(0.1, 0.25)))
        b = float(-(stream.normal(mean, 0.8) + stream.normal(0.0, 0.3)) / a)
        covariance = Covariance(names=("a", "b"), values=((0.01, 0.0), (0.0, (0.3 / a) ** 2)))
        items.append(Item(id=f"{domain}-{k}", domain=domain, a=a, b=b, covariance=covariance))
    return items


def test_sampling_error_is_no_spread_of_items():
    """Against the moments: total variance 0.8² + 0.3² of many estimates, of which the errors' part is taken out."""
    stream = np.random.Generator(np.random.Philox(1))
    values = stream.normal(0.5, 0.8, 4000) + stream.normal(0.0, 0.3, 4000)
    mean, sd = normal_of_items(values, np.full(4000, 0.09))
    assert mean == pytest.approx(values.mean(), abs=1e-6)
    assert sd**2 == pytest.approx(values.var() - 0.09, rel=1e-6)


def test_items_that_differ_by_error_alone_have_no_spread():
    values = np.random.Generator(np.random.Philox(2)).normal(0.0, 0.05, 50)
    assert normal_of_items(values, np.full(50, 1.0))[1] < 0.05


def test_each_domain_has_its_own_beliefs():
    stream = np.random.Generator(np.random.Philox(3))
    bank = ItemBank(id="b", items=estimated("easy", 300, 1.0, stream) + estimated("hard", 300, -1.0, stream))
    learned = learn_priors(bank)
    for domain, mean in (("easy", 1.0), ("hard", -1.0)):
        prior = learned.of(domain).intercept
        assert prior.mean == pytest.approx(mean, abs=4 * 0.85 / np.sqrt(300))
        assert prior.sd == pytest.approx(0.8, abs=0.15)
    assert learned.of("new").intercept.mean == pytest.approx(0.0, abs=0.2)
    assert "easy: intercept" in learned.describe()


def test_a_bank_of_few_items_teaches_nothing():
    bank = ItemBank(id="small", items=[Item(id=f"I{k}", domain="D", b=0.0) for k in range(7)])
    with pytest.raises(UsageError, match="7 right-or-wrong items"):
        learn_priors(bank)


def test_answers_needed_reach_the_error_wanted():
    """Put the answers in: precision of prior and answers together must be what was wanted."""
    answers, error, shrunk = np.array([120.0]), np.array([0.35]), np.array([0.3])
    more = answers_needed(answers, error, 0.2, shrunk)
    precision = shrunk / error**2 + (1.0 - shrunk) / error**2 * (answers + more) / answers
    assert precision[0] ** -0.5 == pytest.approx(0.2, rel=2e-3)
    assert answers_needed(answers, error, 0.5, shrunk)[0] == 0.0


def test_shrinkage_is_the_share_that_the_prior_pulls():
    """A normal mean: the posterior mean lies this share of the way from the answers' mean to the prior's."""
    prior, told = 4.0, 12.0
    posterior = (prior * -1.0 + told * 2.0) / (prior + told)
    assert shrinkage(np.array(prior), np.array(1.0 / (prior + told))) == pytest.approx((2.0 - posterior) / 3.0)

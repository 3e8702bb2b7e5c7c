"""Simulated exams behave as theory says; statistical tests state their false-alarm rate."""

import numpy as np
import pytest

from issmp_cat import ItemBank
from issmp_simulations import Clock, Population, simulate, standard_bank
from issmp_simulations.compliance import count_violations, rules_of


def z(values):
    """Distance of a mean from 0 in its standard errors: beyond 4.5 once in 150,000 runs."""
    return values.mean() / (values.std(ddof=1) / np.sqrt(len(values)))


@pytest.fixture(scope="module", params=["218", "1500"])
def exams(request):
    return simulate("issmp", standard_bank(request.param), n=8000, seed=5).exams


def test_posterior_mean_is_unbiased_over_its_prior(exams):
    """E(θ̂ − θ) = 0 when candidates come from the prior, whatever the stopping rule (law of total expectation)."""
    assert abs(z(exams.theta - exams.ability)) < 4.5


def test_posterior_variance_is_the_mean_squared_error(exams):
    """E(θ̂ − θ)² = E(posterior variance), by the law of total variance: the standard errors are honest."""
    assert abs(z((exams.theta - exams.ability) ** 2 - exams.se**2)) < 4.5


def test_abilities_are_standard_normal(exams):
    """Mean and variance within 4.5 standard errors."""
    assert abs(z(exams.ability)) < 4.5
    assert abs(z(exams.ability**2 - 1.0)) < 4.5


def test_a_truth_harder_than_the_bank_lowers_every_estimate(bank):
    """All difficulties 0.3 higher is the same as all candidates 0.3 lower, shrunk by the prior a little."""
    harder = ItemBank.from_items([item.model_copy(update={"b": item.b + 0.3}) for item in bank.items])
    study = simulate("issmp", bank, n=4000, seed=1, truth=harder)
    shifted = simulate("issmp", bank, Population(mean=-0.3), n=4000, seed=1)
    assert study.bias.value == pytest.approx(-0.3, abs=0.02)
    assert study.pass_rate.value == shifted.pass_rate.value
    assert study.accuracy.value < shifted.accuracy.value - 0.02


def test_nobody_outside_the_cut_is_misjudged_by_much(study):
    """A candidate more than a logit from the cut is right but for one in some thousand."""
    far = np.abs(study.exams.ability - study.cut) > 1.0
    wrong = (study.exams.theta >= study.cut) != (study.exams.ability >= study.cut)
    assert wrong[far].mean() < 0.001


@pytest.mark.parametrize("selection", [{"rule": "best"}, {"rule": "randomesque", "among": 5}])
@pytest.mark.parametrize("name", ["218", "1500", "1500-unequal"])
def test_no_exam_breaks_a_rule(variant, name, selection):
    study = simulate(variant(selection=selection), standard_bank(name), n=2000, seed=7)
    assert study.compliance.violations == 0
    assert study.unproven == 0


def test_exams_that_stop_at_every_length_keep_the_blueprint(variant, small_bank):
    exam = variant(length={"minimum": 5, "maximum": 60}, stopping={"rule": "confidence_interval", "level": 0.9})
    study = simulate(exam, small_bank, n=4000, seed=7)
    assert study.compliance.violations == 0
    assert len(study.lengths.values) > 40


def test_time_runs_out_as_the_session_says(small_bank, variant):
    population = Population(clock=Clock(median_seconds=100))
    exams = simulate(variant(), small_bank, population, n=4000, seed=2).exams
    late = exams.reason == 3
    assert 0.2 < late.mean() < 0.9
    assert (exams.seconds[late] > 10_800).all()
    assert (exams.seconds[~late] <= 10_800).all()


def test_planted_faults_are_found(study, bank, variant):
    """Each rule broken once by hand in recorded exams: the count sees exactly that."""
    rules = rules_of(variant(), bank)
    reason = study.exams.reason[:50]

    def broken(change):
        items = study.exams.items[:50].copy()
        change(items)
        return count_violations(rules, items, reason)

    domain = rules.domain[study.exams.items[0, :75]]
    i, j = next(pair for pair in rules.foes if rules.domain[pair[0]] != rules.domain[pair[1]])
    place = [int(np.flatnonzero(domain == rules.domain[k])[0]) for k in (i, j)]
    assert broken(np.copy).violations == 0

    def meet(items):
        for k, item in zip(place, (i, j), strict=True):
            items[0, k] = item

    assert broken(meet).enemies == 1
    assert broken(lambda items: items.__setitem__((1, 5), items[1, 4])).repeats == 1
    assert broken(lambda items: items.__setitem__((2, slice(60, None)), -1)).wrong_length == 1

    def move(items):
        # Three more of one domain in place of three of another leave every floor–ceiling window.
        row, domains = items[3], rules.domain[items[3, :75]]
        fresh = [k for k in np.flatnonzero(rules.domain == 0) if k not in row][:3]
        row[np.flatnonzero(domains == 5)[:3]] = fresh

    assert broken(move).off_blueprint == 1

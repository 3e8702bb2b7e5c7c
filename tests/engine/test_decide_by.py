"""Who passes when the posterior decides: whoever is more likely than not to lie above the cut."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

from issmp_cat import Exam
from issmp_cat.ability import chance_above, part_above
from issmp_cat.exam import plan_exam
from issmp_cat.stopping import CERTAIN, MAXIMUM_LENGTH, decision
from issmp_simulations import simulate
from issmp_simulations.standard import standard_bank

NODES = np.linspace(-4, 4, 41)


def variant(**changes):
    return Exam.model_validate({**Exam.load("issmp").model_dump(), **changes})


@pytest.mark.parametrize("cut", [-0.3, 0.0, 0.17])
@pytest.mark.parametrize("shift", [-0.05, -0.01, 0.0, 0.02])
@pytest.mark.parametrize("sd", [0.15, 0.25, 0.5])
def test_near_one_half_the_chance_above_the_cut_is_that_of_the_density(cut, shift, sd):
    """Cells of 0.2 logits are wider than the narrowest SD; the chance is known to 0.03, its side for sure."""
    weights = norm.pdf(NODES, cut + shift, sd)
    chance = norm.sf(0.0, shift, sd)
    found = chance_above(part_above(NODES, cut), weights)
    assert found == pytest.approx(chance, abs=0.03)
    assert shift == 0.0 or (found > 0.5) == (shift > 0.0)


def test_a_skewed_posterior_passes_by_one_and_fails_by_the_other():
    bank = standard_bank("218")
    weights = np.where(NODES < -0.31, 0.6, 0.0) * np.exp(-8 * np.abs(NODES + 0.4)) + np.where(NODES > 2, 0.01, 0.0)
    state = SimpleNamespace(weights=weights, evidence=np.zeros(0))
    mean = float(weights @ NODES / weights.sum())
    assert mean > -0.3
    by_estimate = plan_exam(Exam.load("issmp"), bank).rule
    by_posterior = plan_exam(variant(scoring={"decide_by": "posterior_probability"}), bank).rule
    assert decision(by_estimate, state, 125, mean, 0, MAXIMUM_LENGTH)
    assert not decision(by_posterior, state, 125, mean, 0, MAXIMUM_LENGTH)


def test_a_session_and_a_simulation_decide_alike_and_the_report_says_by_what():
    exam = variant(scoring={"decide_by": "posterior_probability"})
    bank = standard_bank("218")
    study = simulate(exam, bank, n=300, seed=5, keep_items=True)
    part = part_above(plan_exam(exam, bank).grid.nodes, -0.3)
    for person in range(40):
        session = exam.start(bank, seed=5, person=person)
        for score in study.exams.scores[person, : study.exams.length[person]]:
            session = session.answer(session.next_item, int(score))
        assert session.finished
        assert session.result.passed == study.exams.passed[person]
        assert session.result.passed == (chance_above(part, session._state.weights) > 0.5)
    assert session.result.decided_by == "the posterior probability of an ability above the cut"


def test_a_proof_about_the_posterior_stops_an_exam_and_no_decision_turns():
    """The same candidates with the same draws to the end; see ``test_stopping_certain.py`` for the bound."""
    changes = {"scoring": {"decide_by": "posterior_probability"}, "length": {"minimum": 20, "maximum": 60}}
    bank = standard_bank("218")
    certain, whole = (
        simulate(variant(stopping=stopping, **changes), bank, n=2000, seed=3).exams
        for stopping in ({"rule": "certain"}, {"rule": "standard_error", "target": 1e-6})
    )
    assert (certain.reason == CERTAIN).mean() > 0.9
    assert (whole.length == 60).all()
    assert (certain.passed == whole.passed).all()

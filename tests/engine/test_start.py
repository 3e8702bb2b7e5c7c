"""Where an exam starts: the first item's θ, and what is known of a candidate before any answer."""

import json
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_cat import Exam, ItemBank, Session
from issmp_cat.errors import ExamError, SessionError
from issmp_cat.exam import plan_exam
from issmp_cat.irt import item_information
from issmp_cat.report import score_report

BANK = ItemBank.load_packaged("practice-bank")
YEARS = {"background": [{"name": "years", "weight": 0.1, "center": 5}], "background_sd": 0.8}


def variant(**changes):
    return Exam.model_validate({**Exam.load("practice").model_dump(), **changes})


def best_item_at(theta):
    """The most informative item of the bank, by information itself."""
    return BANK.ids[int(np.argmax(item_information(np.array([theta]), BANK.parameters)[0]))]


@pytest.mark.parametrize("theta", [-2.0, 0.5, 2.5])
def test_a_fixed_start_chooses_the_first_item_for_that_ability(theta):
    exam = variant(start={"theta": theta}, selection={"rule": "best"})
    session = exam.start(BANK, seed=1)
    assert session.next_item.id == best_item_at(theta)
    after = session.answer(session.next_item, 1)
    default = Session.replay(variant(selection={"rule": "best"}), BANK, after.answers, seed=1)
    assert after.next_item == default.next_item
    assert after.result.theta == default.result.theta


def test_a_drawn_start_is_even_between_its_ends_and_the_candidates_own():
    """40 persons: each half of the range is missed by all with chance 2 × 2⁻⁴⁰."""
    exam = variant(start={"theta_from": -2.0, "theta_to": 2.0}, selection={"rule": "best"})
    firsts = [exam.start(BANK, seed=3, person=p).next_item for p in range(40)]
    assert firsts == [exam.start(BANK, seed=3, person=p).next_item for p in range(40)]
    assert min(item.b for item in firsts) < -0.5 < 0.5 < max(item.b for item in firsts)


@pytest.mark.parametrize("estimator", ["eap", "map"])
def test_background_moves_the_prior_by_its_regression(estimator):
    """After three answers: Bayes' theorem written out with the candidate's own prior."""
    exam = variant(start=YEARS, scoring={"estimator": estimator, "nodes": 401})
    session = exam.start(BANK, seed=2, background={"years": 8})
    assert_allclose(session.prior, (0.3, 0.8))
    for score in (1, 0, 1):
        session = session.answer(session.next_item, score)
    theta = np.linspace(-4, 4, 8001)
    log = -((theta - 0.3) ** 2) / (2 * 0.8**2)
    for answer in session.answers:
        item = BANK.items[BANK.index[answer.item]]
        p = item.c + (1 - item.c) / (1 + np.exp(-item.a * (theta - item.b)))
        log += np.log(p if answer.score else 1 - p)
    weights = np.exp(log - log.max())
    expected = theta[np.argmax(log)] if estimator == "map" else (weights @ theta) / weights.sum()
    assert session.result.theta == pytest.approx(expected, abs=1e-3 if estimator == "map" else 2e-4)
    assert session.trace[-1].theta == session.result.theta


def test_before_the_first_answer_theta_is_the_priors_mean():
    result = variant(start=YEARS).start(BANK, seed=1, background={"years": 0}).result
    assert result.theta == pytest.approx(-0.5, abs=2e-3)  # the grid ends at −4: 4.4 SDs below this mean
    assert result.se == pytest.approx(0.8, abs=2e-3)


@pytest.mark.parametrize(
    ("background", "words"),
    [
        (None, ['"years" is missing']),
        ({}, ['"years" is missing']),
        ({"year": 5}, ['"years" is missing', '"year" is unknown', 'did you mean "years"']),
        ({"years": math.nan}, ["background.years"]),
        ({"years": "many"}, ["background.years"]),
        ({"years": 500}, ["puts the prior's mean at 49.5", "from -4 to 4"]),
    ],
)
def test_background_that_is_missing_unknown_or_no_number_is_refused(background, words):
    with pytest.raises(SessionError) as error:
        variant(start=YEARS).start(BANK, seed=1, background=background)
    assert [word for word in words if word not in str(error.value)] == []


def test_background_that_the_exam_does_not_ask_for_is_refused():
    with pytest.raises(SessionError, match=r"asks for none"):
        variant().start(BANK, seed=1, background={"years": 5})


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"theta": 0, "theta_from": -1, "theta_to": 1}, "fixed and also drawn"),
        ({"theta_from": -1}, "belong together"),
        ({"theta_from": 1, "theta_to": -1}, "not below"),
        ({"background_sd": 0.5}, "belong together"),
        ({"background": YEARS["background"]}, "belong together"),
        ({**YEARS, "background": YEARS["background"] * 2}, '"years" stands twice'),
        ({"colour": 1}, "start.colour"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(start, words):
    with pytest.raises((ExamError, ValueError), match=words):
        variant(start=start)


@pytest.mark.parametrize(
    ("start", "words"),
    [({"theta": 5}, "outside the abilities"), ({**YEARS, "background_sd": 1.0}, "not below the population's SD")],
)
def test_a_start_that_does_not_go_with_the_population_is_refused(start, words):
    with pytest.raises(ExamError, match=words):
        plan_exam(variant(start=start), BANK)


def test_the_table_is_read_from_the_file():
    text = 'id = "e"\ntitle = "E"\n[[blueprint.domains]]\nid = "A"\nweight = 1.0\n[length]\nminimum = 5\nmaximum = 5\n'
    text += "[scale]\ntheta_cut = 0.0\n[start]\ntheta_from = -0.5\ntheta_to = 0.5\nbackground_sd = 0.9\n"
    text += '[[start.background]]\nname = "years"\nweight = 0.1\ncenter = 5\n'
    start = Exam.parse(text).start_from
    assert (float(start.theta_from), float(start.theta_to)) == (-0.5, 0.5)
    assert start.shift({"years": 7}) == pytest.approx(0.2)


def test_background_is_kept_in_the_file_and_told_in_the_report(tmp_path):
    exam = variant(start=YEARS)
    session = exam.start(BANK, seed=2, background={"years": 8}, candidate="Ana")
    for score in (1, 0, 1):
        session = session.answer(session.next_item, score)
    session.save(tmp_path / "s.json")
    again = Session.load(tmp_path / "s.json", exam, BANK)
    assert (again.result, again.next_item, again.trace) == (session.result, session.next_item, session.trace)
    report = score_report(session)
    assert "(years): prior mean 0.30, SD 0.80" in " ".join(report.text().split())
    assert "The score rests on it too" in " ".join(report.text().split())
    assert "background" not in score_report(variant().start(BANK, seed=1)).text()
    content = json.loads((tmp_path / "s.json").read_text())
    content["opening"] = {}
    (tmp_path / "s.json").write_text(json.dumps(content))
    with pytest.raises(SessionError, match="missing"):
        Session.load(tmp_path / "s.json", exam, BANK)


def test_files_without_an_opening_still_load_and_are_still_written_so(tmp_path):
    session = variant().start(BANK, seed=2)
    session.save(tmp_path / "s.json")
    assert "opening" not in json.loads((tmp_path / "s.json").read_text())
    assert Session.load(tmp_path / "s.json", variant(), BANK).next_item == session.next_item

"""The score report says what was decided, by which numbers, and no more than the answers allow."""

import json
import math
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.errors import InputRejected
from issmp_cat.report import ScoreReport, score_report
from issmp_cat.report.words import minus

EXAM = Exam.load("practice")
BANK = ItemBank.load_packaged("practice-bank")


def taken(answer, *, seconds=30.0, exam=EXAM, candidate="C1"):
    session = exam.start(BANK, seed=5, candidate=candidate)
    while not session.finished:
        session = session.answer(session.next_item, answer(session.next_item), seconds=seconds)
    return session


def right(_):
    return 1


def wrong(_):
    return 0


def test_a_domains_own_ability_is_the_posterior_mean_of_its_own_answers():
    """Against Bayes' theorem written out once more: population prior, curves of this domain's items only."""
    session = taken(lambda item: int(item.b < 0.5))
    domain = score_report(session).domains[0]
    theta = np.linspace(-4, 4, 41)
    posterior = np.exp(-(theta**2) / 2)
    answers = [a for a in session.answers if BANK.items[BANK.index[a.item]].domain == "D1"]
    for answer in answers:
        item = BANK.items[BANK.index[answer.item]]
        p = item.c + (1 - item.c) / (1 + np.exp(-item.a * (theta - item.b)))
        posterior *= p if answer.score else 1 - p
    posterior /= posterior.sum()
    mean = (posterior * theta).sum()
    sd = math.sqrt((posterior * (theta - mean) ** 2).sum())
    assert (domain.items, domain.right) == (len(answers), sum(a.score for a in answers))
    assert_allclose([domain.own_theta, domain.own_se], [mean, sd], rtol=1e-12)


def with_correlation(rho, source=""):
    settings = {"domain_correlation": rho, "domain_correlation_source": source}
    return EXAM.model_copy(update={"report": EXAM.report.model_copy(update=settings)})


def test_without_correlation_a_domain_rests_on_its_own_answers():
    report = score_report(taken(lambda item: int(item.b < 0.5), exam=with_correlation(0.0)))
    for domain in report.domains:
        if domain.theta is not None:
            assert_allclose([domain.theta, domain.se], [domain.own_theta, domain.own_se], rtol=1e-9)
    assert "rests on its own answers alone" in " ".join(report.text().split())


def test_the_interval_and_the_verdict_are_those_of_the_score_shown():
    """80 % two-sided: 1.2815515655446004 standard errors, from any table of the normal distribution."""
    for domain in score_report(taken(lambda item: int(item.b < 0.5))).domains:
        if domain.theta is not None:
            assert_allclose([domain.low, domain.high], domain.theta + 1.28155157 * domain.se * np.array([-1, 1]))


def test_domains_borrow_strength_and_the_report_says_how():
    """Right in one domain, wrong in the others: the more they go together, the less that one stands out."""
    report, loose = (
        score_report(taken(lambda item: int(item.domain == "D1"), exam=with_correlation(rho))) for rho in (0.9, 0.5)
    )
    assert report.domains[0].theta < loose.domains[0].theta < report.domains[0].own_theta
    assert all(domain.se < domain.own_se for domain in report.domains if domain.theta is not None)
    assert "correlate 0.90 (assumed)" in " ".join(report.text().split())
    sourced = score_report(taken(right, exam=with_correlation(0.85, "pilot 2026")))
    assert "correlate 0.85 (source: pilot 2026)" in " ".join(sourced.text().split())
    assert "source: pilot 2026" in sourced.html()


def test_text_and_page_show_the_borrowed_score_with_its_error():
    report = score_report(taken(lambda item: int(item.b < 0.5)))
    first = report.domains[0]
    assert f"({minus(first.se)})" in report.text().split("D1 ")[1].splitlines()[0]
    for value in (first.theta, first.own_theta):
        assert minus(value) in report.html()


@pytest.mark.parametrize(("answer", "verdict", "decision"), [(right, "above", "pass"), (wrong, "below", "fail")])
def test_all_right_is_above_and_all_wrong_below_the_cut_where_the_answers_suffice(answer, verdict, decision):
    """Three right answers may leave the interval on both sides: then it stays near, but never on the wrong side."""
    report = score_report(taken(answer))
    assert report.decision == decision
    assert report.domains[0].verdict == verdict
    assert {d.verdict for d in report.domains} <= {verdict, "near", "too few items to say"}


def test_a_domain_with_few_answers_gets_no_number():
    report = score_report(taken(right))
    few = [d for d in report.domains if d.items < EXAM.report.minimum_items]
    assert few
    assert {(d.theta, d.se, d.own_theta, d.own_se, d.low, d.high) for d in few} == {(None,) * 6}
    assert {d.verdict for d in few} == {"too few items to say"}


def test_the_verdict_agrees_with_the_interval():
    report = score_report(taken(lambda item: int(item.id[-1] in "13579")))
    for domain in report.domains:
        if domain.theta is not None:
            expected = "below" if domain.high < -0.3 else "above" if domain.low > -0.3 else "near"
            assert domain.verdict == expected


def test_an_exam_under_way_is_not_decided():
    report = score_report(EXAM.start(BANK, seed=1))
    assert report.decision is None
    assert "not decided" in report.text()


def test_an_exam_cut_short_by_the_clock_says_how_far_it_is_from_its_blueprint():
    session = taken(right, seconds=170.0)
    report = score_report(session)
    counts = session.result.counts
    n = len(session.answers)
    shares = {d.id: float(d.weight) * n for d in EXAM.blueprint.domains}
    off = max(max(math.floor(shares[k]) - counts[k], counts[k] - math.ceil(shares[k]), 0) for k in counts)
    assert n < 20
    assert report.reason == "the time is up"
    assert report.off_blueprint == off
    assert ("off its blueprint" in report.text()) == (off > 0)


def test_estimator_assumptions_and_provisional_difficulties_are_named():
    words = " ".join(score_report(taken(right)).text().split())
    assert "posterior mean (EAP)" in words
    assert "are assumed" in words
    assert "provisional: judged, not measured" in words


def test_a_measured_bank_is_not_called_provisional():
    items = [Item(id=f"i{k}", domain=d.id, b=0.1 * k) for k in range(12) for d in EXAM.blueprint.domains]
    items = [item.model_copy(update={"id": f"{item.id}-{item.domain}"}) for item in items]
    session = EXAM.start(ItemBank.from_items(items), seed=1)
    assert "provisional" not in score_report(session).text()


@pytest.mark.parametrize("form", ["text", "html", "to_json"])
def test_simulated_candidates_are_called_so_in_every_form(form):
    said = getattr(score_report(taken(right), simulated="drawn at θ = 1"), form)()
    assert "simulated" in said.lower()
    assert "drawn at θ = 1" in said


def test_json_holds_every_value_and_nothing_that_is_not_a_number():
    report = score_report(taken(right))
    read = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert read["score"] == report.score
    assert read["domains"][0]["items"] == report.domains[0].items


def test_a_report_survives_its_own_json():
    report = score_report(taken(right))
    read = ScoreReport.from_dict(json.loads(report.to_json()))
    assert read.as_dict() == report.as_dict()
    assert read.text() == report.text()


def test_what_is_not_a_report_is_refused():
    with pytest.raises(InputRejected, match="not a score report"):
        ScoreReport.from_dict({"score": 700})


def test_the_page_escapes_what_candidates_call_themselves():
    page = score_report(taken(right, candidate="<script>alert(1)</script>")).html()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_needs_nothing_but_itself():
    class Outside(HTMLParser):
        def __init__(self):
            super().__init__()
            self.found = []

        def handle_starttag(self, tag, attrs):
            self.found += [tag] if tag in ("script", "link", "iframe", "img") else []
            self.found += [value for name, value in attrs if name in ("src", "href") and not value.startswith("#")]

    reader = Outside()
    reader.feed(score_report(taken(right)).html())
    assert reader.found == []


@pytest.mark.parametrize("reason", ["the maximum length is reached", "the confidence interval excludes the cut"])
def test_text_fits_a_terminal_of_80_columns(reason):
    report = replace(score_report(taken(right)), reason=reason, minimum=75, simulated="drawn at θ = −0.3 " * 4)
    assert max(map(len, report.text().splitlines())) <= 80


def test_retake_waiting_days_are_told_to_those_who_failed_only():
    exam = EXAM.model_copy(update={"retakes": Exam.load("issmp").retakes})
    assert "30, 90, 180" in score_report(taken(wrong, exam=exam)).text()
    assert "30, 90, 180" not in score_report(taken(right, exam=exam)).text()

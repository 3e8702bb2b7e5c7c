"""Exams on a bank of several models: sessions, reports, logs, simulated candidates."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from issmp_cat import Exam, Item, ItemBank, Session
from issmp_cat.cli.respondents import Simulee, hint, understand
from issmp_cat.errors import BankError, SessionError, UsageError
from issmp_cat.exam import plan_exam
from issmp_cat.irt import draw_score
from issmp_cat.random import RESPONSE, uniform
from issmp_cat.report import score_report
from issmp_cat.selection import new_state
from issmp_cat.session import Answer, response_log
from issmp_cat.stopping import REASONS
from issmp_simulations import Population, sample_log, simulate, standard_bank
from issmp_simulations.kernel import Pace, new_records, run_exams


def stepped(item, k):
    """Domains 1 and 4 graded, 2 and 5 partial credit, 3 and 6 as they were: each exam has all of them."""
    kind = int(item.domain[1]) % 3
    if kind == 0:
        return item
    gaps = np.array([-1.1, 0.1, 0.6, 1.3])[: 2 + kind]
    steps = gaps if kind == 1 else gaps[::-1]
    model = "grm" if kind == 1 else ("pcm" if k % 2 else "gpcm")
    slope = 1.0 if model == "pcm" else item.a
    return Item(id=item.id, domain=item.domain, enemies=item.enemies, model=model, a=slope, steps=tuple(item.b + steps))


@pytest.fixture(scope="module")
def bank():
    """218 items of the ISSMP's six domains."""
    return ItemBank.from_items([stepped(item, k) for k, item in enumerate(standard_bank("218").items)], id="mixed")


def exam(minimum=12, maximum=25, **changes):
    length = {"minimum": minimum, "maximum": maximum}
    return Exam.model_validate({**Exam.load("issmp").model_dump(), "length": length, **changes})


def sit(design, bank, theta, seed):
    """A candidate sits the exam item by item."""
    session = design.start(bank, seed=seed)
    while not session.finished:
        item, n = session.next_item, len(session.answers)
        score = draw_score(bank.parameters, bank.index[item.id], theta, uniform(seed, RESPONSE, 0, n))
        session = session.answer(item, score)
    return session


# ---- the compiled loop and the session


@pytest.mark.parametrize("estimator", ["eap", "map", "ml", "wle"])
@pytest.mark.parametrize("selection", [{"rule": "best"}, {"rule": "randomesque", "among": 5}])
def test_a_simulated_exam_is_the_session_bit_for_bit(bank, estimator, selection):
    design = exam(selection=selection, scoring={"estimator": estimator})
    plan = plan_exam(design, bank)
    for seed, theta in ((1, -1.8), (2, 0.4), (3, 2.5)):
        out = new_records(1, plan.rule.maximum)
        state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
        pace = Pace(timed=False, log_median=0.0, log_sd=0.0, speed_sd=0.0)
        run_exams(plan, None, plan.pool.parameters, state, np.array([theta]), 0, seed, pace, out)
        session = sit(design, bank, theta, seed)
        n = int(out.length[0])
        assert [bank.ids[i] for i in out.items[0, :n]] == [answer.item for answer in session.answers]
        assert out.scores[0, :n].tolist() == [answer.score for answer in session.answers]
        assert (out.theta[0], out.se[0]) == (session.result.theta, session.result.se)
        assert REASONS[int(out.reason[0])] == session.result.reason
        assert {bank.parameters.kind[bank.index[answer.item]] for answer in session.answers} == {0, 1, 2}


def test_simulated_candidates_are_measured_without_bias(bank):
    """EAP regresses to the mean by the reliability: over the population the errors cancel."""
    study = simulate(
        exam(30, 30, stopping={"rule": "fixed_length"}), bank, Population(mean=0.0, sd=1.0), n=4000, seed=5
    )
    error = study.exams.theta - study.exams.ability
    # 4,000 errors of SD 0.2: their mean is known to 0.003, their square to 2 %.
    assert abs(error.mean()) < 0.012
    assert (error**2).mean() == pytest.approx((study.exams.se**2).mean(), rel=0.1)


def test_logs_hold_the_scores_of_each_item_as_often_as_the_model_says(bank):
    log = sample_log(bank, 3000, 40, seed=3, population=Population(thetas=(0.3,) * 3000))
    for name in bank.ids[:12]:
        item = bank.index[name]
        mine = log.score[log.item == item]
        rng = np.random.default_rng(item)
        expected = np.mean([draw_score(bank.parameters, item, 0.3, u) for u in rng.random(20_000)])
        assert mine.max() <= bank.items[item].highest
        # Several hundred answers of SD about 1.
        assert mine.mean() == pytest.approx(expected, abs=5 / np.sqrt(len(mine)))


def test_a_truth_with_other_scores_is_refused(bank):
    first, second = bank.items[:2]
    shorter = second.model_copy(update={"steps": second.steps[:1]})
    truth = ItemBank.from_items([first, shorter, *bank.items[2:]], id="truth")
    with pytest.raises(BankError, match=f'item "{second.id}" is scored 0 to 1, but 0 to 3 in bank mixed'):
        simulate(exam(), bank, n=1, seed=1, truth=truth)
    with pytest.raises(SessionError, match="is scored 0 to 3, but 0 to 1 in bank"):
        Simulee(0.0, truth, 1)(exam().start(bank, seed=1), second)


def test_options_of_items_with_steps_are_refused(bank):
    with pytest.raises(UsageError, match="chosen options need right-or-wrong items; 153 have steps"):
        sample_log(bank, 2, 10, seed=1, options=True)


# ---- sessions


def test_a_session_takes_every_score_of_its_item_and_refuses_others(bank):
    session = exam(selection={"rule": "best"}).start(bank, seed=1)
    while session.next_item.highest == 1:
        session = session.answer(session.next_item, 1)
    item = session.next_item
    thetas = [session.answer(item, score).result.theta for score in range(item.highest + 1)]
    assert thetas == sorted(thetas)
    assert len(set(thetas)) == len(thetas)
    expected = f"a whole number from 0 to {item.highest}"
    for wrong, words in [
        (
            item.highest + 1,
            f'score {item.highest + 1} for "{item.id}"; expected {expected}',
        ),
        (-1, "greater than or equal to 0"),
        (200, "less than or equal to 127"),
        ("A", f"expected {expected}: this item has no key"),
    ]:
        with pytest.raises(SessionError, match=words):
            session.answer(item, wrong)
    assert session.next_item == item


def test_a_session_comes_back_from_its_file_and_from_its_answers(bank, tmp_path):
    design = exam()
    session = sit(design, bank, 0.5, 4)
    session.save(tmp_path / "s.json")
    again = Session.load(tmp_path / "s.json", design, bank)
    assert (again.answers, again.result) == (session.answers, session.result)
    assert Session.replay(design, bank, session.answers, seed=4).result == session.result
    assert [row.score for row in session.trace] == [answer.score for answer in session.answers]


def test_impossible_scores_are_refused_on_replay_and_in_files(bank, tmp_path):
    design = exam()
    session = sit(design, bank, 0.5, 4)
    first = session.answers[0]
    highest = bank.items[bank.index[first.item]].highest
    wrong = (Answer(item=first.item, score=highest + 1), *session.answers[1:])
    with pytest.raises(SessionError, match=f'answer 1: score {highest + 1} for "{first.item}"; expected'):
        Session.replay(design, bank, wrong, seed=4)
    session.save(tmp_path / "s.json")
    content = json.loads((tmp_path / "s.json").read_text())
    content["answers"][0]["score"] = highest + 1
    (tmp_path / "s.json").write_text(json.dumps(content))
    with pytest.raises(SessionError, match="answer 1 cannot have happened in this exam: score"):
        Session.load(tmp_path / "s.json", design, bank)


def test_sessions_become_a_log_with_all_their_scores(bank):
    sessions = [sit(exam(), bank, theta, seed) for seed, theta in enumerate((-1.0, 0.0, 1.5))]
    log = response_log(sessions)
    assert log.score.tolist() == [answer.score for session in sessions for answer in session.answers]
    assert log.score.max() > 1


def test_the_report_counts_points(bank):
    session = sit(exam(24, 24, stopping={"rule": "fixed_length"}), bank, 0.5, 4)
    report = score_report(session)
    assert sum(domain.right for domain in report.domains) == sum(answer.score for answer in session.answers)
    highest = [bank.items[bank.index[answer.item]].highest for answer in session.answers]
    assert sum(domain.possible for domain in report.domains) == sum(highest)
    first = report.domains[0]
    assert f"{first.right} of {first.possible} points" in report.text()
    assert f"{first.right} of {first.possible} points" in report.html()


# ---- the terminal


def test_scores_are_asked_for_and_understood(bank):
    item = bank.items[1]
    assert hint(item) == "the score, 0 to 3"
    assert [understand(item, text) for text in ("0", " 3", "4", "-1", "x", "")] == [0, 3, None, None, None, None]


def test_an_exam_with_steps_is_taken_at_the_terminal(bank, tmp_path, monkeypatch, capsys):
    from issmp_cat.cli.main import run

    monkeypatch.chdir(tmp_path)
    bank.save("bank.json")
    monkeypatch.setattr("sys.stdin", io.StringIO("9\n" + "1\n" * 3 + "q\n"))
    assert run(["take", "--bank", "bank.json", "--exam", "issmp", "--seed", "2"]) == 0
    shown = capsys.readouterr().err
    assert '"9" is not an answer here' in shown
    assert "How was the answer scored?" in shown
    assert "the score, 0 to " in shown


def test_a_bank_with_steps_is_shown_and_checked(bank, tmp_path, capsys):
    from issmp_cat.cli.main import run

    path, item = str(tmp_path / "bank.json"), bank.items[1]
    bank.save(path)
    assert run(["bank", "show", path, "--item", item.id]) == 0
    assert " ".join(f"{step:.3f}" for step in item.steps) in capsys.readouterr().out
    assert run(["bank", "show", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][1]["steps"] == list(item.steps)
    assert run(["bank", "check", path]) == 0
    assert run(["bank", "convert", path, str(tmp_path / "bank.csv")]) == 0
    assert ItemBank.load(tmp_path / "bank.csv").version == bank.version


def test_a_grid_too_coarse_for_what_the_items_know_is_named(bank, tmp_path, capsys):
    from issmp_cat.cli.main import run

    path = str(tmp_path / "bank.json")
    bank.save(path)
    assert run(["exam", "check", "issmp-linear", "--bank", path]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "scoring.nodes = 41 puts the abilities that EAP weighs 0.2 logits apart" in said
    assert "can tell θ to 0.093: take 71 nodes or more" in said
    standard_bank("218").save(path)
    assert run(["exam", "check", "issmp-linear", "--bank", path]) == 0
    assert "scoring.nodes" not in capsys.readouterr().out


def test_a_log_of_the_bank_is_written_read_and_scored(bank, tmp_path):
    """Through files, as a programme would: the estimates are those of the candidates who answered."""
    from issmp_cat.cli.main import run

    folder = {name: str(tmp_path / name) for name in ("bank.json", "log.csv", "scores.csv")}
    bank.save(folder["bank.json"])
    sample = ["sample", "log", "--bank", folder["bank.json"], "--persons", "150", "--answers", "60", "--true-theta"]
    assert run([*sample, "--seed", "5", "-o", folder["log.csv"]]) == 0
    assert run(["score", folder["log.csv"], "--bank", folder["bank.json"], "-o", folder["scores.csv"]]) == 0
    truth = pd.read_csv(folder["log.csv"]).drop_duplicates("candidate").set_index("candidate")["cov_true_theta"]
    scores = pd.read_csv(folder["scores.csv"]).set_index("candidate")
    error = (scores["theta"] - truth[scores.index]) / scores["se"]
    assert scores["raw"].max() > 60
    # Standardised errors of 150 candidates: their mean square lies in 0.7 … 1.3 with probability 0.99.
    assert 0.7 < (error**2).mean() < 1.3

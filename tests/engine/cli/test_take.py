"""Taking an exam: asked again, stopped, resumed, cut off; every answer is on disk before the next question."""

import io
import json
from pathlib import Path

import pytest

import issmp_cat
from issmp_cat import Exam, ItemBank
from issmp_cat.cli.main import run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typing(monkeypatch):
    def types(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return types


def saved(path):
    return json.loads(path.read_text())["answers"]


def test_a_person_takes_the_practice_quiz_and_gets_a_report(folder, typing, capsys):
    typing("A\n" * 20)
    assert run(["take", "--seed", "1", "--candidate", "Ada"]) == 0
    shown = capsys.readouterr()
    assert "Question 20 of 20" in shown.err
    assert "left" in shown.err
    for words in (
        "Candidate   Ada",
        "pass mark 700",
        "By domain",
        "Answered wrongly",
        "right is",
        "What this result says",
    ):
        assert words in shown.out
    assert len(saved(folder / "session-practice-1.json")) == 20


def test_what_cannot_be_read_is_asked_again(folder, typing, capsys):
    typing("maybe\n5\n\nb\nq\n")
    assert run(["take", "--seed", "1"]) == 0
    assert capsys.readouterr().err.count("is not an answer here") == 3
    assert [answer["choice"] for answer in saved(folder / "session-practice-1.json")] == ["B"]


@pytest.mark.parametrize("ending", ["q\n", ""])
def test_stopping_keeps_the_answers_and_says_how_to_go_on(folder, typing, capsys, ending):
    typing("A\nB\n" + ending)
    assert run(["take", "--seed", "1"]) == 0
    shown = capsys.readouterr()
    assert "next: issmp-cat take --resume session-practice-1.json" in shown.err
    assert shown.out == ""
    assert len(saved(folder / "session-practice-1.json")) == 2


def test_a_resumed_exam_is_the_exam_that_was_never_stopped(folder, typing, capsys):
    letters = list("ABCDABCDABCDABCDABCD")
    typing("\n".join(letters) + "\n")
    run(["take", "--seed", "7", "--save", "whole.json"])
    whole = capsys.readouterr().out
    typing("\n".join(letters[:8]) + "\nq\n")
    run(["take", "--seed", "7", "--save", "parts.json"])
    typing("\n".join(letters[8:]) + "\n")
    assert run(["take", "--resume", "parts.json"]) == 0
    assert capsys.readouterr().out == whole
    pairs = [[(a["item"], a["choice"]) for a in saved(folder / name)] for name in ("whole.json", "parts.json")]
    assert pairs[0] == pairs[1]


def test_time_spent_on_a_question_that_was_left_counts(folder, typing, monkeypatch):
    ticks = iter(range(0, 10_000, 100))
    monkeypatch.setattr("issmp_cat.cli.respondents.time.monotonic", lambda: float(next(ticks)))
    typing("A\nq\n")
    run(["take", "--seed", "1"])
    session = json.loads((folder / "session-practice-1.json").read_text())
    assert (session["answers"][0]["seconds"], session["extra_seconds"]) == (100.0, 100.0)


@pytest.mark.usefixtures("folder")
def test_an_answer_after_the_time_limit_does_not_count(typing, capsys, monkeypatch):
    ticks = iter(range(0, 100_000, 1700))
    monkeypatch.setattr("issmp_cat.cli.respondents.time.monotonic", lambda: float(next(ticks)))
    typing("A\nA\nA\n")
    assert run(["take", "--seed", "1"]) == 0
    shown = capsys.readouterr()
    assert "came too late and does not count" in shown.err
    assert "after 1 question (of 20): the time is up" in shown.out


def test_answers_from_a_file_and_from_standard_input_agree(folder, typing, capsys):
    (folder / "answers.txt").write_text("A B C D\n" * 5)
    assert run(["take", "--seed", "3", "--answers", "answers.txt", "--save", "one.json", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    typing("A,B,C,D\n" * 5)
    assert run(["take", "--seed", "3", "--answers", "-", "--save", "two.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == one
    assert one["items"] == 20


def test_a_wrong_letter_in_a_file_is_refused_with_its_line(folder, capsys):
    (folder / "answers.txt").write_text("A\nB\nE\n")
    assert run(["take", "--seed", "3", "--answers", "answers.txt"]) == 3
    assert 'answers.txt: line 3: answer 3 is "E"; expected A–D' in capsys.readouterr().err
    assert len(saved(folder / "session-practice-3.json")) == 2


def test_a_simulated_candidate_is_called_so_everywhere(folder, capsys):
    assert run(["take", "--simulee", "0.5", "--seed", "2", "--html", "page.html", "--trace"]) == 0
    shown = capsys.readouterr()
    assert "SIMULATED CANDIDATE" in shown.out
    assert "SIMULATED CANDIDATE" in shown.err
    assert "Simulated candidate" in (folder / "page.html").read_text()
    assert "Answered wrongly" not in shown.out
    assert list(folder.iterdir()) == [folder / "page.html"]


@pytest.mark.usefixtures("folder")
def test_the_same_seed_simulates_the_same_exam(capsys):
    outputs = []
    for _ in range(2):
        run(["take", "--simulee", "-0.3", "--seed", "2", "--json"])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_a_simulee_answers_by_the_bank_that_holds_the_truth(folder, capsys):
    """With a truth in which every item is far too hard, even an able candidate gets only guesses right."""
    bank = ItemBank.load_packaged()
    hard = [item.model_copy(update={"b": 40.0, "c": 0.0, "model": "2pl", "content": None}) for item in bank.items]
    ItemBank.from_items(hard, id="hard").save(folder / "hard.json")
    run(["take", "--simulee", "3", "--seed", "2", "--truth", "hard.json", "--json"])
    assert sum(row["score"] for row in json.loads(capsys.readouterr().out)["trace"]) == 0


def test_a_bank_without_texts_asks_for_right_or_wrong(folder, typing, capsys):
    bank = ItemBank.load_packaged()
    ItemBank.from_items([i.model_copy(update={"content": None}) for i in bank.items], id="bare").save(folder / "b.json")
    typing("A\n1\n0\nq\n")
    assert run(["take", "--bank", "b.json", "--seed", "1"]) == 0
    assert "1 for right, 0 for wrong" in capsys.readouterr().err
    assert [answer["score"] for answer in saved(folder / "session-practice-1.json")] == [1, 0]


def test_an_earlier_session_is_never_overwritten(folder, typing):
    typing("A\nq\n")
    run(["take", "--seed", "1"])
    before = (folder / "session-practice-1.json").read_bytes()
    typing("B\nB\nq\n")
    assert run(["take", "--seed", "1"]) == 2
    assert (folder / "session-practice-1.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--answers", "x", "--simulee", "0"], 2, "exclude each other"),
        (["--truth", "practice-bank"], 2, "give --simulee too"),
        (["--exam", "issmp"], 2, "needs a bank"),
        (["--exam", "nothing"], 3, "known: issmp"),
        (["--bank", "nothing"], 3, "known: practice-bank"),
        (["--resume", "nothing.json"], 3, "no such file"),
        (["--simulee", "nan"], 2, "a number of logits"),
        (["--answers", "nothing.txt"], 3, "no such file"),
        (["--save", "no/such/folder/s.json"], 3, "cannot write here"),
    ],
)
def test_bad_calls_get_one_message_and_leave_nothing(folder, capsys, arguments, code, words):
    assert run(["take", *arguments]) == code
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert [path.name for path in folder.iterdir()] == []


def test_a_session_of_another_bank_is_refused(folder, typing, capsys):
    typing("A\nq\n")
    run(["take", "--seed", "1"])
    bank = ItemBank.load_packaged()
    changed = [bank.items[0].model_copy(update={"b": 3.0}), *bank.items[1:]]
    ItemBank.from_items(changed, id=bank.id).save(folder / "changed.json")
    assert run(["take", "--resume", "session-practice-1.json", "--bank", "changed.json"]) == 3
    assert "version" in capsys.readouterr().err


def test_a_session_begun_with_a_file_needs_that_file(folder, typing, capsys):
    ItemBank.from_items(ItemBank.load_packaged().items, id="mine").save(folder / "mine.json")
    typing("A\nq\n")
    run(["take", "--bank", "mine.json", "--seed", "1"])
    assert run(["take", "--resume", "session-practice-1.json"]) == 2
    assert 'bank "mine": give its file with --bank' in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_the_report_agrees_with_the_session_in_python(capsys):
    run(["take", "--simulee", "0", "--seed", "9", "--json"])
    told = json.loads(capsys.readouterr().out)
    session = Exam.load("practice").start(ItemBank.load_packaged(), seed=9)
    for row in told["trace"]:
        session = session.answer(row["item"], row["score"])
    assert (session.result.score, session.result.passed) == (told["score"], told["decision"] == "pass")


EXPERIENCE = """
[start]
background_sd = 0.8
[[start.background]]
name = "years"
weight = 0.1
center = 5
"""


@pytest.fixture
def experience(folder):
    text = (Path(issmp_cat.__file__).parent / "data" / "practice.toml").read_text(encoding="utf-8")
    (folder / "e.toml").write_text(text.replace('id = "practice"', 'id = "e"') + EXPERIENCE, encoding="utf-8")
    return ["take", "--exam", "e.toml", "--bank", "practice-bank", "--simulee", "0", "--seed", "1", "--quiet"]


def test_background_is_given_by_name(experience, capsys):
    assert run([*experience, "--background", "years=9"]) == 0
    assert "(years): prior mean 0.40, SD 0.80" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 3, '"years" is missing'),
        (["--background", "years"], 2, "expected name=number"),
        (["--background", "years=5", "--background", "age=3"], 3, '"age" is unknown'),
    ],
)
def test_background_that_does_not_fit_is_refused(experience, capsys, arguments, code, words):
    assert run([*experience, *arguments]) == code
    assert words in capsys.readouterr().err


def test_the_items_of_an_earlier_attempt_are_barred(folder, capsys):
    text = (Path(issmp_cat.__file__).parent / "data" / "practice.toml").read_text(encoding="utf-8")
    text = text.replace('id = "practice"', 'id = "e"') + '\n[retakes]\nseen_items = "bar"\n'
    (folder / "e.toml").write_text(text, encoding="utf-8")
    call = ["take", "--exam", "e.toml", "--bank", "practice-bank", "--simulee", "0", "--quiet", "--json"]
    assert run([*call, "--seed", "1", "--save", "first.json"]) == 0
    first = {row["item"] for row in json.loads(capsys.readouterr().out)["trace"]}
    assert run([*call, "--seed", "2", "--seen", "first.json", "--save", "second.json"]) == 0
    second = {row["item"] for row in json.loads(capsys.readouterr().out)["trace"]}
    assert len(first) == len(second) == 20
    assert not first & second
    assert run([*call, "--seed", "3", "--seen", "e.toml"]) == 3
    assert "not JSON" in capsys.readouterr().err

"""What a registration desk asks, by hand and by script."""

import datetime as dt
import json

import pytest

from issmp_cat.cli.main import run

ASK = ["exam", "eligibility", "issmp", "--on", "2026-05-20"]


def test_one_candidate_is_told_the_earliest_date_and_the_rule(capsys):
    assert run([*ASK, "--attempt", "2026-03-01", "--attempt", "2026-01-10"]) == 0
    shown = capsys.readouterr()
    assert "not eligible; earliest date 2026-05-30, in 10 days" in shown.out
    assert "90 days after the second attempt (2026-03-01)" in shown.out
    assert "not in order; sorted: 2026-01-10, 2026-03-01" in shown.err


def test_the_day_is_today_unless_another_is_given(capsys):
    today = dt.datetime.now().astimezone().date()
    assert run(["exam", "eligibility", "--attempt", str(today - dt.timedelta(days=1)), "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert dt.date.fromisoformat(read["on"]) - today <= dt.timedelta(days=1)  # midnight may pass meanwhile
    assert read["earliest"] == str(today + dt.timedelta(days=29))
    assert read["eligible"] is False


@pytest.mark.parametrize(("attempt", "code"), [("2026-04-20", 0), ("2026-04-21", 5)])
def test_a_script_reads_the_answer_from_the_exit_code(attempt, code, capsys):
    assert run([*ASK, "--attempt", attempt, "--gate", "--quiet"]) == code
    assert ("not eligible" in capsys.readouterr().err) == (code == 5)


def test_bad_dates_are_refused_all_at_once(capsys):
    calls = ["--attempt", "10.01.2026", "--attempt", "2026-02-30", "--attempt", "2026-06-01"]
    assert run([*ASK, *calls]) == 3
    error = capsys.readouterr().err
    assert "3 problems" in error
    for words in ('"10.01.2026"', '"2026-02-30"', "2026-06-01 lies in the future"):
        assert words in error


def test_a_bad_day_is_refused(capsys):
    assert run(["exam", "eligibility", "--on", "tomorrow"]) == 3
    assert '--on "tomorrow"; expected a date' in capsys.readouterr().err


FILES = {
    "long": "candidate,e-mail,date\nAna,a@x,2026-05-01\nBo,,\nAna,a@x,2025-01-01\nCy,,2026-04-20\n",
    "wide": "\ufeffID,attempt_1,attempt_2\nAna,2025-01-01,2026-05-01\nBo,,\nCy,2026-04-20,\n",
}


@pytest.mark.parametrize("form", FILES)
def test_a_file_of_candidates_is_answered_row_by_row(form, tmp_path, capsys):
    path = tmp_path / "attempts.csv"
    path.write_text(FILES[form], encoding="utf-8")
    assert run([*ASK, "--candidates", str(path), "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    told = {row["candidate"]: (row["eligible"], row["earliest"], len(row["attempts"])) for row in read["candidates"]}
    assert told == {"Ana": (False, "2026-07-30", 2), "Bo": (True, None, 0), "Cy": (True, "2026-05-20", 1)}
    assert run([*ASK, "--candidates", str(path), "--gate"]) == 5
    shown = capsys.readouterr()
    assert "2 of 3 candidates" in shown.out
    assert "Ana from 2026-07-30" in shown.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("candidate,date\n", ["no candidates"]),
        ("name,when\nA,2026-01-01\n", ["no column of candidates", "no column of dates", "found: name, when"]),
        (
            "id,date\nA,1.1.2026\n,2026-01-01\nB\nC,2026-06-01\nD,2026-01-01\nD,2026-01-01\n",
            ['line 2: "1.1.2026"', "line 3: no candidate", "line 4: 1 fields", '"C": attempt 2026-06-01', '"D"'],
        ),
    ],
)
def test_a_bad_file_is_refused_with_every_fault(text, words, tmp_path, capsys):
    path = tmp_path / "attempts.csv"
    path.write_text(text, encoding="utf-8")
    assert run([*ASK, "--candidates", str(path)]) == 3
    error = capsys.readouterr().err
    assert [word for word in words if word not in error] == []


def test_a_file_and_typed_attempts_exclude_each_other(capsys):
    assert run([*ASK, "--candidates", "x.csv", "--attempt", "2026-01-01"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_an_attempt_taken_too_early_is_warned_of(capsys):
    assert run([*ASK, "--attempt", "2026-01-01", "--attempt", "2026-01-20"]) == 0
    assert "warning: attempts taken before they were allowed: 2026-01-20" in capsys.readouterr().err

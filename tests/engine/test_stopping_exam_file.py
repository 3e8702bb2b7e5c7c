"""Stopping rules in the exam file and at the command line."""

import json

import pytest

from issmp_cat import Exam
from issmp_cat.cli.main import run
from issmp_cat.errors import ExamError
from issmp_cat.exam.definition import packaged_exams
from issmp_cat.stopping import ConfidenceInterval, FixedLength, SequentialRatio, StandardError

HEAD = """
id = "x"
title = "X"
time_limit_minutes = 90
{top}
[[blueprint.domains]]
id = "D1"
weight = 1
[length]
minimum = {minimum}
maximum = 40
[scoring]
estimator = "{estimator}"
[scale]
theta_cut = 0
"""
SEVERAL = """
[[stopping]]
rule = "sprt"
alpha = 0.1
[[stopping]]
rule = "standard_error"
target = 0.25
"""


def text(stopping="", top="", minimum=20, estimator="eap"):
    return HEAD.format(top=top, minimum=minimum, estimator=estimator) + stopping


def problems(*args, **settings):
    with pytest.raises(ExamError) as error:
        Exam.parse(text(*args, **settings))
    return "\n".join(error.value.problems)


def test_one_table_or_several_in_their_order():
    assert Exam.parse(text(SEVERAL)).stopping == (SequentialRatio(alpha=0.1), StandardError(target=0.25))
    assert Exam.parse(text('[stopping]\nrule = "sprt"')).stopping == SequentialRatio()
    assert Exam.parse(text(minimum=40)).stopping == FixedLength()


def test_the_packaged_exams_stop_as_they_did():
    assert packaged_exams() == ("issmp", "issmp-linear", "practice")
    assert Exam.load("issmp").stopping == ConfidenceInterval(level=0.95, sides="two")
    for name in ("issmp-linear", "practice"):
        assert Exam.load(name).stopping == FixedLength()
    for name in packaged_exams():
        assert (Exam.load(name).time_out, Exam.load(name).last_n) == ("final_estimate", None)


def test_every_setting_is_part_of_the_version():
    tables = [SEVERAL, SEVERAL.replace("0.1", "0.2"), SEVERAL.replace("0.25", "0.3"), '[stopping]\nrule = "sprt"']
    tables.append('[[stopping]]\nrule = "standard_error"\ntarget = 0.25\n[[stopping]]\nrule = "sprt"\nalpha = 0.1\n')
    texts = [*map(text, tables)]
    texts += [text(SEVERAL, f'time_out = "last_n_consistent"\nlast_n = {n}') for n in (5, 6)]
    assert len({Exam.parse(one).version for one in texts}) == len(texts)


def test_an_exam_survives_the_way_to_json_and_back():
    exam = Exam.parse(text(SEVERAL, 'time_out = "last_n_consistent"\nlast_n = 5'))
    assert Exam.model_validate(json.loads(exam.model_dump_json())).version == exam.version


@pytest.mark.parametrize(
    ("stopping", "settings", "words"),
    [
        ("", {}, "a fixed-length exam has one length, not 20 to 40"),
        ('[stopping]\nrule = "certain"', {"estimator": "wle"}, 'needs scoring.estimator "eap", not "wle"'),
        ('[stopping]\nrule = "certain"\nsure = 1', {}, "stopping.certain.sure: unknown field"),
        ('[[stopping]]\nrule = "sprt"\nbeta = 0.7', {}, "stopping.several.0.sprt.beta: Input should be less than 0.5"),
        (SEVERAL, {"top": 'time_out = "coin"'}, "time_out"),
        (SEVERAL, {"top": "last_n = 0"}, "last_n"),
        (SEVERAL, {"top": 'time_out = "last_n_consistent"'}, "needs last_n"),
        (SEVERAL, {"top": 'time_out = "last_n_consistent"\nlast_n = 21'}, "last_n 21 is above the minimum length 20"),
        (
            SEVERAL + '[[stopping]]\nrule = "glr"',
            {"top": "last_n = 3"},
            "each by its own ratio; keep one of them; last",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(stopping, settings, words):
    assert words in problems(stopping, **settings)


def test_the_command_line_shows_every_rule_and_who_decides_when_time_runs_out(tmp_path, capsys):
    path = tmp_path / "x.toml"
    path.write_text(text(SEVERAL, 'time_out = "last_n_consistent"\nlast_n = 5'), encoding="utf-8")
    assert run(["exam", "show", str(path)]) == 0
    shown = capsys.readouterr().out
    for words in ("stopping.1.rule", "sprt", "stopping.2.target", "90 minutes (then the last 5 estimates decide)"):
        assert words in shown
    assert "Stops early by: SPRT at the cut ± 0.2 (α 0.1, β 0.05); or standard error at most 0.25" in shown
    assert run(["exam", "show", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stopping"][1] == {"rule": "standard_error", "target": 0.25}
    assert run(["exam", "check", str(path)]) == 0
    assert "Stops early by" in capsys.readouterr().out

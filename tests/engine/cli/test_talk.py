"""Data on stdout, talk on stderr, and JSON that any reader takes."""

import json

import numpy as np
import pytest

from issmp_cat.cli.talk import next_step, print_json, progress, say, table


def test_talk_goes_to_stderr_and_quiet_silences_it(capsys):
    say("hello")
    next_step("issmp-cat take")
    say("never", quiet=True)
    with progress("work", total=2, quiet=True) as advance:
        advance(1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "hello\nnext: issmp-cat take\n"


def test_progress_off_a_terminal_is_one_line_with_its_time(capsys):
    with progress("work", total=2) as advance:
        advance(1)
        advance(1)
    assert capsys.readouterr().err.startswith("work: ")


def test_a_failed_step_is_not_reported_as_done(capsys):
    with pytest.raises(ValueError, match="no"), progress("work"):
        raise ValueError("no")
    assert capsys.readouterr().err == ""


def test_json_knows_arrays_and_has_no_nan(capsys):
    print_json({"a": np.array([1.0, np.nan]), "b": np.float64(0.5), "c": {1: (np.int64(2), None)}, "d": float("inf")})
    read = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert read == {"a": [1.0, None], "b": 0.5, "c": {"1": [2, None]}, "d": None}


def test_tables_align_numbers_right_and_leave_gaps_for_what_is_missing(capsys):
    table("T", ("name", "n"), [("[x]", 1), ("longer", None), ("y", 100)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "T"
    assert lines[3].split() == ["[x]", "1"]
    assert lines[3].rstrip().endswith("  1")
    assert lines[4].split() == ["longer"]


def test_a_piped_table_is_not_cut_to_a_screen(capsys):
    table("", ("wide",), [("w" * 200,)])
    assert "w" * 200 in capsys.readouterr().out

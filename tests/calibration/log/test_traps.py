"""The traps of real logs, one after the other: what is dropped, changed or refused, and that it is said to the row."""

import csv

import numpy as np
import pandas as pd
import pytest

from issmp_calibration.log import Rules, classical_statistics, read_key, read_log, write_store
from issmp_calibration.log.read import Reading, read_as
from issmp_cat.cli.main import run
from issmp_cat.errors import ResponseLogError, UsageError

NAN = np.nan


def scores(log):
    """Scores by candidate and item."""
    cells = zip(log.person, log.item, log.score, strict=True)
    return {f"{log.persons[p]}:{log.items[i]}": int(x) for p, i, x in cells}


def rules_at_work(log):
    """Answers by rule, of what was dropped, changed or kept."""
    return {line.rule: line.answers for line in log.report.lines if line.action != "noted"}


def line_of(log, rule):
    return next(line for line in log.report.lines if line.rule == rule)


def long(text):
    """A frame from words: the header, then rows; "-" is an empty cell."""
    header, *rows = text.strip().splitlines()
    cells = [[None if cell == "-" else cell for cell in row.split()] for row in rows]
    return pd.DataFrame(cells, columns=header.split())


def problems(source, **options):
    with pytest.raises(ResponseLogError) as caught:
        read_log(source, **options)
    return caught.value.problems


# Omitted and not reached

STATUSES = long("""
candidate item option score_status
a op1 A answered
a op2 - omitted
a op3 - not_reached
a op4 - timed_out
a pre1 - omitted
a pre2 - not_reached
a op5 - not_presented
""")
KEY = pd.DataFrame(
    {
        "item": ["op1", "op2", "op3", "op4", "op5", "pre1", "pre2"],
        "key": "A",
        "status": ["operational"] * 5 + ["pretest"] * 2,
    }
)


@pytest.mark.parametrize(
    ("omitted", "rules", "expected"),
    [
        ("wrong", Rules(), "0 -1 -1 -1 -1"),
        ("missing", Rules(), "-1 -1 -1 -1 -1"),
        ("missing", Rules(not_reached="wrong"), "-1 0 0 -1 -1"),
        ("wrong", Rules(not_reached="wrong"), "0 0 0 -1 -1"),
        ("wrong", Rules(omitted_pretest="wrong"), "0 -1 -1 0 -1"),
        ("wrong", Rules(omitted_pretest="wrong", not_reached="wrong"), "0 0 0 0 0"),
    ],
)
def test_omitted_not_reached_and_pretest_are_three_switches(omitted, rules, expected):
    log = read_log(STATUSES, key=KEY, omitted=omitted, rules=rules)
    found = scores(log)
    assert [found[f"a:{item}"] for item in ("op2", "op3", "op4", "pre1", "pre2")] == [int(x) for x in expected.split()]
    assert "a:op5" not in found


def test_omitted_and_not_reached_are_told_apart_in_the_log():
    log = read_log(STATUSES, key=KEY)
    status = dict(zip(log.items[log.item].tolist(), log.status.tolist(), strict=True))
    assert status == {"op1": 0, "op2": 1, "op3": 2, "op4": 2, "pre1": 1, "pre2": 2}
    assert classical_statistics(log, read_key(KEY)).omitted.tolist() == [0, 1, 0, 0, 0, 1, 0]
    assert rules_at_work(log) == {
        "omitted_wrong": 1,
        "omitted_missing": 1,
        "not_reached_missing": 3,
        "not_presented": 1,
    }


PLACED = long("""
candidate item option position
a x A 3
a y - 1
a z - 4
a w - 5
a v - 6
b x - 1
b y - 2
b z - 3
c x A 2
c y 9 3
c z A 1
""")
PLACED_KEY = pd.DataFrame({"item": list("vwxyz"), "key": "A"})


def test_blanks_at_the_end_were_not_reached_but_for_the_first_of_them():
    rules = Rules(infer_not_reached=True, omitted_codes=("9",))
    log = read_log(PLACED, key=PLACED_KEY, rules=rules)
    assert scores(log) == {
        "a:x": 1,
        "a:y": 0,  # answers follow: omitted
        "a:z": 0,  # the first blank at the end was seen
        "a:w": -1,
        "a:v": -1,
        "b:x": 0,
        "b:y": -1,
        "b:z": -1,
        "c:x": 1,
        "c:y": 0,  # a code for "no answer", the only blank at the end
        "c:z": 1,
    }
    assert rules_at_work(log) == {"omitted_wrong": 4, "not_reached_missing": 4}
    assert any("taken as not reached" in note for note in log.note)


def test_nothing_is_inferred_unasked_or_where_a_status_tells():
    assert set(scores(read_log(PLACED, key=PLACED_KEY, rules=Rules(omitted_codes=("9",)))).values()) == {0, 1}
    log = read_log(STATUSES.assign(position=range(7)), key=KEY, rules=Rules(infer_not_reached=True))
    assert any("nothing is inferred" in note for note in log.note)
    assert scores(log) == scores(read_log(STATUSES, key=KEY))


def test_without_positions_a_long_log_does_not_tell_where_a_test_ends():
    (problem,) = problems(PLACED.drop(columns="position"), key=PLACED_KEY, rules=Rules(infer_not_reached=True))
    assert problem.startswith("not reached cannot be inferred without positions")


def test_the_columns_of_a_wide_table_are_positions():
    wide = pd.DataFrame({"q1": [1, NAN], "q2": [NAN, NAN], "q10": [1, NAN], "q3": [NAN, NAN], "q4": [NAN, NAN]})
    log = read_log(wide, rules=Rules(empty_cell="omitted", infer_not_reached=True))
    np.testing.assert_array_equal(log.wide(), [[1, 0, 1, 0, NAN], [0, NAN, NAN, NAN, NAN]])


# Keys

CHOSEN = pd.DataFrame({"candidate": list("12345"), "item": "x", "option": ["A", "B", "C", "D", None]})


def key_of(cell, **columns):
    return pd.DataFrame({"item": ["x"], "key": [cell], **{name: [value] for name, value in columns.items()}})


@pytest.mark.parametrize(
    ("key", "expected"), [("A|C", [1, 0, 1, 0, 0]), ("A:2|B:1", [2, 1, 0, 0, 0]), ("A:3|B", [3, 1, 0, 0, 0])]
)
def test_a_key_may_have_several_right_options_and_points(key, expected):
    assert read_log(CHOSEN, key=key_of(key)).score.tolist() == expected


def test_points_leave_no_option_suspected_that_is_right_in_part():
    key = read_key(key_of("A:2|B:1"))
    assert key.correct == (frozenset("AB"),)
    assert key.highest(0) == 2
    assert read_key(key_of("A|B")).highest(0) == 1


def test_the_highest_score_is_the_item_s_own():
    key = pd.DataFrame({"item": ["x", "y"], "max_score": [2, ""]})
    frame = long("candidate item score\na x 2\na y 2\nb x 3\nb y 1")
    assert set(problems(frame, key=key)) == {
        "row 2: score 2 for a dichotomous item; expected 0, 1 or empty",
        "row 3: score 3 for an item of 2 points; expected a whole number from 0 to 2, or empty",
    }
    (problem,) = problems(frame, key=key, rules=Rules(max_score=3))
    assert problem.startswith("row 3: score 3 for an item of 2 points")


def test_impossible_points_are_refused_with_their_line(tmp_path):
    path = tmp_path / "key.csv"
    path.write_text("item,key,max_score\nx,A:3|B:1,2\ny,A,none\nz,A,0\n")
    with pytest.raises(ResponseLogError) as caught:
        read_key(path)
    assert caught.value.problems == (
        'line 2: option "A" of item "x" is worth 3 points; the highest score is 2',
        'line 3: max_score "none" of item "y"; expected a whole number from 1 to 127',
        'line 4: max_score "0" of item "z"; expected a whole number from 1 to 127',
    )


def test_a_table_of_points_is_not_taken_for_options():
    key = pd.DataFrame({"item": ["x", "y"], "key": ["A:2|B:1", "C"]})
    log = read_log(pd.DataFrame({"x": [2, 1], "y": [0, 1]}), key=key, rules=Rules(max_score=2))
    np.testing.assert_array_equal(log.wide(), [[2, 0], [1, 1]])


# Attempts


def test_the_first_attempt_in_this_log_counts_though_it_is_the_fourth_in_life():
    frame = long("candidate item score attempt\na x 1 5\na x 0 4\nb x 1 1\nb x 0 2\na y 1 5")
    log = read_log(frame)
    assert scores(log) == {"a:x": 0, "b:x": 1}
    dropped = line_of(log, "attempt")
    assert (dropped.action, dropped.answers, dropped.candidates) == ("dropped", 3, 2)
    assert dropped.first == ("row 1", "row 4", "row 5")


# Duplicates

TWICE = "candidate,item,option,seconds\na,x,A,10\na,y,B,20\na,x,A,10\nb,x,B,5\n"


def test_exact_copies_are_one_row_whatever_is_asked():
    frame = pd.concat([CHOSEN, CHOSEN])
    for duplicates in ("error", "first", "last"):
        log = read_log(frame, key=key_of("A"), duplicates=duplicates)
        assert log.score.tolist() == [1, 0, 0, 0, 0]
        assert rules_at_work(log) == {"omitted_wrong": 2, "duplicate": 5}


def test_copies_are_dropped_and_other_answers_to_an_item_are_refused():
    frame = long("candidate item score\na x 1\na x 1\na x 0\nb x 1\nb x 1")
    (problem,) = problems(frame)
    assert problem.startswith("1 candidate answered an item twice in one attempt (a): first or last decides")
    first, last = read_log(frame, duplicates="first"), read_log(frame, duplicates="last")
    assert (scores(first), scores(last)) == ({"a:x": 1, "b:x": 1}, {"a:x": 0, "b:x": 1})
    assert rules_at_work(first) == rules_at_work(last) == {"duplicate": 2, "answered_twice": 1}
    assert line_of(first, "answered_twice").first == ("row 3",)
    assert line_of(last, "answered_twice").first == ("row 1",)


def test_the_same_answer_at_another_time_is_told_as_that():
    frame = long("candidate item score seconds\na x 1 10\na x 1 11")
    (problem,) = problems(frame)
    assert "1 times with the same answer and only another time or position" in problem


def test_candidates_who_stand_twice_in_a_wide_table():
    wide = pd.DataFrame({"id": ["a", "b", "a"], "x": [1, 0, 1], "y": [0, 1, 0]})
    log = read_log(wide)
    np.testing.assert_array_equal(log.wide(), [[1, 0], [0, 1]])
    assert (line_of(log, "duplicate").rows, line_of(log, "duplicate").answers) == (1, 2)
    assert "1 candidate answered an item twice" in problems(wide.assign(x=[1, 0, 0]))[0]


# Retired items

RETIRED_KEY = pd.DataFrame({"item": ["x", "y"], "key": ["A", ""], "status": ["operational", "retired"]})
WITH_RETIRED = long("candidate item option score\na x A -\na y Z 1\nb y A 0")


def test_retired_items_are_dropped_and_told():
    log = read_log(WITH_RETIRED, key=RETIRED_KEY)
    assert (scores(log), log.items.tolist()) == ({"a:x": 1}, ["x"])
    assert rules_at_work(log) == {"retired": 2}
    assert line_of(log, "retired").first == ("row 2", "row 3")
    assert any(note.startswith("2 answers to retired items are left out") for note in log.note)


def test_retired_items_can_be_kept():
    log = read_log(WITH_RETIRED, key=RETIRED_KEY, rules=Rules(retired="keep"))
    assert scores(log) == {"a:x": 1, "a:y": 1, "b:y": 0}


# Item versions

VERSIONS = long("""
candidate item item_version option
a q1 1 A
a q2 - B
b q1 2 A
b q2 v1 A
c q1 v2.0 B
""")
ONE_KEY = pd.DataFrame({"item": ["q1", "q2"], "key": ["A", "B"], "status": ["pretest", "operational"]})


def test_a_changed_item_is_another_item():
    key = read_key(ONE_KEY)
    log = read_log(VERSIONS, key=key)
    assert log.items.tolist() == ["q1", "q1@v2", "q2"]
    assert scores(log) == {"a:q1": 1, "a:q2": 1, "b:q1@v2": 1, "b:q2": 0, "c:q1@v2": 0}
    assert any(note.startswith("1 item version beyond the first (q1@v2): each is an item") for note in log.note)
    assert classical_statistics(log, key).status.tolist() == ["pretest", "pretest", "operational"]


def test_a_version_may_have_its_own_key():
    key = pd.DataFrame({"item": ["q1", "q1", "q2"], "item_version": ["", "2", ""], "key": ["A", "B", "B"]})
    log = read_log(VERSIONS, key=key)
    assert (scores(log)["b:q1@v2"], scores(log)["c:q1@v2"]) == (0, 1)
    pooled = read_log(VERSIONS, key=key, rules=Rules(item_versions="pooled"))
    assert scores(pooled) == {"a:q1": 1, "a:q2": 1, "b:q1": 0, "b:q2": 0, "c:q1": 1}


def test_versions_are_pooled_on_request():
    log = read_log(VERSIONS, key=ONE_KEY, rules=Rules(item_versions="pooled"))
    assert log.items.tolist() == ["q1", "q2"]
    assert scores(log) == {"a:q1": 1, "a:q2": 1, "b:q1": 1, "b:q2": 0, "c:q1": 0}
    assert any("pooled with their items" in note for note in log.note)


def test_who_saw_both_versions_answered_twice_only_where_they_are_pooled():
    frame = long("candidate item item_version score\na q1 1 1\na q1 2 0")
    assert scores(read_log(frame)) == {"a:q1": 1, "a:q1@v2": 0}
    assert "answered an item twice" in problems(frame, rules=Rules(item_versions="pooled"))[0]
    assert scores(read_log(frame, duplicates="last", rules=Rules(item_versions="pooled"))) == {"a:q1": 0}


# Times


def test_times_that_are_none_are_counted_and_located():
    frame = long("candidate item score seconds\na x 1 0\na y 1 -3\na z 1 20000\nb x 0 -\nb y 0 60\nb z 0 0")
    log = read_log(frame)
    assert rules_at_work(log) == {"time_zero": 2, "time_negative": 1, "time_too_long": 1}
    assert line_of(log, "time_zero").first == ("row 1", "row 6")
    assert scores(log)["a:y"] == 1  # the answer stays
    assert np.isfinite(read_log(frame, rules=Rules(max_seconds=30_000)).seconds).sum() == 2


# Misconduct

FLAGGED = long("candidate item score flagged\na x 1 0\na y 0 0\nb x 1 1\nb y 1 1\nc x 0 no\nc y 1 no\nd x 1 collusion")


def test_flagged_candidates_are_kept_by_readers_and_told():
    log = read_log(FLAGGED)
    assert log.n_persons == 4
    kept = line_of(log, "flagged")
    assert (kept.action, kept.answers, kept.candidates, kept.first[0]) == ("kept", 3, 2, "row 3")


def test_flagged_candidates_are_dropped_where_asked():
    log = read_log(FLAGGED, rules=Rules(flagged="drop"))
    assert log.persons.tolist() == ["a", "c"]
    assert (line_of(log, "flagged").action, line_of(log, "flagged").answers) == ("dropped", 3)


def test_the_candidate_table_may_flag_them():
    table = pd.DataFrame({"candidate": ["a", "b", "z"], "flagged": [1, 0, 1]})
    frame = FLAGGED.drop(columns="flagged")
    log = read_log(frame, candidates=table, rules=Rules(flagged="drop"))
    assert log.persons.tolist() == ["b", "c", "d"]
    assert log.candidates["flagged"].tolist()[0] == 0
    assert read_log(frame, candidates=table).n_persons == 4


def test_calibrate_leaves_flagged_candidates_out_and_score_does_not(tmp_path, capsys):
    rng = np.random.default_rng(2)
    matrix = rng.integers(0, 2, (60, 4))
    wide = pd.DataFrame(matrix, columns=list("wxyz")).assign(candidate=range(60), flagged=[1] * 5 + [0] * 55)
    path, bank = tmp_path / "log.csv", tmp_path / "bank.json"
    wide.to_csv(path, index=False)
    assert run(["calibrate", str(path), "--model", "rasch", "-o", str(bank)]) == 0
    out, err = capsys.readouterr()
    assert "55 candidates, 220 answers" in out
    assert "dropped: flagged 20" in err
    assert run(["calibrate", str(path), "--model", "rasch", "--flagged", "keep"]) == 0
    assert "60 candidates, 240 answers" in capsys.readouterr().out
    assert run(["score", str(path), "--bank", str(bank)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 61


# The data report


@pytest.fixture
def messy(tmp_path):
    """A file with a bit of everything, and a line break inside a cell."""
    path = tmp_path / "messy.csv"
    path.write_text(
        'candidate,item,option,seconds,attempt,flagged\na,x,A,"1\n0",1,0\n'.replace('"1\n0"', "10")
        + '"b\nb",x,B,0,1,0\n'  # 3–4
        + "a,y,,5,1,0\n"  # 5
        + "a,x,A,10,1,0\n"  # 6: copy of line 2
        + "a,x,B,10,2,0\n"  # 7: second attempt
        + "\n"
        + "a,old,C,10,1,0\n"  # 9: retired
        + "c,x,A,10,1,1\n"  # 10: flagged
    )
    return path


MESSY_KEY = pd.DataFrame({"item": ["x", "y", "old"], "key": ["A", "B", "C"], "status": ["", "", "retired"]})


def test_every_rule_names_its_rows_by_their_lines(messy):
    log = read_log(messy, key=MESSY_KEY, rules=Rules(flagged="drop"))
    assert {line.rule: line.first for line in log.report.lines if line.action != "noted"} == {
        "flagged": ("line 10",),
        "attempt": ("line 7",),
        "retired": ("line 9",),
        "omitted_wrong": ("line 5",),
        "duplicate": ("line 6",),
        "time_zero": ("line 3",),
    }
    assert (log.report.rows, log.report.used) == (7, 3)
    assert log.report.summary() == (
        "messy.csv: 7 rows, 3 answers used; dropped: flagged 1, attempt 1, retired 1, duplicate 1; "
        "changed: omitted_wrong 1, time_zero 1"
    )


def test_used_and_dropped_answers_make_up_the_rows(messy):
    report = read_log(messy, key=MESSY_KEY, rules=Rules(flagged="drop")).report
    frame = report.frame
    assert report.used + frame[frame["action"] == "dropped"]["answers"].sum() == report.rows
    assert list(frame.columns) == ["rule", "action", "rows", "answers", "candidates", "first", "words"]


def test_every_dropped_row_is_written_with_line_and_reason(messy, tmp_path, capsys):
    MESSY_KEY.to_csv(tmp_path / "key.csv", index=False)
    dropped = tmp_path / "dropped.csv"
    words = ["check", str(messy), "--key", str(tmp_path / "key.csv"), "--flagged", "drop", "--dropped", str(dropped)]
    assert run(words) == 0
    out, err = capsys.readouterr()
    assert "What was dropped or changed" in out
    assert f"wrote {dropped}" in err
    with dropped.open(newline="") as handle:
        rows = [(row["line"], row["item"], row["action"], row["rule"]) for row in csv.DictReader(handle)]
    assert rows == [
        ("3", "x", "changed", "time_zero"),
        ("5", "y", "changed", "omitted_wrong"),
        ("6", "x", "dropped", "duplicate"),
        ("7", "x", "dropped", "attempt"),
        ("9", "old", "dropped", "retired"),
        ("10", "x", "dropped", "flagged"),
    ]


def test_rows_of_wide_tables_are_written_once(tmp_path):
    wide = pd.DataFrame({"id": ["a", "b", "a"], "x": [1, 0, 1], "y": [0, 1, 0], "flagged": [0, 1, 0]})
    how = Reading(None, None, None, None, "wrong", "error", "first", Rules(flagged="drop"))
    read_as(wide, how, tmp_path / "dropped.csv")
    rows = pd.read_csv(tmp_path / "dropped.csv", keep_default_na=False)
    assert rows[["line", "candidate", "item", "rule"]].to_numpy().tolist() == [
        [2, "b", "", "flagged"],
        [3, "a", "", "duplicate"],
    ]


def test_a_clean_log_has_nothing_to_report():
    log = read_log(pd.DataFrame({"x": [1, 0], "y": [0, 1]}))
    assert not log.report.removed
    assert log.report.summary() == "data frame: 2 rows, 4 answers used"
    assert log.report.frame.empty


def test_the_credential_form_loses_nothing_and_says_what_it_changed():
    import os
    from pathlib import Path

    folder = Path(os.environ.get("ISSMP_SHARED", Path(__file__).parents[4] / "shared")) / "data" / "credential"
    if not folder.exists():
        pytest.skip(f"the credential data are not at {folder}")
    key, table = read_key(folder / "key.csv"), folder / "candidates.csv"
    log = read_log(folder / "responses.csv.gz", key=key, candidates=table)
    assert rules_at_work(log) == {
        "flagged": 46 * 180,
        "omitted_wrong": 135,
        "omitted_missing": 5,
        "time_zero": 109,
    }
    assert line_of(log, "flagged").action == "kept"
    assert not any(line.action == "dropped" for line in log.report.lines)
    dropped = read_log(folder / "responses.csv.gz", key=key, candidates=table, rules=Rules(flagged="drop"))
    assert dropped.n_persons == 1636 - 46


def test_a_store_has_lost_the_rows_that_were_dropped(tmp_path):
    store = write_store(pd.DataFrame({"x": [1, 0], "y": [0, 1]}), tmp_path / "store")
    how = Reading(None, None, None, None, "wrong", "error", "first", Rules())
    with pytest.raises(UsageError, match="a store has lost the rows"):
        read_as(store.folder, how, tmp_path / "dropped.csv")


def test_traps_are_the_same_in_a_store(tmp_path):
    """Everything at once, read and stored: the same answers with a score, and the same said of the rest."""
    rng = np.random.default_rng(0)
    n = 1500
    frame = pd.DataFrame(
        {
            "candidate": rng.integers(0, 60, n),
            "item": rng.integers(0, 40, n),
            "item_version": rng.choice(["1", "2"], n),
            "option": rng.choice(["A", "B", "C", None], n, p=[0.4, 0.3, 0.2, 0.1]),
            "attempt": rng.integers(1, 3, n),
            "position": rng.integers(0, 60, n),
        }
    )
    frame = pd.concat([frame.assign(flagged=frame["candidate"] % 10 == 0)] * 2).iloc[: n + 200]
    status = ["retired" if k % 9 == 0 else "pretest" if k % 7 == 0 else "operational" for k in range(40)]
    key = pd.DataFrame({"item": map(str, range(40)), "key": "A:2|B:1", "status": status})
    rules = Rules(flagged="drop", item_versions="pooled", infer_not_reached=True)
    log = read_log(frame, key=key, duplicates="last", rules=rules)
    stored = write_store(frame, tmp_path / "store", key=key, duplicates="last", rules=rules)
    told = {line.rule: line.answers for line in stored.report.lines if line.action != "noted"}
    assert told == rules_at_work(log)
    assert {"flagged", "attempt", "retired", "duplicate", "answered_twice", "omitted_wrong"} <= told.keys()
    assert scores(stored.log()) == {place: score for place, score in scores(log).items() if score >= 0}

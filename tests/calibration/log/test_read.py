"""Reading logs: whatever the file, the same log."""

import gzip

import duckdb
import numpy as np
import pandas as pd
import pytest

from issmp_calibration.log import Rules, read_log
from issmp_cat.responses import NO_OPTION, ResponseLog

KEY = pd.DataFrame({"item": ["i1", "i2", "i3"], "key": ["A", "B", "C"], "status": ["", "operational", "pretest"]})
LONG = """candidate,item,option,seconds
c2,i1,A,30
c2,i2,C,0
c1,i1,B,12.5
c1,i2,,-4
c10,i3,,99999
c10,i1,a,
"""


@pytest.fixture
def long(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(LONG)
    return path


def scores(log):
    """Scores by candidate and item."""
    cells = zip(log.person, log.item, log.score, strict=True)
    return {(str(log.persons[p]), str(log.items[i])): int(x) for p, i, x in cells}


def test_a_key_turns_options_into_scores(long):
    log = read_log(long, key=KEY)
    assert scores(log) == {
        ("c1", "i1"): 0,
        ("c1", "i2"): 0,  # omitted, operational: wrong
        ("c10", "i1"): 1,  # a small letter is the same option
        ("c10", "i3"): -1,  # omitted, pretest: no score
        ("c2", "i1"): 1,
        ("c2", "i2"): 0,
    }
    assert log.options == ("A", "B", "C")
    assert (log.option == NO_OPTION).sum() == 2


def test_omitted_answers_can_be_missing(long):
    log = read_log(long, key=KEY, omitted="missing")
    assert scores(log)["c1", "i2"] == -1


def test_zero_negative_and_absurd_times_are_no_times(long):
    log = read_log(long, key=KEY)
    assert np.isfinite(log.seconds).sum() == 2
    assert "1 times are zero and are not used as times" in log.note
    assert "1 times are negative and are not used as times" in log.note
    assert "1 times are above 10,800 seconds and are not used as times" in log.note


def test_items_of_the_key_that_nobody_saw_are_kept(long):
    key = pd.concat([KEY, pd.DataFrame({"item": ["i4"], "key": ["D"], "status": [""]})])
    log = read_log(long, key=key)
    assert list(log.items) == ["i1", "i2", "i3", "i4"]


def test_what_was_understood_is_noted(long):
    note = read_log(long, key=KEY).note
    assert note[0].startswith('long.csv: long: a row is an answer; candidate in "candidate"')
    assert "1 omitted answers count as wrong" in note
    assert "1 omitted answers count as missing" in note


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".parquet"])
def test_every_file_format_gives_the_same_log(tmp_path, long, suffix):
    path = tmp_path / f"other{suffix}"
    if suffix == ".csv.gz":
        path.write_bytes(gzip.compress(LONG.encode()))
    elif suffix == ".parquet":
        duckdb.read_csv(str(long)).write_parquet(str(path))
    else:
        path.write_text(LONG.replace(",", "\t") if suffix == ".tsv" else LONG)
    assert_same(read_log(path, key=KEY), read_log(long, key=KEY))


def test_a_frame_gives_the_same_log(long):
    assert_same(read_log(pd.read_csv(long), key=KEY), read_log(long, key=KEY))


def test_a_log_is_returned_as_it_is():
    log = ResponseLog.from_wide(np.eye(3))
    assert read_log(log) is log


def test_several_files_are_read_as_one(tmp_path, long):
    header, *rows = LONG.splitlines(keepends=True)
    parts = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for part, lines in zip(parts, (rows[:2], rows[2:]), strict=True):
        part.write_text(header + "".join(lines))
    assert_same(read_log(parts, key=KEY), read_log(long, key=KEY))


def test_semicolons_byte_order_mark_windows_lines_and_quotes_are_understood(tmp_path, long):
    path = tmp_path / "excel.csv"
    body = LONG.replace("c2,", '"c2",').replace(",", ";").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + body.encode())
    assert_same(read_log(path, key=KEY), read_log(long, key=KEY))


def test_lines_of_old_macs_are_understood(tmp_path, long):
    path = tmp_path / "mac.csv"
    path.write_bytes(LONG.replace("\n", "\r").encode())
    assert_same(read_log(path, key=KEY), read_log(long, key=KEY))


def test_unnamed_columns_are_row_names_or_nothing(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(",a,b,\nr1,0,1,\nr2,1,1,\n")
    log = read_log(path)
    assert list(log.persons) == ["r1", "r2"]
    assert list(log.items) == ["a", "b"]


def test_names_of_the_item_response_warehouse_are_understood():
    frame = pd.DataFrame(
        {"id": [7, 7, 8], "item": ["x", "y", "x"], "resp": [1, 0, 1], "rt": [3.0, 4.0, None], "cov_age": [30, 30, 41]}
    )
    log = read_log(frame)
    assert scores(log) == {("7", "x"): 1, ("7", "y"): 0, ("8", "x"): 1}
    assert log.candidates["cov_age"].tolist() == [30, 41]
    assert np.isnan(log.seconds[2])


def test_names_can_be_given():
    frame = pd.DataFrame({"Wer": ["a", "b"], "Frage": ["q1", "q1"], "Punkte": [1, 0], "Bemerkung": ["", "!"]})
    log = read_log(frame, columns={"candidate": "Wer", "item": "Frage", "score": "Punkte", "ignore": "Bemerkung"})
    assert scores(log) == {("a", "q1"): 1, ("b", "q1"): 0}


def test_whole_numbers_stay_whole_and_are_ordered_by_value():
    frame = pd.DataFrame({"candidate": [10.0, 9.0, 9.0], "item": [2, 10, 2], "score": [1, 1, 0]})
    log = read_log(frame)
    assert list(log.persons) == ["9", "10"]
    assert list(log.items) == ["2", "10"]


def test_statuses_tell_omitted_from_not_reached_and_not_presented():
    status = ["answered", "omitted", "not_reached", "timed_out", "not_presented"]
    frame = pd.DataFrame(
        {"candidate": "c", "item": list("vwxyz"), "option": ["A", None, None, None, None], "score_status": status}
    )
    key = pd.DataFrame({"item": list("vwxyz"), "key": "A"})
    log = read_log(frame, key=key)
    assert scores(log) == {("c", "v"): 1, ("c", "w"): 0, ("c", "x"): -1, ("c", "y"): -1}
    assert scores(read_log(frame, key=key, rules=Rules(not_reached="wrong")))["c", "x"] == 0


def test_a_candidate_without_answers_is_kept_and_empty():
    frame = pd.DataFrame({"id": ["a", "b"], "x": [1, None], "y": [0, None]})
    log = read_log(frame)
    assert list(np.diff(log.start)) == [2, 0]


def test_wide_tables_of_scores_need_no_key():
    log = read_log(pd.DataFrame({"x": [1, 0, 1], "y": [0.0, None, 1.0]}))
    assert log.n_persons == 3
    np.testing.assert_array_equal(log.wide(), [[1, 0], [0, np.nan], [1, 1]])


def test_wide_tables_of_options_are_scored_by_the_key(tmp_path):
    path = tmp_path / "sat.csv"
    path.write_text("Item.1,Item.2,Item.10\n1,4,8\n3,,5\n")
    key = pd.DataFrame({"item": ["Item.1", "Item.2", "Item.10"], "key": [1, 4, 5]})
    log = read_log(path, key=key, rules=Rules(omitted_codes=("8",)))
    np.testing.assert_array_equal(log.wide(), [[1, 1, 0], [0, np.nan, 1]])
    assert any(note.startswith("1 empty cells are taken as not presented") for note in log.note)
    blank = read_log(path, key=key, rules=Rules(omitted_codes=("8",), empty_cell="omitted"))
    np.testing.assert_array_equal(blank.wide(), [[1, 1, 0], [0, 0, 1]])


def test_a_table_of_scores_is_not_scored_again_by_the_key():
    key = pd.DataFrame({"item": ["x", "y"], "key": ["A", "B"], "status": ["operational", "pretest"]})
    log = read_log(pd.DataFrame({"x": [1, 0], "y": [0, 1]}), key=key)
    np.testing.assert_array_equal(log.wide(), [[1, 0], [0, 1]])


def test_items_may_have_several_right_options():
    key = pd.DataFrame({"item": ["x"], "key": ["A|C"]})
    log = read_log(pd.DataFrame({"candidate": list("123"), "item": "x", "option": list("ABC")}), key=key)
    assert log.score.tolist() == [1, 0, 1]


def test_the_key_decides_where_a_score_says_otherwise():
    key = pd.DataFrame({"item": ["x"], "key": ["A"]})
    frame = pd.DataFrame({"candidate": ["1", "2"], "item": "x", "choice": ["A", "B"], "score": [0, 0]})
    log = read_log(frame, key=key)
    assert log.score.tolist() == [1, 0]
    assert "1 answers carry another score than the key's; the key counts" in log.note


SCORED = pd.DataFrame({"candidate": ["a", "a", "b"], "item": ["x", "y", "x"], "score": [1, None, 0]})


def test_an_empty_score_of_a_long_log_is_an_omitted_answer():
    log = read_log(SCORED)
    assert scores(log) == {("a", "x"): 1, ("a", "y"): 0, ("b", "x"): 0}
    assert "1 omitted answers count as wrong" in log.note
    missing = read_log(SCORED, omitted="missing")
    assert scores(missing)["a", "y"] == -1
    assert "1 omitted answers count as missing" in missing.note


def test_an_empty_score_of_a_pretest_item_never_counts():
    key = pd.DataFrame({"item": ["x", "y"], "status": ["operational", "pretest"]})
    assert scores(read_log(SCORED, key=key))["a", "y"] == -1


def test_empty_cells_of_scores_are_omitted_answers_when_asked():
    wide = pd.DataFrame({"x": [1, 0], "y": [0.0, None]})
    assert np.isnan(read_log(wide).wide()[1, 1])
    assert any("--empty-cell omitted" in note for note in read_log(wide).note)
    log = read_log(wide, rules=Rules(empty_cell="omitted"))
    np.testing.assert_array_equal(log.wide(), [[1, 0], [0, 0]])


ATTEMPTS = pd.DataFrame(
    {
        "candidate": ["a", "a", "b", "a"],
        "item": ["x", "x", "x", "y"],
        "score": [0, 1, 1, 1],
        "attempt": ["4", "4+", "1", "4"],
    }
)


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ("first", {("a", "x"): 0, ("a", "y"): 1, ("b", "x"): 1}),
        ("last", {("a", "x"): 1, ("b", "x"): 1}),
        ("all", {("a#4", "x"): 0, ("a#4", "y"): 1, ("a#4+", "x"): 1, ("b", "x"): 1}),
    ],
)
def test_one_attempt_counts_or_each_stands_alone(attempts, expected):
    log = read_log(ATTEMPTS, attempts=attempts)
    assert scores(log) == expected
    assert any("1 candidates with several attempts" in note for note in log.note)


@pytest.mark.parametrize(("duplicates", "kept"), [("first", 0), ("last", 1)])
def test_duplicates_are_settled_when_asked(duplicates, kept):
    frame = pd.DataFrame({"candidate": ["a", "a", "a"], "item": ["x", "y", "x"], "score": [0, 1, 1]})
    log = read_log(frame, duplicates=duplicates)
    assert scores(log) == {("a", "x"): kept, ("a", "y"): 1}
    assert f"1 duplicate answers set aside: the {duplicates} one counts" in log.note


def test_positions_come_along():
    frame = pd.DataFrame({"candidate": ["a", "a"], "item": ["y", "x"], "score": [1, 0], "position": [0, 1]})
    assert read_log(frame).position.tolist() == [1, 0]  # item x stands first


def test_candidates_are_joined_in_the_order_of_the_log(tmp_path, long):
    path = tmp_path / "candidates.csv"
    path.write_text("id,attempt,age\nc1,1,40\nc10,4+,\nc9,1,50\n")
    log = read_log(long, key=KEY, candidates=path)
    assert list(log.persons) == ["c1", "c10", "c2"]
    assert log.candidates["attempt"].tolist() == ["1", "4+", ""]
    np.testing.assert_array_equal(log.candidates["age"], [40, np.nan, np.nan])
    assert log.note[-2:] == (
        "candidates.csv: columns about 2 of 3 candidates",
        "candidates.csv: 1 candidates without an answer in the log are left out",
    )


def assert_same(log, other):
    """Two logs hold the same answers."""
    for name in ("persons", "items", "start", "item", "score", "option", "seconds", "position"):
        mine, theirs = getattr(log, name), getattr(other, name)
        assert (mine is None) == (theirs is None), name
        if mine is not None:
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
    assert log.options == other.options


def test_categorical_columns_are_read_as_their_labels():
    """DuckDB garbles pandas categoricals now and then, so none is handed over."""
    plain = pd.DataFrame({"candidate": ["c1", "c1", "c2"], "item": ["i1", "i2", "i1"], "score": [1, 0, 1]})
    log = read_log(plain.astype({"candidate": "category", "item": "category"}))
    assert log.persons.tolist() == ["c1", "c2"]
    assert log.items.tolist() == ["i1", "i2"]
    assert log.score.tolist() == [1, 0, 1]

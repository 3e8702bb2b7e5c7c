"""Bad input: one clear message, every fault at once, never a crash."""

import gzip

import duckdb
import numpy as np
import pandas as pd
import pytest

from issmp_calibration.log import Rules, read_key, read_log
from issmp_calibration.log.raw import open_raw
from issmp_cat.errors import ResponseLogError, UsageError

KEY = pd.DataFrame({"item": ["D3-0421", "D1-0001"], "key": ["A", "B"]})
GOOD = "candidate,item,option\nC1,D3-0421,A\nC1,D1-0001,B\nC2,D3-0421,D\n"


def refused(source, **options):
    """The problems of a source, which must be refused as input."""
    with pytest.raises(ResponseLogError) as caught:
        read_log(source, **options)
    assert caught.value.exit_code == 3
    return caught.value.problems


@pytest.fixture
def file(tmp_path):
    """Write content, text or bytes, under a name."""

    def write(content, name="responses.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_all_faults_are_told_at_once_each_with_its_line(file):
    text = (
        GOOD
        + "C3,D3-0412,A\n"  # 5: unknown
        + "C3,D1-0001\n"  # 6: a field short
        + "\n"  # 7: blank
        + '"C\n4",D1-0001,A\n'  # 8–9: a line break inside a cell
        + "C5,D1-0001,X\n"  # 10: no such option
        + "C5,D3-0421,B,7\n"  # 11: a field too many
        + ",D3-0421,B\n"  # 12: nobody
        + "C6,,B\n"  # 13: nothing
        + "C1,D3-0421,C\n"  # 14: again
    )
    assert set(refused(file(text), key=KEY)) == {
        'line 5: item "D3-0412" is not in item file (did you mean "D3-0421"?)',
        "line 6: 2 fields; the header has 3: C3,D1-0001",
        'line 10: option "X" for item "D1-0001"; its options are A, B, C, D',
        "line 11: 4 fields; the header has 3: C5,D3-0421,B,7",
        "line 12: no candidate",
        "line 13: no item",
        "1 candidate answered an item twice in one attempt (C1): first or last decides (--duplicates, duplicates=)",
    }


def test_the_error_reads_as_agreed(file):
    with pytest.raises(ResponseLogError) as caught:
        read_log(file("candidate,item,score\na,x,1\na,y,2\na,x,0\n"))
    assert str(caught.value) == (
        "responses.csv: 2 problems\n"
        "  line 3: score 2 for a dichotomous item; expected 0, 1 or empty\n"
        "  1 candidate answered an item twice in one attempt (a): first or last decides (--duplicates, duplicates=)"
    )


def test_a_flood_of_faults_is_cut_and_counted(file):
    rows = [f"c{k},x,1\n" for k in range(1000)] + [f"d{k},x,7\n" for k in range(50)]
    problems = refused(file("candidate,item,score\n" + "".join(rows)))
    assert len(problems) == 21
    assert problems[0].startswith("line 1002: score 7")
    assert problems[-1] == "… and 30 more: impossible scores"


def test_when_most_scores_are_impossible_the_cause_is_guessed(file):
    problems = refused(file("x,y\n" + "1,4\n3,2\n" * 20))
    assert 'line 2: column "y": score 4 for a dichotomous item; expected 0, 1 or empty' in problems
    assert problems[0].startswith("so many cannot be slips: options need a key")


def test_unknown_items_are_told_once_each_in_their_order():
    frame = pd.DataFrame({"candidate": ["a", "a", "b", "b"], "item": ["q10", "q9", "q9", "D1-0001"], "option": "A"})
    assert refused(frame, key=KEY) == (
        'row 2: item "q9" is not in item file; 2 answers',
        'row 1: item "q10" is not in item file',
    )


def test_many_unknown_items_hint_at_another_key():
    frame = pd.DataFrame({"candidate": "a", "item": [f"q{k}" for k in range(30)], "option": "A"})
    problems = refused(frame, key=KEY)
    assert problems[0] == "30 items are not in the item file: is it the key of this log (--key, key=)?"
    assert len(problems) == 12
    assert problems[-1] == "… and 20 more: unknown items"


def test_duplicates_name_some_candidates():
    frame = pd.DataFrame({"candidate": [f"C{k}" for k in range(5)] * 2, "item": "x", "score": [1] * 5 + [0] * 5})
    (problem,) = refused(frame)
    assert problem.startswith("5 candidates answered an item twice in one attempt (C0, C1, C2, …): first or last")


NO_TABLES = {
    "empty.csv": (b"", "the file is empty"),
    "blank.csv": (b"\n\n", "the file is empty"),
    "header.csv": (b"candidate,item,score\n", "a header and no answers"),
    "text.parquet": (b"candidate,item,score\n", "named .parquet, but it is text, not Parquet"),
    "cut.parquet": (b"PAR1 and then nothing", "cannot be read"),
    "plain.csv.gz": (GOOD.encode(), "named .gz, but it is text, not gzip-compressed"),
    "packed.csv": (
        gzip.compress(GOOD.encode(), mtime=0),
        "named .csv, but it is gzip-compressed; add .gz to its name",
    ),
    "cut.csv.gz": (gzip.compress(GOOD.encode() * 9999, mtime=0)[:300], "the gzip stream is damaged or cut off"),
    "columns.csv": (b"PAR1\0\0\0PAR1", "named .csv, but it is a Parquet file; rename it to .parquet"),
    "sheet.csv": (b"PK\x03\x04\0\0", "not a text table: it is a zip or Excel file; save the sheet as CSV"),
    "binary.csv": (b"\x7fELF\0\0\0\1", "not a text table: it is binary"),
    "utf16.csv": (GOOD.encode("utf-16"), 'not a text table: it is UTF-16 text; save it as "CSV UTF-8"'),
    "lines.csv": (b"\n\ncandidate,item,score\na,x,1\n", "line 1 is empty; expected a header with column names"),
    "cell.csv": (b"candidate,item,score\na," + b"x" * 3_000_000 + b",1\n", "line 2: longer than 2 MB: a,xxx"),
    "quote.csv": (b'candidate,item,score\n"a,x,1\nb,x,0\n', "line 2: a quote that does not close"),
    "values.csv": (b"0,1,1\n1,1,0\n", 'line 1 holds values ("0,1,1"), not column names; add a header line'),
    "twice.csv": (b"candidate,item,item,score\n1,2,3,1\n", 'column "item" appears twice (capitals do not count)'),
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_a_file_that_is_not_what_its_name_says(file, name):
    content, problem = NO_TABLES[name]
    (said,) = refused(file(content, name))
    assert said.startswith(problem)


def test_a_column_name_that_the_reader_needs(tmp_path):
    path = tmp_path / "log.parquet"
    duckdb.sql("SELECT 'a' AS candidate, 'x' AS item, 1 AS score, 3 AS file_row_number").write_parquet(str(path))
    assert refused(path) == ('column "file_row_number" has a name that the reader uses itself; rename it',)


@pytest.mark.parametrize(
    ("kind", "said"), [(RuntimeError, "Query interrupted"), (duckdb.InterruptException, "Interrupted!")]
)
def test_an_interrupted_query_is_a_keyboard_interrupt(file, kind, said):
    with pytest.raises(KeyboardInterrupt), open_raw(file(GOOD)):
        raise kind(said)


def test_what_is_no_source_at_all_is_a_wrong_call():
    with pytest.raises(UsageError, match="got int"):
        read_log(3)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"item,key\nx\n", "line 2: 1 fields; the header has 2"),
        (b"item,key\n", "a header and no rows"),
        (b"item,key\nx,\xff\n", "after line 1: not UTF-8 text; save the file as UTF-8"),
        (b"answer,points\nx,1\n", "no column names the item; found answer, points; accepted names: item, item_id, id"),
    ],
)
def test_a_key_file_that_cannot_be_read(file, content, problem):
    with pytest.raises(ResponseLogError) as caught:
        read_key(file(content, "key.csv"))
    assert caught.value.problems == (problem,)


def test_another_encoding_is_told_by_line(file):
    (problem,) = refused(file("candidate,item,score\nMüller,x,1\n".encode("latin-1")))
    assert problem.startswith("line 2: not UTF-8 text; save the file as UTF-8")


def test_an_encoding_fault_in_the_header_is_told_too(file):
    assert refused(file("candidate,item,score,größe\na,x,1,2\n".encode("latin-1"))) == (
        "line 1: not UTF-8 text; save the file as UTF-8",
    )


def test_a_file_that_is_not_there_and_a_folder(tmp_path):
    assert refused(tmp_path / "none.csv") == ("no such file",)
    assert refused(tmp_path) == ("this is a folder, not a file",)


def test_missing_columns_are_named_with_what_was_found(file):
    (problem,) = refused(file("who,item,score\na,x,1\n"))
    assert problem.startswith("no column names the candidate; found who, item, score; accepted names: candidate,")
    (problem,) = refused(file("candidate,item,note\na,x,1\n"))
    assert problem.startswith("no column holds the answers; found candidate, item, note; accepted names: option,")


def test_options_without_a_key(file):
    (problem,) = refused(file(GOOD))
    assert problem.startswith("the answers are options (A, B, D) and there is no key to score them by")


def test_a_column_that_is_not_there(file):
    (problem,) = refused(file(GOOD), columns={"candidate": "canditate"})
    assert problem == 'no column "canditate" (did you mean "candidate"?)'


def test_an_unknown_role_is_a_wrong_call(file):
    with pytest.raises(UsageError, match='unknown role "candidat" \\(did you mean "candidate"'):
        read_log(file(GOOD), columns={"candidat": "candidate"})


def test_times_and_positions_that_are_none(file):
    problems = refused(file("candidate,item,score,seconds,position\na,x,1,fast,0\na,y,1,3,-1\na,z,0,,1.5e9\n"))
    assert set(problems) == {
        'line 2: seconds "fast" is not a number',
        'line 3: position "-1" is not a whole number from 0 to 32767',
        'line 4: position "1.5e9" is not a whole number from 0 to 32767',
    }


def test_a_status_nobody_knows(file):
    (problem,) = refused(file("candidate,item,score,score_status\na,x,1,answerd\n"))
    assert problem == 'line 2: score_status "answerd" (did you mean "answered"?)'


def test_rows_of_parquet_files_and_frames_are_counted_from_one(tmp_path):
    path = tmp_path / "log.parquet"
    duckdb.sql("SELECT 'a' AS candidate, 'x' || k AS item, k AS score FROM range(3) t(k)").write_parquet(str(path))
    assert refused(path)[0] == "row 3: score 2 for a dichotomous item; expected 0, 1 or empty"
    frame = pd.DataFrame({"candidate": ["a", "b"], "item": ["x", "x"], "score": [1, 3]}, index=[7, 9])
    assert refused(frame)[0] == "row 2: score 3 for a dichotomous item; expected 0, 1 or empty"


def test_several_files_name_the_one_at_fault(file):
    good = file("candidate,item,score\n" + "a,x,1\n" * 1, "one.csv")
    bad = file("candidate,item,score\nb,x,1\nb,y,5\n", "two.csv")
    assert refused([good, bad]) == ("two.csv, line 3: score 5 for a dichotomous item; expected 0, 1 or empty",)


def test_files_that_do_not_fit_together(file):
    one, two = file("candidate,item,score\na,x,1\n", "one.csv"), file("candidate,item,resp\nb,x,1\n", "two.csv")
    assert refused([one, two]) == ("two.csv: columns candidate, item, resp; one.csv has candidate, item, score",)


def test_a_log_where_nothing_was_presented(file):
    assert refused(file("x,y\n,\n,\n")) == ("no answers: every row is empty, not presented or set aside",)


def test_every_fault_of_a_key_is_told(file):
    key = file(
        "item,key,options,status,enemies\nx,A,A B C,operational,y\nx,B,,,\ny,E,A|B|C,pretset,q\nz,,,retired,\nw,,,,\n",
        "key.csv",
    )
    with pytest.raises(ResponseLogError) as caught:
        read_key(key)
    assert set(caught.value.problems) == {
        'line 3: item "x" stands already on line 2',
        'line 4: key "E" of item "y" is none of its options A, B, C',
        'line 4: status "pretset" (did you mean "pretest"?)',
        'line 4: enemy "q" of item "y" is not in this file',
        'line 6: item "w" has no key',
    }


def test_a_candidate_table_with_a_candidate_twice_or_of_another_exam(file):
    log = file("candidate,item,score\na,x,1\n")
    twice = file("candidate,age\na,1\na,2\n", "twice.csv")
    other = file("candidate,age\nq,1\n", "other.csv")
    assert refused(log, candidates=twice) == ('line 3: candidate "a" stands already on line 2',)
    assert refused(log, candidates=other) == ("none of its candidates (q) is in the log (a)",)


@pytest.mark.parametrize("name", ["NA", "NaN", "null", "None"])
def test_what_programs_write_for_a_missing_id_names_nobody(file, name):
    """R and pandas write it so; the answers of several candidates would become those of one."""
    problems = refused(file(f"candidate,item,score\na,x,1\n{name},x,1\n{name},y,0\n"))
    assert problems == (f'line 3: no candidate ("{name}" is no name)', f'line 4: no candidate ("{name}" is no name)')


def test_a_header_that_stands_again_in_the_file(file):
    text = "candidate,item,score\na,x,1\nb,x,0\n"
    problems = refused(file(text + text + text))
    assert problems[0] == (
        "the header stands again in the file (2 rows, line 4 first), as in files that were joined: take it out there"
    )


def test_a_file_in_another_encoding_is_told_how_to_be_turned(file):
    rows = "".join(f"Müller{k},x,1\n" for k in range(9))
    problems = refused(file(("candidate,item,score\n" + rows).encode("latin-1")))
    assert problems[0].startswith("9 lines are not UTF-8: save the file so, or if it was made under Windows: iconv -f")


def test_a_total_among_the_items_is_named_as_the_column_to_leave_out(file):
    rows = "".join(f"c{k},1,0,1,{20 + k}\n" for k in range(30))
    path = file("candidate,a,b,c,total\n" + rows)
    problems = refused(path)
    assert (
        'column "total" holds 30 values that are no scores: if it is no item, '
        "--column ignore=total (columns={'ignore': ['total']})" in problems
    )
    assert read_log(path, columns={"ignore": ["total"]}).n_items == 3


def nines(shape, kind=str):
    """Ten candidates, 0/1 scores of two items; the first two left x out, written 9 and -1."""
    x = [9, -1, *[0, 1] * 4]
    wide = pd.DataFrame({"candidate": [f"c{k}" for k in range(10)], "x": x, "y": [1, 0] * 5})
    frame = wide if shape == "wide" else wide.melt("candidate", var_name="item", value_name="score")
    cells = ["x", "y"] if shape == "wide" else ["score"]
    return frame.astype(dict.fromkeys(cells, kind))


@pytest.mark.parametrize("shape", ["wide", "long"])
@pytest.mark.parametrize("kind", [str, int, float])
@pytest.mark.parametrize("key", [None, pd.DataFrame({"item": ["x", "y"], "key": ["A", "B"]})])
def test_scores_that_stand_for_no_answer_are_omitted_ones(shape, kind, key):
    """9 and -1 are the commonest codes of all; programs write 9 as 9.0 where a column has gaps."""
    rules = Rules(omitted_codes=("9", "-1"))
    missing = read_log(nines(shape, kind), key=key, omitted="missing", rules=rules).wide()
    assert np.isnan(missing[:2, 0]).all()
    assert not np.isnan(missing[2:]).any()
    assert not np.isnan(missing[:, 1]).any()
    assert read_log(nines(shape, kind), key=key, rules=rules).wide()[:2, 0].tolist() == [0, 0]


@pytest.mark.parametrize("shape", ["wide", "long"])
def test_impossible_scores_that_look_like_codes_are_told_the_option(shape):
    frame = pd.concat([nines(shape).assign(candidate=lambda f, k=k: f["candidate"] + f".{k}") for k in range(3)])
    with pytest.raises(ResponseLogError) as caught:
        read_log(frame)
    assert caught.value.problems[0] == (
        "if 9 and -1 mean no answer: --omitted-code 9 --omitted-code -1 (Rules(omitted_codes=('9', '-1'))); such "
        "answers count as wrong, or not at all with --omitted missing"
    )
    assert "row 1: " in caught.value.problems[1]


def test_the_last_of_many_steps_is_no_code(file):
    problems = refused(file("candidate,x,y\n" + "".join(f"c{k},{k % 10},{k % 2}\n" for k in range(60))))
    assert not any("no answer" in said for said in problems)
    assert any("--max-score 9 " in said for said in problems)


def test_items_of_several_points_are_told_max_score_before_anything_is_to_be_ignored(file):
    rows = "".join(f"c{k},{k % 4},{k % 2},{k // 2 % 2},{k % 3 % 2}\n" for k in range(60))
    path = file("candidate,essay,b,c,d\n" + rows)
    problems = refused(path)
    advised = next(k for k, said in enumerate(problems) if "--max-score 3" in said)
    assert problems[advised] == (
        "1 item with scores up to 3 (essay): if that is right, --max-score 3 (Rules(max_score=3)), or a column "
        "max_score in the item file"
    )
    assert not any("ignore" in said for said in problems[:advised])
    assert read_log(path, rules=Rules(max_score=3)).n_items == 4


def test_a_misspelt_column_of_the_item_file_is_named_in_the_refusal_that_it_causes(file):
    """And no item of the key is to be ignored."""
    rows = "".join(f"c{k},{2 + k % 2},{k % 2},{k // 2 % 2},{k % 3 % 2}\n" for k in range(60))
    log = file("candidate,Q1,Q2,Q3,Q4\n" + rows)
    key = file("item,max_scor,domian\nQ1,3,a\nQ2,1,a\nQ3,1,a\nQ4,1,a\n", "key.csv")
    problems = refused(log, key=key)
    assert problems[:2] == (
        'key.csv: column "max_scor" is not read (did you mean "max_score"?)',
        'key.csv: column "domian" is not read (did you mean "domain"?)',
    )
    assert not any("ignore" in said for said in problems)
    right = file("item,max_score,domain\nQ1,3,a\nQ2,1,a\nQ3,1,a\nQ4,1,a\n", "right.csv")
    assert read_log(log, key=right).n_items == 4


def test_a_misspelt_column_is_named_beside_the_faults_of_the_item_file_itself(file):
    key = file("item,modell,status\nQ1,gpcm,operatonal\n", "key.csv")
    with pytest.raises(ResponseLogError) as caught:
        read_key(key)
    assert set(caught.value.problems) == {
        'line 2: status "operatonal" (did you mean "operational"?)',
        'key.csv: column "modell" is not read (did you mean "model"?)',
    }


@pytest.mark.parametrize("name", ["Total", "", "c60"])
def test_a_row_of_totals_is_one_fault(file, name):
    """By its name, or as the last row, if its values are large."""
    items = [f"Q{k}" for k in range(21)]
    scores = np.random.default_rng(4).integers(0, 2, (60, 21))
    rows = [f"c{k}," + ",".join(map(str, row)) for k, row in enumerate(scores)]
    totals = ",".join(map(str, scores.sum(axis=0)))
    path = file("candidate," + ",".join(items) + "\n" + "\n".join(rows) + f"\n{name},{totals}\n")
    problems = refused(path)
    who = f'candidate "{name}"' if name else "this"
    assert f"line 62: {who} looks like a row of totals (21 values that are no scores): take" in problems[0]
    assert len(problems) == (1 if name else 2)
    assert not any("Q3" in said for said in problems)


def test_candidates_totals_in_a_long_log_are_one_fault_too(file):
    rows = [f"c{k},Q{item},{(k + item) % 2}" for k in range(40) for item in range(5)]
    rows += [f"Total,Q{item},20" for item in range(5)]
    problems = refused(file("candidate,item,score\n" + "\n".join(rows) + "\n"))
    assert problems == (
        'line 202: candidate "Total" looks like a row of totals (5 values that are no scores): take it out of the file',
    )


def test_a_turned_table_that_is_refused_is_suspected_to_be_turned(file):
    """Its columns are candidates, its rows items without a name; with a key they are strangers, without one scores."""
    steps = np.random.default_rng(6).integers(0, 3, (12, 50))
    text = ",".join(f"c{k}" for k in range(50)) + "\n" + "\n".join(",".join(map(str, row)) for row in steps) + "\n"
    key = pd.DataFrame({"item": [f"Q{k}" for k in range(12)], "domain": "a"})
    for problems in (refused(file(text), key=key), refused(file(text))):
        (said,) = (said for said in problems if "wrong way round" in said)
        assert "its columns have names like those of candidates (c0, c1, c2, …)" in said
    assert any("as many rows as the item file has items (12)" in said for said in refused(file(text), key=key))

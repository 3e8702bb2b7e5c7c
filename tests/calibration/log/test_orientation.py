"""Tables that were turned, long ones that look wide, and columns of candidates that look like items."""

import numpy as np
import pandas as pd
import pytest

from issmp_calibration.log import read_log
from issmp_cat.errors import ResponseLogError

ITEMS = [f"Q{k}" for k in range(1, 7)]
PEOPLE = [f"C{k:03d}" for k in range(1, 13)]
SCORES = np.random.default_rng(1).integers(0, 2, (len(PEOPLE), len(ITEMS)))
WIDE = pd.DataFrame(SCORES, columns=ITEMS)
TURNED = pd.DataFrame(SCORES.T, columns=PEOPLE)
KEY = pd.DataFrame({"item": ITEMS, "domain": "all"})
LONG = pd.DataFrame({"who": np.repeat(PEOPLE, 6), "nr": ITEMS * 12, "value": SCORES.ravel()})


def problem(frame, **options):
    with pytest.raises(ResponseLogError) as caught:
        read_log(frame, **options)
    (said,) = caught.value.problems
    return said


def doubts(log):
    return [line.words for line in log.report.lines if line.rule == "orientation"]


@pytest.mark.parametrize("first", ["id", "Unnamed: 0", "label"])
def test_rows_that_are_items_of_the_item_file_prove_that_the_table_was_turned(first):
    frame = TURNED.copy()
    frame.insert(0, first, ITEMS)
    said = problem(frame, key=KEY)
    assert said.startswith(f'the wrong way round: column "{first}" holds items of the item file (Q1, Q2, Q3, …)')
    assert "its columns are C001, C002, C003, …; a row must be a candidate" in said
    assert "transpose it, for instance by pandas.read_csv" in said


def test_columns_that_are_candidates_of_the_candidate_table_prove_it_too():
    frame = TURNED.assign(id=[f"Frage {k}" for k in range(6)])
    said = problem(frame, candidates=pd.DataFrame({"candidate": PEOPLE, "country": "CH"}))
    assert "12 of its columns are candidates of the candidate table (C001, C002, C003, …)" in said


@pytest.mark.parametrize("first", ["item", "question_id"])
def test_a_row_an_item_is_known_by_its_header_alone(first):
    frame = TURNED.copy()
    frame.insert(0, first, ITEMS)
    assert problem(frame).startswith(f'the wrong way round: column "{first}" names the items, and its columns are C001')


def test_what_turning_it_back_as_told_gives_is_read():
    turned = TURNED.set_axis(pd.Index(ITEMS, name="item"), axis=0)
    back = turned.T.rename_axis("candidate").reset_index()
    log = read_log(back, key=KEY)
    assert (log.n_persons, log.n_items, doubts(log)) == (12, 6, [])


def test_without_proof_a_turned_table_is_read_with_a_doubt():
    log = read_log(TURNED.assign(id=ITEMS))
    (said,) = doubts(log)
    assert 'perhaps the wrong way round: "id" holds names like those of items (Q1, Q2, Q3, …)' in said
    assert said in log.note
    many = pd.DataFrame(np.eye(3, 30, dtype=int), columns=[f"word{k}" for k in range(30)])
    assert "it has 30 item columns and 3 rows" in doubts(read_log(many))[0]
    students = TURNED.set_axis([f"Student_{k}" for k in range(12)], axis=1)
    assert "names like those of candidates (Student_0, Student_1, Student_2, …)" in doubts(read_log(students))[0]


def test_few_candidates_and_many_items_of_the_item_file_raise_no_doubt():
    items = [f"student{k}" for k in range(40)]
    few = pd.DataFrame(np.eye(3, 40, dtype=int), columns=items).assign(id=["a", "b", "c"])
    assert doubts(read_log(few, key=pd.DataFrame({"item": items, "domain": "all"}))) == []
    assert doubts(read_log(WIDE.assign(id=PEOPLE))) == []


def test_a_long_log_whose_item_column_has_another_name_is_said_to_be_long():
    said = problem(LONG.set_axis(["candidate", "aufgabe_nr", "score"], axis=1))
    assert said == (
        'long, by all appearances: "candidate" holds the same candidate in 6.0 rows on average, so a row is an answer; '
        "but no column is known to name the item; say --column item=aufgabe_nr (columns={'item': 'aufgabe_nr'}); "
        'or --shape wide (shape="wide") if a row is a candidate'
    )


def test_all_roles_that_are_missing_are_named_and_naming_them_so_reads_the_log():
    said = problem(LONG)
    roles = {"candidate": "who", "item": "nr", "response": "value"}
    assert all(f"--column {role}={name}" in said for role, name in roles.items())
    assert read_log(LONG, columns=roles).n_answers == 72


def test_the_item_column_is_found_by_the_item_file_or_since_no_candidate_has_a_value_twice():
    strange = LONG.set_axis(["candidate", "x", "score"], axis=1).assign(day="Monday")
    assert "--column item=x " in problem(strange)
    assert "--column item=x " in problem(strange[["candidate", "day", "x", "score"]], key=KEY)


def test_a_long_log_without_any_column_of_items():
    said = problem(LONG.set_axis(["candidate", "x", "score"], axis=1)[["candidate", "score"]])
    assert "say --column item=COLUMN" in said
    assert "there is no further column" in said


def test_attempts_in_a_wide_table_do_not_make_it_long():
    twice = pd.concat([WIDE.assign(id=PEOPLE, attempt=n) for n in (1, 2)])
    assert read_log(twice, attempts="all").n_persons == 24


def test_who_says_wide_is_believed():
    frame = pd.DataFrame({"id": PEOPLE * 2, "score": [0] * 12 + [1] * 12})
    assert "long, by all appearances" in problem(frame)
    assert "answered an item twice" in problem(frame, shape="wide")


@pytest.mark.parametrize("name", ["name", "student", "Student ID", "userName", "nr", "x"])
def test_a_first_column_of_candidates_under_another_name(name):
    frame = WIDE.copy()
    frame.insert(0, name, [f"Anna {k}" for k in range(12)])
    said = problem(frame)
    assert said.startswith(f'column "{name}" is read as an item, but by its name or its values (Anna 0, Anna 1, ')
    assert f"columns={{'candidate': '{name}'}}" in said
    assert f"--column candidate={name} " in said or f"--column 'candidate={name}' " in said
    assert read_log(frame, columns={"candidate": name}).n_items == 6


def test_a_first_column_of_numbers_that_are_no_scores():
    frame = WIDE.copy()
    frame.insert(0, "nr", range(1001, 1013))
    assert "--column candidate=nr " in problem(frame, key=KEY)


def test_items_that_are_called_like_candidates_stay_items():
    assert read_log(WIDE.rename(columns={"Q1": "name", "Q2": "user"})).n_items == 6
    words = WIDE.assign(name=["Anna", "Ben", "Cleo"] * 4)
    key = pd.DataFrame({"item": [*ITEMS, "name"], "key": ["1"] * 6 + ["Anna"]})
    assert read_log(words, key=key).n_items == 7


def test_missing_columns_are_told_with_the_one_that_it_may_be():
    said = problem(LONG.set_axis(["student", "item", "score"], axis=1))
    assert said.endswith("or say --column candidate=student (columns={'candidate': 'student'})")
    said = problem(LONG.set_axis(["candidate", "item", "points_earned"], axis=1))
    assert said.endswith("or say --column response=points_earned (columns={'response': 'points_earned'})")

"""Facts about the reader that hold for any table."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issmp_calibration.log import read_log
from issmp_cat.errors import ResponseLogError
from issmp_cat.responses import ResponseLog

ITEMS = [f"Q{k}" for k in range(1, 13)]
SLOW = settings(max_examples=25, deadline=None)  # each example opens a database

scores = st.sampled_from([0.0, 1.0, np.nan])
matrices = st.integers(1, 8).flatmap(
    lambda items: st.lists(st.lists(scores, min_size=items, max_size=items), min_size=1, max_size=8)
)


def wide_frame(matrix):
    frame = pd.DataFrame(matrix, columns=ITEMS[: len(matrix[0])])
    return frame.assign(candidate=[f"c{k}" for k in range(len(matrix))])


def long_frame(matrix):
    rows = [
        (f"c{p}", ITEMS[i], x, 10.0 + p + i, 7 - i)
        for p, row in enumerate(matrix)
        for i, x in enumerate(row)
        if not np.isnan(x)
    ]
    return pd.DataFrame(rows, columns=["candidate", "item", "score", "seconds", "position"])


def answers(log):
    cells = zip(log.person, log.item, log.score, strict=True)
    return {(str(log.persons[p]), str(log.items[i])): int(x) for p, i, x in cells}


@SLOW
@given(matrices.filter(lambda m: not np.isnan(m).all()))
def test_long_and_wide_tell_the_same(matrix):
    wide, long = read_log(wide_frame(matrix)), read_log(long_frame(matrix))
    assert answers(wide) == answers(long)
    np.testing.assert_array_equal(wide.wide(), matrix)


@SLOW
@given(matrices.filter(lambda m: not np.isnan(m).all()), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(matrix, random):
    frame = long_frame(matrix)
    order = list(range(len(frame)))
    random.shuffle(order)
    log, other = read_log(frame), read_log(frame.iloc[order])
    for name in ("persons", "items", "start", "item", "score", "seconds", "position"):
        np.testing.assert_array_equal(getattr(log, name), getattr(other, name), err_msg=name)


# What can happen to a row, and what is said about it then.
CORRUPTIONS = {
    "a field lost": (lambda row: row.rsplit(",", 1)[0], "2 fields; the header has 3"),
    "a field more": (lambda row: row + ",1", "4 fields; the header has 3"),
    "unknown item": (lambda row: row.replace(",Q", f",Z-{row[:2]}-"), "is not in"),  # each another, told once each
    "impossible score": (lambda row: row[:-1] + "5", "score 5"),
    "no candidate": (lambda row: row[row.index(",") :], "no candidate"),
    "no number": (lambda row: row[:-1] + "x", "score x"),
}


@SLOW
@given(st.dictionaries(st.integers(0, 29), st.sampled_from(sorted(CORRUPTIONS)), min_size=1, max_size=10))
def test_every_corrupted_line_is_told_and_no_other(corrupted):
    rows = [f"c{k // 6},{ITEMS[k % 6]},{k % 2}" for k in range(30)]
    expected = {}
    for place, name in corrupted.items():
        change, said = CORRUPTIONS[name]
        rows[place] = change(rows[place])
        expected[place + 2] = said
    key = pd.DataFrame({"item": ITEMS})
    text = "candidate,item,score\n" + "\n".join(rows) + "\n"
    with written(text) as path, pytest.raises(ResponseLogError) as caught:
        read_log(path, key=key)
    lines = [problem for problem in caught.value.problems if problem.startswith("line ")]  # hints stand before them
    assert list(caught.value.problems[-len(lines) :]) == lines
    told = {int(problem.split(":")[0].removeprefix("line ")): problem for problem in lines}
    assert told.keys() == expected.keys()
    assert all(said in told[line] for line, said in expected.items())


words = st.sampled_from(["0", "1", "A", "", '"', "candidate", "item"])
cells = st.text(st.characters(codec="utf-8"), max_size=4) | words
tables = st.lists(st.lists(cells, max_size=4).map(",".join), max_size=6).map("\n".join)


@SLOW
@given(st.sampled_from(["", "candidate,item,score\n", "id,x,y\n", "candidate,item,option,seconds\n"]), tables)
def test_any_text_is_read_or_refused(header, body):
    assert read_or_refused((header + body).encode())


@SLOW
@given(st.binary(max_size=200), st.sampled_from(["x.csv", "x.csv.gz", "x.parquet", "x.tsv", "x"]))
def test_any_bytes_are_read_or_refused(content, name):
    assert read_or_refused(content, name)


def read_or_refused(content, name="x.csv"):
    """Whether a file ends in a log or in an error of input, and in nothing else."""
    with written(content, name) as path:
        try:
            return isinstance(read_log(path), ResponseLog)
        except ResponseLogError as error:
            return bool(error.problems)


@contextlib.contextmanager
def written(content, name="x.csv"):
    """A file that is gone after the example."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        yield path

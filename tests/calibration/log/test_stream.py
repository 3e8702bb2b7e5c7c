"""From cells to codes and from codes to sorted rows, against pandas, numpy and DuckDB's own ORDER BY."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issmp_calibration.log import read_log
from issmp_calibration.log.arrow import NONE, SETTINGS, Column, StreamError, _one_buffer, chunks
from issmp_calibration.log.codes import has_duplicates, sort_rows
from issmp_calibration.log.dictionary import Dictionary
from issmp_calibration.log.roster import ORDER, roster
from issmp_calibration.log.stream import Part

SLOW = settings(max_examples=30, deadline=None)
words = (
    st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30) | st.just("C00000000001")
)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        for setting in SETTINGS:
            con.execute(setting)
        yield con


def column(con, values, kind):
    """A list as DuckDB hands it over, copied."""
    relation = con.sql(f"SELECT unnest(?::{kind}[]) AS x", params=[values])
    for chunk in chunks(relation):
        return Column(*(part.copy() for part in chunk["x"]))
    return Column(np.zeros((0, 2), np.uint64), NONE)


def codes_by_pandas(values):
    return pd.factorize(np.array(values, dtype=object), use_na_sentinel=True)[0]


@SLOW
@given(values=st.lists(words, max_size=40))
def test_texts_are_numbered_in_order_of_appearance(con, values):
    dictionary = Dictionary(texts=True)
    np.testing.assert_array_equal(dictionary.code(column(con, values, "VARCHAR")), codes_by_pandas(values))
    assert dictionary.strings() == list(dict.fromkeys(text for text in values if text is not None))


@SLOW
@given(values=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 5000), min_size=1, max_size=40))
def test_numbers_are_numbered_in_order_of_appearance(con, values):
    dictionary = Dictionary(texts=False)
    np.testing.assert_array_equal(dictionary.code(column(con, values, "BIGINT")), codes_by_pandas(values))
    assert dictionary.values().tolist() == list(dict.fromkeys(n for n in values if n is not None))


def test_a_dictionary_grows(con):
    """Past every size it starts with: keys, bytes of long texts, direct tables."""
    texts = [f"{'a candidate with a long name ' if k % 2 else 'C'}{k}" for k in range(9000)]
    numbers = [k * 10**9 for k in range(9000)]
    for values, kind in ((texts, "VARCHAR"), (numbers, "BIGINT")):
        dictionary = Dictionary(texts=kind == "VARCHAR")
        twice = column(con, values * 2, kind)
        np.testing.assert_array_equal(dictionary.code(twice), np.tile(np.arange(9000), 2))
    assert dictionary.values()[-1] == numbers[-1]


def test_pairs_of_codes_are_numbered_whatever_their_size():
    draws = np.random.default_rng(1)
    left = np.concatenate([draws.integers(-1, 9000, 40_000), draws.integers(-1, 5, 40_000)]).astype(np.int32)
    right = np.concatenate([draws.integers(-1, 5, 40_000), draws.integers(-1, 9000, 40_000)]).astype(np.int32)
    dictionary = Dictionary(texts=False)
    codes = dictionary.join(left, right)
    both = (left + 1).astype(np.int64) << 32 | (right + 1)
    np.testing.assert_array_equal(codes, pd.factorize(both)[0])
    np.testing.assert_array_equal(dictionary.values()[codes], both)


def test_long_texts_of_several_buffers_are_joined():
    parts = [b"first long text", b"second long text"]
    views = np.zeros((2, 4), np.uint32)
    views[:, 0] = [len(text) for text in parts]
    views[:, 2] = [0, 1]
    joined = _one_buffer(views.view(np.uint64), np.array([15, 16]))
    dictionary = Dictionary(texts=True)
    dictionary.code(Column(joined, NONE, np.frombuffer(b"".join(parts), np.uint8)))
    assert dictionary.strings() == ["first long text", "second long text"]


@SLOW
@given(
    ids=st.lists(st.sampled_from(["7", "07", "10", "9", "-1", "1e2", "2.6", " 3", "b", "A", "é", "C10", "C9"]) | words)
)
def test_candidates_are_ordered_as_the_database_orders_them(con, ids):
    known = list(dict.fromkeys(text for text in ids if text is not None))
    dictionary = Dictionary(texts=True)
    dictionary.code(column(con, ids, "VARCHAR"))
    names, place = roster(con, dictionary)
    query = f"SELECT candidate FROM (SELECT unnest(?::VARCHAR[]) AS candidate) ORDER BY {ORDER}"  # noqa: S608
    assert names.tolist() == [row[0] for row in con.execute(query, [known]).fetchall()]
    assert [names[k] for k in place] == known


@pytest.mark.parametrize("ranks", [3, 200, 70_000])
@pytest.mark.parametrize("timed", [False, True])
def test_rows_come_into_order(ranks, timed):
    draws = np.random.default_rng(ranks)
    person, pair = draws.integers(0, 50, 5_000).astype(np.int32), draws.integers(0, ranks + 1, 5_000).astype(np.int32)
    seconds = draws.random(5_000).astype(np.float32) if timed else None
    place, rank = draws.permutation(50), draws.permutation(ranks + 1) - 1  # one pair is left out
    cut = 1_700
    parts = [Part(person[k], pair[k], None if seconds is None else seconds[k]) for k in (slice(cut), slice(cut, None))]
    rows = sort_rows(parts, place, rank)
    kept = np.flatnonzero(rank[pair] >= 0)
    order = kept[np.lexsort((kept, rank[pair[kept]], place[person[kept]]))]
    np.testing.assert_array_equal(rows.pair, rank[pair[order]])
    np.testing.assert_array_equal(np.diff(rows.start), np.bincount(place[person[kept]], minlength=50))
    if timed:
        np.testing.assert_array_equal(rows.seconds, seconds[order])
    item = np.arange(ranks)
    assert has_duplicates(rows.start, rows.pair, item) == (
        len(set(zip(person[kept], pair[kept], strict=True))) < len(kept)
    )


def test_a_long_log_is_the_same_in_any_order(tmp_path):
    """More rows than one chunk holds, ids that are numbers or texts, sorted or shuffled."""
    draws = np.random.default_rng(3)
    frame = pd.DataFrame({"candidate": np.repeat(np.arange(4_000), 75), "item": np.tile(np.arange(75), 4_000) * 3})
    frame["score"] = draws.integers(0, 2, len(frame))
    shuffled = frame.sample(frac=1, random_state=1)
    texts = shuffled.astype({"candidate": str, "item": str})
    logs = []
    for name, rows in (("sorted", frame), ("shuffled", shuffled), ("texts", texts)):
        path = str(tmp_path / f"{name}.parquet")
        duckdb.from_df(rows).write_parquet(path)
        logs.append(read_log(path))
    for log in logs:
        np.testing.assert_array_equal(log.wide(), frame.score.to_numpy().reshape(4_000, 75))
        assert log.persons.tolist() == [str(k) for k in range(4_000)]


def test_a_query_that_fails_on_the_way_says_why(con):
    late = con.sql("SELECT (CASE WHEN range > 500000 THEN 'x' ELSE '1' END)::BIGINT AS x FROM range(1000000)")
    with pytest.raises(StreamError, match="Conversion Error"):
        list(chunks(late))

"""The response log as arrays, there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from issmp_cat import ResponseLog
from issmp_cat.errors import ResponseLogError

matrices = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=8),
    elements=st.sampled_from([0, 1, 2, 127, np.nan]),
)


@given(matrices)
def test_a_matrix_comes_back_as_it_was_whatever_is_missing(matrix):
    log = ResponseLog.from_wide(matrix)
    np.testing.assert_array_equal(log.wide(), matrix)
    assert (log.n_persons, log.n_items) == matrix.shape
    assert log.n_answers == np.isfinite(matrix).sum()
    assert len(log.person) == log.n_answers


def test_answers_of_a_person_are_a_slice():
    log = ResponseLog.from_wide(np.array([[1, np.nan, 0], [np.nan] * 3, [0, 1, np.nan]]), persons=["A", "B", "C"])
    slices = {name: log.item[log.start[p] : log.start[p + 1]].tolist() for p, name in enumerate(log.persons)}
    assert slices == {"A": [0, 2], "B": [], "C": [0, 1]}
    assert log.person.tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize("wrong", [-1, 0.5, 128, np.inf, -np.inf])
def test_an_impossible_score_is_refused_with_an_example(wrong):
    with pytest.raises(ResponseLogError, match=f"1 impossible scores, for example {wrong:g}"):
        ResponseLog.from_wide(np.array([[1, wrong]]))


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), ()])
def test_what_is_no_matrix_is_refused(shape):
    with pytest.raises(ResponseLogError, match="persons × items"):
        ResponseLog.from_wide(np.zeros(shape))


@pytest.mark.parametrize("names", [{"items": ["a"]}, {"persons": ["a", "b", "c"]}])
def test_names_that_do_not_fit_the_matrix_are_refused(names):
    with pytest.raises(ResponseLogError, match="names"):
        ResponseLog.from_wide(np.zeros((2, 2)), **names)


def test_arrays_of_a_log_cannot_be_written_to():
    log = ResponseLog.from_wide(np.eye(3))
    for name in ("persons", "items", "start", "item", "score"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(log, name)[0] = getattr(log, name)[1]


def test_an_unscored_answer_is_missing_not_wrong():
    log = ResponseLog(
        persons=np.array(["A"]), items=np.array(["x", "y"]), start=np.array([0, 2]),
        item=np.array([0, 1], dtype=np.uint16), score=np.array([-1, 0], dtype=np.int8),
    )  # fmt: skip
    assert np.isnan(log.wide()[0, 0])
    assert log.wide()[0, 1] == 0

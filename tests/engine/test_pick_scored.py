"""Choosing by fresh scores without ranking them all gives the item that the ranking would give."""

import functools

import numpy as np
import pytest

from issmp_cat import Exam
from issmp_cat.exam import begin, plan_exam
from issmp_cat.selection import at_point, give, pick, pick_scored, ranked, rounded
from issmp_cat.selection.pool import QUANTUM
from issmp_cat.selection.preference import ranked_into
from issmp_cat.selection.state import copy_state
from issmp_simulations.standard import standard_bank


@functools.cache
def plan(among):
    rule = {"rule": "best"} if among == 1 else {"rule": "randomesque", "among": among}
    return plan_exam(
        Exam.model_validate({**Exam.load("issmp").model_dump(), "selection": {**rule, "criterion": "mpwi"}}),
        standard_bank("218"),
    )


def values(kind, rng, pool):
    """Scores as criteria make them, scores with many ties, and information that leads into enemies."""
    if kind == "fresh":
        found = rng.random(218)
    elif kind == "tied":
        found = rng.integers(0, 4, 218) / 4
    else:
        found = pool.information[rng.integers(161)].copy()
    rounded(found)
    return found


@pytest.mark.parametrize("kind", ["fresh", "tied", "information"])
@pytest.mark.parametrize("among", [1, 2, 5])
def test_the_item_is_that_of_the_ranking_in_every_state_of_an_exam(among, kind):
    exam = plan(among)
    rng = np.random.default_rng(3)
    for _ in range(4):
        state = begin(exam)
        for n in range(exam.rule.maximum):
            value, draw = values(kind, rng, exam.pool), float(rng.random())
            by_ranking, by_scan = copy_state(state), copy_state(state)
            wanted = pick(exam.pool, exam.windows, by_ranking, n, ranked(exam.pool, value.copy()), draw)
            assert pick_scored(exam.pool, exam.windows, by_scan, n, value, draw) == wanted
            assert by_scan.unproven == by_ranking.unproven
            give(exam.pool, state, n, wanted, int(rng.integers(2)))


def test_nothing_is_chosen_where_nothing_is_left():
    for among in (1, 5):
        exam = plan(among)
        state = begin(exam)
        state.blocked[:] = 1
        assert pick_scored(exam.pool, exam.windows, state, 0, np.ones(218), 0.5) == -1


def test_ranking_is_that_of_the_tables():
    pool = plan(1).pool
    for point in range(0, 161, 20):
        value, wanted = pool.information[point].copy(), at_point(pool, point)
        scratch = np.zeros((3, 218), dtype=np.int32), np.zeros(6, dtype=np.int64)
        for found in (ranked(pool, value), ranked_into(pool, value, *scratch)):
            for one, other in zip(found, wanted, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("levels", [1, 3, 1000])
def test_merging_ranks_as_a_stable_sort_does(levels):
    pool = plan(1).pool
    value = np.random.default_rng(levels).integers(0, levels, 218) / levels
    merged = ranked_into(pool, value, np.zeros((3, 218), dtype=np.int32), np.zeros(6, dtype=np.int64))
    np.testing.assert_array_equal(merged.ranking, np.lexsort((np.arange(218), -value)))
    np.testing.assert_array_equal(merged.order, np.lexsort((np.arange(218), -value, pool.domain)))


def test_rounding_is_to_the_nearest_quantum():
    value = np.array([0.0, 0.4 * QUANTUM, 0.6 * QUANTUM, 1.0])
    rounded(value)
    assert value.tolist() == [0.0, 0.0, QUANTUM, 1.0]

"""Classical statistics against numpy on the dense matrix, and what they flag."""

import numpy as np
import pandas as pd
import pytest

from issmp_calibration.log import classical_statistics, read_key, read_log
from issmp_calibration.log.flags import Limits
from issmp_calibration.log.moments import ability_groups
from issmp_calibration.statistics import classical
from issmp_cat.responses import ResponseLog

RNG = np.random.default_rng(5)
THETA = RNG.normal(size=300)
COMPLETE = (RNG.random((300, 8)) < 1 / (1 + np.exp(-(THETA[:, None] - np.linspace(-1.5, 1.5, 8))))).astype(float)
SPARSE = np.where(RNG.random(COMPLETE.shape) < 0.4, np.nan, COMPLETE)


def flags(statistics):
    pairs = zip(statistics.items, statistics.flags, strict=True)
    return {str(item): [flag.code for flag in found] for item, found in pairs if found}


def test_a_complete_test_is_described_as_by_hand():
    statistics = classical_statistics(ResponseLog.from_wide(COMPLETE))
    raw = COMPLETE.sum(axis=1)
    alpha = 8 / 7 * (1 - COMPLETE.var(axis=0, ddof=1).sum() / raw.var(ddof=1))
    assert statistics.test.mean == pytest.approx(raw.mean())
    assert statistics.test.sd == pytest.approx(raw.std(ddof=1))
    assert statistics.test.alpha == pytest.approx(alpha)
    assert statistics.test.sem == pytest.approx(raw.std(ddof=1) * np.sqrt(1 - alpha))
    np.testing.assert_array_equal(statistics.raw, raw)
    np.testing.assert_allclose(statistics.p, COMPLETE.mean(axis=0))
    for k in range(8):
        expected = np.corrcoef(COMPLETE[:, k], raw - COMPLETE[:, k])[0, 1]
        assert statistics.item_rest[k] == pytest.approx(expected, abs=1e-12)


def test_where_candidates_took_different_items_the_rest_is_a_proportion():
    statistics = classical_statistics(ResponseLog.from_wide(SPARSE))
    assert statistics.test.alpha is None
    for k in range(8):
        rest = np.delete(SPARSE, k, axis=1)
        seen = ~np.isnan(SPARSE[:, k]) & ~np.isnan(rest).all(axis=1)
        expected = np.corrcoef(SPARSE[seen, k], np.nanmean(rest[seen], axis=1))[0, 1]
        assert statistics.item_rest[k] == pytest.approx(expected, abs=1e-12)


def test_blocks_do_not_change_the_result(monkeypatch):
    whole = classical_statistics(ResponseLog.from_wide(SPARSE))
    monkeypatch.setattr("issmp_calibration.log.sums.BLOCK", 7)
    parts = classical_statistics(ResponseLog.from_wide(SPARSE))
    np.testing.assert_allclose(parts.item_rest, whole.item_rest, atol=1e-12)
    np.testing.assert_array_equal(parts.raw, whole.raw)


def test_items_without_variance_and_items_nobody_saw_have_a_verdict_and_no_number_but_p():
    matrix = COMPLETE.copy()
    matrix[:, 0], matrix[:, 1], matrix[:, 2], matrix[:, 3] = 1, 0, np.nan, np.nan
    matrix[:5, 3] = [1, 0, 1, 0, 1]
    statistics = classical_statistics(ResponseLog.from_wide(matrix))
    found = flags(statistics)
    assert found["I0001"] == ["all_right"]
    assert found["I0002"] == ["all_wrong"]
    assert found["I0003"] == ["nobody_saw_it"]
    assert found["I0004"] == ["few_answers"]
    assert statistics.by_item()["I0001"] == {
        "n": 300,
        "p": 1.0,
        "item_rest": None,
        "omitted": 0,
        "median_seconds": None,
    }
    assert statistics.by_item()["I0003"]["p"] is None
    assert np.isfinite(statistics.item_rest[4:]).all()


def test_nobody_and_one_candidate_are_described_without_a_warning():
    nobody = classical_statistics(ResponseLog.from_wide(np.full((3, 2), np.nan)))
    assert nobody.test.to_dict()["mean"] is None
    one = classical_statistics(ResponseLog.from_wide(np.array([[1.0, 0.0]])))
    assert (one.test.mean, one.test.sd, one.test.alpha) == (1.0, 0.0, None)


def options_log(wrong_key=False):
    """Eight items, option A right; of the first, option B is taken by the able where the key is wrong."""
    options = np.where(COMPLETE == 1, "A", RNG.choice(list("BCD"), COMPLETE.shape))
    if wrong_key:
        options[:, 0] = np.where(COMPLETE[:, 0] == 1, "B", "A")
    frame = pd.DataFrame(options, columns=[f"i{k}" for k in range(8)])
    key = read_key(pd.DataFrame({"item": frame.columns, "key": "A"}))
    return read_log(frame, key=key), key


def test_the_right_option_s_point_biserial_is_the_item_rest_correlation():
    statistics = classical_statistics(*options_log())
    table = statistics.distractors
    np.testing.assert_allclose(table.point_biserial[table.correct], statistics.item_rest, atol=1e-12)
    np.testing.assert_allclose(table.p.sum(axis=1), 1.0)


def test_a_wrong_option_s_point_biserial_is_its_correlation_with_the_rest():
    log, key = options_log()
    statistics = classical_statistics(log, key)
    matrix = log.wide()
    chose = np.zeros(300)
    chose[log.person[(log.item == 2) & (log.option == 1)]] = 1
    expected = np.corrcoef(chose, matrix.sum(axis=1) - matrix[:, 2])[0, 1]
    assert statistics.distractors.point_biserial[2, 1] == pytest.approx(expected, abs=1e-12)


def test_options_are_shown_by_ability_group():
    table = classical_statistics(*options_log(), groups=4).distractors
    assert table.by_group.shape == (4, 8, 4)
    np.testing.assert_allclose(table.by_group.sum(axis=2), 1.0)
    assert (np.diff(table.by_group[:, :, 0], axis=0) > 0).mean() > 0.8  # the able choose the key


def test_a_wrong_key_is_suspected():
    assert "i0" not in flags(classical_statistics(*options_log()))
    found = flags(classical_statistics(*options_log(wrong_key=True)))
    assert found["i0"][:2] == ["key_suspected", "negative_discrimination"]


def test_without_a_key_the_options_that_score_are_the_right_ones():
    frame = pd.DataFrame({"id": ["a", "b"], "item": "x", "choice": ["A", "B"], "score": [0, 1]})
    assert classical_statistics(read_log(frame)).distractors.correct.tolist() == [[False, True]]


def test_pretest_items_do_not_count_but_are_correlated_with_the_score():
    items = [f"I{k:04}" for k in range(1, 9)]
    key = read_key(pd.DataFrame({"item": items, "status": ["operational"] * 6 + ["pretest"] * 2}))
    statistics = classical_statistics(ResponseLog.from_wide(COMPLETE), key)
    score = COMPLETE[:, :6].sum(axis=1)
    np.testing.assert_array_equal(statistics.raw, score)
    assert statistics.test.items == 6
    assert statistics.item_rest[7] == pytest.approx(np.corrcoef(COMPLETE[:, 7], score)[0, 1], abs=1e-12)


def test_limits_decide_what_is_flagged():
    log = ResponseLog.from_wide(COMPLETE)
    assert flags(classical_statistics(log)) == {}
    strict = classical_statistics(log, limits=Limits(item_rest=0.99, easy=0.5))
    assert flags(strict)["I0001"] == ["low_discrimination", "too_easy"]


def test_often_omitted_items_are_flagged():
    frame = pd.DataFrame({"id": np.arange(100), "item": "x", "option": ["A"] * 60 + ["B"] * 30 + [None] * 10})
    key = read_key(pd.DataFrame({"item": ["x"], "key": ["A"]}))
    statistics = classical_statistics(read_log(frame, key=key), key)
    assert flags(statistics)["x"] == ["often_omitted"]
    assert statistics.omitted.tolist() == [10]
    assert statistics.p.tolist() == [0.6]


def test_the_frame_has_a_row_an_item():
    statistics = classical_statistics(ResponseLog.from_wide(COMPLETE))
    assert list(statistics.frame["item"]) == list(statistics.items)
    assert statistics.frame["p"].tolist() == statistics.p.tolist()
    assert repr(statistics) == statistics.summary()


def test_with_partial_credit_p_is_the_share_of_the_points_to_be_had():
    """The highest score is the key's, or without one the highest in the log; then the reliability is no KR-20."""
    steps = COMPLETE[:, :4] + COMPLETE[:, 4:]
    log = ResponseLog.from_wide(steps, items=list("wxyz"))
    key = read_key(pd.DataFrame({"item": list("wxyz"), "key": ["A:2|B:1", "A:2", "A:4|B:2", "A:2"]}))
    np.testing.assert_allclose(classical_statistics(log).p, steps.mean(axis=0) / 2)
    found = classical_statistics(log, key)
    np.testing.assert_allclose(found.p, steps.mean(axis=0) / [2, 2, 4, 2])
    assert (found.coefficient, "KR-20" in found.summary()) == ("α", False)
    assert "KR-20 (α)" in classical_statistics(ResponseLog.from_wide(COMPLETE)).summary()
    assert not any("too_easy" in codes for codes in flags(found).values())


def mixed_points(seed=11, persons=600):
    """Items of 1, 2 and 5 points, answers missing by chance; and the most of each."""
    rng = np.random.default_rng(seed)
    most = np.array([1, 5, 1, 2, 5, 1])
    chance = 1 / (1 + np.exp(rng.normal(size=6) - rng.normal(size=(persons, 1))))
    points = rng.binomial(most, chance).astype(float)
    return np.where(rng.random(points.shape) < 0.35, np.nan, points), most


def test_where_items_are_worth_different_points_the_rest_is_a_share_of_points():
    """By hand on the dense matrix, and as a calibration has it: what a candidate got of what there was to get."""
    points, most = mixed_points()
    log = ResponseLog.from_wide(points)
    found = classical_statistics(log).item_rest
    there = ~np.isnan(points)
    for k in range(6):
        others = np.delete(np.arange(6), k)
        got, possible = np.nansum(points[:, others], axis=1), there[:, others] @ most[others]
        seen = there[:, k] & (possible > 0)
        expected = np.corrcoef(points[seen, k], got[seen] / possible[seen])[0, 1]
        assert found[k] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(found, classical(log, np.ones(6, bool), most).item_rest, atol=1e-12)


def test_ability_groups_go_by_the_share_of_points_too():
    """Four points of five are less than one of one, though four are more points an answer."""
    assert ability_groups(np.array([4, 1]), np.array([5, 1]), 2).tolist() == [0, 1]
    frame = pd.DataFrame({"id": list("aabb"), "item": list("wxyx"), "option": list("AAAB"), "score": [4, 1, 1, 1]})
    key = read_key(pd.DataFrame({"item": list("wxy"), "max_score": [5, 1, 1]}))
    by_group = classical_statistics(read_log(frame, key=key), key, groups=2).distractors.by_group
    assert np.nan_to_num(by_group[:, 0]).tolist() == [[1.0, 0.0], [0.0, 0.0]]
    assert np.nan_to_num(by_group[:, 2]).tolist() == [[0.0, 0.0], [1.0, 0.0]]


def hard_items():
    """One of ten gets an item right; another is worth three points, and few get any."""
    rng = np.random.default_rng(8)
    return np.column_stack([COMPLETE, rng.random(300) < 0.1, 3 * (rng.random(300) < 0.1)]).astype(int)


def test_an_item_is_harder_than_guessing_only_where_there_is_something_to_guess():
    matrix, items = hard_items(), [f"i{k}" for k in range(10)]
    log = ResponseLog.from_wide(matrix.astype(float), items=items)
    assert not any("too_hard" in codes for codes in flags(classical_statistics(log)).values())
    listed = read_key(pd.DataFrame({"item": items, "options": "A|B|C|D|E", "max_score": [1] * 9 + [3]}))
    found = classical_statistics(log, listed)
    assert [item for item, codes in flags(found).items() if "too_hard" in codes] == ["i8"]
    assert "harder than guessing, which gets 20% right" in [flag.words for flag in found.flags[8]]

"""Logs of chosen options: nominal items calibrated on them, and scored by a bank of them."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.special import log_softmax

from issmp_calibration import calibrate, score
from issmp_calibration.log import classical_statistics
from issmp_calibration.nominal import by_category, by_points, with_categories
from issmp_calibration.split import split_by_group
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import ResponseLogError
from issmp_cat.responses import NO_OPTION, ResponseLog

LABELS = ("A", "B", "C")


def a_bank(**fields):
    rng = np.random.default_rng(6)
    return ItemBank.from_items(
        [
            Item(
                id=f"q{k}", domain="D", model="nrm", slopes=tuple(rng.normal(size=2)),
                intercepts=tuple(rng.normal(size=2)), points=(0, 1, 0), **{"options": ("C", "A", "B"), **fields},
            )
            for k in range(4)
        ]
    )  # fmt: skip


def a_log(options):
    """Two candidates, four items each; what a key made of them stands in the scores."""
    option = np.array(options, dtype=np.uint8)
    return ResponseLog(
        persons=np.array(["p", "r"]), items=np.array([f"q{k}" for k in range(4)]), start=np.array([0, 4, 8]),
        item=np.tile(np.arange(4, dtype=np.uint16), 2), score=(option == 0).astype(np.int8), option=option,
        options=LABELS,
    )  # fmt: skip


def test_the_category_is_the_place_of_the_option_in_the_bank():
    found = with_categories(a_log([0, 1, 2, 0, 2, NO_OPTION, 1, 1]), a_bank())
    assert_array_equal(found.score, [1, 2, 0, 1, 0, -1, 2, 2])


def test_abilities_and_raw_points_are_those_of_the_options():
    bank, log = a_bank(), a_log([0, 1, 2, 0, 2, NO_OPTION, 1, 1])
    found = score(log, bank, nodes=81)
    theta = np.linspace(-6, 6, 81)
    for person, answers in enumerate(([1, 2, 0, 1], [0, None, 2, 2])):
        logs = -(theta**2) / 2
        for item, category in zip(bank.items, answers, strict=True):
            if category is not None:
                odds = np.outer([0, *item.slopes], theta) + np.array([0, *item.intercepts])[:, None]
                logs = logs + log_softmax(odds, axis=0)[category]
        weights = np.exp(logs - logs.max())
        assert found.theta[person] == pytest.approx((weights * theta).sum() / weights.sum(), abs=1e-6)
    assert found.raw.tolist() == [2, 0]
    assert found.answers.tolist() == [4, 3]


def test_options_without_a_category_are_refused_all_at_once():
    with pytest.raises(ResponseLogError, match=r'2 problems(.|\n)*"q0": option B(.|\n)*"q1": option A'):
        with_categories(a_log([1, 0, 2, 2, 1, 0, 2, 2]), ItemBank.from_items([
            item.model_copy(update={"options": ("C", *(("A", "x") if item.id == "q0" else ("B", "x")))})
            for item in a_bank().items
        ]))  # fmt: skip
    with pytest.raises(ResponseLogError, match="give the bank's item its options"):
        score(a_log([0] * 8), a_bank(options=()))


def test_scores_without_options_are_categories():
    log = ResponseLog.from_wide(np.array([[0, 1, 2, 1], [2, 2, 0, 0]]), items=[f"q{k}" for k in range(4)])
    assert with_categories(log, a_bank()) is log
    assert score(log, a_bank()).raw.tolist() == [2, 0]


def test_options_chosen_become_categories_the_right_one_last():
    """Option A (0) is right in every item."""
    log, labels = by_category(a_log([0, 1, 2, 0, 2, NO_OPTION, 1, 1]), {"q0", "q1", "q3"})
    assert labels == {"q0": {"C": 0, "A": 1}, "q1": {"B": 0}, "q3": {"B": 0, "A": 1}}
    assert [list(options) for options in labels.values()] == [["C", "A"], ["B"], ["B", "A"]]
    assert_array_equal(log.score, [1, 0, 0, 1, 0, -1, 0, 0])  # q2 stays as it was scored
    same, none = by_category(ResponseLog.from_wide(np.array([[0, 1], [1, 0]])), {"q0"})
    assert (same.score.tolist(), none) == ([0, 1, 1, 0], {})


def test_a_calibration_on_options_gives_a_bank_that_scores_options():
    """2,000 candidates, six items of four options: slopes back within four standard errors, points by the key."""
    rng = np.random.default_rng(8)
    theta, labels = rng.normal(size=2000), ("A", "B", "C", "D")
    slopes = np.hstack([np.zeros((6, 1)), rng.normal(0.6, 0.7, (6, 3))])
    places = np.hstack([np.zeros((6, 1)), rng.normal(0, 0.6, (6, 3))])
    logits = slopes[None] * theta[:, None, None] + places[None]
    option = (logits + rng.gumbel(size=logits.shape)).argmax(axis=2).astype(np.uint8)
    right = slopes.argmax(axis=1)
    log = ResponseLog(
        persons=np.array([f"p{k}" for k in range(2000)]), items=np.array([f"q{k}" for k in range(6)]),
        start=np.arange(2001) * 6, item=np.tile(np.arange(6, dtype=np.uint16), 2000), options=labels,
        score=(option == right).astype(np.int8).ravel(), option=option.ravel(),
    )  # fmt: skip
    result = calibrate(log, model="nrm")
    earned = (option == right).astype(float)
    np.testing.assert_allclose(result.items.p_value, earned.mean(axis=0))
    for k in range(6):
        rest = np.delete(earned, k, axis=1).sum(axis=1)
        assert result.items.item_rest[k] == pytest.approx(np.corrcoef(earned[:, k], rest)[0, 1])
    plain = classical_statistics(log).test
    assert result.test == plain.to_dict()
    assert result.test["highest"] <= 6
    bank = result.to_bank(id="nominal")
    for k, item in enumerate(bank.items):
        order = ["ABCD".index(label) for label in item.options]
        assert order[-1] == right[k]
        assert item.points == (0, 0, 0, 1)
        truth = slopes[k, order] - slopes[k, order[0]]
        errors = [item.covariance.standard_error(f"a{j}") for j in (1, 2, 3)]
        assert np.abs((np.array(item.slopes) - truth[1:]) / errors).max() < 4.0
    found = score(log, bank)
    assert found.raw.tolist() == (option == right).sum(axis=1).tolist()
    assert np.corrcoef(found.theta, theta)[0, 1] > 0.6


def test_points_stay_with_their_answers_where_items_are_split_by_group():
    keyed = a_log([0, 1, 2, 0, 2, NO_OPTION, 1, 1])
    numbered, _ = by_category(keyed, {"q0", "q1", "q3"})
    split = split_by_group(numbered, np.array([False, False, False, True]), np.array([0, 1]), ["old", "new"])
    log, highest, share = by_points(split, keyed, np.array([True, True, False, True, True]))
    assert_array_equal(log.score, keyed.score)
    assert_array_equal(highest, [1, 1, 1, 1, 1])
    assert_array_equal(share, [0.5, 0.0, np.nan, 1.0, 0.0])

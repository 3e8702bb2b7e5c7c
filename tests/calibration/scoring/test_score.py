"""Scoring a log at volume is the same as scoring its candidates one by one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration import score
from issmp_cat.ability import build_grid, maximise, posterior_moments, update_posterior
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import ResponseLogError, UsageError
from issmp_cat.irt import category_probabilities
from issmp_cat.responses import ResponseLog

ITEMS = 40


@pytest.fixture(scope="module")
def bank():
    rng = np.random.default_rng(1)
    return ItemBank.from_items(
        Item(
            id=f"i{k}",
            domain="D1",
            model="3pl" if k % 2 else "2pl",
            a=float(rng.uniform(0.5, 2)),
            b=float(rng.normal()),
            c=0.2 if k % 2 else 0.0,
            status="pretest" if k == 39 else "operational",
        )
        for k in range(ITEMS)
    )


@pytest.fixture(scope="module")
def log():
    """Everyone saw some items; candidate 3 saw none, candidate 4 got all right, candidate 5 all wrong."""
    rng = np.random.default_rng(2)
    scores = (rng.random((200, ITEMS)) < 0.6).astype(float)
    scores[rng.random(scores.shape) < 0.4] = np.nan
    scores[3] = np.nan
    scores[4] = np.where(np.isnan(scores[4]), np.nan, 1.0)
    scores[5] = np.where(np.isnan(scores[5]), np.nan, 0.0)
    return ResponseLog.from_wide(scores, items=[f"i{k}" for k in range(ITEMS)])


def answers(log, person):
    """Items and scores of one candidate that count."""
    mine = slice(log.start[person], log.start[person + 1])
    counts = log.item[mine] != ITEMS - 1
    return log.item[mine][counts].astype(np.int64), log.score[mine][counts].astype(np.int64)


@pytest.mark.parametrize(("name", "number"), [("ml", 1), ("map", 2), ("wle", 3)])
def test_estimates_are_the_engines_own(bank, log, name, number):
    found = score(log, bank, method=name, limit=4.0)
    for person in (0, 1, 4, 5, 77, 199):
        items, scores = answers(log, person)
        theta, se = maximise(number, bank.parameters, items, scores, len(items), (-4.0, 4.0), (0.0, 1.0))
        assert_allclose(found.theta[person], theta, atol=1e-9)
        assert_allclose(found.se[person], se, rtol=1e-8)


def test_posterior_means_are_a_sessions(bank, log):
    found = score(log, bank, prior=(0.3, 1.2), nodes=41, limit=4.0)
    grid = build_grid(bank.parameters, nodes=41, limit=4.0 * 1.2, mean=0.3, sd=1.2)
    for person in (0, 4, 5, 150):
        items, scores = answers(log, person)
        chances = category_probabilities(grid.nodes, bank.a, bank.b, bank.c, bank.d)
        weights = grid.prior * chances[:, items, scores].prod(axis=1)
        mean, sd = posterior_moments(grid.nodes, weights)
        assert_allclose([found.theta[person], found.se[person]], [mean, sd], rtol=1e-10)


def test_counts_and_candidates_without_answers(bank, log):
    found = score(log, bank)
    items, scores = answers(log, 8)
    assert (found.answers[8], found.raw[8]) == (len(items), scores.sum())
    assert found.left_out == {"i39": "pretest items do not count"}
    row = found.frame.loc[3]
    assert row.isna()["theta"]
    assert row["verdict"] == "no answers"
    assert "1 candidate had no answers" in repr(found)
    assert score(log, bank, pretest=True).items == ITEMS


def test_many_candidates_in_single_precision_and_threads(bank):
    rng = np.random.default_rng(3)
    scores = (rng.random((9_000, ITEMS)) < 0.6).astype(float)
    big = ResponseLog.from_wide(scores, items=bank.ids)
    one, two = score(big, bank, threads=1), score(big, bank, threads=2)
    assert_array_equal(one.theta, two.theta)
    few = score(ResponseLog.from_wide(scores[:500], items=bank.ids), bank)
    assert_allclose(one.theta[:500], few.theta, atol=1e-5)


def test_items_outside_the_bank_are_named_and_strangers_refused(bank, log):
    partly = ResponseLog.from_wide(np.ones((2, 2)), items=["i0", "new"])
    assert score(partly, bank).left_out == {"new": "not in the bank"}
    with pytest.raises(ResponseLogError, match="none of its 2 items counts"):
        score(ResponseLog.from_wide(np.ones((2, 2)), items=["x", "y"]), bank)
    with pytest.raises(UsageError, match="unknown estimator"):
        score(log, bank, method="median")


@pytest.fixture(scope="module")
def stepped():
    """Items of every model, and 300 candidates' scores of a random part of them."""
    rng = np.random.default_rng(8)
    steps = {"grm": (-0.8, 0.1, 1.2), "gpcm": (0.4, -0.3), "pcm": (-1.0, 0.0, 0.5, 1.5)}
    items = [Item(id=f"r{k}", domain="D1", model="3pl", a=1.1, b=float(rng.normal()), c=0.2) for k in range(8)]
    items += [
        Item(id=f"{model}{k}", domain="D1", model=model, a=1.0 if model == "pcm" else 1.3, steps=steps[model])
        for model in steps
        for k in range(4)
    ]
    scores = np.array([rng.integers(0, item.highest + 1, 300) for item in items], dtype=float).T
    scores[rng.random(scores.shape) < 0.3] = np.nan
    scores[0], scores[1] = [item.highest for item in items], 0
    return ItemBank.from_items(items), ResponseLog.from_wide(scores, items=[item.id for item in items])


@pytest.mark.parametrize(("name", "number"), [("ml", 1), ("map", 2), ("wle", 3)])
def test_items_with_steps_are_scored_as_the_engine_does(stepped, name, number):
    bank, log = stepped
    found = score(log, bank, method=name, limit=4.0)
    for person in (0, 1, 2, 77, 299):
        mine = slice(log.start[person], log.start[person + 1])
        items, scores = log.item[mine].astype(np.int64), log.score[mine].astype(np.int64)
        theta, se = maximise(number, bank.parameters, items, scores, len(items), (-4.0, 4.0), (0.0, 1.0))
        assert_allclose(found.theta[person], theta, atol=1e-9)
        assert_allclose(found.se[person], se, rtol=1e-8)
        assert (found.answers[person], found.raw[person]) == (len(items), scores.sum())


def test_posterior_means_of_items_with_steps_are_a_sessions(stepped):
    bank, log = stepped
    found = score(log, bank, nodes=41, limit=4.0)
    grid = build_grid(bank.parameters, nodes=41, limit=4.0, mean=0.0, sd=1.0)
    for person in (0, 1, 2, 77, 299):
        weights = grid.prior.copy()
        mine = range(log.start[person], log.start[person + 1])
        for n, answer in enumerate(mine):
            update_posterior(grid, weights, n, int(log.item[answer]), int(log.score[answer]))
        assert_allclose([found.theta[person], found.se[person]], posterior_moments(grid.nodes, weights), rtol=1e-10)


def test_scores_above_an_items_highest_are_refused_and_those_of_strangers_ignored(stepped):
    bank, _ = stepped
    wrong = ResponseLog.from_wide(np.array([[2, 3, 4], [0, 1, 1]]), items=["r0", "gpcm0", "grm1"])
    with pytest.raises(ResponseLogError) as fault:
        score(wrong, bank)
    assert fault.value.problems == (
        'item "r0" has scores above 1; this model takes 0, 1 or missing',
        'item "gpcm0" has scores above 2; this model takes 0 to 2 or missing',
        'item "grm1" has scores above 3; this model takes 0 to 3 or missing',
    )
    mixed = ResponseLog.from_wide(np.array([[1, 9]]), items=["r0", "new"])
    assert score(mixed, bank).left_out == {"new": "not in the bank"}

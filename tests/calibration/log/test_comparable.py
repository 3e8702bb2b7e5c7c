"""Where an item-rest correlation says something about the item: one rule for ``check`` and for verdicts."""

from dataclasses import replace

import numpy as np
import pytest

from issmp_calibration import calibrate
from issmp_calibration.log import classical_statistics
from issmp_calibration.log.comparable import compare_rest_scores
from issmp_cat.responses import ResponseLog

PERSONS, ITEMS = 1500, 40
RNG = np.random.default_rng(7)
THETA, B = RNG.normal(size=PERSONS), np.sort(RNG.normal(size=ITEMS))
BAD = 20  # answered at random


def answers(b=B):
    x = (RNG.random((PERSONS, len(b))) < 1 / (1 + np.exp(b - THETA[:, None]))).astype(float)
    x[:, BAD] = RNG.permutation(np.arange(PERSONS) % 2)
    return x


def taken(x, seen):
    """The log of a table in which the items that were not seen are empty."""
    return ResponseLog.from_wide(np.where(seen, x, np.nan))


def adaptive(x, b, length=15):
    """Each next item is the one of those left whose difficulty is nearest to a running estimate."""
    rows = []
    for p in range(PERSONS):
        guess, left, step = 0.0, set(range(len(b))), 1.0
        for place in range(length):
            item = min(left, key=lambda k: abs(b[k] - guess))
            left.remove(item)
            rows.append((p, item, place))
            guess += step if x[p, item] else -step
            step = max(0.85 * step, 0.3)
    person, item, place = np.array(rows).T
    order = np.lexsort((item, person))
    person, item, place = person[order], item[order], place[order]
    return ResponseLog(
        persons=np.arange(PERSONS).astype(str),
        items=np.array([f"q{k}" for k in range(len(b))]),
        start=np.arange(PERSONS + 1) * length,
        item=item.astype(np.uint16),
        score=x[person, item].astype(np.int8),
        position=place.astype(np.int16),
    )


def by_level():
    """The able take the harder half, whatever they answer."""
    return np.where((THETA > 0)[:, None], np.arange(ITEMS) >= 15, np.arange(ITEMS) < 25)


def random_items():
    return np.argsort(RNG.random((PERSONS, ITEMS)), axis=1) < 20


def unequal_forms():
    """Two forms given by lot: one easy, one hard, twelve items in common."""
    odd = np.arange(PERSONS) % 2 == 0
    return np.where(odd[:, None], np.arange(ITEMS) < 26, np.arange(ITEMS) >= 14)


DESIGNS = {
    "one missing answer": (lambda x: taken(x, np.arange(x.size).reshape(x.shape) > 0), True, "100.0% of a full table"),
    "one in twenty missing": (lambda x: taken(x, RNG.random(x.shape) > 0.05), True, "of a full table"),
    "items by lot": (lambda x: taken(x, random_items()), True, "nothing to do with their ability"),
    "levels": (lambda x: taken(x, by_level()), False, "what decided which is not known"),
    "adaptive": (lambda x: adaptive(x, B), False, "chosen by the answers before them"),
    "unequal forms": (lambda x: taken(x, unequal_forms()), False, "differ much in difficulty"),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_the_design_decides_and_check_and_verdicts_follow_one_rule(name):
    make, judged, why = DESIGNS[name]
    b = B * 2 if name == "unequal forms" else B
    log = make(answers(b))
    found = compare_rest_scores(log, np.ones(log.n_items, bool))
    assert found.judged == judged
    assert why in found.why
    statistics = classical_statistics(log)
    assert statistics.rest == found
    flagged = {k for k, flags in enumerate(statistics.flags) if any("discrimination" in flag.code for flag in flags)}
    verdicts = calibrate(log, model="rasch", standard_errors=False).items.verdicts
    held = {k for k, one in enumerate(verdicts) if "hardly_discriminates" in one.codes}
    assert (BAD in flagged, BAD in held) == (judged, judged)
    if not judged:
        assert flagged == held == set()


def test_a_complete_log_is_judged_as_ever():
    log = ResponseLog.from_wide(answers())
    assert compare_rest_scores(log, np.ones(ITEMS, bool)) == (True, "everyone saw the same items")


def test_pretest_items_given_anyhow_do_not_unsettle_the_operational_score():
    log = taken(answers(), by_level() | (np.arange(ITEMS) < 10))
    operational = np.arange(ITEMS) < 10
    assert compare_rest_scores(log, operational).judged
    assert not compare_rest_scores(replace(log), ~operational).judged

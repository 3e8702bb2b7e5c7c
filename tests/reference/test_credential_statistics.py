"""A real licensure form: every number of its description, reproduced from the files."""

import os
from pathlib import Path
from statistics import median_high

import numpy as np
import pytest

from issmp_calibration.log import classical_statistics, read_key, read_log
from issmp_calibration.log.design import connected_groups, forms

SHARED = Path(os.environ.get("ISSMP_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "credential"

pytestmark = pytest.mark.skipif(
    not FOLDER.exists(), reason=f"the credential data are not at {FOLDER}; set ISSMP_SHARED to the folder beside them"
)


@pytest.fixture(scope="module")
def key():
    return read_key(FOLDER / "key.csv")


@pytest.fixture(scope="module")
def log(key):
    return read_log(FOLDER / "responses.csv.gz", key=key, candidates=FOLDER / "candidates.csv")


@pytest.fixture(scope="module")
def statistics(log, key):
    return classical_statistics(log, key)


def test_everyone_and_everything_is_read(log):
    assert (log.n_persons, log.n_items) == (1636, 200)
    assert log.n_answers == 1636 * (170 + 10)
    assert log.options == ("A", "B", "C", "D")


def test_the_raw_score_has_the_published_distribution(statistics):
    test = statistics.test
    assert (test.candidates, test.items) == (1636, 170)
    assert (test.lowest, test.highest) == (54, 156)
    assert round(test.mean, 4) == 123.3123
    assert round(test.sd, 4) == 16.4691
    assert round(test.alpha, 4) == 0.8950
    assert test.sem == pytest.approx(16.4691 * np.sqrt(1 - 0.8950), abs=0.005)


def test_the_scored_items_range_as_published(statistics):
    scored = statistics.status == "operational"
    p, r = statistics.p[scored], statistics.item_rest[scored]
    assert scored.sum() == 170
    assert (round(p.min(), 3), round(p.max(), 3)) == (0.230, 0.957)
    assert (round(r.min(), 3), round(r.max(), 3)) == (0.004, 0.433)
    # The published 0.222 is the upper of the two middle ones; the median proper lies between them.
    assert round(median_high(r.tolist()), 3) == 0.222
    assert round(float(np.median(r)), 4) == 0.2215


def test_blanks_and_times_that_are_none_are_counted(statistics):
    scored = statistics.status == "operational"
    assert (statistics.omitted[scored].sum(), statistics.no_time[scored].sum()) == (135, 105)
    assert (statistics.omitted[~scored].sum(), statistics.no_time[~scored].sum()) == (5, 4)


def test_omitted_scored_answers_are_wrong_and_omitted_pretest_answers_count_for_nothing(statistics):
    scored = statistics.status == "operational"
    assert (statistics.n[scored] == 1636).all()
    assert (statistics.presented - statistics.n)[~scored].sum() == 5


def test_each_candidate_saw_one_of_three_pretest_sets(log, key):
    pretest = np.array([status == "pretest" for status in key.status])
    seen = {form.candidates: form.items for form in forms(log, pretest).largest}
    assert sorted(seen) == [302, 611, 723]
    assert all(len(items) == 10 for items in seen.values())
    assert sorted(sum(seen.values(), ())) == sorted(np.array(key.items)[pretest])


def test_pretest_sets_are_those_of_the_candidate_table(log):
    sets, number = np.unique(log.candidates["pretest_set"], return_counts=True)
    assert dict(zip(sets.tolist(), number.tolist(), strict=True)) == {6: 723, 7: 302, 8: 611}


def test_all_items_hang_together_through_the_scored_ones(log):
    assert [len(group) for group in connected_groups(log)] == [200]


def test_one_candidate_has_attempt_0_and_46_are_flagged(log):
    assert (log.candidates["attempt"] == "0").sum() == 1
    assert log.candidates["flagged"].sum() == 46


def test_pass_rates_by_attempt_at_the_illustrative_raw_cut(log, statistics):
    rate = {a: 100 * (statistics.raw[log.candidates["attempt"] == a] >= 119).mean() for a in ("1", "2", "3", "4", "4+")}
    assert {a: round(r, 1) for a, r in rate.items()} == {"1": 79.2, "2": 47.3, "3": 43.4, "4": 22.9, "4+": 28.0}


def test_item_rest_correlations_are_those_of_the_score_matrix(log, statistics):
    """Against numpy's own correlation on the dense matrix, item by item."""
    matrix, scored = log.wide(), statistics.status == "operational"
    total = matrix[:, scored].sum(axis=1)
    for place in (0, 20, 100, 169):
        rest = total - matrix[:, place]
        assert statistics.item_rest[place] == pytest.approx(np.corrcoef(matrix[:, place], rest)[0, 1], abs=1e-12)
    for place in (170, 199):
        seen = ~np.isnan(matrix[:, place])
        assert statistics.item_rest[place] == pytest.approx(
            np.corrcoef(matrix[seen, place], total[seen])[0, 1], abs=1e-12
        )


def test_items_that_deserve_a_look_are_flagged(statistics):
    pairs = zip(statistics.items, statistics.flags, strict=True)
    flagged = {str(item): [flag.code for flag in flags] for item, flags in pairs if flags}
    assert flagged["S021"] == ["key_suspected", "low_discrimination"]
    assert flagged["S162"] == ["too_hard"]
    assert flagged["S071"] == ["too_easy"]
    assert len(flagged) < 40

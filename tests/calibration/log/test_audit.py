"""The design audit: links against dense linear algebra, routing against logs whose making is known."""

import itertools
import json
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from issmp_calibration.log.audit import audit_design
from issmp_calibration.log.design import connected_groups
from issmp_calibration.log.links import _variances, item_links
from issmp_calibration.log.rough import rasch
from issmp_calibration.log.routing import routing
from issmp_cat.cli.main import run
from issmp_cat.responses import ResponseLog
from issmp_simulations import sample_log, standard_bank

NAN = np.nan
RNG = np.random.default_rng(11)
SCORES = (RNG.random((300, 12)) < RNG.uniform(0.3, 0.9, 12)).astype(float)


def two_blocks(common):
    """Candidates who saw the first or the last six items, and ``common`` of them who saw all."""
    matrix = SCORES.copy()
    matrix[: 150 - common // 2, 6:] = NAN
    matrix[150 + common // 2 :, :6] = NAN
    return ResponseLog.from_wide(matrix)


def information(log):
    """The information matrix of the design, and its diagonal where abilities are known, by their definition."""
    weight = ~np.isnan(log.wide()) * _variances(log)
    total = weight.sum(axis=1)
    known = np.diag(weight.sum(axis=0))
    return known - weight.T @ (weight / total[:, None]), np.diag(known)


@pytest.mark.parametrize("log", [two_blocks(20), two_blocks(2), ResponseLog.from_wide(np.where(SCORES > 2, 0, SCORES))])
def test_the_efficiency_is_the_second_eigenvalue_of_the_scaled_information(log):
    matrix, known = information(log)
    scaled = matrix / np.sqrt(np.outer(known, known))
    assert item_links(log).efficiency == pytest.approx(np.linalg.eigvalsh(scaled)[1], abs=1e-8)


def test_sparse_designs_have_the_efficiency_of_dense_algebra_too():
    seen = np.random.default_rng(2).random((400, 60)) < 0.15
    log = ResponseLog.from_wide(np.where(seen, np.random.default_rng(3).integers(0, 2, seen.shape), NAN))
    log = ResponseLog.from_wide(log.wide()[np.diff(log.start) > 1])
    matrix, known = information(log)
    exact = np.linalg.eigvalsh(matrix / np.sqrt(np.outer(known, known)))[1]
    assert item_links(log).efficiency == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize("common", [2, 20, 60])
def test_the_weakest_block_is_found_with_its_candidates_and_its_error(common):
    log = two_blocks(common)
    block = item_links(log).weakest
    assert set(block.items) in ({f"I{k:04}" for k in range(1, 7)}, {f"I{k:04}" for k in range(7, 13)})
    assert (block.linking, block.candidates) == (common, 150 + common // 2)
    matrix, known = information(log)
    inside = np.isin(log.items, block.items)
    contrast = np.where(inside, known / known[inside].sum(), -known / known[~inside].sum())
    assert block.se == pytest.approx(np.sqrt(contrast @ np.linalg.pinv(matrix) @ contrast), rel=0.01)


def test_the_error_of_a_link_is_what_replications_show():
    """Two blocks, 40 common candidates: the spread of the difference of their difficulties over 200 logs.

    Difficulties are joint estimates, each block of 30 items, so that their bias (× 30/29 for the linking ones' tests)
    is small against the tolerance of 25 % (the SD of 200 replications itself has an error of 5 %).
    """
    rng = np.random.default_rng(9)
    b, found, stated = rng.normal(size=60), [], []
    for _ in range(200):
        theta = rng.normal(size=240)
        matrix = (rng.random((240, 60)) < 1 / (1 + np.exp(b - theta[:, None]))).astype(float)
        matrix[:100, 30:], matrix[140:, :30] = NAN, NAN
        log = ResponseLog.from_wide(matrix)
        estimate = rasch(log.person, log.item.astype(np.int64), log.score.astype(float)) - b
        weight = np.bincount(log.item) * _variances(log)
        found.append(np.average(estimate[:30], weights=weight[:30]) - np.average(estimate[30:], weights=weight[30:]))
        if len(stated) < 5:
            stated.append(item_links(log).weakest.se)
    assert np.std(found) == pytest.approx(np.mean(stated), rel=0.25)


def test_no_link_is_told_as_none():
    audit = audit_design(two_blocks(0))
    assert sorted(audit.groups) == [6, 6]
    assert audit.links.efficiency == pytest.approx(0.0, abs=1e-9)
    assert audit.links.weakest.linking == 0
    assert audit.remarks()[0][0] is False
    assert "2 groups that no candidate connects" in audit.remarks()[0][1]


def test_a_weak_link_is_a_warning_and_a_strong_one_is_not():
    weak = [words for good, words in audit_design(two_blocks(4)).remarks() if not good]
    assert any("hangs by 4 candidates" in words for words in weak)
    complete = audit_design(ResponseLog.from_wide(SCORES))
    assert all(good for good, _ in complete.remarks())
    assert "no block of items hangs by fewer candidates" in complete.remarks()[0][1]


def test_cuts_are_counted_over_the_whole_log_whatever_was_sampled(monkeypatch):
    whole = item_links(two_blocks(20)).weakest
    monkeypatch.setattr("issmp_calibration.log.links.SAMPLE", 1_000)
    monkeypatch.setattr("issmp_calibration.log.sums.BLOCK", 50)
    part = item_links(two_blocks(20)).weakest
    assert (part.linking, part.candidates, set(part.items)) == (whole.linking, whole.candidates, set(whole.items))


def test_items_with_few_answers_are_named():
    matrix = SCORES.copy()
    matrix[60:, 3] = NAN
    audit = audit_design(ResponseLog.from_wide(matrix))
    assert audit.few == ("I0004",)
    assert next(iter(audit.fewest.items())) == ("I0004", 60)
    assert any(not good and "I0004 60" in words for good, words in audit.remarks())


def forms_log(overlap):
    """Three forms of 20 items in a chain, each with ``overlap`` items of the one before."""
    step, size = 20 - overlap, 20
    rng = np.random.default_rng(4)
    matrix = np.full((300, size + 2 * step), NAN)
    for form, person in itertools.product(range(3), range(100)):
        start = form * step
        matrix[form * 100 + person, start : start + size] = rng.random(size) < 0.5
    return ResponseLog.from_wide(matrix)


@pytest.mark.parametrize(("overlap", "good"), [(10, True), (4, True), (3, False)])
def test_the_weakest_link_between_forms_is_judged_by_its_common_items(overlap, good):
    audit = audit_design(forms_log(overlap))
    assert audit.form_link.common == overlap
    assert next(remark[0] for remark in audit.remarks() if "between forms" in remark[1]) is good


# Routing. Logs are made item by item: ``choose`` names the next item of everybody.

PERSONS, ITEMS, LENGTH = 1500, 200, 30
THETA = RNG.normal(size=PERSONS)
A, B = np.exp(RNG.normal(0, 0.3, ITEMS)), np.sort(RNG.normal(size=ITEMS))
ABLE = THETA + RNG.normal(size=PERSONS) > 0
LEVEL = np.digitize(THETA + RNG.normal(0, 0.7, PERSONS), [-0.5, 0.5])
ROUTING = RNG.choice(ITEMS, 10, replace=False)
REST = np.setdiff1d(np.arange(ITEMS), ROUTING)


def unseen(worth, seen):
    return np.where(seen, -np.inf, worth).argmax(axis=1)


class SoFar(NamedTuple):
    """What a chooser may look at: how many items came before, which, with what score."""

    turn: int
    seen: np.ndarray
    score: np.ndarray
    rng: np.random.Generator


def by_chance(now):
    return unseen(now.rng.random(now.seen.shape), now.seen)


def adaptive(now):
    running = (2 * now.score - 1)[:, : now.turn].sum(axis=1) / np.sqrt(now.turn + 4.0)
    return unseen(-np.abs(B - running[:, None]), now.seen)


def staged(now):
    """Ten items for all, then one of three modules by how many of them were right."""
    if now.turn < 10:
        return np.full(PERSONS, ROUTING[now.turn])
    module = np.digitize(now.score[:, :10].sum(axis=1), [4.5, 6.5])
    return REST[module * 60 + now.turn]


def by_level(now):
    pool = (np.arange(ITEMS)[None] >= LEVEL[:, None] * 50) & (np.arange(ITEMS)[None] < LEVEL[:, None] * 50 + 100)
    return unseen(np.where(pool, now.rng.random(now.seen.shape), -1.0), now.seen)


def examiner(now):
    """Chance at first, then somebody who knows the candidate chooses."""
    return by_chance(now) if now.turn < 8 else unseen(-np.abs(B - THETA[:, None]), now.seen)


def forms_by_level(now):
    """Two forms of the same difficulty, six items in common, for the able and the others."""
    return np.full(PERSONS, 2 * now.turn) + (now.turn >= 6) * ABLE


def forms_at_random(now):
    return np.full(PERSONS, 2 * now.turn) + (now.turn >= 6) * (np.arange(PERSONS) % 2)


def log_of(choose, *, positions=True):
    rng = np.random.default_rng(1)
    seen = np.zeros((PERSONS, ITEMS), dtype=bool)
    item, score = np.zeros((PERSONS, LENGTH), dtype=np.int64), np.zeros((PERSONS, LENGTH), dtype=np.int64)
    for turn in range(LENGTH):
        chosen = choose(SoFar(turn, seen, score, rng))
        item[:, turn] = chosen
        seen[np.arange(PERSONS), chosen] = True
        score[:, turn] = rng.random(PERSONS) < 1 / (1 + np.exp(-A[chosen] * (THETA - B[chosen])))
    order = np.argsort(item, axis=1)
    return ResponseLog(
        persons=np.arange(PERSONS).astype(str),
        items=np.arange(ITEMS).astype(str),
        start=np.arange(PERSONS + 1) * LENGTH,
        item=np.take_along_axis(item, order, axis=1).ravel().astype(np.uint16),
        score=np.take_along_axis(score, order, axis=1).ravel().astype(np.int8),
        position=order.ravel().astype(np.int16) if positions else None,
    )


@pytest.mark.parametrize(
    ("choose", "verdict"),
    [
        (by_chance, "by_chance"),
        (adaptive, "by_answers"),
        (staged, "by_answers"),
        (by_level, "outside"),
        (examiner, "outside"),
        (forms_by_level, "outside"),
        (forms_at_random, "by_chance"),
    ],
)
def test_what_decided_on_the_items_is_found_out(choose, verdict):
    assert routing(log_of(choose)).verdict == verdict


@pytest.mark.parametrize(
    ("choose", "verdict"),
    [(by_chance, "by_chance"), (adaptive, "unknown"), (by_level, "unknown"), (forms_by_level, "unknown")],
)
def test_without_positions_only_chance_can_be_told(choose, verdict):
    log = log_of(choose, positions=False)
    assert routing(log).verdict == verdict
    good, words = audit_design(log).remarks()[-1]
    assert good is (verdict == "by_chance")
    assert ("without a column position" in words) is not good


def test_everyone_with_the_same_items_was_routed_by_nothing():
    assert routing(ResponseLog.from_wide(SCORES)).verdict == "same_items"
    few = np.where(np.arange(12) == np.arange(10)[:, None], NAN, SCORES[:10])
    assert routing(ResponseLog.from_wide(few)).verdict == "unknown"


@pytest.mark.parametrize(
    "matrix", [[[1.0]], [[NAN, NAN]], [[1, 0]], [[1], [0]], [[1, NAN], [NAN, 1]], [[1, 1], [1, 1]]]
)
def test_the_smallest_logs_are_audited_without_a_warning(matrix):
    log = ResponseLog.from_wide(np.array(matrix, dtype=float))
    assert json.dumps(audit_design(log).to_dict(), allow_nan=False)


def test_answers_without_a_score_connect_nothing():
    matrix = np.ones((4, 4))
    matrix[:2, 2:], matrix[2:, :2] = NAN, NAN
    matrix[2, 1] = 1
    log = ResponseLog.from_wide(matrix)
    score = log.score.copy()
    score[(log.person == 2) & (log.item == 1)] = -1
    assert len(connected_groups(log)) == 1
    assert connected_groups(replace(log, score=score)) == [("I0001", "I0002"), ("I0003", "I0004")]


@pytest.mark.parametrize(("design", "verdict"), [("adaptive", "by_answers"), ("random", "by_chance")])
def test_logs_of_the_engine_s_own_exams_are_told_for_what_they_are(design, verdict):
    log = sample_log(standard_bank("218"), 1200, 40, design=design, seed=3)
    found = routing(log)
    assert found.verdict == verdict
    assert abs(found.outside) < 0.10


def test_rough_difficulties_follow_the_true_ones_in_an_adaptive_log():
    log = log_of(adaptive)
    estimate = rasch(log.person, log.item.astype(np.int64), log.score.astype(float))
    often = np.bincount(log.item, minlength=ITEMS)[: len(estimate)] > 30
    assert np.corrcoef(estimate[often], B[: len(estimate)][often])[0, 1] > 0.95


def test_check_prints_the_audit_and_brings_it_as_json(tmp_path, capsys):
    path = tmp_path / "log.csv"
    matrix = two_blocks(4).wide()
    header = ",".join(f"q{k}" for k in range(12))
    rows = [",".join("" if np.isnan(x) else f"{x:.0f}" for x in row) for row in matrix]
    path.write_text("\n".join([header, *rows]) + "\n")
    assert run(["check", str(path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Design: can everything be put on one scale?" in out
    assert "hangs by 4 candidates who saw other items too" in out
    assert run(["check", str(path), "--json", "--quiet"]) == 0
    design = json.loads(capsys.readouterr().out)["design"]
    assert design["links"]["weakest"]["linking"] == 4
    assert design["routing"]["verdict"] in {"by_chance", "unknown"}
    assert design["routing"]["by_answers"] is None

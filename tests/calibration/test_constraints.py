"""What is held, what is equal, which item has which model, and who the candidates are: as people ask for it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration import (
    CalibrationOptions,
    Constraints,
    NormalPrior,
    PopulationModel,
    Priors,
    calibrate,
    read_key,
)
from issmp_calibration.log import read_log
from issmp_calibration.ungrouped import settle_ungrouped
from issmp_cat.errors import NotConverged, ResponseLogError, UsageError
from issmp_cat.responses import ResponseLog

QUICK = {"standard_errors": False}


def draw(persons=600, items=8, seed=1, mean=0.0, steps=1):
    """Scores 0 … steps that rise with ability; items are called q1, q2 …"""
    rng = np.random.default_rng(seed)
    theta, b = rng.normal(mean, 1, persons), rng.normal(0, 1, items)
    noise = rng.logistic(size=(persons, items, steps))
    scores = (theta[:, None, None] - b[:, None] - np.linspace(-1, 1, steps) * (steps > 1) + noise > 0).sum(axis=2)
    return ResponseLog.from_wide(scores, items=[f"q{k}" for k in range(1, items + 1)])


@pytest.fixture(scope="module")
def log():
    return draw()


def parameter(found, item, name):
    return float(found.items.values(name)[list(found.items.item).index(item)])


def test_fixed_parameters_are_reported_as_they_were_given(log):
    held = Constraints(fixed={"q1": {"a": 1.3, "b": -0.4}, "q2": {"a": 0.8}, "q3": {"c": 0.2}})
    found = calibrate(log, constraints=held, **QUICK)
    assert found.converged
    assert_allclose([parameter(found, "q1", "a"), parameter(found, "q1", "b")], [1.3, -0.4])
    assert_allclose([parameter(found, "q2", "a"), parameter(found, "q3", "c")], [0.8, 0.2])
    # A held location and a held slope: the population's mean and SD are free in their place.
    assert found.groups[0].mean != 0.0
    assert found.n_parameters == 2 * 8 - 3 + 2
    assert found.provenance["options"]["constraints"]["fixed"]["q1"] == {"a": 1.3, "b": -0.4}


def test_equal_parameters_are_one(log):
    ties = Constraints(equal=[[("q1", "a"), ("q2", "a"), ("q3", "a")], [("q1", "b"), ("q2", "b")]])
    found = calibrate(log, constraints=ties, **QUICK)
    assert parameter(found, "q1", "a") == parameter(found, "q2", "a") == parameter(found, "q3", "a")
    assert parameter(found, "q1", "b") == parameter(found, "q2", "b")
    assert found.n_parameters == 16 - 3
    free = calibrate(log, **QUICK)
    assert found.log_likelihood < free.log_likelihood


def test_the_item_file_says_models_and_constraints(log):
    file = pd.DataFrame({
        "item": log.items,
        "model": ["rasch", "2pl", "", "3pl", "", "", "", ""],
        "fix_a": ["", "1.5", "", "", "", "", "", ""],
        "equal_a": ["", "", "x", "", "x", "", "", ""],
    })  # fmt: skip
    found = calibrate(log, key=read_key(file), **QUICK)
    assert_array_equal(found.items.model, ["rasch", "2pl", "2pl", "3pl", "2pl", "2pl", "2pl", "2pl"])
    assert_allclose([parameter(found, "q1", "a"), parameter(found, "q2", "a")], [1.0, 1.5])
    assert parameter(found, "q3", "a") == parameter(found, "q5", "a")
    assert found.model == "mixed"
    assert set(found.priors) == {"3pl log slope", "3pl logit guessing"}
    by_name = calibrate(log, key=read_key(file), model="2pl", **QUICK)
    assert set(by_name.items.model) == {"2pl"}
    with pytest.raises(UsageError, match='"key" needs an item file'):
        calibrate(log, model="key", **QUICK)
    with pytest.raises(UsageError, match="names no model for q3"):
        calibrate(log, model="key", key=read_key(file), **QUICK)
    with pytest.raises(ResponseLogError, match='line 2: fix_a "fast" is no number'):
        read_key(file.assign(fix_a=["", "fast", "", "", "", "", "", ""]))


def test_every_impossible_constraint_is_told_at_once(log):
    wrong = Constraints(
        fixed={"q1": {"b": 0.3}, "q2": {"slope": 1.0}, "q3": {"a": 2.0}},
        equal=[[("q4", "b"), ("q5", "b")], [("q6", "c"), ("q7", "c")]],
        models={"q3": "rasch"},
    )
    with pytest.raises(UsageError) as told:
        calibrate(log, constraints=wrong, **QUICK)
    for words in ("b can be fixed only together with a", 'no parameter "slope"', "rasch item has a = 1",
                  "b can be equal only where a is", 'no free parameter "c"'):  # fmt: skip
        assert words in str(told.value)


def test_priors_by_model_and_by_item(log):
    tight = Priors(log_slope=NormalPrior(0.0, 0.01))
    found = calibrate(log, model={"q1": "3pl"}, priors={"q2": tight}, **QUICK)
    assert abs(parameter(found, "q2", "a") - 1.0) < 0.02
    assert "3pl logit guessing" in found.priors
    with pytest.raises(UsageError, match="neither a model nor an item"):
        calibrate(log, priors={"q99": tight}, **QUICK)


def test_scores_with_a_gap_are_set_apart_with_what_to_do():
    log = draw(steps=3)
    score = log.score.copy()
    score[(log.item == 0) & (score == 2)] = 1
    found = calibrate(replace(log, score=score), model="grm", **QUICK)
    assert "nobody scored 2 of 0 to 3: join scores" in found.items.verdict[0]
    assert found.converged


def test_dichotomous_items_beside_essays():
    log = draw(steps=3)
    score = log.score.copy()
    score[log.item < 4] = np.minimum(score[log.item < 4], 1)
    models = {f"q{k}": "2pl" if k <= 4 else "gpcm" for k in range(1, 9)}
    found = calibrate(replace(log, score=score), model=models, **QUICK)
    assert found.converged
    assert_array_equal(np.isnan(found.items.values("b3")), [True] * 4 + [False] * 4)
    with pytest.raises(ResponseLogError, match='item "q1" has scores above 1'):
        calibrate(log, model=models, **QUICK)


def test_new_items_come_onto_the_scale_of_a_bank():
    """Candidates of a mean of 1 and items of the bank held: the new items' difficulties are on the bank's scale."""
    rng = np.random.default_rng(4)
    b = rng.normal(0, 1, 30)
    names = [f"q{k}" for k in range(30)]

    def answers(mean, columns):
        theta = rng.normal(mean, 1.2, 3_000)
        scores = (rng.random((3_000, len(columns))) < 1 / (1 + np.exp(b[columns] - theta[:, None]))).astype(float)
        return ResponseLog.from_wide(scores, items=[names[k] for k in columns])

    bank = calibrate(answers(0.0, list(range(20))), **QUICK).to_bank()
    found = calibrate(answers(1.2, list(range(30))), constraints=Constraints.from_bank(bank), **QUICK)
    assert found.converged
    held = [item.b for item in bank.items]
    assert_allclose(found.items.values("b")[:20], held, atol=1e-12)
    # The bank's unit is its population's SD, 1.2 logits; 3,000 candidates: standard errors of about 0.05.
    assert_allclose(found.items.values("b")[20:], b[20:] / 1.2, atol=0.2)
    assert_allclose([found.groups[0].mean, found.groups[0].sd], [1.0, 1.0], atol=0.1)


def grouped(seed=2):
    one, two = draw(seed=seed), draw(seed=seed, mean=0.8)
    both = ResponseLog.from_wide(np.vstack([one.wide(), two.wide()]), items=list(one.items))
    labels = np.repeat(["this year", "last year"], 600)
    return replace(both, candidates={"year": labels, "hours": np.repeat([0.0, 1.0], 600)})


def test_groups_and_items_that_differ_between_them():
    log = grouped()
    found = calibrate(
        log, population=PopulationModel(groups="year", reference="this year", anchors=["q1", "q2", "q3", "q4"]), **QUICK
    )
    assert [group.label for group in found.groups] == ["this year", "last year"]
    assert_allclose([found.groups[0].mean, found.groups[0].sd], [0.0, 1.0])
    assert 0.5 < found.groups[1].mean < 1.3
    assert "q5:last year" in found.items.item
    assert len(found.items) == 4 + 2 * 4


def test_a_covariate_tells_as_much_as_groups_of_one_spread():
    log = grouped()
    groups = calibrate(log, population=PopulationModel(groups="year", reference="this year"), **QUICK)
    slope = calibrate(log, population=PopulationModel(covariates=["hours"]), **QUICK)
    effect = slope.regression["hours"]["estimate"]
    rest = np.sqrt(1.0 - effect**2 / 4)
    assert_allclose(effect / rest, groups.groups[1].mean / np.sqrt((1 + groups.groups[1].sd ** 2) / 2), atol=0.05)
    words = calibrate(log, population=PopulationModel(covariates=["year"]), **QUICK)
    assert_allclose(words.regression["year=this year"]["estimate"], -effect, atol=1e-6)
    assert_allclose(words.log_likelihood, slope.log_likelihood, atol=1e-6)


@pytest.mark.parametrize(
    ("population", "words"),
    [
        (lambda: PopulationModel(groups="yaer"), 'no column about candidates is called yaer.*did you mean "year"'),
        (lambda: PopulationModel(groups="year", reference="next year"), 'no candidate is of the reference group "next'),
        (lambda: PopulationModel(groups="year", anchors=["q1", "q77"]), "anchors that are not in the log: q77"),
        (lambda: PopulationModel(groups="year", covariates=["hours"]), "exclude each other"),
        (lambda: PopulationModel(covariates=["hours"], density="histogram"), "need a normal density"),
        (lambda: PopulationModel(anchors=["q1"]), "need groups"),
        (lambda: PopulationModel(covariates=["hours", "year"]), "follow from each other"),
    ],
)
def test_impossible_populations_are_refused(population, words):
    with pytest.raises(UsageError, match=words):
        calibrate(grouped(), population=population(), **QUICK)


def test_too_few_nodes_are_no_convergence():
    """120 items on 11 nodes: settled, and wrong."""
    log = draw(persons=300, items=120)
    with pytest.raises(NotConverged, match="nodes are too few"):
        calibrate(log, options=CalibrationOptions(nodes=11, strict=True), **QUICK)
    found = calibrate(log, options=CalibrationOptions(nodes=11), **QUICK)
    assert not found.converged
    assert "integration_error" in found.frame["reasons"].str.cat(sep=" ")


def some_without_a_group():
    log = grouped()
    labels = log.candidates["year"].astype(object)
    labels[[0, 5, 700]] = ["", None, np.nan]
    return replace(log, candidates={"year": labels})


def test_candidates_without_a_group_are_refused_with_the_way_out():
    with pytest.raises(UsageError, match=r"3 candidates without \"year\".*--missing-group drop.*--missing-group own"):
        calibrate(some_without_a_group(), population=PopulationModel(groups="year"), **QUICK)


def test_candidates_without_a_group_are_left_out_as_if_they_had_not_been_there():
    log, whole = some_without_a_group(), grouped()
    left_out = calibrate(log, population=PopulationModel(groups="year", missing_group="drop"), **QUICK)
    keep = np.setdiff1d(np.arange(1200), [0, 5, 700])
    others = ResponseLog.from_wide(whole.wide()[keep], items=list(whole.items))
    others = replace(others, candidates={"year": whole.candidates["year"][keep]})
    alone = calibrate(others, population=PopulationModel(groups="year"), **QUICK)
    assert left_out.log_likelihood == alone.log_likelihood
    assert_allclose(left_out.items.parameters, alone.items.parameters)
    said = f'3 candidates without "year": left out with {3 * len(log.items)} answers (--missing-group drop)'
    assert left_out.provenance["note"][-1] == said


def test_candidates_without_a_group_can_be_a_group_of_their_own():
    found = calibrate(some_without_a_group(), population=PopulationModel(groups="year", missing_group="own"), **QUICK)
    assert [group.label for group in found.groups] == ["last year", "this year", "(missing)"]
    assert "a group of their own, (missing)" in found.provenance["note"][-1]


def test_what_is_left_out_for_want_of_a_group_stands_in_the_data_report():
    frame = pd.DataFrame(grouped().wide(), columns=[f"q{k}" for k in range(8)])
    frame = frame.assign(group=np.repeat(["a", "b", None], 400), candidate=range(1200))
    log = read_log(frame)
    settled = settle_ungrouped(log, PopulationModel(groups="group", missing_group="drop"))
    (line,) = [line for line in settled.report.lines if line.rule == "no_group"]
    assert (line.action, line.candidates, line.answers) == ("dropped", 400, 3200)
    assert settled.report.used == settled.n_answers == 6400
    assert settle_ungrouped(log, None) is log
    with pytest.raises(UsageError, match="needs groups"):
        PopulationModel(missing_group="drop")

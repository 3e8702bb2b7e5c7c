"""Results of any model: the table, its JSON, its bank, its plots."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration import Calibration, CalibrationOptions, PopulationModel, VerdictRules, calibrate
from issmp_calibration.gate_figures import FIGURES
from issmp_calibration.item_verdict import CODES, ItemVerdict, Reason
from issmp_cat.bank import ItemBank
from issmp_cat.errors import InputRejected
from issmp_cat.irt import category_curves
from issmp_cat.responses import ResponseLog

KINDS = ("items", "information", "standard_error", "latent", "convergence", "curves")


def graded(persons=900, items=6, seed=3):
    """Scores 0 to 3 of a graded response model, 0 to 2 in the last item but one, 0 and 1 in the last."""
    rng = np.random.default_rng(seed)
    theta, a = rng.normal(size=persons), rng.uniform(0.9, 1.8, items)
    b = np.sort(rng.normal(0, 1, (items, 3)), axis=1) + np.array([-0.6, 0.0, 0.6])
    reached = 1 / (1 + np.exp(-a[None, :, None] * (theta[:, None, None] - b[None])))
    scores = (rng.random((persons, items, 1)) < reached).sum(axis=2).astype(float)
    scores[:, -2] = np.minimum(scores[:, -2], 2)
    scores[:, -1] = scores[:, -1] >= 2
    return scores


SCORES = graded()
LOG = ResponseLog.from_wide(SCORES)


@pytest.fixture(scope="module", params=["grm", "gpcm", "pcm", "nrm"])
def stepped(request):
    return calibrate(LOG, model=request.param)


@pytest.fixture(scope="module")
def mixed():
    """Right-or-wrong items beside graded ones, each under a model of its own."""
    models = {"I0001": "grm", "I0002": "gpcm", "I0003": "nrm", "I0004": "grm", "I0005": "gpcm", "I0006": "3pl"}
    return calibrate(LOG, model=models)


@pytest.fixture(scope="module")
def grouped():
    rng = np.random.default_rng(4)
    group = np.repeat([0, 1], 400)
    theta = group * 0.8 + rng.normal(size=800)
    b = rng.normal(0, 1, 10)
    scores = (rng.random((800, 10)) < 1 / (1 + np.exp(-1.2 * (theta[:, None] - b)))).astype(float)
    log = ResponseLog.from_wide(scores)
    log = ResponseLog(**{name: getattr(log, name) for name in ("persons", "items", "start", "item", "score")},
                      candidates={"country": np.array(["AT", "CH"])[group]})  # fmt: skip
    return calibrate(log, population=PopulationModel(groups="country"))


def test_every_item_has_the_parameters_of_its_model_and_no_others(stepped):
    table = stepped.items
    for item, steps in enumerate([3, 3, 3, 3, 2, 1]):
        has = [name for name, value in zip(table.names, table.parameters[item], strict=True) if not np.isnan(value)]
        numbers = range(1, steps + 1)
        if stepped.model == "nrm":
            assert sorted(has) == sorted([f"{letter}{k}" for letter in "ac" for k in numbers])
        else:
            assert has == ["a", "b", *(f"b{k}" for k in numbers)]


def test_standard_errors_stand_where_parameters_were_estimated(stepped):
    table = stepped.items
    values, errors = table.parameters, table.standard_errors
    fixed = [table.names.index("a")] if stepped.model == "pcm" else []
    estimated = ~np.isnan(values)
    estimated[:, fixed] = False
    assert_array_equal(~np.isnan(errors), estimated)
    assert (errors[estimated] > 0.0).all()


def test_b_is_the_mean_of_the_steps_and_so_is_its_error():
    found = calibrate(LOG, model="grm").items
    steps = [found.names.index(f"b{k}") for k in (1, 2, 3)]
    assert_allclose(found.values("b")[:4], found.parameters[:4, steps].mean(axis=1))
    weights = np.full(3, 1 / 3)
    variance = [weights @ found.covariance[item][np.ix_(steps, steps)] @ weights for item in range(4)]
    assert_allclose(found.errors("b")[:4] ** 2, variance)


def test_a_table_gives_back_the_curves_that_were_fitted(stepped):
    """Expected score over the population by the table's curves: the mean score, which maximum likelihood meets.

    Under the models whose intercepts are free and have no prior; Σ P = observed is their score equation.
    """
    from issmp_calibration.plot_curves import engine_parameters

    latent = stepped.latent
    parameters = engine_parameters(stepped.items, np.arange(6))
    curves = category_curves(latent.nodes, parameters)
    for item in range(6):
        rows = slice(int(parameters.first[item]), int(parameters.first[item + 1]))
        expected = curves[rows] @ latent.assumed / latent.assumed.sum()
        observed = stepped.items.counts[item, : rows.stop - rows.start] / 900
        assert_allclose(expected, observed, atol=0.006)


def test_json_gives_back_the_same_result(stepped, mixed, grouped, tmp_path):
    for result in (stepped, mixed, grouped):
        path = tmp_path / "result.json"
        text = result.to_json(path)
        back = Calibration.from_json(path)
        assert back.to_json() == text
        assert back.items.verdicts == result.items.verdicts
        pd.testing.assert_frame_equal(back.frame, result.frame)
        assert back.summary() == result.summary()


def test_a_result_of_the_first_format_is_refused_with_advice(mixed):
    content = {**json.loads(mixed.to_json()), "format_version": 1}
    with pytest.raises(InputRejected, match="its bank file can still be used; calibrate again"):
        Calibration.from_json(json.dumps(content))


def test_the_bank_holds_every_model_with_covariances(mixed, tmp_path):
    bank = mixed.to_bank(id="mixed")
    bank.save(tmp_path / "bank.json")
    back = ItemBank.load(tmp_path / "bank.json")
    assert [item.model for item in back.items] == ["grm", "gpcm", "nrm", "grm", "gpcm", "3pl"]
    assert [item.highest for item in back.items] == [3, 3, 3, 3, 2, 1]
    assert back.items[0].covariance.names == ("a", "b1", "b2", "b3")
    assert back.items[2].covariance.names == ("a1", "a2", "a3", "c1", "c2", "c3")
    assert back.items[5].covariance.names == ("a", "b", "c")
    table = mixed.items
    for place, item in enumerate(back.items):
        for name in item.covariance.names:
            assert item.covariance.standard_error(name) == pytest.approx(table.errors(name)[place])
    assert back.version == bank.version


def test_every_plot_draws_every_model(stepped, mixed, grouped, tmp_path):
    for result in (stepped, mixed, grouped):
        for kind in KINDS:
            assert result.plot(kind).save(tmp_path / f"{kind}.svg").stat().st_size > 1000


def test_curves_of_an_item_with_steps_are_one_for_each_score(stepped):
    plot = stepped.plot("curves", items=["I0002"])
    layers = dict.fromkeys(plot.data["layer"])
    assert list(layers) == [f"I0002: score {score}" for score in range(4)]
    chances = np.array(plot.data["y"]).reshape(4, -1)
    assert_allclose(chances.sum(axis=0), 1.0)
    assert plot.y == "chance of the score"


@pytest.fixture(scope="module")
def doubtful():
    """30 items, of which two go against ability, one hardly goes with it and one has few answers."""
    rng = np.random.default_rng(8)
    theta, b = rng.normal(size=1500), np.linspace(-2, 2, 30)
    slopes = np.full(30, 1.2)
    slopes[[4, 20]], slopes[12] = -1.0, 0.05
    scores = (rng.random((1500, 30)) < 1 / (1 + np.exp(-slopes * (theta[:, None] - b)))).astype(float)
    scores[150:, 25] = np.nan
    return calibrate(ResponseLog.from_wide(scores))


def test_curves_are_of_the_worst_verdicts_then_from_easy_to_hard_and_the_title_says_so(doubtful):
    plot = doubtful.plot("curves")
    layers = list(dict.fromkeys(plot.data["layer"]))
    assert [name.split(" ")[0] for name in layers[:3]] == ["I0021", "I0005", "I0013"]
    assert layers[0] == "I0021 (retire: negative discrimination)"
    others = [int(name[1:5]) for name in layers[3:]]
    assert len(others) == 4
    assert others == sorted(others)
    assert others[0] <= 6
    assert others[-1] >= 24
    assert plot.title == "Item curves: the 3 worst verdicts, 4 others from easy to hard"
    assert list(dict.fromkeys(doubtful.plot("curves", items=["I0002"]).data["layer"])) == ["I0002"]


def test_the_picture_of_difficulties_names_what_stands_out(doubtful):
    plot = doubtful.plot("items")
    named = {text for text in plot.data["text"] if text}
    assert {"I0021", "I0005", "I0001", "I0029"} <= named
    assert len(named) <= 7
    assert plot.frame["layer"].value_counts()["to hold or retire"] >= 2
    assert "I0013" in named or "I0013 (" in plot.note  # with a slope near 0 it can have any difficulty


def test_a_short_test_has_every_name(stepped):
    named = {text for text in stepped.plot("items").data.get("text", []) if text}
    assert named == (set() if stepped.model == "nrm" else set(stepped.items.item))


def test_groups_are_reported_side_by_side(grouped):
    assert [group.label for group in grouped.groups] == ["AT", "CH"]
    assert [group.persons for group in grouped.groups] == [400, 400]
    assert grouped.latent.mean == 0.0
    assert abs(grouped.groups[1].mean - 0.8) < 0.25
    assert "group CH (400 candidates): mean 0." in grouped.summary()
    plot = grouped.plot("latent")
    assert len(dict.fromkeys(plot.data["layer"])) == 2


def test_the_bank_remembers_the_groups_and_keeps_the_reference_metric(grouped):
    bank = grouped.to_bank()
    assert (bank.metric.latent_mean, bank.metric.latent_sd) == (0.0, 1.0)
    assert [(group["label"], group["mean"]) for group in bank.provenance["groups"]] == [
        (group.label, group.mean) for group in grouped.groups
    ]


def test_a_population_of_any_shape_is_drawn_as_it_was_estimated():
    scores = graded(600, 6, 8)
    found = calibrate(ResponseLog.from_wide(scores), model="grm", population=PopulationModel(density="histogram"))
    assert found.density == "histogram"
    assert any("histogram" in layer for layer in found.plot("latent").data["layer"])
    assert_allclose(found.latent.assumed.sum(), 1.0)


def test_figures_are_those_of_the_table(mixed):
    table, figures = mixed.items, mixed.figures
    errors = table.standard_errors
    steps = [table.names.index(name) for name in ("b1", "b2", "b3")]
    assert figures["max_se_a"] == pytest.approx(np.nanmax(errors[:, 0]))
    assert figures["max_se_b"] == pytest.approx(max(np.nanmax(errors[:5][:, steps]), errors[5, 1]))
    assert figures["max_se_c"] == pytest.approx(errors[5, 2])
    assert figures["min_answers"] == 900
    assert figures["use"] + figures["hold"] + figures["retire"] == pytest.approx(1.0)
    assert set(CODES) <= set(figures)
    assert figures["integration_error"] == pytest.approx(np.nanmax(table.integration_error))
    assert figures["integration_error_items"] == sum("integration_error" in one.codes for one in table.verdicts)
    assert tuple(figures) == FIGURES
    assert len(set(FIGURES)) == len(FIGURES)


def test_counts_are_of_items_not_of_reasons(mixed):
    twice = ItemVerdict.of([Reason("out_of_range", "a", {}, "retire"), Reason("out_of_range", "b", {}, "retire")])
    found = replace(mixed, items=replace(mixed.items, verdicts=(twice, *mixed.items.verdicts[1:])))
    assert found.figures["out_of_range"] == 1.0
    assert "; 1 × out of range" in found.summary()


def test_what_is_not_known_misses_every_condition():
    figures = calibrate(LOG, model="grm", standard_errors=False).figures
    assert figures["max_se_b"] == np.inf
    assert figures["mean_se_b"] == np.inf


def test_rules_change_the_verdicts_and_the_bank_says_so():
    strict = CalibrationOptions(verdicts=VerdictRules(min_answers=2_000, actions={"too_few_answers": "retire"}))
    found = calibrate(LOG, model="grm", options=strict)
    assert (found.items.action == "retire").all()
    assert found.provenance["options"]["verdicts"]["min_answers"] == 2_000
    held = calibrate(LOG, model="grm", options=CalibrationOptions(verdicts=VerdictRules(min_answers=2_000)))
    bank = held.to_bank()
    assert bank.provenance["hold"] == {f"I{k + 1:04d}": ["too_few_answers"] for k in range(6)}
    assert bank.provenance["left_out"] == {}
    assert all(item.status == "operational" and "fewer than 2,000" in item.verdict for item in bank.items)
    assert held.items.frame["action"].tolist() == ["hold"] * 6


def test_a_score_that_few_got_holds_the_item():
    scores = SCORES.copy()
    scores[:, 0] = np.minimum(scores[:, 0], 1.0)
    scores[:4, 0] = 2.0
    found = calibrate(ResponseLog.from_wide(scores), model="grm")
    assert found.items.verdicts[0].codes == ("too_few_in_category",)
    assert dict(found.items.verdicts[0].reasons[0].numbers) == {"required": 10, "score_2": 4}


def test_a_score_that_nobody_got_is_left_out_with_its_cause():
    scores = SCORES.copy()
    scores[scores[:, 0] == 1.0, 0] = 0.0
    found = calibrate(ResponseLog.from_wide(scores), model="grm")
    assert found.items.verdicts[0].codes[0] == "too_few_in_category" or "left_out" in found.items.verdicts[0].codes
    assert "nobody scored 1" in found.items.verdict[0]
    assert "I0001" in found.to_bank().provenance["left_out"]


def test_easy_items_tell_nothing_about_guessing_and_say_so():
    rng = np.random.default_rng(17)
    theta, b = rng.normal(size=3_000), np.concatenate([np.full(6, -3.0), np.linspace(-0.5, 1.5, 14)])
    chance = 0.2 + 0.8 / (1 + np.exp(-1.3 * (theta[:, None] - b)))
    found = calibrate(ResponseLog.from_wide((rng.random(chance.shape) < chance).astype(float)), model="3pl")
    noted = np.array(["guessing_not_identified" in verdict.codes for verdict in found.items.verdicts])
    assert noted[:6].all()
    assert noted[6:].mean() < 0.3
    assert set(found.items.action[:6]) == {"use"}

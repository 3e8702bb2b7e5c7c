"""What a study says of itself: figures, tables, plots, files."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from issmp_cat.cli.gates import parse_gate, require
from issmp_cat.errors import GateFailed, InputRejected, UsageError
from issmp_simulations import StudyResult, simulate
from issmp_simulations.gates import FIGURES
from issmp_simulations.plots import PLOTS
from issmp_simulations.tables import bands_of

CHANGED = {
    "pass_rate": {"width": 1.0},
    "accuracy": {"width": 1.0},
    "bias": {"width": 0.5},
    "se": {"width": 0.5},
    "length": {"width": 10},
    "score": {"width": 50},
    "exposure": {"domain": "D2"},
    "recovery": {"sample": 50},
}


def test_figures_are_those_counted_by_hand(study):
    exams = study.exams
    passed, above = exams.theta >= -0.3, exams.ability >= -0.3
    assert study.pass_rate.value == passed.mean()
    assert study.accuracy.value == (passed == above).mean()
    assert study.false_pass.value + study.false_fail.value == pytest.approx(1 - study.accuracy.value, abs=1e-12)
    assert study.false_pass_rate.value == (passed & ~above).sum() / (~above).sum()
    assert study.rmse.value == pytest.approx(np.sqrt(((exams.theta - exams.ability) ** 2).mean()))
    assert study.mean_length.value == pytest.approx(exams.length.mean())
    assert sum(study.reasons.values()) == study.n


def test_exposure_and_overlap_are_those_of_all_pairs(study):
    """Overlap over all pairs of tests, counted pair by pair through the table of who saw what."""
    seen = np.zeros((study.n, len(study.exposure.items)), dtype=np.float32)
    person, column = np.nonzero(study.exams.items >= 0)
    seen[person, study.exams.items[person, column]] = 1
    np.testing.assert_allclose(study.exposure.rates, seen.mean(axis=0), atol=1e-6)
    shared = seen @ seen.T
    pairs = shared[np.triu_indices(study.n, k=1)]
    assert study.exposure.overlap == pytest.approx(pairs.mean() / study.exams.length.mean(), rel=1e-4)
    assert study.exposure.never_used == (seen.sum(axis=0) == 0).mean()
    assert study.exposure.mean == pytest.approx(study.mean_length.value / 1500)


def test_bands_merge_without_loss(study):
    for width in (0.25, 0.5, 1, 2):
        table = study.by_theta(width)
        assert table["n"].sum() == study.n
        assert (table["n"] * table["accuracy"]).sum() / study.n == pytest.approx(study.accuracy.value)
        assert (table["n"] * table["bias"]).sum() / study.n == pytest.approx(study.bias.value, abs=1e-12)
    band = study.by_theta(1.0).set_index("low").loc[-0.3]
    chosen = (study.exams.ability >= -0.3) & (study.exams.ability < 0.7)
    error = (study.exams.theta - study.exams.ability)[chosen]
    assert band["rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert band["bias_se"] == pytest.approx(error.std(ddof=1) / np.sqrt(len(error)))


def test_no_band_of_any_width_holds_both_sides_of_the_cut(study):
    """A band edge stands at the cut, and whoever is exactly there lies in the band above, as the decision has it."""
    for width in (0.25, 0.5, 1, 2):
        table = study.by_theta(width)
        assert ((table["low"] >= -0.3) | (table["high"] <= -0.3)).all()
    assert table.loc[table["low"] >= -0.3, "n"].sum() == (study.exams.ability >= -0.3).sum()


@pytest.mark.parametrize("cut", [-5.0, -3.9, -0.3, 0.1, 2.0, 7.0])
def test_bands_reach_from_minus_four_to_four_wherever_the_cut_is(study, cut):
    exams = replace(
        study.exams,
        ability=np.array([-9.0, -4.0, cut, 4.0, 9.0]),
        passed=np.ones(5, dtype=bool),
        theta=np.zeros(5),
        se=np.ones(5),
        length=np.ones(5),
    )
    for width in (0.25, 2.0):
        rows = bands_of(exams, cut).rows(width)
        assert sum(row["n"] for row in rows) == 5
        assert rows[0]["high"] <= max(-4.0, cut) + 1e-9
        assert cut in [row["low"] for row in rows]


@pytest.mark.parametrize("width", [20, 30, 1000])
def test_no_bin_of_scores_holds_passes_and_fails(study, width):
    """Bars lie between 0 and 1000, all candidates are in them, and those right of the pass mark passed."""
    x, y = (np.array(study.plot("score", width=width).layers[0].data[name]) for name in "xy")
    assert x.min() > 0
    assert x.max() < 1000
    assert y.sum() == pytest.approx(1)
    assert y[x > 700].sum() == pytest.approx(study.pass_rate.value)
    assert "189 points a logit below and 91 above" in study.plot("score").note


def test_scores_are_the_scales(study, variant):
    scale = variant().scale
    expected = [scale.score(theta) for theta in study.exams.theta]
    values, counts = np.unique(expected, return_counts=True)
    assert study.scores.values == tuple(values)
    assert study.scores.counts == tuple(counts)


def test_frame_has_a_row_a_candidate(study):
    frame = study.frame
    assert len(frame) == study.n
    assert frame["passed"].mean() == study.pass_rate.value
    assert frame["reason"].value_counts()["the confidence interval excludes the cut"] > 0


def test_summary_and_html_tell_the_main_figures(study):
    text = study.summary()
    assert repr(study) == text
    assert f"{100 * study.pass_rate.value:.2f} %" in text
    assert "0 off the blueprint" in text
    assert "seed 11" in text
    assert text.splitlines()[3] in study._repr_html_()


def test_a_study_survives_its_file(study, tmp_path):
    text = study.to_json(tmp_path / "study.json")
    again = StudyResult.from_json(tmp_path / "study.json")
    assert again.to_json() == text
    assert again.summary() == study.summary()
    assert again.plot("recovery").data == study.plot("recovery").data
    with pytest.raises(UsageError, match="no single candidates"):
        _ = again.frame


def test_damaged_study_files_are_refused(study, tmp_path):
    path = tmp_path / "study.json"
    for text, message in (
        ("{}", "not a study"),
        ("", "the file is empty"),
        (study.to_json().replace('"format_version": 2', '"format_version": 9'), "format_version 9"),
        (study.to_json().replace('"n": 4000', '"n": "many"', 1), "n: "),
    ):
        path.write_text(text)
        with pytest.raises(InputRejected, match=message):
            StudyResult.from_json(path)


def test_provenance_names_what_the_figures_follow_from(study, bank):
    told = study.provenance
    assert told["bank"]["version"] == bank.version
    assert {"issmp-cat", "numpy", "numba", "python"} <= set(told["versions"])
    assert told["seed"] == 11


@pytest.mark.parametrize("kind", PLOTS)
def test_each_plot_draws_and_its_argument_changes_the_data(study, kind, tmp_path):
    plot = study.plot(kind)
    assert ET.parse(plot.save(tmp_path / "plot.svg")).getroot().tag.endswith("svg")
    assert study.plot(kind, **CHANGED[kind]).data != plot.data
    assert "simulated" in plot.note


def test_unknown_plots_and_options_are_refused_with_a_guess(study):
    with pytest.raises(UsageError, match=r'did you mean "exposure"'):
        study.plot("exposures")
    with pytest.raises(UsageError, match=r'did you mean "width"'):
        study.plot("length", widht=3)
    with pytest.raises(UsageError, match=r"0\.25, 0\.5, 1 or 2"):
        study.plot("accuracy", width=0.3)
    with pytest.raises(UsageError, match='no item of domain "D9"'):
        study.plot("exposure", domain="D9")


def test_gates_know_the_figures_before_there_is_a_study(study):
    """All but the time, which takes a clock."""
    assert set(FIGURES) == {*study.figures, "mean_seconds"}


def test_gates_name_every_miss_and_by_how_much(study):
    require([parse_gate("accuracy>=0.9"), parse_gate("violations == 0"), parse_gate("bias<0.1")], study.figures)
    with pytest.raises(GateFailed, match=r"2 of 2 thresholds missed:\n  accuracy is 0\.9\d+, not >= 0\.999 \(off by"):
        require([parse_gate("accuracy>=0.999"), parse_gate("mean_length<10")], study.figures)
    with pytest.raises(UsageError, match='did you mean "accuracy"'):
        require([parse_gate("acuracy>=0.9")], study.figures)
    for wrong in ("accuracy", "accuracy=>1", "accuracy>=high"):
        with pytest.raises(UsageError, match="expected a figure, a sign and a number"):
            parse_gate(wrong)


def test_everyone_below_the_cut_is_told_without_nan(small_bank):
    """Nobody is truly above: rates among them do not exist, and say so."""
    from issmp_simulations import Population

    study = simulate("issmp", small_bank, Population(mean=-3.0, sd=0.1), n=50, seed=1)
    assert study.false_fail_rate is None
    assert "NaN" not in study.to_json()
    assert json.loads(study.to_json())["false_fail_rate"] is None
    assert "nan" not in study.summary()

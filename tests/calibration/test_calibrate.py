"""Calibration as people call it."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration import Calibration, CalibrationOptions, NormalPrior, Priors, calibrate
from issmp_cat.bank import ItemBank
from issmp_cat.errors import InputRejected, NotConverged, ResponseLogError, UsageError
from issmp_cat.responses import ResponseLog


def simulate(persons, items, seed, share=1.0, c=0.0):
    """Scores of a 3PL, a share of them seen; with the slopes and difficulties behind them."""
    rng = np.random.default_rng(seed)
    a, b, theta = np.exp(rng.normal(0, 0.3, items)), rng.normal(-0.2, 1, items), rng.normal(0, 1, persons)
    chance = c + (1 - c) / (1 + np.exp(-a * (theta[:, None] - b)))
    scores = (rng.random((persons, items)) < chance).astype(float)
    scores[rng.random((persons, items)) >= share] = np.nan
    return scores, a, b


@pytest.fixture(scope="module")
def result():
    scores, _, _ = simulate(800, 20, 5, share=0.7)
    return calibrate(ResponseLog.from_wide(scores))


def test_a_sparse_log_gives_back_what_made_it():
    """2,000 candidates × 40 of 100 items: errors in units of their own standard errors are standard normal.

    Over 200 standardised errors the mean square lies in 0.75 … 1.35 with probability above 0.995.
    """
    scores, a, b = simulate(2_000, 100, 11, share=0.4)
    found = calibrate(ResponseLog.from_wide(scores))
    assert found.converged
    errors = found.items.standard_errors
    z = np.concatenate(
        [(found.items.parameters[:, 0] - a) / errors[:, 0], (found.items.parameters[:, 1] - b) / errors[:, 1]]
    )
    assert 0.75 < np.mean(z**2) < 1.35
    assert abs(z.mean()) < 0.3


def test_three_parameters_with_default_priors_come_back():
    scores, _, b = simulate(5_000, 40, 12, c=0.2)
    found = calibrate(ResponseLog.from_wide(scores), model="3pl")
    assert found.converged
    assert set(found.priors) == {"log slope", "logit guessing"}
    assert np.corrcoef(found.items.parameters[:, 1], b)[0, 1] > 0.98
    assert abs(found.items.parameters[:, 2].mean() - 0.2) < 0.03


def test_an_adaptive_log_gives_back_what_made_it():
    """Items chosen by the answers so far: missing at random given the answers, so nothing need be done about it."""
    rng = np.random.default_rng(21)
    items, persons, length = 120, 3_000, 30
    a, b = np.exp(rng.normal(0, 0.25, items)), rng.normal(0, 1, items)
    scores = np.full((persons, items), np.nan)
    for person, theta in enumerate(rng.normal(0, 1, persons)):
        guess = 0.0
        for step in range(length):
            left = np.flatnonzero(np.isnan(scores[person]))
            item = left[np.argsort(np.abs(b[left] - guess))[rng.integers(5)]]
            right = rng.random() < 1 / (1 + np.exp(-a[item] * (theta - b[item])))
            scores[person, item] = right
            guess += (1.0 if right else -1.0) / (1.0 + 0.5 * step)
    found = calibrate(ResponseLog.from_wide(scores))
    z = (found.items.parameters[:, 1] - b) / found.items.standard_errors[:, 1]
    assert found.converged
    # All difficulties share the sample's own mean ability: 3,000 candidates, SE 0.018, a few tenths of an item's SE.
    assert abs(z.mean()) < 0.7
    assert 0.6 < z.std() < 1.4


def test_verdicts_set_items_and_candidates_apart():
    scores, _, _ = simulate(200, 8, 3)
    scores[:, 0] = 1.0
    scores[:, 1] = 0.0
    scores[:, 2] = np.nan
    scores[7, :] = np.nan
    log = ResponseLog.from_wide(scores, persons=[f"p{k}" for k in range(200)])
    found = calibrate(log)
    assert found.converged
    assert found.persons_apart == ("p7",)
    assert found.items.verdict[0].startswith("everyone got it right")
    assert found.items.verdict[1].startswith("everyone got it wrong")
    assert found.items.verdict[2] == "no answers"
    assert_array_equal(found.items.fitted, [False] * 3 + [True] * 5)
    frame = found.frame
    assert frame.loc[:2, ["a", "b", "se_b"]].isna().all(axis=None)
    assert frame.loc[3:, ["a", "b", "se_a", "se_b", "slope", "intercept"]].notna().all(axis=None)
    bank = found.to_bank(id="five")
    assert len(bank) == 5
    assert set(bank.provenance["left_out"]) == {"I0001", "I0002", "I0003"}


def test_items_set_apart_do_not_change_the_others():
    scores, _, _ = simulate(300, 8, 4)
    bare = calibrate(ResponseLog.from_wide(scores))
    odd = np.column_stack([np.ones(300), scores, np.full(300, np.nan)])
    with_odd = calibrate(ResponseLog.from_wide(odd))
    assert_array_equal(with_odd.items.parameters[1:-1], bare.items.parameters)


def test_a_reversed_key_is_called_by_its_name():
    scores, _, _ = simulate(1_000, 12, 6)
    scores[:, 4] = 1.0 - scores[:, 4]
    found = calibrate(ResponseLog.from_wide(scores))
    assert found.items.parameters[4, 0] < 0
    assert "check the key" in found.items.verdict[4]
    assert "I0005" in found.to_bank().provenance["left_out"]


def test_two_candidates_do_not_break_it():
    found = calibrate(ResponseLog.from_wide(np.array([[1, 0, 1], [0, 1, 1]])))
    assert not np.isnan(found.items.parameters[:2]).any()
    assert found.items.verdict[0] != "ok"


def test_a_rasch_population_may_be_as_wide_as_it_likes():
    """SD 4: the nodes go along with the population."""
    rng = np.random.default_rng(8)
    theta, b = rng.normal(0, 4, 2_000), rng.normal(0, 2, 30)
    scores = (rng.random((2_000, 30)) < 1 / (1 + np.exp(-(theta[:, None] - b)))).astype(float)
    found = calibrate(ResponseLog.from_wide(scores), model="rasch")
    assert abs(found.latent.sd - 4.0) < 4 * found.latent.se_sd
    assert found.to_bank().metric.latent_sd == found.latent.sd


def test_rasch_and_one_parameter_are_one_model():
    scores, _, _ = simulate(500, 10, 9)
    log = ResponseLog.from_wide(scores)
    rasch, one = calibrate(log, model="rasch"), calibrate(log, model="1pl")
    assert_allclose(rasch.items.parameters[:, 1], one.items.parameters[:, 1] * rasch.latent.sd)
    assert rasch.log_likelihood == one.log_likelihood


def test_a_prior_on_slopes_pulls_them_together():
    scores, _, _ = simulate(300, 12, 13)
    log = ResponseLog.from_wide(scores)
    free = calibrate(log)
    held = calibrate(log, priors=Priors(log_slope=NormalPrior(0.0, 0.1)))
    assert np.log(held.items.parameters[:, 0]).std() < 0.5 * np.log(free.items.parameters[:, 0]).std()
    assert held.log_prior != 0.0


def test_progress_sees_every_pass_and_may_stop_the_run():
    scores, _, _ = simulate(300, 10, 14)
    seen = []
    found = calibrate(ResponseLog.from_wide(scores), progress=seen.append)
    assert tuple(seen) == found.passes

    def stop(_step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(ResponseLog.from_wide(scores), progress=stop)


def test_an_unfinished_fit_says_which_items_and_strict_raises():
    scores, _, _ = simulate(300, 10, 15)
    log = ResponseLog.from_wide(scores)
    hasty = CalibrationOptions(max_passes=2)
    found = calibrate(log, options=hasty)
    assert not found.converged
    assert "I00" in found.reason
    assert any("not settled" in verdict for verdict in found.items.verdict)
    with pytest.raises(NotConverged, match="10 items"):
        calibrate(log, options=CalibrationOptions(max_passes=2, strict=True))


def test_unknown_words_are_refused_with_a_hint():
    log = ResponseLog.from_wide(np.eye(3))
    with pytest.raises(UsageError, match='did you mean "rasch"'):
        calibrate(log, model="rash")
    with pytest.raises(UsageError, match='did you mean "priors"'):
        calibrate(log, prior=None)
    with pytest.raises(UsageError, match=r"CalibrationOptions\(nodes=41\)"):
        calibrate(log, nodes=41)
    with pytest.raises(UsageError, match=r"nodes.* 3: expected 11 to 1001"):
        CalibrationOptions(nodes=3)


def test_logs_that_cannot_be_fitted_are_refused():
    with pytest.raises(ResponseLogError, match="scores above 1"):
        calibrate(ResponseLog.from_wide(np.array([[2, 0], [1, 1]])))
    with pytest.raises(ResponseLogError, match="nothing to fit"):
        calibrate(ResponseLog.from_wide(np.ones((3, 2))))


def test_json_gives_back_the_same_result(result, tmp_path):
    path = tmp_path / "calibration.json"
    text = result.to_json(path)
    for source in (text, path):
        back = Calibration.from_json(source)
        assert back.to_json() == text
        pd.testing.assert_frame_equal(back.frame, result.frame)
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(InputRejected, match="not a calibration"):
        Calibration.from_json(tmp_path / "other.json")


def test_the_bank_carries_parameters_covariances_and_the_item_file(result, tmp_path):
    key = pd.DataFrame(
        {
            "item": [f"I{k + 1:04d}" for k in range(20)],
            "domain": ["D1"] * 10 + ["D2"] * 10,
            "status": ["operational"] * 19 + ["pretest"],
            "enemies": ["I0002"] + [""] * 19,
        }
    )
    bank = result.to_bank(id="made", key=key)
    bank.save(tmp_path / "bank.json")
    back = ItemBank.load(tmp_path / "bank.json")
    assert back.version == bank.version
    assert back.domains == ("D1", "D2")
    assert back.items[19].status == "pretest"
    assert back.enemies[1] == (0,)
    assert_allclose(back.a, result.items.parameters[:, 0])
    assert_allclose([item.covariance.standard_error("b") for item in back.items], result.items.standard_errors[:, 1])


def test_summary_names_what_matters(result):
    text = repr(result)
    for words in ("2PL", "20 of 20 items", "800 candidates", "settled after", "log likelihood", "priors: none"):
        assert words in text
    assert "<table" in result._repr_html_()


def test_plots_draw_and_their_arguments_change_the_data(result, tmp_path):
    for kind in ("items", "information", "standard_error", "latent", "convergence", "curves"):
        assert result.plot(kind).save(tmp_path / f"{kind}.svg").stat().st_size > 1000
    few = result.plot("curves", items=["I0003"])
    assert set(few.data["layer"]) == {"I0003"}
    assert max(result.plot("information", items=["I0003"]).data["y"]) != max(result.plot("information").data["y"])
    with pytest.raises(UsageError, match='did you mean "items"'):
        result.plot("itms")
    with pytest.raises(UsageError, match="has no parameters"):
        result.plot("curves", items=["nope"])


def test_provenance_knows_the_input(result):
    again = calibrate(ResponseLog.from_wide(simulate(800, 20, 5, share=0.7)[0]))
    other = calibrate(ResponseLog.from_wide(simulate(800, 20, 6, share=0.7)[0]))
    assert again.provenance["input"] == result.provenance["input"] != other.provenance["input"]
    assert again.to_json() == result.to_json()

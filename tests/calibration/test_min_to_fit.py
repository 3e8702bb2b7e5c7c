"""Items with a handful of answers, left out of a fit that would not settle with them."""

import json

import numpy as np
import pandas as pd
import pytest

from issmp_calibration import CalibrationOptions, Constraints, calibrate
from issmp_calibration.log import write_store
from issmp_cat.bank import Item, ItemBank
from issmp_cat.cli.main import run
from issmp_cat.errors import ResponseLogError, UsageError
from issmp_simulations import standard_bank
from issmp_simulations.logs import sample_log


@pytest.fixture(scope="module")
def thin():
    """A long log: 14 items that 300 candidates saw, 40 that 2 to 20 did, as an adaptive exam leaves them."""
    rng = np.random.default_rng(11)
    theta, b = rng.normal(size=300), np.concatenate([np.linspace(-1.5, 1.5, 14), rng.normal(size=40)])
    rows = []
    for item in range(54):
        n = 300 if item < 14 else 2 + (item - 14) % 19
        for person in sorted(rng.choice(300, n, replace=False)):
            right = rng.random() < 1 / (1 + np.exp(-1.2 * (theta[person] - b[item])))
            rows.append((f"p{person}", f"q{item}", int(right)))
    return pd.DataFrame(rows, columns=["candidate", "item", "score"])


@pytest.fixture
def log(thin, tmp_path):
    path = tmp_path / "thin.csv"
    thin.to_csv(path, index=False)
    return path


def test_the_refusal_names_option_and_number_and_with_it_the_rest_settles(log, tmp_path, capsys):
    bank, result = tmp_path / "bank.json", tmp_path / "result.json"
    assert run(["calibrate", str(log), "-o", str(bank), "--max-passes", "3"]) == 4
    err = capsys.readouterr().err
    assert "have fewer than 30 answers: leave these out of the fit (--min-to-fit 30, min_to_fit=30)" in err
    assert "next: the same command with --min-to-fit 30" in err
    assert run(["calibrate", str(log), "-o", str(bank), "--min-to-fit", "30", "--result", str(result)]) == 0
    out = capsys.readouterr().out
    assert "14 of 54 items" in out
    assert "40 items with 1 to 29 answers left out of the fit" in out
    assert len(ItemBank.load(bank)) == 14
    assert json.loads(result.read_text(encoding="utf-8"))["provenance"]["options"]["min_to_fit"] == 30


def test_they_stand_in_the_result_on_hold_and_the_rest_is_as_if_they_had_not_been_there(thin):
    found = calibrate(thin, options=CalibrationOptions(min_to_fit=30))
    said = dict(zip(found.items.item.tolist(), found.items.verdicts, strict=True))
    assert len(said) == 54
    few = said["q20"]
    assert (few.action, "too_few_answers" in few.codes) == ("hold", True)
    assert "8 answers, fewer than the 30 asked for in a fit" in few.words
    assert "left_out" not in few.codes
    alone = calibrate(thin[thin["item"].isin([f"q{k}" for k in range(14)])])
    # The searches start elsewhere and both end within 0.001 standard errors of the solution.
    assert found.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-4)
    distance = (found.items.parameters[found.items.fitted] - alone.items.parameters)[:, :2]
    assert np.abs(distance / alone.items.standard_errors[:, :2]).max() < 2e-3


def test_an_item_with_exactly_as_many_answers_is_in(thin):
    found = calibrate(thin, options=CalibrationOptions(min_to_fit=300))
    assert int(found.items.fitted.sum()) == 14
    with pytest.raises(ResponseLogError, match=r"no item has 301 answers \(--min-to-fit"):
        calibrate(thin, options=CalibrationOptions(min_to_fit=301))


def test_held_items_stay_in_however_few_saw_them(thin):
    held = ItemBank.from_items([Item(id="q20", domain="x", b=0.0), Item(id="q3", domain="x", b=-0.8)])
    found = calibrate(thin, constraints=Constraints.from_bank(held), options=CalibrationOptions(min_to_fit=30))
    assert found.items.fitted[found.items.item.tolist().index("q20")]
    assert int(found.items.fitted.sum()) == 15


def test_a_store_leaves_out_the_same(log, tmp_path, thin):
    write_store(log, tmp_path / "store")
    found = calibrate(tmp_path / "store", options=CalibrationOptions(min_to_fit=30))
    whole = calibrate(thin, options=CalibrationOptions(min_to_fit=30))
    assert found.items.item[found.items.fitted].tolist() == whole.items.item[whole.items.fitted].tolist()
    assert found.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-6)


def test_less_than_nothing_is_refused():
    with pytest.raises(UsageError, match=r"min_to_fit \(--min-to-fit\) -1: expected 0 or more"):
        CalibrationOptions(min_to_fit=-1)


def test_a_log_of_adaptive_exams_settles_without_the_items_that_few_saw():
    """150 exams of 25 items: 86 items vary, and 39 of them have fewer than 30 answers."""
    log = sample_log(standard_bank("218", model="2pl"), 150, 25, design="adaptive", seed=1)
    whole = calibrate(log, standard_errors=None)
    assert not whole.converged
    assert "39 of the 86 items have fewer than 30 answers" in whole.reason
    found = calibrate(log, standard_errors=None, options=CalibrationOptions(min_to_fit=30))
    assert found.converged
    assert len(found.items) == 218


def test_a_long_table_begins_with_what_few_answers_do_not_explain(tmp_path, capsys):
    """70 items of 120 candidates, too few for any; the last one goes against ability. Nobody saw one more."""
    rng = np.random.default_rng(4)
    slopes = np.append(np.full(69, 1.2), -1.5)
    z = slopes * (rng.normal(size=(120, 1)) - rng.normal(size=70))
    frame = pd.DataFrame((rng.logistic(size=z.shape) < z).astype(float), columns=[f"q{k}" for k in range(70)])
    frame.insert(0, "candidate", [f"p{k}" for k in range(120)])
    frame["unseen"] = np.nan
    frame.to_csv(tmp_path / "log.csv", index=False)
    assert run(["calibrate", str(tmp_path / "log.csv")]) == 0
    out = capsys.readouterr().out.splitlines()
    title = next(k for k, line in enumerate(out) if line.startswith("items to hold or retire"))
    assert out[title] == "items to hold or retire, worst first: 71 of 71; 1 that nobody saw are not listed"
    assert out[title + 3].startswith("q69 ")
    assert "retire   negative discrimination, too few answers" in out[title + 3]

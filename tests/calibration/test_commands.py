"""``calibrate`` and ``score`` as typed."""

import json

import numpy as np
import pandas as pd
import pytest

from issmp_cat.bank import ItemBank
from issmp_cat.cli.main import run


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A wide log of 400 candidates and 12 items."""
    rng = np.random.default_rng(6)
    a, b, theta = rng.uniform(0.7, 1.8, 12), rng.normal(-0.3, 1, 12), rng.normal(size=400)
    scores = (rng.random((400, 12)) < 1 / (1 + np.exp(-a * (theta[:, None] - b)))).astype(int)
    path = tmp_path_factory.mktemp("log") / "wide.csv"
    frame = pd.DataFrame(scores, columns=[f"q{k + 1}" for k in range(12)])
    frame.insert(0, "candidate", [f"p{k}" for k in range(400)])
    frame.to_csv(path, index=False)
    return path


def test_a_bank_its_table_and_its_plots_are_written(wide, tmp_path, capsys):
    bank, items, result = tmp_path / "bank.json", tmp_path / "items.csv", tmp_path / "result.json"
    words = ["calibrate", str(wide), "-o", str(bank), "--items", str(items), "--result", str(result)]
    assert run([*words, "--plots", str(tmp_path / "plots"), "--compare", "girth"]) == 0
    out, err = capsys.readouterr()
    assert "12 of 12 items" in out
    assert "girth 0.8.0 on 12 items" in out
    assert f"next: issmp-cat score {wide} --bank {bank}" in err
    assert len(ItemBank.load(bank)) == len(pd.read_csv(items)) == 12
    assert json.loads(result.read_text(encoding="utf-8"))["converged"]
    assert len(list((tmp_path / "plots").glob("*.svg"))) == 6


def test_json_alone_stands_on_stdout(wide, capsys):
    assert run(["calibrate", str(wide), "--json", "--quiet", "--model", "rasch"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["model"] == "rasch"
    assert err == ""


def test_a_dry_run_writes_nothing(wide, tmp_path, capsys):
    assert run(["calibrate", str(wide), "-o", str(tmp_path / "bank.json"), "--dry-run"]) == 0
    assert "would write" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_fit_that_has_not_settled_is_kept_and_ends_with_4(wide, tmp_path, capsys):
    bank = tmp_path / "bank.json"
    assert run(["calibrate", str(wide), "-o", str(bank), "--max-passes", "1"]) == 4
    assert "not settled after 1 pass" in capsys.readouterr().err
    assert bank.exists()


def test_candidates_are_scored_and_decided(wide, tmp_path, capsys):
    bank, table = tmp_path / "bank.json", tmp_path / "scores.csv"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["score", str(wide), "--bank", str(bank), "-o", str(table)]) == 0
    out, err = capsys.readouterr()
    assert "pass rates" in out
    assert "cut θ -0.3" in err
    rows = pd.read_csv(table)
    assert list(rows.columns) == ["candidate", "theta", "se", "answers", "raw", "scaled", "decision"]
    assert ((rows["theta"] >= -0.3) == (rows["decision"] == "pass")).all()
    assert ((rows["scaled"] >= 700) == (rows["decision"] == "pass")).all()


def test_without_a_file_the_rows_are_the_output(wide, tmp_path, capsys):
    bank = tmp_path / "bank.json"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["score", str(wide), "--bank", str(bank), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 401
    assert lines[0] == "candidate,theta,se,answers,raw,scaled,decision"


def test_scoring_with_nothing_to_score_with_is_a_usage_error(wide, capsys):
    assert run(["score", str(wide)]) == 2
    assert "--bank" in capsys.readouterr().err


def test_an_unknown_column_is_named(wide, capsys):
    assert run(["score", str(wide), "--raw-cut", "6", "--by", "attempt"]) == 2
    assert 'no column "attempt"' in capsys.readouterr().err


def test_raw_pass_rates_of_the_licensure_form_by_attempt(shared, capsys):
    """The figures stand in the data's README, computed there independently: raw cut 119 of 170."""
    data = shared / "data" / "credential"
    words = ["score", str(data / "responses.csv.gz"), "--key", str(data / "key.csv"), "--json", "--quiet"]
    more = ["--candidates", str(data / "candidates.csv"), "--raw-cut", "119", "--by", "attempt"]
    assert run([*words, *more]) == 0
    rates = json.loads(capsys.readouterr().out)["pass_rates"]
    found = dict(zip(rates["attempt"], (round(100 * rate, 1) for rate in rates["rate"]), strict=True))
    assert {name: found[name] for name in ("1", "2", "3", "4", "4+")} == {
        "1": 79.2,
        "2": 47.3,
        "3": 43.4,
        "4": 22.9,
        "4+": 28.0,
    }
    assert sum(rates["candidates"][:-1]) == rates["candidates"][-1] == 1636

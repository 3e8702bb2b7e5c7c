"""``calibrate`` and ``score`` as typed."""

import json

import duckdb
import numpy as np
import pandas as pd
import pytest

from issmp_calibration.log import write_store
from issmp_cat.bank import Item, ItemBank
from issmp_cat.cli.main import run

SHORT_EXAM = """
id = "short"
title = "Twelve items of any domain"
blueprint.domains = [{ id = "*", weight = 1 }]
length = { minimum = 12, maximum = 12 }
scale = { theta_cut = -0.3 }
"""


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
    assert "not settled after 1 pass: going by their last steps" in capsys.readouterr().err
    assert bank.exists()


def test_the_next_command_reads_the_log_the_same_way(wide, tmp_path, capsys):
    bank, log = tmp_path / "bank.json", tmp_path / "options.csv"
    key = tmp_path / "key.csv"
    frame = pd.read_csv(wide).replace({0: "B", 1: "A"})
    frame.iloc[0, 1] = "N"
    frame.to_csv(log, index=False)
    pd.DataFrame({"item": frame.columns[1:], "key": "A"}).to_csv(key, index=False)
    reading = ["--key", str(key), "--omitted", "missing", "--omitted-code", "N"]
    assert run(["check", str(log), *reading]) == 0
    assert f"next: issmp-cat calibrate {log} {' '.join(reading)} -o bank.json" in capsys.readouterr().err
    assert run(["calibrate", str(log), *reading, "-o", str(bank)]) == 0
    following = capsys.readouterr().err.splitlines()[-1].removeprefix("next: issmp-cat ")
    assert following == f"score {log} --bank {bank} {' '.join(reading)}"
    assert run(following.split()) == 0


def test_the_table_of_many_models_keeps_item_and_action(wide, tmp_path, capsys):
    """All but the reason fits in 90 columns, the reason wraps; misspelt columns of the item file are named."""
    key, result = tmp_path / "key.csv", tmp_path / "result.json"
    models = ["rasch", "1pl", "2pl", "3pl", "4pl", "grm", "gpcm"]
    frame = pd.DataFrame({"item": [f"q{k + 1}" for k in range(12)], "model": [models[k % 7] for k in range(12)]})
    frame.assign(equl_a="", title="").to_csv(key, index=False)
    assert run(["calibrate", str(wide), "--key", str(key), "--model", "key", "--wanted-error", "0.15"]) in {0, 4}
    out, err = capsys.readouterr()
    assert err.count('column "equl_a" is not read (did you mean "equal_a"?)') == 1
    assert "title" not in err
    table = out[out.index("items\n") :].splitlines()
    header = table[1].split("  ")
    assert table[1].index("reasons") <= 90
    for name in ("item", "model", "a", "se_a", "b", "se_b", "answers", "needed", "action", "reasons"):
        assert name in [word.strip() for word in header]
    assert "for SE 0.15 of b, " in out
    assert not result.exists()


def test_a_store_refuses_what_came_too_late(wide, tmp_path, capsys):
    store = tmp_path / "answers"
    write_store(wide, store)
    assert run(["calibrate", str(store), "--omitted", "missing", "--attempts", "last"]) == 2
    assert "--omitted, --attempts cannot apply any more" in capsys.readouterr().err


def test_scores_above_1_name_the_way_out(tmp_path, capsys):
    log, key = tmp_path / "log.csv", tmp_path / "key.csv"
    rng = np.random.default_rng(1)
    pd.DataFrame(rng.choice(["A", "B", "C"], (60, 5)), columns=list("vwxyz")).to_csv(log, index=False)
    pd.DataFrame({"item": list("vwxyz"), "key": "A:2|B:1"}).to_csv(key, index=False)
    assert run(["calibrate", str(log), "--key", str(key)]) == 3
    said = capsys.readouterr().err
    assert "2pl" in said
    assert "use gpcm, grm or pcm (--model" in said


def test_one_group_and_what_covariates_leave_are_told(wide, tmp_path, capsys):
    log, bank = tmp_path / "grouped.csv", tmp_path / "bank.json"
    frame = pd.read_csv(wide)
    half = np.arange(len(frame)) % 2
    frame.assign(cov_one="x", cov_half=half).to_csv(log, index=False)
    assert run(["calibrate", str(log), "--groups", "cov_one"]) == 0
    assert 'one group only: all candidates have the same "cov_one"' in capsys.readouterr().out
    assert run(["calibrate", str(log), "--covariates", "cov_half", "--density", "histogram"]) == 2
    assert "(--covariates) need a normal density (--density)" in capsys.readouterr().err
    assert run(["calibrate", str(log), "--covariates", "cov_half"]) == 0
    assert "; total SD 1, residual SD " in capsys.readouterr().out
    assert (
        run(["calibrate", str(log), "--groups", "cov_half", "--anchors", "q1", "--anchors", "q2", "-o", str(bank)]) == 0
    )
    assert "hold for one group each" in capsys.readouterr().err.splitlines()[-1]


def test_candidates_without_answers_are_named(wide, tmp_path, capsys):
    log = tmp_path / "blank.csv"
    frame = pd.read_csv(wide)
    frame.loc[3, frame.columns[1:]] = None
    frame.to_csv(log, index=False)
    assert run(["calibrate", str(log), "--quiet"]) == 0
    assert "1 candidate without answers to fit: set apart (p3)" in capsys.readouterr().out


def test_a_bank_says_what_it_leaves_out(wide, tmp_path, capsys):
    log = tmp_path / "easy.csv"
    pd.read_csv(wide).assign(q13=1).to_csv(log, index=False)
    assert run(["calibrate", str(log), "-o", str(tmp_path / "bank.json")]) == 0
    assert "bank.json: 12 of 13 items; left out: q13 (" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["calibrate", "-o", "{folder}/none/bank.json"], "there is no folder"),
        (["calibrate", "-o", "{folder}/bank.xyz"], "ends in .json or .csv"),
        (["calibrate", "--items", "{folder}"], "this is a folder"),
        (["calibrate", "--plots", "{folder}/taken"], "is a file"),
        (["calibrate", "--threads", "0"], "--threads"),
        (["check", "--options", "i99"], 'no item "i99"'),
        (["check", "--items", "{folder}/none/items.csv"], "there is no folder"),
        (["score", "--raw-cut", "1", "-o", "{folder}/scores.json"], "ends in .csv"),
    ],
)
def test_what_cannot_end_well_is_refused_before_the_work(wide, tmp_path, capsys, words, said):
    (tmp_path / "taken").write_text("")
    name, *more = [word.format(folder=tmp_path) for word in words]
    assert run([name, str(wide), *more]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_without_a_file_the_rows_are_the_output(wide, tmp_path, capsys):
    bank = tmp_path / "bank.json"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["score", str(wide), "--bank", str(bank), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 401
    assert lines[0] == "candidate,theta,se,answers,raw"


def test_an_estimate_at_a_fence_is_marked(wide, tmp_path, capsys):
    bank, log = tmp_path / "bank.json", tmp_path / "all_right.csv"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    frame = pd.read_csv(wide).head(3)
    frame.iloc[0, 1:] = 1
    frame.iloc[1, 1:] = [0, 1] * 6
    frame.iloc[2, 1:] = 0
    frame.to_csv(log, index=False)
    capsys.readouterr()
    assert run(["score", str(log), "--bank", str(bank), "--method", "ml", "-o", str(tmp_path / "ml.csv")]) == 0
    assert "2 candidates have no finite ML estimate" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "ml.csv")["at_bound"].tolist() == [True, False, True]


def test_draws_and_priors_by_group(wide, tmp_path, capsys):
    bank, table, about = tmp_path / "bank.json", tmp_path / "draws.parquet", tmp_path / "about.csv"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    names = pd.read_csv(wide).iloc[:, 0]
    pd.DataFrame({"candidate": names, "school": ["a", "b"] * 200}).to_csv(about, index=False)
    priors = ["--candidates", str(about), "--prior-by", "school", "--prior", "a=-1,1", "--prior", "b=1,1"]
    words = ["score", str(wide), "--bank", str(bank), *priors, "--plausible-values", "2"]
    assert run([*words, "--seed", "7", "-o", str(table)]) == 0
    assert "2 plausible values of each, drawn with seed 7" in capsys.readouterr().err
    rows = duckdb.read_parquet(str(table)).df()
    assert list(rows.columns) == ["candidate", "theta", "se", "answers", "raw", "pv1", "pv2"]
    means = rows.merge(pd.read_csv(about)).groupby("school")["theta"].mean()
    assert means["b"] - means["a"] > 0.3
    assert run([*words, "--quiet"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prior", "a=0,1"], "needs --prior-by COLUMN"),
        (["--prior", "zero"], "expected MEAN,SD in logits"),
        (["--prior-by", "school"], "needs --prior GROUP=MEAN,SD"),
        (["--prior-by", "school", "--prior", "a=0,1", "--prior", "a=0,2"], "names a group twice"),
        (["--prior", "0,-1"], "SD above 0"),
    ],
)
def test_priors_that_say_nothing_are_refused(wide, tmp_path, capsys, words, said):
    bank = tmp_path / "bank.json"
    ItemBank.from_items([Item(id="q1", domain="D", b=0.0)]).save(bank)
    assert run(["score", str(wide), "--bank", str(bank), *words]) == 2
    assert said in capsys.readouterr().err


def test_the_groups_of_a_calibration_are_there_for_the_asking(wide, tmp_path, capsys):
    bank, about, rows = tmp_path / "bank.json", tmp_path / "about.csv", tmp_path / "scores.csv"
    pd.DataFrame({"candidate": pd.read_csv(wide).iloc[:, 0], "school": ["a", "b"] * 200}).to_csv(about, index=False)
    log = [str(wide), "--candidates", str(about)]
    assert run(["calibrate", *log, "--groups", "school", "-o", str(bank), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["score", *log, "--bank", str(bank), "-o", str(rows)]) == 0
    said = capsys.readouterr().err
    assert "population: mean 0, SD 1 logits, the bank's reference group a for everyone; --prior-by school" in said
    exam = tmp_path / "exam.toml"
    exam.write_text(SHORT_EXAM, encoding="utf-8")
    assert run(["score", *log, "--bank", str(bank), "--exam", str(exam), "-o", str(rows)]) == 0
    assert "the bank's reference group a for everyone" in capsys.readouterr().err
    assert set(pd.read_csv(rows)["decision"]) == {"pass", "fail"}
    assert run(["score", *log, "--bank", str(bank), "--prior-by", "school", "-o", str(rows)]) == 0
    assert 'population: each group\'s own by "school" (a 0,1, b ' in capsys.readouterr().err


def test_candidates_without_a_group_have_the_prior_of_their_own(wide, tmp_path, capsys):
    bank, about, rows = tmp_path / "bank.json", tmp_path / "about.csv", tmp_path / "scores.csv"
    names = pd.read_csv(wide).iloc[:, 0]
    pd.DataFrame({"candidate": names, "school": ["a", "b", "b", ""] * 100}).to_csv(about, index=False)
    log = [str(wide), "--candidates", str(about)]
    fit = ["calibrate", *log, "--groups", "school", "-o", str(bank), "--quiet"]
    by_school = ["score", *log, "--bank", str(bank), "--prior-by", "school", "-o", str(rows)]
    assert run([*fit, "--missing-group", "own"]) == 0
    capsys.readouterr()
    assert run(by_school) == 0
    assert "(missing) " in capsys.readouterr().err
    assert pd.read_csv(rows)["theta"].notna().all()
    assert run([*fit, "--missing-group", "drop"]) == 0
    capsys.readouterr()
    assert run(by_school[: by_school.index("--prior-by")]) == 0
    assert 'whoever has none needs --prior "(missing)=MEAN,SD" beside it' in capsys.readouterr().err
    assert run(by_school) == 3
    assert 'the 100 candidates with no "school"; given are a, b; --prior "(missing)=MEAN,SD"' in capsys.readouterr().err
    assert run([*by_school, "--prior", "(missing)=0,1"]) == 0


def test_items_that_do_not_count_are_named(wide, tmp_path, capsys):
    bank, log = tmp_path / "bank.json", tmp_path / "log.csv"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    known = ItemBank.load(bank)
    items = [i.model_copy(update={"status": "pretest"}) if i.id in {"q3", "q9"} else i for i in known.items]
    ItemBank.from_items(items).save(bank)
    pd.read_csv(wide).assign(z1=1).to_csv(log, index=False)
    capsys.readouterr()
    assert run(["score", str(log), "--bank", str(bank), "-o", str(tmp_path / "scores.csv")]) == 0
    said = capsys.readouterr().err
    assert "3 items of the log left out of account: 2 pretest items do not count (q3, q9; --pretest" in said
    assert "1 not in the bank (z1)" in said


def test_small_groups_and_spellings_of_one_are_told(wide, tmp_path, capsys):
    about = tmp_path / "about.csv"
    lands = ["FR"] * 300 + ["DE"] * 80 + ["fr"] * 20
    pd.DataFrame({"candidate": pd.read_csv(wide).iloc[:, 0], "land": lands}).to_csv(about, index=False)
    assert run(["calibrate", str(wide), "--candidates", str(about), "--groups", "land"]) == 0
    out = capsys.readouterr().out
    assert "warning: 1 group of fewer than 50 candidates: fr (20)" in out
    assert "warning: groups FR and fr differ in case or spaces only" in out


def test_the_next_step_is_a_command_that_runs(wide, tmp_path, capsys):
    bank = tmp_path / "bank.json"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    words = ["score", str(wide), "--bank", str(bank), "--quiet"]
    assert run(words[:-1]) == 0
    following = capsys.readouterr().err.splitlines()[-1].removeprefix("next: issmp-cat ").split()
    assert following == ["bank", "check", str(bank)], "12 items of no domain are no exam"
    assert run(following) == 0
    capsys.readouterr()
    assert run(["score", str(wide), "--raw-cut", "6"]) == 0
    assert f"next: issmp-cat calibrate {wide} -o bank.json" in capsys.readouterr().err


def test_a_failed_write_leaves_the_old_table(wide, tmp_path, monkeypatch):
    bank, table = tmp_path / "bank.json", tmp_path / "scores.csv"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    table.write_text("old")
    before = set(tmp_path.iterdir())

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_csv", interrupted)
    assert run(["score", str(wide), "--bank", str(bank), "-o", str(table), "--quiet"]) == 130
    assert table.read_text() == "old"
    assert set(tmp_path.iterdir()) == before


def test_a_store_is_scored_where_it_is(wide, tmp_path, capsys):
    bank, store, rows = tmp_path / "bank.json", tmp_path / "store", tmp_path / "rows.csv"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    write_store(wide, store)
    capsys.readouterr()
    assert run(["score", str(store), "--bank", str(bank), "--raw-cut", "6", "-o", str(rows)]) == 0
    out, err = capsys.readouterr()
    assert "4,800 answers of 400 candidates" in err
    assert "pass rates" in out
    assert run(["score", str(wide), "--bank", str(bank), "--raw-cut", "6", "-o", str(tmp_path / "direct.csv")]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(rows), pd.read_csv(tmp_path / "direct.csv"))
    assert run(["score", str(store), "--bank", str(bank), "--omitted", "missing"]) == 2
    assert "is a store, whose answers were read when it was written" in capsys.readouterr().err


def test_groups_need_a_decision(wide, capsys):
    assert run(["score", str(wide), "--bank", "bank.json", "--by", "attempt"]) == 2
    assert "--exam EXAM or --raw-cut" in capsys.readouterr().err


def test_scoring_with_nothing_to_score_with_is_a_usage_error(wide, capsys):
    assert run(["score", str(wide)]) == 2
    assert "--bank" in capsys.readouterr().err


def test_an_unknown_column_is_named(wide, capsys):
    assert run(["score", str(wide), "--raw-cut", "6", "--by", "attempt"]) == 2
    err = capsys.readouterr().err
    assert 'no column "attempt"' in err
    assert "give a table about candidates (--candidates)" in err


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


def test_conditions_that_hold_let_a_pipeline_go_on(wide, tmp_path):
    gates = ["--gate", "converged", "--gate", "use>=0.9", "--gate", "max_se_b<=1", "--gate", "min_answers>=400"]
    assert run(["calibrate", str(wide), "-o", str(tmp_path / "bank.json"), *gates, "--quiet"]) == 0


def test_a_missed_condition_ends_with_5_and_everything_is_written(wide, tmp_path, capsys):
    bank, log = tmp_path / "bank.json", tmp_path / "easy.csv"
    pd.read_csv(wide).assign(q13=1).to_csv(log, index=False)
    assert run(["calibrate", str(log), "-o", str(bank), "--gate", "strict", "--gate", "max_se_b<=0.001"]) == 5
    err = capsys.readouterr().err
    assert "2 of 5 thresholds missed" in err
    assert "retire is 0.0769231, not <= 0 (off by 0.0769)" in err
    assert "max_se_b is" in err
    assert len(ItemBank.load(bank)) == 12


def test_a_condition_on_convergence_has_its_own_exit_code(wide, tmp_path):
    words = ["calibrate", str(wide), "-o", str(tmp_path / "bank.json"), "--max-passes", "1", "--quiet"]
    assert run(words) == 4
    assert run([*words, "--gate", "converged"]) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gate", "usse>=0.9"], 'no figure "usse" (did you mean "use"?)'),
        (["--gate", "use"], "expected a figure, a sign and a number"),
        (["--gate", "max_se_b<=0.3", "--errors", "none"], "needs standard errors"),
        (["--model", "5pl"], 'unknown model "5pl"; known: rasch'),
        (["--model", "key"], 'model "key" needs an item file'),
        (["--groups", "country"], "no column about candidates is called country"),
    ],
)
def test_what_a_fit_cannot_do_is_said_before_it(wide, capsys, words, said):
    assert run(["calibrate", str(wide), *words, "--quiet"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Value error" not in err


def test_a_calibration_is_repeated_to_the_last_bit(wide, tmp_path, capsys):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    words = ["--model", "3pl", "--tolerance", "0.002", "--min-answers", "50", "--attempts", "last"]
    assert run(["calibrate", str(wide), "-o", str(first), "--threads", "1", "--quiet", *words]) == 0
    manifest = tmp_path / "first.manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    assert content["bank_version"] == ItemBank.load(first).version
    assert content["arguments"]["model"] == "3pl"
    assert content["seed"] is None
    capsys.readouterr()
    assert run(["calibrate", "--repeat", str(manifest), "-o", str(second), "--id", "first", "--threads", "2"]) == 0
    assert "repeated: the same to the last bit" in capsys.readouterr().err
    assert second.read_bytes() == first.read_bytes()


def test_a_repetition_refuses_other_data_and_says_which(wide, tmp_path, capsys):
    log, bank = tmp_path / "log.csv", tmp_path / "bank.json"
    log.write_bytes(wide.read_bytes())
    assert run(["calibrate", str(log), "-o", str(bank), "--quiet"]) == 0
    manifest = tmp_path / "bank.manifest.json"
    log.write_text(log.read_text(encoding="utf-8").replace("p7,0", "p7,1", 1).replace("p8,1", "p8,0", 1), "utf-8")
    assert run(["calibrate", "--repeat", str(manifest)]) == 3
    assert f"log {log}: other content" in capsys.readouterr().err
    log.unlink()
    assert run(["calibrate", "--repeat", str(manifest)]) == 3
    assert "no such file" in capsys.readouterr().err


def test_a_repetition_names_other_versions_and_a_result_that_differs(wide, tmp_path, capsys):
    bank, manifest = tmp_path / "bank.json", tmp_path / "bank.manifest.json"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["versions"]["numpy"] = "1.0"
    manifest.write_text(json.dumps(content), "utf-8")
    assert run(["calibrate", "--repeat", str(manifest), "--quiet"]) == 0
    assert "warning: other version: numpy" in capsys.readouterr().err
    manifest.write_text(json.dumps({**content, "result": "0" * 64}), "utf-8")
    assert run(["calibrate", "--repeat", str(manifest), "--quiet"]) == 5
    assert "not repeated to the last bit" in capsys.readouterr().err


def test_a_repetition_takes_no_other_options(wide, tmp_path, capsys):
    bank, manifest = tmp_path / "bank.json", tmp_path / "bank.manifest.json"
    assert run(["calibrate", str(wide), "-o", str(bank), "--quiet"]) == 0
    assert run(["calibrate", str(wide), "--repeat", str(manifest), "--model", "rasch"]) == 2
    assert "leave out LOG, --model" in capsys.readouterr().err
    assert run(["calibrate"]) == 2
    assert "a response log is needed" in capsys.readouterr().err
    assert run(["calibrate", "--repeat", str(bank)]) == 3
    assert "not a calibration manifest" in capsys.readouterr().err


def test_new_items_come_onto_the_scale_of_a_bank(wide, tmp_path, capsys):
    old, log, bank = tmp_path / "old.json", tmp_path / "more.csv", tmp_path / "new.json"
    frame = pd.read_csv(wide)
    frame.drop(columns="q12").to_csv(log, index=False)
    assert run(["calibrate", str(log), "-o", str(old), "--quiet"]) == 0
    assert run(["calibrate", str(wide), "--fixed", str(old), "-o", str(bank), "--quiet"]) == 0
    before, after = ItemBank.load(old), ItemBank.load(bank)
    assert [after.items[after.index[i.id]].b for i in before.items] == pytest.approx([i.b for i in before.items])
    assert "q12" in after.index
    manifest = tmp_path / "new.manifest.json"
    assert set(json.loads(manifest.read_text(encoding="utf-8"))["files"]) == {"log", "fixed"}
    assert run(["calibrate", "--repeat", str(manifest), "--quiet"]) == 0
    found = after.provenance["population"]
    capsys.readouterr()
    assert run(["score", str(wide), "--bank", str(bank), "-o", str(tmp_path / "scores.csv")]) == 0
    said = capsys.readouterr().err
    assert "mean 0, SD 1 logits, the bank's reference population, that of the old bank" in said
    assert f"--prior {found['mean']:.4g},{found['sd']:.4g} takes theirs" in said

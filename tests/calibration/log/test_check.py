"""issmp-cat check, as typed."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

RUN = [sys.executable, "-c", "import sys; from issmp_cat.cli.main import main; sys.exit(main())", "check"]


def check(*words, folder, **further):
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1", **further}
    words = [*RUN, *map(str, words)]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def folder(tmp_path):
    """A scored log of two items, a third that nobody saw, and a fourth that everyone got right."""
    rng = np.random.default_rng(3)
    x = (rng.random((60, 2)) < 0.6).astype(int)
    rows = [f"c{p:02},{item},{score}" for p in range(60) for item, score in (("x", x[p, 0]), ("y", x[p, 1]), ("w", 1))]
    (tmp_path / "log.csv").write_text("candidate,item,score\n" + "\n".join(rows) + "\n")
    pd.DataFrame({"item": ["x", "y", "z", "w"], "status": "operational"}).to_csv(tmp_path / "key.csv", index=False)
    return tmp_path


def test_it_says_what_was_understood_and_what_to_do_next(folder):
    ran = check("log.csv", "--key", "key.csv", folder=folder)
    assert ran.returncode == 0
    assert "log.csv: long: a row is an answer" in ran.stdout
    assert "nobody saw 1 item: set apart (z)" in ran.stdout
    assert "everyone got the same on 1 item: set apart (w)" in ran.stdout
    told = [line for line in ran.stderr.splitlines() if not line.startswith("compiling")]  # on a new machine only
    assert told == ["next: issmp-cat calibrate log.csv --key key.csv -o bank.json"]
    assert "\x1b" not in ran.stdout
    assert "[bold]" not in ran.stdout


def test_json_is_data_and_nothing_else(folder):
    ran = check("log.csv", "--key", "key.csv", "--json", "--quiet", folder=folder)
    told = json.loads(ran.stdout)
    assert ran.stderr == ""
    assert told["log"]["candidates"] == 60
    assert told["items"]["z"] | {"flags": None} == {
        "n": 0,
        "p": None,
        "item_rest": None,
        "omitted": 0,
        "median_seconds": None,
        "flags": None,
    }
    assert told["items"]["w"]["flags"][0]["code"] == "all_right"


def test_statistics_are_written_as_a_table(folder):
    assert check("log.csv", "--items", "items.csv", folder=folder).returncode == 0
    assert list(pd.read_csv(folder / "items.csv")["item"]) == ["w", "x", "y"]


def test_bad_input_is_one_message_and_exit_code_3(folder):
    (folder / "bad.csv").write_text("candidate,item,score\na,x,1\na,y,7\na\n")
    ran = check("bad.csv", folder=folder)
    assert ran.returncode == 3
    assert ran.stdout == ""
    assert "line 3: score 7 for a dichotomous item; expected 0, 1 or empty" in ran.stderr
    assert "line 4: 1 fields; the header has 3: a" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_wrong_usage_is_exit_code_2(folder):
    for words in (["log.csv", "--options", "x"], ["log.csv", "--column", "item"], ["log.csv", "--shape", "round"]):
        assert check(*words, folder=folder).returncode == 2


def test_unconnected_items_are_told(tmp_path):
    (tmp_path / "two.csv").write_text("a,b,c,d\n1,0,,\n0,1,,\n,,1,0\n,,0,1\n")
    ran = check("two.csv", folder=tmp_path)
    assert ran.returncode == 0
    assert "the items fall into 2 groups that no candidate connects" in ran.stdout


def test_options_of_an_item_are_shown(tmp_path):
    (tmp_path / "log.csv").write_text("a,b\nA,B\nB,B\nA,C\nC,B\n")
    (tmp_path / "key.csv").write_text("item,key\na,A\nb,B\n")
    ran = check("log.csv", "--key", "key.csv", "--options", "a", folder=tmp_path)
    assert "Options of a" in ran.stdout
    assert "A (key)" in ran.stdout


def test_candidates_without_answers_are_named(tmp_path):
    (tmp_path / "log.csv").write_text("candidate,a,b\nc1,1,0\nc2,,\nc3,0,1\n")
    assert "1 candidate without answers: set apart (c2)" in check("log.csv", folder=tmp_path).stdout
    (tmp_path / "long.csv").write_text("candidate,item,score\nc1,a,1\nc1,b,0\nc2,a,\nc3,a,0\nc3,b,1\n")
    ran = check("long.csv", "--omitted", "missing", folder=tmp_path)
    assert "1 candidate without answers: set apart (c2)" in ran.stdout


def test_item_rest_correlations_are_told_where_rest_scores_compare_and_else_why_not(tmp_path):
    """Items missed by chance, and those that the able were spared."""
    rng = np.random.default_rng(5)
    theta, b = rng.normal(size=400), np.linspace(-2, 2, 24)
    x = (rng.random((400, 24)) < 1 / (1 + np.exp(b - theta[:, None]))).astype(int)
    spared = np.where(theta[:, None] > 0, b < -0.7, b > 0.7)
    seen = {"whole": np.ones(x.shape, bool), "chance": rng.random(x.shape) > 0.3, "levels": ~spared}
    for name, kept in seen.items():
        frame = pd.DataFrame(np.where(kept, x, -1)).replace(-1, None).assign(candidate=range(400))
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    told = {name: check(f"{name}.csv", folder=tmp_path).stdout for name in seen}
    assert "item–rest r 0." in told["whole"]
    assert "judged" not in told["whole"]
    assert "item–rest r 0." in told["chance"]
    assert "item–rest r is judged: which items candidates saw has nothing to do with" in told["chance"]
    assert "item–rest r 0." not in told["levels"]
    assert "item–rest r is not judged: candidates saw different items" in told["levels"]
    assert json.loads(check("levels.csv", "--json", folder=tmp_path).stdout)["item_rest"]["judged"] is False


def test_files_that_are_not_there_are_told_before_any_work(tmp_path):
    """All of them, and without a word of compiling, even where nothing has been compiled yet."""
    (tmp_path / "log.csv").write_text("candidate,a,b\nc1,1,0\nc2,0,1\n")
    cold = {"ISSMP_CACHE": str(tmp_path / "cold")}
    ran = check("none.csv", folder=tmp_path, **cold)
    assert ran.returncode == 3
    assert "no such file" in ran.stderr
    assert "compiling" not in ran.stderr
    ran = check("none.csv", "--key", "key.csv", "--candidates", "who.csv", folder=tmp_path, **cold)
    assert all(f"{name}: no such file" in ran.stderr for name in ("none.csv", "key.csv", "who.csv"))


def test_an_adaptive_log_with_a_handful_of_answers_to_some_items_goes_on_with_min_to_fit(tmp_path):
    """Each next item is the one nearest to the share of right answers so far; two more items were begun with late."""
    rng = np.random.default_rng(2)
    b, rows = np.linspace(-3, 3, 60), []
    for person, theta in enumerate(rng.normal(size=500)):
        now, left = 0.0, set(range(60))
        for position in range(20):
            near = sorted(left, key=lambda k: abs(b[k] - now))[:3]
            item = int(rng.choice(near))
            left.remove(item)
            right = int(rng.random() < 1 / (1 + np.exp(b[item] - theta)))
            now += (1 if right else -1) * 1.5 / (position + 2)
            rows.append((f"c{person}", f"i{item:02}", right, position))
        rows += [(f"c{person}", "late", 0, 20)] if person < 4 else []
    frame = pd.DataFrame(rows, columns=["candidate", "item", "score", "position"])
    frame.to_csv(tmp_path / "log.csv", index=False)
    ran = check("log.csv", folder=tmp_path)
    assert "items were chosen by the answers before them" in " ".join(ran.stdout.split())
    assert "next: issmp-cat calibrate log.csv --min-to-fit 30 -o bank.json" in ran.stderr
    told = json.loads(check("log.csv", "--json", "--quiet", folder=tmp_path).stdout)
    words = {flag["code"]: flag["words"] for flag in told["items"]["late"]["flags"]}
    assert words == {"all_wrong": "only 4 answers, all wrong; too few to judge"}
    many = frame[frame["item"].isin(frame["item"].value_counts().index[:40])]
    many.to_csv(tmp_path / "many.csv", index=False)
    assert "--min-to-fit" not in check("many.csv", folder=tmp_path).stderr

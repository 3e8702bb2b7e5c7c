"""Who passes an exam is said only of those who took it: its domains, and as many answers as a whole test has."""

import json

import numpy as np
import pandas as pd
import pytest

from issmp_cat.bank import Item, ItemBank
from issmp_cat.cli.main import run
from issmp_cat.exam import Exam

EXAM = Exam.load("issmp")
QUOTAS = dict(zip(EXAM.blueprint.ids, EXAM.blueprint.quotas(75), strict=True))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A bank of 60 items a domain, and a log: 20 whole tests of 75, 3 of 30 items, 2 of 90 from two domains."""
    folder = tmp_path_factory.mktemp("exam")
    rng = np.random.default_rng(3)
    items = [Item(id=f"{d}-{k:02d}", domain=d, a=1.2, b=float(rng.normal())) for d in QUOTAS for k in range(60)]
    bank = ItemBank.from_items(items)
    bank.save(folder / "bank.json")
    given = {}
    for person in range(25):
        sizes = QUOTAS if person < 20 else dict.fromkeys(QUOTAS, 5) if person < 23 else {"D1": 45, "D2": 45}
        given[f"p{person:02d}"] = [f"{d}-{k:02d}" for d, n in sizes.items() for k in rng.permutation(60)[:n]]
    b = {item.id: item.b for item in items}
    theta = dict(zip(given, rng.normal(size=25), strict=True))
    rows = [
        {"candidate": who, "item": name, "score": int(rng.random() < 1 / (1 + np.exp(b[name] - theta[who])))}
        for who, names in given.items()
        for name in names
    ]
    pd.DataFrame(rows).to_csv(folder / "log.csv", index=False)
    return folder


def scored(world, tmp_path, *more):
    table = tmp_path / "scores.csv"
    words = ["score", str(world / "log.csv"), "--bank", str(world / "bank.json"), "--exam", "issmp", *more]
    assert run([*words, "-o", str(table)]) == 0
    return pd.read_csv(table, keep_default_na=False).set_index("candidate")


def test_whole_tests_are_decided_by_the_cut(world, tmp_path, capsys):
    rows = scored(world, tmp_path)
    out, err = capsys.readouterr()
    assert "pass rates" in out
    assert "cut θ -0.3" in err
    whole = rows[rows["decision"] != "none"]
    assert list(rows.columns) == ["theta", "se", "answers", "raw", "scaled", "decision", "undecided"]
    assert list(whole.index) == [f"p{k:02d}" for k in range(20)]
    assert ((whole["theta"] >= -0.3) == (whole["decision"] == "pass")).all()
    assert ((whole["scaled"].astype(int) >= 700) == (whole["decision"] == "pass")).all()
    assert (whole["undecided"] == "").all()


def test_who_gave_fewer_answers_is_not_decided_and_in_no_rate(world, tmp_path, capsys):
    rows = scored(world, tmp_path, "--json")
    out, err = capsys.readouterr()
    short, narrow = rows.loc[["p20", "p21", "p22"]], rows.loc[["p23", "p24"]]
    assert (short["undecided"] == "30 answers of at least 75").all()
    assert narrow["undecided"].str.contains("domain D6: 0 answers of at least 9").all()
    for part in (short, narrow):
        assert set(part["decision"]) == {"none"}
        assert set(part["scaled"]) == {""}
        assert (part["theta"].astype(float).abs() < 4).all()
    assert json.loads(out)["pass_rates"]["candidates"] == [20]
    assert "5 of 25 candidates not decided, and in no pass rate" in err
    assert "3: 30 answers of at least 75" in err


def test_a_bank_of_other_domains_is_refused(world, tmp_path, capsys):
    bank, table = tmp_path / "one.json", tmp_path / "scores.csv"
    ItemBank.load(world / "bank.json").where(domain="D1").save(bank)
    words = ["score", str(world / "log.csv"), "--bank", str(bank)]
    assert run([*words, "--exam", "issmp", "-o", str(table)]) == 3
    err = capsys.readouterr().err
    assert "domains D2, D3, D4, D5, D6, which the exam asks for" in err
    assert "calibrate --key items.csv" in err
    assert not table.exists()
    assert run([*words, "-o", str(table)]) == 0
    assert f"next: issmp-cat bank check {bank}" in capsys.readouterr().err


def test_the_next_step_goes_to_the_exam_only_where_somebody_took_it(world, tmp_path, capsys):
    bank = world / "bank.json"
    words = ["score", str(world / "log.csv"), "--bank", str(bank)]
    assert run([*words, "-o", str(tmp_path / "scores.csv")]) == 0
    following = capsys.readouterr().err.splitlines()[-1].removeprefix("next: issmp-cat ").split()
    assert following == [*words, "--exam", "issmp"]
    assert run(following) == 0
    assert f"next: issmp-cat simulate --bank {bank} --exam issmp" in capsys.readouterr().err
    few = tmp_path / "few.csv"
    log = pd.read_csv(world / "log.csv")
    log[log["candidate"].isin(["p20", "p21", "p22"])].to_csv(few, index=False)
    assert run(["score", str(few), "--bank", str(bank)]) == 0
    assert f"next: issmp-cat bank check {bank}" in capsys.readouterr().err

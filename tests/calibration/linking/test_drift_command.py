"""``issmp-cat drift`` as typed, and chains of links."""

import json

import pandas as pd
import pytest

from issmp_calibration.linking import chain, link
from issmp_cat.bank import Item, ItemBank
from issmp_cat.cli.main import run


def a_bank(name, slope, shift, moved=()):
    """Twelve items on a scale of its own; some of them moved by a logit, all by a little."""
    items = []
    for k in range(12):
        b = k / 3 - 2.0 + 0.01 * (k % 3) * slope + (1.0 if k in moved else 0.0)
        items.append(Item(id=f"q{k}", domain="D", a=(1.0 + 0.02 * (k % 4)) * slope, b=(b - shift) / slope))
    return ItemBank.from_items(items, id=name)


@pytest.fixture
def banks(tmp_path):
    """Three years' banks; q4 moved in the last."""
    paths = {}
    for name, slope, shift, moved in (("2024", 1.0, 0.0, ()), ("2025", 1.2, 0.3, ()), ("2026", 0.9, -0.4, (4,))):
        paths[name] = tmp_path / f"{name}.json"
        a_bank(name, slope, shift, moved).save(paths[name])
    return paths


def words(banks, *more):
    return ["drift", str(banks["2025"]), str(banks["2026"]), "--limit", "4", *more]


def test_the_item_that_moved_is_shown(banks, capsys):
    assert run(words(banks)) == 0
    out, err = capsys.readouterr()
    assert "drift: 1 of 12 common items" in out
    assert "q4: b moved by -0.8" in out
    assert "q5" not in out
    assert err.splitlines()[-1] == f"next: issmp-cat bank show {banks['2026']} --item q4"
    assert run(words(banks, "--all")) == 0
    assert "q5" in capsys.readouterr().out


def test_a_missed_gate_ends_with_5_and_a_kept_one_with_0(banks, capsys):
    assert run(words(banks, "--gate", "flagged<=1", "--gate", "worst_change_b<2")) == 0
    assert run(words(banks, "--gate", "flagged==0", "--gate", "flagged_share<=0.5", "-o", "x.csv")) == 5
    assert "flagged is 1, not == 0 (off by 1)" in capsys.readouterr().err
    assert run(words(banks, "--gate", "flaged==0")) == 2
    assert 'no figure "flaged"' in capsys.readouterr().err


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_table_result_and_plots_are_written(banks, tmp_path, capsys):
    assert run(words(banks, "-o", "drift.csv", "--plots", "pictures")) == 0
    table = pd.read_csv(tmp_path / "drift.csv")
    assert table.loc[table["flag"], "item"].tolist() == ["q4"]
    assert len(table) == 12
    for kind in ("difficulties", "slopes", "changes"):
        assert (tmp_path / "pictures" / f"drift-{kind}.svg").stat().st_size > 1000
    assert run(words(banks, "-o", "drift.json", "--json", "--quiet")) == 0
    out = capsys.readouterr().out
    content = json.loads((tmp_path / "drift.json").read_text(encoding="utf-8"))
    assert json.loads(out[out.index("{") :])["figures"] == content["figures"]
    assert content["figures"]["flagged"] == 1


def test_impossible_files_are_refused_before_the_work(banks):
    assert run(words(banks, "-o", "drift.txt")) == 2
    assert run(["drift", str(banks["2025"]), "none.json"]) == 3


def test_several_banks_are_a_chain(banks, tmp_path, capsys):
    typed = ["link", str(banks["2026"]), "--to", str(banks["2025"]), "--to", str(banks["2024"])]
    assert run([*typed, "--anchor", "q0", "--anchor", "q7", "--anchor", "q9", "--anchor", "q11", "-o", "l.json"]) == 0
    out = capsys.readouterr().out
    assert "2026.json to " in out
    assert "a chain of 2 links: 2026 to 2025; 2025 to 2024" in " ".join(out.split())
    one, two, three = (ItemBank.load(banks[year]) for year in ("2026", "2025", "2024"))
    anchors = ["q0", "q7", "q9", "q11"]
    whole = chain(link(one, two, anchors=anchors), link(two, three, anchors=anchors))
    linked = ItemBank.load(tmp_path / "l.json")
    assert linked.b == pytest.approx(whole.apply(one).b)
    assert linked.b[11] == pytest.approx(three.b[11], abs=0.05)
    assert run([*typed, "--json", "--quiet"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["links"]) == 2
    assert content["method"] == "chain"

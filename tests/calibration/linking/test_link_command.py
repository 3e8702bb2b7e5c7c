"""``issmp-cat link`` as typed."""

import json

import pytest

from issmp_cat.bank import Covariance, Item, ItemBank, Metric
from issmp_cat.cli.main import run

COVARIANCE = Covariance(names=("a", "b"), values=((0.004, 0.001), (0.001, 0.003)))


@pytest.fixture
def banks(tmp_path):
    """Paths of a new and an old bank whose scales differ by A = 2, B = 1."""
    old = [Item(id=f"q{k}", domain="D", a=1.0, b=k - 2.0, covariance=COVARIANCE) for k in range(5)]
    new = [item.model_copy(update={"a": 2.0, "b": (item.b - 1.0) / 2.0}) for item in old]
    new.append(Item(id="fresh", domain="D", a=2.0, b=0.0))
    paths = tmp_path / "new.json", tmp_path / "old.json"
    for path, items in zip(paths, (new, old), strict=True):
        ItemBank.from_items(items, id=path.stem).save(path)
    return paths


def test_the_new_bank_is_written_on_the_old_scale(banks, tmp_path, capsys):
    new, old = banks
    linked = tmp_path / "linked.json"
    assert run(["link", str(new), "--to", str(old), "-o", str(linked)]) == 0
    out, err = capsys.readouterr()
    assert "A = 2.00000 (SE" in out
    assert "5 of 5 common items" in out
    assert err.splitlines()[-1] == f"next: issmp-cat bank show {linked}"
    bank = ItemBank.load(linked)
    assert bank.b == pytest.approx([-2, -1, 0, 1, 2, 1], abs=1e-7)
    assert bank.metric == Metric(latent_mean=bank.metric.latent_mean, latent_sd=bank.metric.latent_sd)
    assert (bank.metric.latent_mean, bank.metric.latent_sd) == pytest.approx((1.0, 2.0), abs=1e-7)
    assert bank.items[0].covariance.standard_error("b") == pytest.approx(2 * 0.003**0.5, rel=1e-6)
    assert bank.provenance["links"][0]["old"] == "old"


def test_json_alone_stands_on_stdout(banks, capsys):
    new, old = banks
    assert run(["link", str(new), "--to", str(old), "--method", "mean_sigma", "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    content = json.loads(out)
    assert (content["A"], content["B"]) == pytest.approx((2.0, 1.0))
    assert content["se_A"] > 0
    assert err == ""


def test_a_dry_run_writes_nothing(banks, tmp_path, capsys):
    new, old = banks
    assert run(["link", str(new), "--to", str(old), "-o", str(tmp_path / "linked.json"), "--dry-run"]) == 0
    assert "would write" in capsys.readouterr().err
    assert not (tmp_path / "linked.json").exists()


def test_anchors_are_as_named(banks, capsys):
    new, old = banks
    words = ["link", str(new), "--to", str(old)]
    assert run([*words, "--anchor", "q0", "--anchor", "q1", "--anchor", "q4"]) == 0
    assert "3 of 3 common items" in capsys.readouterr().out
    assert run([*words, "--anchor", "q0", "--anchor", "q1", "--anchor", "fresh"]) == 3
    err = capsys.readouterr().err
    assert 'anchor "fresh" is not in the old bank "old"' in err
    assert "2 anchors; at least 3 are needed" in err


def test_wrong_usage_ends_with_2_and_refused_banks_with_3(banks, tmp_path, capsys):
    new, old = banks
    assert run(["link", str(new)]) == 2
    assert run(["link", str(new), "--to", str(old), "-o", str(tmp_path / "linked.txt")]) == 2
    assert run(["link", str(new), "--to", str(old), "--limit", "0"]) == 2
    assert run(["link", str(new), "--to", str(tmp_path / "none.json")]) == 3
    assert "no such file" in capsys.readouterr().err
    other = tmp_path / "other.json"
    ItemBank.from_items([Item(id="z", domain="D", b=0.0)]).save(other)
    assert run(["link", str(new), "--to", str(other)]) == 3
    assert "no common items" in capsys.readouterr().err


def test_a_rasch_bank_is_told_that_only_the_shift_is_free(tmp_path, capsys):
    paths = [tmp_path / "new.json", tmp_path / "old.json"]
    for path, by in zip(paths, (0.0, 0.7), strict=True):
        ItemBank.from_items([Item(id=f"q{k}", domain="D", model="rasch", b=k + by) for k in range(4)]).save(path)
    assert run(["link", str(paths[0]), "--to", str(paths[1]), "-o", str(tmp_path / "linked.csv")]) == 0
    out, _ = capsys.readouterr()
    assert "A = 1.00000, B = +0.70000" in out
    assert "A = 1 by the model" in out
    assert ItemBank.load(tmp_path / "linked.csv").b == pytest.approx([0.7, 1.7, 2.7, 3.7])

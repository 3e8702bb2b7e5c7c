"""Looking at banks, checking and converting them."""

import json

import pytest

from issmp_cat import Item, ItemBank
from issmp_cat.bank import Covariance
from issmp_cat.cli.bank_findings import findings, supply
from issmp_cat.cli.main import run

ERRORS = Covariance(names=("a", "b"), values=((0.01, 0.0), (0.0, 0.04)))


@pytest.fixture
def bank(tmp_path):
    """Four sound items in two domains, and one of each oddity."""
    sound = [Item(id=f"s{k}", domain=f"D{k % 2 + 1}", a=1.0, b=0.1 * k, covariance=ERRORS) for k in range(4)]
    odd = [
        Item(id="flat", domain="D1", a=0.2, b=0.0, covariance=ERRORS, enemies=("s0",)),
        Item(id="far", domain="D1", b=-4.5, covariance=ERRORS, enemies=("s1",)),
        Item(id="guess", domain="D2", model="3pl", b=0.0, c=0.4, covariance=ERRORS, status="pretest"),
        Item(id="loose", domain="D2", b=0.0, covariance=Covariance(names=("b",), values=((0.49,),))),
        Item(id="judged", domain="D2", b=0.0, provisional=True, verdict="odd", statistics={"p": 0.5}),
        Item(id="bare", domain="D2", b=0.0),
    ]
    provenance = {"test_statistics": {"n": 12, "mean": 3.25, "kr20": None}, "left_out": {"z1": "everyone got it right"}}
    path = tmp_path / "bank.json"
    ItemBank.from_items([*sound, *odd], id="odd-bank", provenance=provenance).save(path)
    return path


def test_each_oddity_is_found_with_its_item(bank):
    found = {finding.words.split(" (")[0]: finding.items for finding in findings(ItemBank.load(bank))}
    assert found == {
        "provisional parameters: judged, not measured": ("judged",),
        "low discrimination": ("flat",),
        "far from the population": ("far",),
        "high guessing": ("guess",),
        "loose difficulty": ("loose",),
        "a verdict of their calibration": ("judged",),
        "no standard errors": ("bare",),
        "left out of the bank: everyone got it right": ("z1",),
    }


def test_supply_counts_status_enemies_and_information(bank):
    """At its own difficulty a Rasch item has information 1/4; pretest items supply nothing."""
    first, second = supply(ItemBank.load(bank), 0.0)
    assert (first.domain, first.operational, first.pretest, first.enemy_pairs) == ("D1", 4, 0, 1)
    assert (second.domain, second.operational, second.pretest, second.enemy_pairs) == ("D2", 5, 1, 0)
    only = ItemBank.from_items([Item(id="i", domain="D", b=0.7), Item(id="j", domain="D", b=0.7, status="pretest")])
    assert supply(only, 0.7)[0].information == 0.25


def test_check_says_what_deserves_a_look_and_exits_0(bank, capsys):
    assert run(["bank", "check", str(bank)]) == 0
    shown = capsys.readouterr()
    assert "Enemy pairs across domains: 1" in shown.out
    assert "low discrimination (a < 0.4); 1 item: flat" in shown.out
    assert shown.err.startswith("next: issmp-cat exam check")


def test_check_as_json_is_one_document(bank, capsys):
    assert run(["bank", "check", str(bank), "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert read["items"] == 10
    assert [domain["domain"] for domain in read["domains"]] == ["D1", "D2"]


def test_show_puts_the_test_statistics_first(bank, capsys):
    assert run(["bank", "show", str(bank)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("Test statistics")
    assert "3.250" in "\n".join(lines[:7])
    assert any(line.startswith("judged") and "odd" in line for line in lines)


def test_show_sums_up_the_statistics_of_operational_items_only(tmp_path, capsys):
    values = [
        ("operational", 0.2),
        ("operational", 0.9),
        ("operational", 0.4),
        ("pretest", 0.01),
        ("operational", None),
    ]
    items = [Item(id=f"i{k}", domain="D", b=0, status=s, statistics={"p": p}) for k, (s, p) in enumerate(values)]
    ItemBank.from_items(items).save(tmp_path / "b.json")
    assert run(["bank", "show", str(tmp_path / "b.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["spread"] == {"p": [0.2, 0.4, 0.9]}


def test_show_sorts_both_ways_with_the_unknown_last(bank, capsys):
    orders = []
    for sort in ("se_b", "-se_b"):
        run(["bank", "show", str(bank), f"--sort={sort}", "--json"])
        orders.append([row["se_b"] for row in json.loads(capsys.readouterr().out)["rows"]])
    assert orders[0] == [0.2] * 7 + [0.7, None, None]
    assert orders[1] == [0.7] + [0.2] * 7 + [None, None]


def test_show_one_item_in_full(capsys):
    assert run(["bank", "show", "practice-bank", "--item", "P-D1-01"]) == 0
    shown = capsys.readouterr().out
    for words in ("stem", "option A", "key", "rationale", "provisional"):
        assert words in shown


def test_show_an_unknown_item_suggests_the_nearest(capsys):
    assert run(["bank", "show", "practice-bank", "--item", "P-D1-001"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_show_an_unknown_column_lists_the_columns(capsys):
    assert run(["bank", "show", "practice-bank", "--sort", "difficulty"]) == 2
    assert "se_b" in capsys.readouterr().err


def test_convert_there_and_back_keeps_the_parameters(bank, tmp_path, capsys):
    assert run(["bank", "convert", str(bank), str(tmp_path / "b.csv")]) == 0
    assert "cannot hold: " in capsys.readouterr().err
    assert run(["bank", "convert", str(tmp_path / "b.csv"), str(tmp_path / "again.json")]) == 0
    before, after = ItemBank.load(bank), ItemBank.load(tmp_path / "again.json")
    assert before.ids == after.ids
    assert [list(x) for x in (before.a, before.b, before.c)] == [list(x) for x in (after.a, after.b, after.c)]
    assert before.enemies == after.enemies


def test_convert_says_how_to_look_at_what_it_wrote(bank, tmp_path, capsys):
    table, foreign = tmp_path / "bank.csv", tmp_path / "bank.par"
    assert run(["bank", "convert", str(bank), str(table)]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == f"next: issmp-cat bank check {table}"
    assert run(["bank", "convert", str(bank), str(foreign), "--to", "bilog"]) == 0
    following = capsys.readouterr().err.splitlines()[-1]
    assert following.startswith(f"next: issmp-cat bank convert {foreign} ")
    assert run(following.removeprefix("next: issmp-cat ").split()) == 0


def stepped_bank(path):
    cells = {"names": ("a", "b1", "b2"), "values": ((0.01, 0, 0), (0, 0.04, 0.02), (0, 0.02, 0.04))}
    items = [
        Item(id="i1", domain="D1", a=1.1, b=0.2),
        Item(id="i2", domain="D1", model="gpcm", a=0.8, steps=(-0.5, 0.7), covariance=cells),
    ]
    ItemBank.from_items(items).save(path)


def test_the_way_back_from_a_mirt_file_of_steps_is_a_command_that_runs(tmp_path, capsys):
    bank, foreign = tmp_path / "mixed.json", tmp_path / "mirt.out"
    stepped_bank(bank)
    assert run(["bank", "convert", str(bank), str(foreign), "--to", "mirt"]) == 0
    following = capsys.readouterr().err.splitlines()[-1].removeprefix("next: issmp-cat ")
    assert following == f"bank convert {foreign} again.json --from mirt --stepped gpcm --dry-run"
    assert run(following.split()) == 0


def test_show_tells_errors_of_steps_and_of_their_mean(tmp_path, capsys):
    bank = tmp_path / "mixed.json"
    stepped_bank(bank)
    assert run(["bank", "show", str(bank), "--json"]) == 0
    plain, stepped = json.loads(capsys.readouterr().out)["rows"]
    assert plain["se_steps"] is None
    assert stepped["se_steps"] == [0.2, 0.2]
    assert stepped["se_b"] == pytest.approx((0.04 + 2 * 0.02 + 0.04) ** 0.5 / 2)
    assert run(["bank", "show", str(bank)]) == 0
    assert "se_steps" in capsys.readouterr().out


@pytest.mark.parametrize("format_", ["bilog", "winsteps", "flexmirt", "flexmirt-table", "qti", "mirt", "mirt-slope"])
def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path, capsys, format_):
    log = tmp_path / "log.txt"
    log.write_text("candidate,item,score\n" + "C1,Q1,1\n" * 2000)
    assert run(["bank", "convert", str(log), str(tmp_path / "b.json"), "--from", format_]) == 3
    assert len(capsys.readouterr().err.splitlines()) <= 6


def test_a_file_of_another_program_is_told_by_its_content(bank, tmp_path, capsys):
    foreign = tmp_path / "b.par"
    assert run(["bank", "convert", str(bank), str(foreign), "--to", "bilog"]) == 0
    assert run(["bank", "convert", str(foreign), str(tmp_path / "c.json"), "--from", "flexmirt"]) == 3
    assert "this is no flexmirt file" in (said := capsys.readouterr().err)
    assert "by its content it is a bilog file (BILOG-MG): --from bilog" in said


def test_the_problems_of_a_file_are_listed_up_to_twenty(bank, tmp_path, capsys):
    foreign = tmp_path / "b.par"
    assert run(["bank", "convert", str(bank), str(foreign), "--to", "bilog"]) == 0
    lines = foreign.read_text().splitlines()
    broken = [lines[-1][:16] + "         x" * 12] * 3
    foreign.write_text("\n".join([*lines, *broken]) + "\n")
    capsys.readouterr()
    assert run(["bank", "convert", str(foreign), str(tmp_path / "c.json"), "--from", "bilog"]) == 3
    said = capsys.readouterr().err.splitlines()
    assert said[-1].strip().startswith("… and ")
    assert said[-1].endswith(" more problems")
    assert len(said) == 22


def test_slopes_in_another_metric_are_converted_and_that_is_said(tmp_path, capsys):
    (tmp_path / "bilog.csv").write_text("id,a,b,D\ni1,1.0,0.5,1.702\n")
    assert run(["bank", "convert", str(tmp_path / "bilog.csv"), str(tmp_path / "b.json")]) == 0
    assert "D" in capsys.readouterr().err.splitlines()[0]
    assert ItemBank.load(tmp_path / "b.json").a[0] == pytest.approx(1.702)


def test_convert_replaces_only_when_told(bank, tmp_path, capsys):
    target = tmp_path / "there.csv"
    target.write_text("precious")
    assert run(["bank", "convert", str(bank), str(target)]) == 2
    assert target.read_text() == "precious"
    assert "--force" in capsys.readouterr().err
    assert run(["bank", "convert", str(bank), str(target), "--force", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_dry_run_writes_nothing(bank, tmp_path, capsys):
    assert run(["bank", "convert", str(bank), str(tmp_path / "b.csv"), "--dry-run"]) == 0
    assert "would write 10 items" in capsys.readouterr().err
    assert not (tmp_path / "b.csv").exists()


def test_an_unknown_format_is_refused(bank, tmp_path, capsys):
    assert run(["bank", "convert", str(bank), str(tmp_path / "b.xlsx")]) == 2
    assert "expected .json, .csv or .tsv" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "other"}', "\x00\x01"])
def test_what_is_no_bank_is_refused_and_nothing_is_written(tmp_path, capsys, content):
    (tmp_path / "bad.json").write_text(content)
    assert run(["bank", "convert", str(tmp_path / "bad.json"), str(tmp_path / "out.csv")]) == 3
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "Traceback" not in error
    assert not (tmp_path / "out.csv").exists()

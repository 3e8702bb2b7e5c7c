"""What an exam asks for, and whether a bank can give it."""

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import issmp_cat
from issmp_cat import Exam, Item, ItemBank
from issmp_cat.cli.exam_supply import check_exam, domain_rows
from issmp_cat.cli.main import run

EXAM = Exam.load("practice")
QUOTAS = EXAM.blueprint.quotas(20)


def bank_of(sizes, enemies=()):
    """A Rasch bank with so many items of each domain, and these pairs of enemies."""
    foes = {item: (foe,) for item, foe in enemies}
    places = [(d, k) for d, size in zip(EXAM.blueprint.ids, sizes, strict=True) for k in range(size)]
    items = [Item(id=f"{d}-{k}", domain=d, b=0.01 * k, enemies=foes.get(f"{d}-{k}", ())) for d, k in places]
    return ItemBank.from_items(items, id="made")


def test_quotas_and_windows_of_the_issmp():
    """0.22 of 75 is 16.5: 16 or 17; at 125 the largest-remainder quotas."""
    rows = domain_rows(Exam.load("issmp"))
    assert [row.quota for row in rows] == [28, 24, 22, 21, 15, 15]
    assert rows[0].windows[75] == (16, 17)
    assert rows[4].windows[75] == (9, 9)
    assert all(row.windows[125] == (row.quota, row.quota) for row in rows)


def test_precision_is_that_of_the_most_informative_items_within_the_quotas():
    """By sorting each domain's information P Q at the cut, written out here."""
    bank = bank_of([9, 8, 7, 6, 5, 4])
    found = check_exam(EXAM, bank).precision[0]
    p = 1 / (1 + np.exp(-(-0.3 - bank.b)))
    best = sum(np.sort((p * (1 - p))[bank.domain == k])[::-1][:quota].sum() for k, quota in enumerate(QUOTAS))
    assert found.length == 20
    assert found.information == pytest.approx(best, abs=1e-8)
    assert found.se == pytest.approx(best**-0.5)
    assert found.posterior_sd == pytest.approx((best + 1) ** -0.5)


def test_enemies_lower_what_a_domain_can_really_give():
    """Three items in two pairs that share one: one or two of them, never all."""
    bank = bank_of([9, 8, 7, 6, 5, 4], [("D1-0", "D1-1"), ("D1-2", "D1-1")])
    found = check_exam(EXAM, bank)
    assert (found.domains[0].operational, found.domains[0].compatible) == (9, 8)
    assert found.enemy_pairs == 2


def test_the_path_of_selection_is_told_apart():
    plain = bank_of(QUOTAS)
    assert "no choice leads into a dead end" in check_exam(EXAM, plain).path
    scarce = bank_of([QUOTAS[0] + 1, *QUOTAS[1:4], QUOTAS[4] + 1, QUOTAS[5]], [("D1-0", "D5-0"), ("D1-1", "D5-0")])
    assert "a search proves it" in check_exam(EXAM, scarce).path
    best = EXAM.model_copy(update={"selection": EXAM.selection.model_copy(update={"rule": "best"})})
    assert "provably optimal" in check_exam(best, plain).path
    assert "a search where 3 items" in check_exam(best, scarce).path


def test_check_prints_quotas_supply_and_assumptions(capsys):
    assert run(["exam", "check", "practice", "--bank", "practice-bank"]) == 0
    shown = capsys.readouterr()
    for words in (
        "Items of each domain",
        "It fills the blueprint",
        "Precision",
        "Assumed, not measured",
        "provisional",
    ):
        assert words in shown.out
    assert shown.err.startswith("next: issmp-cat simulate --exam practice")


def test_check_without_a_bank_still_shows_the_windows(capsys):
    assert run(["exam", "check"]) == 0
    assert "16–17" in capsys.readouterr().out


def test_check_as_json_marks_the_assumptions(capsys):
    assert run(["exam", "check", "practice", "--bank", "practice-bank", "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert [domain["quota"] for domain in read["domains"]] == list(QUOTAS)
    assert any("no cut is published" in line for line in read["assumptions"])


def test_a_bank_that_lacks_items_exits_4(tmp_path, capsys):
    bank_of([4, 8, 7, 6, 5, 4]).save(tmp_path / "bank.json")
    assert run(["exam", "check", "practice", "--bank", str(tmp_path / "bank.json")]) == 4
    assert 'domain "D1" needs 5 items at length 20; the bank has 4 operational ones' in capsys.readouterr().err


def test_a_bank_of_other_domains_exits_3(tmp_path, capsys):
    ItemBank.from_items([Item(id="i", domain="X", b=0.0)]).save(tmp_path / "bank.json")
    assert run(["exam", "check", "practice", "--bank", str(tmp_path / "bank.json")]) == 3
    assert 'domain "X"' in capsys.readouterr().err


def test_weights_that_do_not_sum_to_one_exit_3_with_the_difference(tmp_path, capsys):
    path = tmp_path / "exam.toml"
    path.write_text(
        'id = "e"\ntitle = "E"\n[[blueprint.domains]]\nid = "A"\nweight = 0.6\n[[blueprint.domains]]\nid = "B"\n'
        "weight = 0.5\n[length]\nminimum = 10\nmaximum = 10\n[scale]\ntheta_cut = 0.0\n"
    )
    assert run(["exam", "check", str(path)]) == 3
    assert "weights sum to 1.1" in capsys.readouterr().err


def test_show_lists_what_is_decided_and_assumed(capsys):
    assert run(["exam", "show", "issmp"]) == 0
    shown = capsys.readouterr().out
    for words in ("stopping.rule", "confidence_interval", "scale.theta_cut", "30, 90, 180", "Assumed, not measured"):
        assert words in shown


def test_list_names_exams_and_banks(capsys):
    assert run(["exam", "list", "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert set(read["exams"]) >= {"issmp", "issmp-linear", "practice"}
    assert "practice-bank" in read["banks"]


def test_rows_are_shown_with_their_supply_their_effect_and_the_path_they_demand(tmp_path, capsys):
    """20 items, 4 to 2 a domain; half of the bank has key A."""
    bank = bank_of([2 * quota for quota in QUOTAS])
    items = [item.model_copy(update={"attributes": {"key": "AB"[k % 2]}}) for k, item in enumerate(bank.items)]
    bank = ItemBank.from_items(items, id="made")
    bank.save(tmp_path / "bank.json")
    rows = [
        {"id": "key-A", "attribute": "key", "value": "A", "minimum": 8, "maximum": 12},
        {"id": "all", "attribute": "key", "value": ["A", "B"], "maximum": 20},
        {"id": "off", "attribute": "key", "value": "B", "maximum": 1, "active": False},
    ]
    exam = EXAM.model_copy(
        update={"blueprint": EXAM.blueprint.model_validate({**EXAM.blueprint.model_dump(), "rows": rows})}
    )
    found = check_exam(exam, bank)
    assert [row.effect for row in found.rows] == ["binds", "implied by the domains", "switched off"]
    assert (found.rows[0].items, found.rows[1].least, found.rows[1].greatest) == (20, 20, 20)
    assert "an integer programme" in found.path
    assert 'a row crosses the domains ("key-A")' in found.path
    assert 'row "off" is switched off' in found.warnings
    text = (resources.files("issmp_cat") / "data" / "practice.toml").read_text(encoding="utf-8")
    table = '[[blueprint.rows]]\nid = "key-A"\nattribute = "key"\nvalue = "A"\nminimum = {}\n\n[length]'
    for minimum, code in ((8, 0), (21, 4)):
        (tmp_path / "exam.toml").write_text(text.replace("[length]", table.format(minimum)), encoding="utf-8")
        assert run(["exam", "check", str(tmp_path / "exam.toml"), "--bank", str(tmp_path / "bank.json")]) == code
    shown = capsys.readouterr()
    assert "items with key A" in shown.out
    assert 'lower the minimum of row "key-A" by 1 to 20' in shown.err


def test_unscored_slots_are_shown_and_their_items_counted(tmp_path, capsys):
    items = bank_of([9, 8, 7, 6, 5, 4]).items
    tried = [Item(id=f"P{k}", domain="D1", b=0.0, status="pretest") for k in range(3)]
    ItemBank.from_items([*items, *tried], id="made").save(tmp_path / "bank.json")
    text = (Path(issmp_cat.__file__).parent / "data" / "practice.toml").read_text(encoding="utf-8")
    path = tmp_path / "exam.toml"
    path.write_text(f"{text}\n[pretest]\nslots = 2\ntarget = 50\n", encoding="utf-8")
    assert run(["exam", "show", str(path)]) == 0
    assert "pretest.slots" in capsys.readouterr().out
    assert run(["exam", "check", str(path), "--bank", str(tmp_path / "bank.json")]) == 0
    assert "3 pretest items in 2 unscored questions a candidate" in capsys.readouterr().out
    path.write_text(f"{text}\n[pretest]\nslots = 4\ntarget = 50\n", encoding="utf-8")
    assert run(["exam", "check", str(path), "--bank", str(tmp_path / "bank.json")]) == 4
    assert "tries out 4 items a candidate; bank made has 3" in capsys.readouterr().err

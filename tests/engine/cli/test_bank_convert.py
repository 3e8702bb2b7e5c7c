"""``bank convert`` between this program's banks and the files of others."""

import pytest

from issmp_cat import Item, ItemBank
from issmp_cat.bank import Covariance
from issmp_cat.cli.bank_formats import FORMATS
from issmp_cat.cli.main import run

ERRORS = Covariance(names=("b",), values=((0.04,),))


@pytest.fixture
def bank(tmp_path):
    """Rasch items, which every format can hold."""
    items = [Item(id=f"I{k}", domain="D1", model="rasch", b=0.5 * k, covariance=ERRORS) for k in range(3)]
    ItemBank.from_items(items, id="demo").save(tmp_path / "bank.json")
    return tmp_path / "bank.json"


@pytest.mark.parametrize("name", FORMATS)
def test_there_and_back_through_every_format_recognised_by_its_content(name, bank, tmp_path, capsys):
    assert run(["bank", "convert", str(bank), str(tmp_path / "out.txt"), "--to", name]) == 0
    told = capsys.readouterr().err
    assert "D = " in told
    assert "cannot hold" in told
    assert run(["bank", "convert", str(tmp_path / "out.txt"), str(tmp_path / "again.json")]) == 0
    told = capsys.readouterr().err
    for word in ("recognised by its content", "metric:", "parameterisation:", "scale:", "standard errors:"):
        assert word in told
    after = ItemBank.load(tmp_path / "again.json")
    assert [(item.id, item.model) for item in after.items] == [("I0", "rasch"), ("I1", "rasch"), ("I2", "rasch")]
    assert list(after.b) == pytest.approx([0.0, 0.5, 1.0], abs=1e-5)
    if name not in ("flexmirt", "irtpro"):
        assert after.items[1].covariance.standard_error("b") == pytest.approx(0.2, abs=1e-5)


def test_between_two_other_programs_in_a_metric_asked_for(bank, tmp_path, capsys):
    assert run(["bank", "convert", str(bank), str(tmp_path / "coef.csv"), "--to", "mirt"]) == 0
    line = ["bank", "convert", str(tmp_path / "coef.csv"), str(tmp_path / "a.par"), "--from", "mirt", "--to", "bilog"]
    assert run([*line, "--metric", "1.702", "--quiet"]) == 0
    assert "D = 1.702" in (tmp_path / "a.par").read_text()
    assert "   0.58754" in (tmp_path / "a.par").read_text()
    assert run(line) == 2
    assert "--force" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--to", "bilgo"], 2, 'did you mean "bilog"'),
        (["--from", "stata"], 2, "there are bank, mirt"),
        (["--to", "mirt", "--metric", "1.7"], 2, "mirt have D = 1"),
        (["--metric", "1.7"], 2, "only bilog and qti"),
        (["--to", "bilog", "--metric", "17"], 2, "normal metric"),
        (["--to", "mirt", "--stepped", "nominal"], 2, "expected grm or gpcm"),
        (["--from", "winsteps"], 3, "HLINES=Y"),
        ([], 2, "or --to FORMAT"),
    ],
)
def test_wrong_usage_is_told_from_wrong_files(options, code, words, bank, tmp_path, capsys):
    name = "out.json" if "--from" in options else "out.dat"
    if options[:1] == ["--metric"]:
        name = "out.csv"
    assert run(["bank", "convert", str(bank), str(tmp_path / name), *options]) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_a_file_of_unknown_format_is_refused_with_the_way_out(tmp_path, capsys):
    (tmp_path / "x.txt").write_text("one two three\n")
    assert run(["bank", "convert", str(tmp_path / "x.txt"), str(tmp_path / "y.json")]) == 3
    assert "--from says it" in capsys.readouterr().err
    assert run(["bank", "convert", str(tmp_path / "no.txt"), str(tmp_path / "y.json")]) == 3
    assert "no such file" in capsys.readouterr().err


def test_items_without_a_place_in_the_format_are_all_named_and_nothing_is_written(tmp_path, capsys):
    items = [Item(id=f"item-with-long-name-{k}", domain="D", b=0.0, a=1.2) for k in range(2)]
    ItemBank.from_items(items).save(tmp_path / "b.json")
    for extra in ([], ["--dry-run"]):
        assert run(["bank", "convert", str(tmp_path / "b.json"), str(tmp_path / "b.par"), "--to", "bilog", *extra]) == 3
        assert "2 problems" in capsys.readouterr().err
        assert not (tmp_path / "b.par").exists()


def test_items_left_out_are_told(tmp_path, capsys):
    lines = [";ENTRY MEASURE ST COUNT SCORE MODLSE NAME", "1 0.5 1 20 9 .4 kept", "2 0 -3 0 0 0 gone", ""]
    (tmp_path / "i.txt").write_text("\n".join(lines))
    assert run(["bank", "convert", str(tmp_path / "i.txt"), str(tmp_path / "b.json")]) == 0
    assert 'item "gone" left out: deleted by the user' in capsys.readouterr().err


def test_steps_go_to_winsteps_in_a_second_file_and_come_back(tmp_path, capsys):
    items = [
        Item(id="rated", domain="D", model="pcm", steps=(-0.5, 0.7)),
        Item(id="plain", domain="D", model="rasch", b=1),
    ]
    bank = ItemBank.from_items(items)
    bank.save(tmp_path / "bank.json")
    source, target, steps = (str(tmp_path / name) for name in ("bank.json", "items.txt", "steps.txt"))
    assert run(["bank", "convert", source, target, "--to", "winsteps"]) == 3
    assert "--structure" in capsys.readouterr().err
    assert run(["bank", "convert", source, target, "--to", "winsteps", "--structure", steps]) == 0
    assert run(["bank", "convert", target, str(tmp_path / "back.json"), "--structure", steps]) == 0
    back = ItemBank.load(tmp_path / "back.json")
    assert [item.model for item in back.items] == ["pcm", "rasch"]
    assert back.items[0].steps == pytest.approx((-0.5, 0.7), abs=1e-4)
    assert run(["bank", "convert", source, str(tmp_path / "x.csv"), "--to", "mirt", "--structure", steps]) == 2
    assert "only winsteps files have one" in capsys.readouterr().err

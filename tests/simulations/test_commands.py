"""The commands as people type them: data on stdout, talk on stderr, exit codes as promised."""

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from issmp_cat import ItemBank
from issmp_cat.bank import Metric
from issmp_cat.cli.main import run


def typed(line):
    return run(line.split())


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_sample_and_simulate_work_from_an_empty_folder(here, capsys):
    assert typed("sample bank 218 --model 2pl -o bank.json --key key.csv") == 0
    out = capsys.readouterr()
    assert "218 simulated items" in out.out
    assert out.err.splitlines()[-1].startswith("next: issmp-cat sample log --bank bank.json")
    assert len(ItemBank.load(here / "bank.json")) == 218
    assert (here / "key.csv").read_text().splitlines()[0] == "item,key,status,domain,enemies"

    assert typed("sample log --bank bank.json --persons 50 --answers 40 --seed 1 -o log.csv --seconds") == 0
    assert "2,000 answers of 50 simulated candidates" in capsys.readouterr().out
    assert (here / "log.csv").read_text().splitlines()[0] == "candidate,item,score,position,seconds"

    command = "simulate --bank bank.json -n 300 --seed 1 -o study.json --plots plots --table people.csv"
    assert typed(command) == 0
    out = capsys.readouterr()
    assert "pass rate" in out.out
    assert "next: " in out.err
    assert json.loads((here / "study.json").read_text())["n"] == 300
    assert len((here / "people.csv").read_text().splitlines()) == 301
    assert len([ET.parse(path) for path in (here / "plots").glob("*.svg")]) == 8


@pytest.mark.usefixtures("here")
def test_json_goes_to_stdout_alone_and_quiet_is_quiet(capsys):
    assert typed("simulate --bank 218 -n 50 --seed 1 --json --quiet") == 0
    out = capsys.readouterr()
    assert json.loads(out.out)["provenance"]["seed"] == 1
    assert out.err == ""
    assert typed("sample log --bank 218/2pl --persons 3 --seed 1 -o log.parquet --json --quiet") == 0
    assert json.loads(capsys.readouterr().out)["answers"] == 654


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("simulate --bank 218 -n 50 --seed 1 --gate accuracy>=0.9999", 5, "thresholds missed"),
        ("simulate --bank 218 -n 50 --gate accuracy", 2, "expected a figure"),
        ("simulate --bank 218 --gate acuracy>=0.9", 2, 'did you mean "accuracy"'),
        ("simulate --bank 218 --gate mean_seconds<9000", 2, 'no figure "mean_seconds"'),
        ("simulate --bank 218 -o nowhere/study.json", 3, "there is no folder nowhere"),
        ("simulate --bank 218 --table nowhere/people.csv", 3, "there is no folder nowhere"),
        ("simulate --bank 218 -o .", 3, "this is a folder"),
        ("simulate --bank 219", 3, "known: 218, 1500, 10000, 1500-unequal (each also with /2pl), practice-bank"),
        ("simulate --bank nowhere.json -n 50", 3, "no such file"),
        ("simulate --bank 218 --exam nowhere.toml -n 50", 3, "no such file"),
        ("simulate --bank practice-bank -n 50", 4, "needs 28 items"),
        ("sample bank 219", 2, "no standard bank"),
        ("sample log --bank 218 --persons 5 --answers 300", 2, "the bank has 218"),
        ("sample log --bank 218 --persons 5 --answers 30 -o log.txt", 2, ".parquet"),
        ("sample log --bank 218 -o nowhere/log.csv", 3, "there is no folder nowhere"),
        ("sample log --bank 218 -o log.csv --key nowhere/key.csv", 3, "there is no folder nowhere"),
        ("sample log --bank 218 -o log.csv --key log.csv", 2, "the same file as --output"),
        ("sample bank 218 -o nowhere/bank.json", 3, "there is no folder nowhere"),
        ("sample bank 218 -o bank.txt", 2, "ends in .json or .csv"),
        ("sample bank 218 -o bank.json --key nowhere/key.csv", 3, "there is no folder nowhere"),
    ],
)
def test_mistakes_end_with_their_code_and_leave_nothing_behind(here, capsys, command, code, message):
    assert typed(command) == code
    assert message in capsys.readouterr().err
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("here")
def test_a_log_that_cannot_be_written_is_not_simulated_first(monkeypatch):
    monkeypatch.setattr("issmp_simulations.logs.sample_log", lambda *_, **__: pytest.fail("simulated"))
    assert typed("sample log --bank 218 -o nowhere/log.csv") == 3


@pytest.mark.parametrize("plots", ["taken", "taken/plots"])
def test_a_file_in_the_way_of_the_plots_is_told_before_the_work(here, capsys, plots):
    (here / "taken").write_text("a file")
    assert typed(f"simulate --bank 218 --plots {plots}") == 3
    shown = capsys.readouterr()
    assert "cannot make this folder" in shown.err
    assert shown.out == ""


def test_candidates_are_the_banks_population_unless_told_otherwise(here, capsys, small_bank):
    """A Rasch bank has a latent SD of its own; candidates of another make the intervals rest on the wrong prior."""
    metric = Metric(latent_mean=0.1, latent_sd=0.527)
    ItemBank.from_items(small_bank.items, metric=metric).save(here / "bank.json")
    assert typed("simulate --bank bank.json -n 50 --seed 1 -q") == 0
    out = capsys.readouterr().out
    assert "candidates: N(0.1, 0.527²), the bank's population;" in out
    assert "prior" not in out
    assert typed("simulate --bank bank.json -n 50 --seed 1 -q --sd 1") == 0
    out = capsys.readouterr().out
    assert "candidates: N(0.1, 1); seed 1" in out
    assert "the prior N(0.1, 0.527²), on which intervals and standard errors rest" in out


def test_a_seed_that_was_drawn_is_printed(here, capsys):
    assert typed("sample log --bank 218 --persons 3 --answers 10 -o log.csv --json -q") == 0
    seed = json.loads(capsys.readouterr().out)["seed"]
    text = (here / "log.csv").read_text()
    assert typed(f"sample log --bank 218 --persons 3 --answers 10 -o log.csv --seed {seed} -q") == 0
    assert (here / "log.csv").read_text() == text


@pytest.mark.usefixtures("here")
def test_a_checkpoint_is_picked_up_by_the_same_command(capsys):
    command = "simulate --bank 218 -n 100 --seed 1 --checkpoint parts --json -q"
    assert typed(command) == 0
    first = capsys.readouterr().out
    assert typed(command) == 0
    assert capsys.readouterr().out == first
    assert typed("simulate --bank 218 -n 100 --seed 2 --checkpoint parts -q") == 3
    assert "seed was 1 and is now 2" in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from issmp_simulations.commands import sample, simulate, warmup\n"
        "heavy = {'numpy', 'pandas', 'numba', 'scipy', 'matplotlib', 'duckdb', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""Studies: definitions that say what is wrong, the same candidates in every design, work that is kept and resumed."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from issmp_cat.cli.main import run
from issmp_cat.errors import InputRejected
from issmp_simulations import Population, simulate
from issmp_simulations.studies import run as runner
from issmp_simulations.studies.definition import load_study, packaged_studies
from issmp_simulations.studies.oracle import tiers_of
from issmp_simulations.studies.row import compared
from issmp_simulations.studies.run import run_study, steps_of
from issmp_simulations.studies.table import as_csv, as_markdown

STUDY = """
id = "small"
title = "Two rules on the smallest bank"
candidates = 400
seed = 7
reference = "fixed"
banks = ["218"]

[[designs]]
id = "ci"
title = "stops early"

[[designs]]
id = "fixed"
title = "125 items"
[designs.change]
length = { minimum = 125 }
stopping = { rule = "fixed_length" }
"""


SHORT = """
[designs.change]
length = { minimum = 50, maximum = 50 }
stopping = { rule = "fixed_length" }
"""
ORACLE = f"""
[[designs]]
id = "oracle"
title = "knows"
oracle = 0.25
{SHORT}
[[designs]]
id = "random"
title = "draws"
{SHORT}
selection = {{ among = 218 }}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(STUDY)
    return path


def rows_of(path, parts, **options):
    study, folder = load_study(path)
    return study, list(run_study(study, steps_of(study, folder, **options), parts))


def test_a_row_is_the_simulation_of_its_design(file, tmp_path, variant, small_bank):
    _, rows = rows_of(file, tmp_path)
    assert [row.id for row in rows] == ["fixed", "ci"]
    alone = simulate(variant(), small_bank, Population(), n=400, seed=7)
    ci = rows[1]
    assert (ci.accuracy, ci.mean_length, ci.rmse) == (alone.accuracy, alone.mean_length, alone.rmse)
    assert (ci.violations, ci.unproven, ci.candidates) == (0, 0, 400)
    assert sum(ci.reasons.values()) == pytest.approx(1.0)


def test_designs_meet_the_same_candidates_and_are_compared_one_by_one(file, tmp_path):
    _, (fixed, ci) = rows_of(file, tmp_path)
    assert fixed.difference is None
    assert ci.difference.value == pytest.approx(ci.accuracy.value - fixed.accuracy.value)
    independent = np.hypot(ci.accuracy.se, fixed.accuracy.se)
    assert ci.difference.se < independent


def test_a_paired_difference_has_the_error_of_the_differences():
    one, other = np.array([1, 1, 0, 1, 1, 0], dtype=bool), np.array([1, 0, 0, 1, 1, 1], dtype=bool)
    found = compared(one, other)
    differences = one.astype(float) - other
    assert found.value == differences.mean()
    assert found.se == pytest.approx(differences.std(ddof=1) / np.sqrt(6))
    assert compared(one, other[:3]).value == differences[:3].mean()


def test_what_is_done_is_not_done_again_and_a_change_is(file, tmp_path, monkeypatch):
    _, before = rows_of(file, tmp_path)
    done = []
    monkeypatch.setattr(runner, "simulate", lambda *args, **kwargs: done.append(args) or simulate(*args, **kwargs))
    _, after = rows_of(file, tmp_path)
    assert done == []
    assert [row.as_dict() for row in after] == [row.as_dict() for row in before]
    file.write_text(STUDY.replace("minimum = 125", "minimum = 125, maximum = 125").replace("seed = 7", "seed = 8"))
    rows_of(file, tmp_path, only="fixed")
    assert len(done) == 1


def test_an_interrupted_design_goes_on(file, tmp_path):
    study, folder = load_study(file)
    steps = steps_of(study, folder, n=4_500)

    class Stopped(Exception):
        pass

    def watch(*_):
        import contextlib

        def stop(done, wanted):
            if done < wanted:
                raise Stopped

        return contextlib.nullcontext(stop)

    with pytest.raises(Stopped):
        list(run_study(study, steps, tmp_path, threads=1, watch=watch))
    kept = list(tmp_path.glob("fixed-*.parts/exams-*.npz"))
    assert kept
    rows = list(run_study(study, steps, tmp_path))
    assert [row.candidates for row in rows] == [4_500, 4_500]
    assert not list(tmp_path.glob("*.parts"))


def test_several_banks_make_several_designs(file):
    file.write_text(STUDY.replace('["218"]', '["218", "1500"]'))
    study, folder = load_study(file)
    assert [step.id for step in steps_of(study, folder)] == ["ci@218", "ci@1500", "fixed@218", "fixed@1500"]
    assert [step.id for step in steps_of(study, folder, only="ci@15")] == ["ci@1500", "fixed@218", "fixed@1500"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 7", "", "seed: Field required"),
        ('id = "fixed"', 'id = "ci"', "design id used twice: ci"),
        ('reference = "fixed"', 'reference = "none"', 'no design "none" to compare with'),
        ("minimum = 125", "minimum = 0", 'design "fixed": length.minimum: Input should be greater'),
        ("minimum = 125", "minimun = 125", "length.minimun: unknown field"),
        ('title = "stops early"', 'title = "stops early"\ntitel = 1', "titel: unknown field"),
        ("[[designs]]", "[[designs", "not TOML"),
    ],
)
def test_a_broken_definition_says_what_is_wrong(file, old, new, message):
    file.write_text(STUDY.replace(old, new, 1))
    with pytest.raises(InputRejected, match=re.escape(message)) as error:
        steps_of(*load_study(file))
    assert error.value.exit_code == 3


def test_an_unknown_study_is_told_with_the_known_ones():
    with pytest.raises(InputRejected, match="no study of this name; known: accuracy"):
        load_study("acuracy")


@pytest.mark.parametrize("name", packaged_studies())
def test_every_kept_study_can_be_run(name):
    study, folder = load_study(name)
    assert study.id == name
    assert len(steps_of(study, folder)) >= 2


def test_tables_say_the_same_in_every_form(file, tmp_path):
    study, rows = rows_of(file, tmp_path)
    table = list(csv.DictReader(as_csv(rows).splitlines()))
    assert [float(line["accuracy"]) for line in table] == [row.accuracy.value for row in rows]
    page = as_markdown(study, rows)
    assert f"{100 * rows[0].accuracy.value:.1f} ± " in page
    assert "issmp-cat study run small" in page


def test_the_command_writes_prints_and_repeats_itself_to_the_byte(file, tmp_path, capsys):
    for folder in ("one", "two"):
        assert run(["study", "run", str(file), "-n", "200", "-o", str(tmp_path / folder), "--json", "--quiet"]) == 0
        assert json.loads(capsys.readouterr().out)["rows"][0]["id"] == "fixed"
    for name in ("table.md", "table.csv", "table.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert run(["study", "list"]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert run(["study", "show", str(file)]) == 0
    assert "length.minimum = 125" in capsys.readouterr().out


def test_an_oracle_keeps_its_cap_and_gives_the_best_items_to_those_near_the_cut(file, tmp_path):
    file.write_text(STUDY.replace("candidates = 400", "candidates = 20_000") + ORACLE)
    _, rows = rows_of(file, tmp_path)
    row, chance = (next(row for row in rows if row.id == name) for name in ("oracle", "random"))
    # Four standard errors: a false alarm in 16,000 runs, for the largest of four shares in 4,000.
    assert row.exposure_maximum.value == pytest.approx(0.25, abs=4 * 0.0031)
    assert row.never_used == pytest.approx(18 / 218)
    assert row.accuracy.value > chance.accuracy.value + 4 * chance.accuracy.se
    assert row.mean_length.value == 50


def test_the_tiers_of_an_oracle_are_equal_shares_of_the_population_and_nearest_first():
    theta = np.random.default_rng(1).normal(size=400_000)
    tiers = tiers_of(theta, -0.3, 0.0, 1.0, 60.0, 0.25)
    np.testing.assert_allclose(np.bincount(tiers) / len(theta), 0.25, atol=0.004)
    away = np.abs(theta + 0.3)
    assert np.all(np.diff([np.median(away[tiers == k]) for k in range(4)]) > 0)


def test_the_study_in_the_documentation_can_be_run(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
    example = text.split("## Study")[1].split("```toml\n")[1].split("```")[0]
    (tmp_path / "lengths.toml").write_text(example)
    study, folder = load_study(tmp_path / "lengths.toml")
    assert [step.exam.length.minimum for step in steps_of(study, folder)] == [75, 50]


def test_an_oracle_without_a_cap_is_the_exam_that_gives_everybody_the_best_items_at_the_cut(file, tmp_path):
    """Two ways to the same exams: a form of fixed items, and the exam loop without constraints."""
    bound = """
blueprint = { domains = [{ id = "*", weight = 1 }], enemies = "ignore" }
selection = { criterion = "fisher_at_cut", rule = "best" }
"""
    designs = ORACLE.replace("oracle = 0.25", "oracle = 1.0").replace("selection = { among = 218 }", bound)
    file.write_text(STUDY + designs)
    _, rows = rows_of(file, tmp_path)
    form, exam = (next(row for row in rows if row.id == name) for name in ("oracle", "random"))
    assert (form.accuracy, form.rmse, form.false_pass) == (exam.accuracy, exam.rmse, exam.false_pass)
    assert (form.exposure_maximum.value, form.never_used) == (1.0, exam.never_used)

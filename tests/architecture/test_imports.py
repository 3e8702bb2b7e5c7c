"""Who may import whom, and what an embedding exam app pays for."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"scipy", "pandas", "numba", "girth", "duckdb", "matplotlib", "jinja2", "dask", "typer", "rich"}
# What an app that embeds the engine imports; the command line and the report are not among it.
ENGINE = [
    "issmp_cat.ability",
    "issmp_cat.arrays",
    "issmp_cat.bank",
    "issmp_cat.bank.bank_file",
    "issmp_cat.blueprint",
    "issmp_cat.compiled",
    "issmp_cat.errors",
    "issmp_cat.exam",
    "issmp_cat.exam.kernels",
    "issmp_cat.exposure",
    "issmp_cat.files",
    "issmp_cat.intervals",
    "issmp_cat.irt",
    "issmp_cat.random",
    "issmp_cat.report",
    "issmp_cat.responses",
    "issmp_cat.scale",
    "issmp_cat.selection",
    "issmp_cat.session",
    "issmp_cat.spelling",
    "issmp_cat.stopping",
]


def loaded_by(statement):
    """Top-level names of the modules that a statement loads in a new interpreter."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", ["issmp_cat", "issmp_calibration", "issmp_simulations", "issmp_cat.cli.main"])
def test_importing_a_package_loads_nothing_heavy_not_even_numpy(package):
    allowed = {"typer", "rich"} if package.endswith("main") else set()
    assert loaded_by(f"import {package}") & (HEAVY | {"numpy"}) <= allowed


def test_the_engine_stands_on_numpy_and_pydantic_alone():
    loaded = loaded_by("\n".join(f"import {module}" for module in ENGINE))
    assert loaded >= {"numpy", "pydantic"}
    assert not loaded & HEAVY


def test_a_whole_exam_with_its_report_runs_without_anything_heavier():
    """Not only the imports: nothing is pulled in on the way either."""
    statement = """
from issmp_cat import Exam, ItemBank
session = Exam.load("practice").start(ItemBank.load_packaged("practice-bank"), seed=1)
while not session.finished:
    session = session.answer(session.next_item, 1)
session.result, session.trace
"""
    assert not loaded_by(statement) & HEAVY


def test_every_module_of_the_engine_is_held_to_this():
    """A new module shall not slip past the list above."""
    known = {name.split(".")[1] for name in ENGINE} | {"cli", "plot", "data", "report"}
    found = {path.stem for path in (ROOT / "issmp_cat").iterdir() if not path.name.startswith(("_", "py"))}
    assert found <= known


def test_the_contracts_between_packages_and_floors_are_kept():
    """import-linter, as pyproject.toml configures it."""
    command = Path(sys.executable).with_name("lint-imports")
    assert command.exists(), "import-linter belongs to the development extra"
    done = subprocess.run([command, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("folder", ["calibration", "simulations"])
def test_no_module_imports_a_package_by_its_folder(folder):
    """`calibration.issmp_calibration` would be a second copy of the same module."""
    wrong = f"{folder}.issmp_{folder}"
    sources = [
        path for top in ("issmp_cat", "calibration", "simulations", "tests") for path in (ROOT / top).rglob("*.py")
    ]
    guilty = [
        str(path)
        for path in sources
        if f"import {wrong}" in (text := path.read_text("utf-8")) or f"from {wrong}" in text
    ]
    assert guilty == []


def test_all_three_packages_are_installed_from_one_checkout():
    for name in ("issmp_cat", "issmp_calibration", "issmp_simulations"):
        assert importlib.util.find_spec(name) is not None

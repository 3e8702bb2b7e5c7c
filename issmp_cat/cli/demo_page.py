"""The demo's report: what the steps wrote, put on one page."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_cat.bank import ItemBank
from issmp_cat.cli.demo_plots import drawn, folder_figures, recovery_plot, trace_plot
from issmp_cat.cli.demo_recovery import Recovery, recovery
from issmp_cat.cli.demo_steps import CANDIDATES, SEED, Size, steps
from issmp_cat.cli.talk import counted
from issmp_cat.exam import Exam
from issmp_cat.files import atomic_write
from issmp_cat.report import ScoreReport
from issmp_cat.report.page import render

if TYPE_CHECKING:
    from issmp_cat.cli.demo_steps import Diary, Step

__all__ = ["main_figures", "write_page"]

FAR = 2.0  # standard errors: a normal estimate lies further from the truth about once in 20

LIBRARIES = ("issmp-cat", "numpy", "scipy", "numba", "pandas", "duckdb", "pydantic", "matplotlib")


def write_page(folder: Path, plan: tuple[Step, ...], diary: Diary) -> None:
    """Write ``report.html``, whole or not at all."""
    page = render("demo-report.html", **_values(folder, plan, diary))
    with atomic_write(folder / "report.html") as handle:
        handle.write(page)


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _values(folder: Path, plan: tuple[Step, ...], diary: Diary) -> dict[str, Any]:
    """Everything the template shows."""
    bank, truth = ItemBank.load(folder / "bank.json"), ItemBank.load(folder / "true-bank.json")
    recovered = [recovery(truth, bank, name) for name in ("a", "b")]
    study, check = _read(folder, "study.json"), _read(folder, "check.json")
    return {
        "figures": main_figures(folder),
        "bank": bank,
        "truth": truth,
        "log": check["log"],
        "recovered": recovered,
        "recovery_figures": [
            drawn(recovery_plot(found), f"Estimated against true {found.words}, item by item", _recovery_alt(found))
            for found in recovered
        ],
        "calibration_figures": folder_figures(folder / "plots" / "calibration"),
        "exam": Exam.load("issmp"),
        "exam_check": _read(folder, "exam-check.json"),
        "candidates": [_candidate(folder, label) for label in CANDIDATES],
        "study": study,
        "study_rows": study_rows(study),
        "study_figures": folder_figures(folder / "plots" / "simulation"),
        "steps": [(step, diary.done[step.title]) for step in plan],
        "looks": _looks(bank),
        "seconds": sum(diary.done[step.title]["seconds"] for step in plan),
        "versions": _versions(),
        "seed": SEED,
        "command": "issmp-cat demo" if plan == steps(Size()) else "issmp-cat demo --quick",
    }


def _looks(bank: ItemBank) -> str:
    """How many items a verdict asks to look at."""
    n = sum(item.verdict is not None for item in bank.items)
    return "no item needs a look" if n == 0 else f"{counted(n, 'item')} with a verdict should be looked at"


def _recovery_alt(found: Recovery) -> str:
    return (
        f"Scatter of estimated against true {found.words}, {len(found.true)} items, close to the line of equality: "
        f"root mean squared error {found.rmse:.3f}, correlation {found.correlation:.3f}"
    )


def _candidate(folder: Path, label: str) -> dict[str, Any]:
    content = _read(folder, f"{label}.json")
    report = ScoreReport.from_dict(content)
    alt = (
        f"Ability of the {label} candidate after each of {report.items} answers, narrowing to {report.theta:.2f} "
        f"with standard error {report.se:.2f}; the cut is {report.cut:g}"
    )
    figure = drawn(
        trace_plot(report, content["trace"], CANDIDATES[label]), f"θ after each answer of the {label} candidate", alt
    )
    theta = CANDIDATES[label]
    return {"label": label, "theta": theta, "report": report, "figure": figure, "miss": miss(report, theta)}


def miss(report: ScoreReport, truth: float) -> str:
    """How far the estimate lies from the truth, and what to think of it; θ in logits."""
    away = (report.theta - truth) / report.se
    side = "above" if away >= 0 else "below"
    far = ", so a miss like this one is no failure" if abs(away) > FAR else ""
    return (
        f"The estimate lies {abs(away):.1f} standard errors {side} the true θ; "
        f"about 1 in 20 estimates lies more than {FAR:g} away{far}."
    )


def main_figures(folder: Path) -> dict[str, tuple[str, str]]:
    """What the loop came to, in a few figures: each with what makes it readable."""
    bank, truth = ItemBank.load(folder / "bank.json"), ItemBank.load(folder / "true-bank.json")
    study = _read(folder, "study.json")
    found = recovery(truth, bank, "b")
    return {
        "items calibrated": (f"{len(bank):,}", f"of {len(truth):,}"),
        "difficulty recovered": (f"{found.rmse:.3f}", f"logits RMSE, correlation {found.correlation:.3f}"),
        "exams simulated": (f"{study['n']:,}", "through the code that decides in a real exam"),
        "pass rate": _share(study["pass_rate"]),
        "right decisions": _share(study["accuracy"]),
        "questions given": (f"{study['mean_length']['value']:.1f}", "on average"),
        "rules broken": (f"{broken(study)}", "exams off the blueprint, with enemies or repeats"),
    }


def _share(estimate: Mapping[str, float]) -> tuple[str, str]:
    value, low, high = (f"{100 * estimate[name]:.1f}" for name in ("value", "low", "high"))
    return f"{value} %", f"95 % interval {low} to {high}"


def broken(study: Mapping[str, Any]) -> int:
    """Exams that broke a rule nobody may break."""
    return sum(study["compliance"][name] for name in ("off_blueprint", "enemies", "repeats", "wrong_length"))


def percent(estimate: Mapping[str, float] | None) -> str:
    """A share with its 95 % interval.

    >>> percent({"value": 0.6216, "low": 0.6186, "high": 0.6246})
    '62.2 % [61.9, 62.5]'
    """
    if estimate is None:
        return "nobody to count"
    return f"{100 * estimate['value']:.1f} % [{100 * estimate['low']:.1f}, {100 * estimate['high']:.1f}]"


def study_rows(study: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and meaning of the simulation's figures."""
    counts, n = study["exposure"]["counts"], study["n"]
    reasons = "; ".join(f"{100 * k / n:.1f} % {reason}" for reason, k in study["reasons"].items() if k)
    compliance = study["compliance"]
    rules = {
        "off the blueprint": "off_blueprint",
        "with enemies": "enemies",
        "with an item twice": "repeats",
        "of wrong length": "wrong_length",
    }

    def number(name: str, digits: int) -> str:
        value = study[name]
        return f"{value['value']:.{digits}f} [{value['low']:.{digits}f}, {value['high']:.{digits}f}]"

    return [
        ("Pass rate", percent(study["pass_rate"]), "of all simulated candidates"),
        ("Truly above the cut", percent(study["true_pass_rate"]), "what a perfect exam would pass"),
        ("Right decisions", percent(study["accuracy"]), "classification accuracy"),
        ("False passes", percent(study["false_pass"]), f"of those truly below: {percent(study['false_pass_rate'])}"),
        ("False fails", percent(study["false_fail"]), f"of those truly above: {percent(study['false_fail_rate'])}"),
        ("Bias of θ", f"{number('bias', 4)} logits", "mean of estimate minus truth"),
        ("RMSE of θ", f"{number('rmse', 4)} logits", f"mean standard error reported: {number('mean_se', 4)}"),
        (
            "Coverage",
            percent(study["coverage"]),
            "95 % intervals that hold the true θ; not 95 %, because they take the bank's estimates for the truth",
        ),
        ("Questions", number("mean_length", 1), reasons),
        ("Exposure", f"{100 * max(counts) / n:.1f} % at most", f"{sum(c == 0 for c in counts):,} items never used"),
        (
            "Rules broken",
            f"{broken(study)} exams",
            ", ".join(f"{compliance[name]} {words}" for words, name in rules.items()),
        ),
    ]


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

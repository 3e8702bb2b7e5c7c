"""``issmp-cat demo``: the whole loop on simulated candidates, from response log to pass rate, and one report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issmp_cat.cli.talk import keep, next_step, print_json, progress, say

if TYPE_CHECKING:
    from issmp_cat.cli.demo_steps import Diary, Step
    from issmp_cat.report import ScoreReport

__all__ = ["command"]


def command(
    folder: Annotated[Path, typer.Option("--dir", help="Folder for everything the demo makes.")] = Path("demo"),
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other things.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small demo: 218 items, 1,500 and 2,000 candidates.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the main figures as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")] = False,
) -> None:
    """Run the whole loop on simulated candidates and write one report.

    Makes a bank and a response log, calibrates the log, checks the exam, lets three simulated candidates take it,
    prints their score reports, simulates 100,000 more, and writes report.html, one page that needs nothing else.
    Finished steps are kept: the same command goes on where it stopped.

    Examples:
      issmp-cat demo
      issmp-cat demo --quick --dir /tmp/demo
    """
    from issmp_cat.cli.demo_page import main_figures, write_page
    from issmp_cat.cli.demo_steps import CANDIDATES, Diary, Size, steps
    from issmp_cat.report import ScoreReport

    _prepare(folder, force)
    plan = steps(Size(bank="218", persons=1_500, answers=100, simulated=2_000) if quick else Size())
    diary = Diary.open(folder)
    diary.write()
    keep(f"finished steps are kept in {folder}; the same command goes on from there")
    say("Every candidate and every item of this demo is simulated; nobody took an exam.", quiet)
    _run(plan, diary, quiet)
    reports = [ScoreReport.from_dict(json.loads((folder / f"{label}.json").read_text())) for label in CANDIDATES]
    with progress(f"{_place(len(plan) + 1, plan)} write the report", quiet=quiet):
        write_page(folder, plan, diary)
    figures = main_figures(folder)
    if as_json:
        print_json({"report": folder / "report.html", "figures": figures, "candidates": [r.as_dict() for r in reports]})
    else:
        _print(reports, figures, folder)
    next_step(f"open {folder / 'report.html'}, or try a quiz yourself: issmp-cat take", quiet)


def _prepare(folder: Path, force: bool) -> None:
    """Make the folder, unless it holds something that is not a demo's.

    Raises:
        UsageError: it does, or it cannot be made.
    """
    from issmp_cat.cli.demo_steps import STATE
    from issmp_cat.errors import UsageError

    try:
        strange = folder.exists() and any(folder.iterdir()) and not (folder / STATE).exists()
        if strange and not force:
            raise UsageError(f"{folder} holds something that is not a demo; choose another --dir, or --force")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise UsageError(f"{folder}: no folder can be made here ({fault.strerror})") from None


def _run(plan: tuple[Step, ...], diary: Diary, quiet: bool) -> None:
    """Run what is not finished; once a step ran, all after it do."""
    from issmp_cat.cli.demo_steps import Step, run_step

    fresh = False
    for n, step in enumerate(plan, start=1):
        if not fresh and diary.holds(step):
            say(f"{_place(n, plan)} {step.title}: kept", quiet)
            continue
        if not fresh:
            with progress("compile the kernels (a minute the first time, kept for later)", quiet=quiet):
                run_step(Step("warm up", ("warmup",), ()), diary.folder)
        fresh = True
        with progress(f"{_place(n, plan)} {step.title}", quiet=quiet):
            diary.note(step, run_step(step, diary.folder))


def _place(n: int, plan: tuple[Step, ...]) -> str:
    return f"{n:>2}/{len(plan) + 1}"


def _print(reports: list[ScoreReport], figures: dict[str, tuple[str, str]], folder: Path) -> None:
    for report in reports:
        print(f"{report.text()}\n\n{'─' * 80}\n")
    width = max(map(len, figures)) + 2
    print("\n".join(f"{name:<{width}}{value:<10}{more}".rstrip() for name, (value, more) in figures.items()))
    print(f"\nreport: {folder / 'report.html'}")

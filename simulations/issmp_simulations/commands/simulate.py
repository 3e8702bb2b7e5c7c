"""``issmp-cat simulate``: give an exam to many simulated candidates and print what came of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from issmp_cat.cli.gates import Gate
    from issmp_simulations.result import StudyResult

__all__ = ["command"]


def command(
    bank: Annotated[
        str,
        typer.Option(
            "--bank", "-b", help="Item bank: a file, or the name: 218, 1500, 10000, 1500-unequal, practice-bank."
        ),
    ],
    exam: Annotated[str, typer.Option("--exam", "-e", help="Exam file, or issmp, issmp-linear, practice.")] = "issmp",
    n: Annotated[int, typer.Option("-n", "--candidates", min=1, help="How many candidates.")] = 100_000,
    seed: Annotated[
        int | None, typer.Option(min=0, help="All draws follow from it; drawn and printed when not given.")
    ] = None,
    mean: Annotated[
        float | None, typer.Option(help="Mean ability of the candidates, logits; the bank's population when not given.")
    ] = None,
    sd: Annotated[
        float | None, typer.Option(min=0.0, help="SD of their abilities, logits; the bank's when not given.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Bank of the same items by which candidates really answer.")
    ] = None,
    predictor: Annotated[
        float | None,
        typer.Option(
            min=-1, max=1, help="Correlation with θ of what [[start.background]] predicts. Default: no prediction."
        ),
    ] = None,
    exposure: Annotated[
        Path | None,
        typer.Option(help="Exposure table; calibrated first where the exam asks for control and none is given."),
    ] = None,
    seen: Annotated[
        list[Path] | None,
        typer.Option(
            help="Session file of an earlier attempt, for [retakes] seen_items: all saw its items. Repeatable."
        ),
    ] = None,
    clock: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Median seconds an item takes; without it time is left out.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the study as JSON.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for all plots as SVG.")] = None,
    candidates: Annotated[
        Path | None, typer.Option("--table", help="Write one row a candidate to this CSV file.")
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(help='A threshold such as "accuracy>=0.95"; exit code 5 when it is missed. Repeatable.'),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder that keeps finished parts; the same command goes on from there.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="How many run at once; the result does not depend on it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the study as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")] = False,
) -> None:
    """Simulate an exam on a bank: pass rate, wrong decisions, precision, length, use of the items.

    Candidates are simulated and go through the very code that decides in a real exam. Figures come with their 95 %
    interval; the same seed and version give the same bytes, whatever the threads.

    Examples:
      issmp-cat simulate --bank 1500 -n 20000 --seed 1

      issmp-cat simulate --bank bank.json --exam issmp -n 100000 --seed 1 --plots plots -o study.json

      issmp-cat simulate --bank calibrated.json --truth true.json --gate "accuracy>=0.95" --gate "violations==0"

      issmp-cat simulate --bank bank.json --mean 0.5 --sd 0.8 --clock 70 --checkpoint parts --json
    """
    from issmp_cat.cli.gates import parse_gate, require
    from issmp_cat.cli.talk import next_step, say

    gates = [parse_gate(text) for text in gate or []]
    _require_possible(gates, [path for path in (output, candidates) if path is not None], plots, clock)
    study = _run(
        bank, exam, n, seed, (mean, sd, clock, predictor), truth, checkpoint, threads, quiet, exposure, seen or []
    )
    print(study.to_json() if as_json else study.summary(), end="" if as_json else "\n")
    for path in _write(study, output, plots, candidates):
        say(f"wrote {path}", quiet)
    require(gates, study.figures)
    if output is None:
        next_step(f"add -o study.json --plots plots to keep this study (seed {study.provenance['seed']})", quiet)
    else:
        next_step(f"issmp-cat simulate --bank {bank} --exam {exam} --mean -0.5 -o weaker.json   # a what-if", quiet)


def _require_possible(gates: list[Gate], files: list[Path], plots: Path | None, clock: float | None) -> None:
    """Refuse, before the work, what could only fail after it."""
    from issmp_cat.cli.gates import require_known
    from issmp_simulations.gates import FIGURES
    from issmp_simulations.outputs import require_file_place, require_folder_place

    require_known(gates, [name for name in FIGURES if clock is not None or name != "mean_seconds"])
    for path in files:
        require_file_place(path)
    if plots is not None:
        require_folder_place(plots)


def _run(
    bank: str,
    exam: str,
    n: int,
    seed: int | None,
    people: tuple[float | None, float | None, float | None, float | None],
    truth: Path | None,
    checkpoint: Path | None,
    threads: int | None,
    quiet: bool,
    exposure: Path | None,
    seen: list[Path],
) -> StudyResult:
    from issmp_cat import Exam
    from issmp_cat.cli.talk import keep, progress, say
    from issmp_cat.session.session_file import seen_in
    from issmp_simulations import Clock, Population, simulate
    from issmp_simulations.sources import open_any_bank
    from issmp_simulations.warmup import announce_compilation

    mean, sd, median, predictor = people
    before_now = [item for path in seen for item in seen_in(path)]
    items = open_any_bank(bank)
    own = Population.of_bank(items, clock=None if median is None else Clock(median_seconds=median))
    population = replace(
        own,
        mean=own.mean if mean is None else mean,
        sd=own.sd if sd is None else sd,
        predictor_correlation=predictor,
    )
    loaded = Exam.load(exam)
    announce_compilation(quiet, loaded)
    if exposure is None and loaded.exposure.control != "none":
        say(
            "no --exposure table: one is calibrated first, some 100,000 exams; issmp-cat exposure calibrate keeps it",
            quiet,
        )
    with progress(f"{n:,} simulated exams", n, quiet) as advance:
        where = f"what was done is kept in {checkpoint}; the same command goes on" if checkpoint else "nothing was kept"
        before = 0

        def show(done: int, wanted: int) -> None:
            nonlocal before
            advance(done - before)
            before = done
            keep(f"{done:,} of {wanted:,} exams were done; {where}")

        keep(where)

        return simulate(
            exam, items, population,
            n=n, seed=seed, truth=truth, threads=threads, checkpoint=checkpoint, progress=show, exposure=exposure,
            seen=before_now,
        )  # fmt: skip


def _write(study: StudyResult, output: Path | None, plots: Path | None, candidates: Path | None) -> list[Path]:
    """Write what was asked for; the paths written."""
    written = []
    if output is not None:
        study.to_json(output)
        written.append(output)
    if candidates is not None:
        from issmp_cat.files import atomic_path

        with atomic_path(candidates) as temporary:
            study.frame.to_csv(temporary, index=False, lineterminator="\n")
        written.append(candidates)
    if plots is not None:
        from issmp_simulations.plots import PLOTS, draw

        plots.mkdir(parents=True, exist_ok=True)
        written += [draw(study, kind, {}).save(plots / f"{kind}.svg") for kind in PLOTS]
    return written

"""``issmp-cat exposure``: find who is admitted to which item, look at the table, go on learning from sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from issmp_cat.exposure import ExposureTable

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Calibrate and check how often items are used.")

BankOption = Annotated[str, typer.Option("--bank", "-b", help="Item bank: a file, or the name of a standard bank.")]
ExamOption = Annotated[str, typer.Option("--exam", "-e", help="Exam file with a table [exposure].")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="All draws follow from it; drawn when not given.")]
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="How many run at once; the result does not depend on it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")]


@app.command("calibrate")
def calibrate_command(
    exam: Annotated[str, typer.Argument(help="Exam file with a table [exposure].")],
    bank: BankOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the table goes.")] = Path("exposure.json"),
    candidates: Annotated[int, typer.Option(min=100, help="Simulated candidates a round.")] = 5_000,
    rounds: Annotated[int, typer.Option(min=1, help="At most so many rounds.")] = 60,
    checked: Annotated[int, typer.Option("--check", min=100, help="Fresh candidates for the figures.")] = 10_000,
    seed: SeedOption = None,
    mean: Annotated[float | None, typer.Option(help="Mean ability, logits; the bank's population by default.")] = None,
    sd: Annotated[float | None, typer.Option(min=0.0, help="SD of abilities, logits; the bank's by default.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder that keeps finished rounds; the same command goes on from there.")
    ] = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find the exposure table of an exam on a bank, by rounds of simulated exams.

    Prints how it was found, the rates of fresh candidates, and what the control costs in precision and decisions.
    Exit code 4 when the rates have not settled; the table is written all the same, and says so.

    Examples:
      issmp-cat exposure calibrate exam.toml --bank bank.json -o exposure.json --seed 1

      issmp-cat exposure calibrate exam.toml --bank 1500 --checkpoint parts --check 100000
    """
    from issmp_cat import Exam
    from issmp_cat.cli.talk import next_step, print_json, say
    from issmp_cat.errors import NotConverged
    from issmp_simulations import Population
    from issmp_simulations.exposure import calibrate_exposure
    from issmp_simulations.exposure.report import report
    from issmp_simulations.outputs import require_file_place
    from issmp_simulations.sources import open_any_bank
    from issmp_simulations.warmup import announce_compilation

    require_file_place(output)
    loaded, items = Exam.load(exam), open_any_bank(bank)
    own = Population.of_bank(items)
    people = replace(own, mean=own.mean if mean is None else mean, sd=own.sd if sd is None else sd)
    announce_compilation(quiet, loaded)
    with _shown(f"{loaded.id}: exposure", 2 * checked + rounds * candidates, checkpoint, quiet) as show:
        table = calibrate_exposure(
            loaded, items, people,
            seed=seed, candidates=candidates, rounds=rounds, checked=checked,
            threads=threads, progress=show, checkpoint=checkpoint,
        )  # fmt: skip
    table.save(output)
    if as_json:
        print_json({"version": table.version, "table": str(output), **_figures(table)})
    else:
        print(report(table))
    say(f"wrote {output}", quiet)
    if table.evidence is None or not table.evidence.converged:
        msg = (
            f"the rates have not settled in {rounds} rounds; {output} holds the table as it stands. "
            "Give more --rounds or --candidates, a wider margin, or a higher cap"
        )
        raise NotConverged(msg)
    next_step(f"issmp-cat simulate --exam {exam} --bank {bank} --exposure {output} --seed 2", quiet)


@contextmanager
def _shown(what: str, wanted: int, checkpoint: Path | None, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar over all runs of a calibration; it may end early."""
    from issmp_cat.cli.talk import keep, progress

    before = 0
    with progress(what, wanted, quiet) as advance:
        keep(
            f"finished rounds are kept in {checkpoint}; the same command goes on" if checkpoint else "nothing was kept"
        )

        def show(done: int, _wanted: int) -> None:
            nonlocal before
            advance(done - before)
            before = done

        yield show


def _figures(table: ExposureTable) -> dict[str, object]:
    return {} if table.evidence is None else table.evidence.model_dump(mode="json")


@app.command("check")
def check_command(
    table: Annotated[Path, typer.Argument(help="Exposure table.")],
    exam: Annotated[str | None, typer.Option("--exam", "-e", help="Exam file; with --bank, simulate anew.")] = None,
    bank: Annotated[str | None, typer.Option("--bank", "-b", help="Item bank, as for calibrate.")] = None,
    n: Annotated[int, typer.Option("-n", "--candidates", min=100, help="Fresh candidates.")] = 10_000,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show a table; with --exam and --bank, give the exam to fresh candidates under it.

    Exit code 3 when the table belongs to another version of the exam or bank, 5 when a rate exceeds the cap by more
    than the largest of so many rates would by chance.

    Examples:
      issmp-cat exposure check exposure.json

      issmp-cat exposure check exposure.json --exam exam.toml --bank bank.json -n 50000 --seed 7
    """
    from issmp_cat.cli.talk import next_step, print_json
    from issmp_cat.errors import UsageError
    from issmp_cat.exposure import ExposureTable
    from issmp_simulations.exposure.report import report

    if (exam is None) != (bank is None):
        raise UsageError("--exam and --bank belong together: both simulate anew, neither shows what the table says")
    found = ExposureTable.load(table)
    if exam is not None and bank is not None:
        found = _reassessed(found, exam, bank, n, seed, threads, quiet)
    if as_json:
        print_json({"version": found.version, **_figures(found)})
    else:
        print(report(found))
    if exam is None:
        next_step(f"issmp-cat exposure check {table} --exam EXAM --bank BANK   # with fresh candidates", quiet)
    else:
        _require_within_cap(found)


def _reassessed(
    table: ExposureTable, exam: str, bank: str, n: int, seed: int | None, threads: int | None, quiet: bool
) -> ExposureTable:
    """The table with evidence of fresh candidates; how it was found stays as told."""
    import secrets

    from issmp_cat import Exam
    from issmp_simulations import Population
    from issmp_simulations.exposure.evidence import reassessed
    from issmp_simulations.run import Design
    from issmp_simulations.sources import open_any_bank
    from issmp_simulations.warmup import announce_compilation

    loaded, items = Exam.load(exam), open_any_bank(bank)
    drawn = secrets.randbits(32) if seed is None else seed
    design = Design(loaded, items, items, Population.of_bank(items), drawn, table)
    design.plan()  # refuses a table of another version before anything is simulated
    announce_compilation(quiet, loaded)
    with _shown(f"{loaded.id}: exposure", 2 * n, None, quiet) as show:
        return reassessed(design, n, threads=threads, progress=show)


def _require_within_cap(table: ExposureTable) -> None:
    from issmp_cat.errors import GateFailed
    from issmp_simulations.exposure.evidence import excess

    if (over := excess(table)) is not None:
        raise GateFailed(over)


@app.command("update")
def update_command(
    table: Annotated[Path, typer.Argument(help="Exposure table under which the sessions were given.")],
    sessions: Annotated[list[Path], typer.Argument(help="Files of finished sessions; their order does not matter.")],
    exam: ExamOption,
    bank: BankOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the next table goes; may replace the first.")],
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn from finished sessions (control = "eligibility"): who shall be admitted from now on.

    Sessions under way go on with the table they began with, so keep it until they have ended.

    Examples:
      issmp-cat exposure update exposure.json done/*.json --exam exam.toml --bank bank.json -o exposure-2.json
    """
    from issmp_cat import Exam
    from issmp_cat.cli.talk import counted, next_step, print_json
    from issmp_cat.exposure import ExposureTable
    from issmp_cat.session import Session, exposure_counts
    from issmp_simulations.outputs import require_file_place
    from issmp_simulations.sources import open_any_bank

    require_file_place(output)
    found, loaded, items = ExposureTable.load(table), Exam.load(exam), open_any_bank(bank)
    taken = [Session.load(path, loaded, items, found) for path in sessions]
    following = found.learn(exposure_counts(found, taken))
    following.save(output)
    moved = float(abs(following.admit - found.admit).max())
    if as_json:
        print_json({"version": following.version, "sessions": len(taken), "largest_change": moved})
    else:
        print(
            f"{output}: table {following.version}, {counted(len(taken), 'session')} learnt; largest change {moved:.4f}"
        )
    next_step(f"issmp-cat exposure check {output} --exam {exam} --bank {bank}", quiet)

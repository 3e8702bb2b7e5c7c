"""``issmp-cat study``: many designs compared on the same candidates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from issmp_simulations.run import Progress
    from issmp_simulations.studies.definition import Study
    from issmp_simulations.studies.row import Row
    from issmp_simulations.studies.run import Step, Watch

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Compare many designs on the same simulated candidates.")

NameArgument = Annotated[str, typer.Argument(metavar="STUDY", help="Study file (.toml), or the name of a kept one.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")]


@app.command("run")
def run_command(
    name: NameArgument,
    n: Annotated[
        int | None,
        typer.Option("-n", "--candidates", min=1, help="Candidates a design; the study's own when not given."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for table.md, table.csv and table.json.")
    ] = Path("study"),
    only: Annotated[str | None, typer.Option(help="Run the designs whose id begins so, and the reference.")] = None,
    parts: Annotated[
        Path | None, typer.Option(help="Folder that keeps what is done; <output>/parts when not given.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="How many exams run at once; the figures do not depend on it.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Simulate every design of a study and print its table.

    All designs meet the same candidates with the same luck, so that differences show early. What is done is kept: the
    same command goes on after an interruption.

    Examples:
      issmp-cat study run accuracy -n 20000

      issmp-cat study run accuracy -o accuracy      # a million exams a design: an hour of one core

      issmp-cat study run my-study.toml --only ci- --json
    """
    from issmp_cat.cli.talk import next_step, print_json, say
    from issmp_cat.files import atomic_write, write_json
    from issmp_simulations.outputs import require_folder_place
    from issmp_simulations.studies.definition import load_study
    from issmp_simulations.studies.run import run_study, steps_of
    from issmp_simulations.studies.table import as_csv, as_markdown
    from issmp_simulations.studies.table import as_json as whole
    from issmp_simulations.warmup import announce_compilation

    study, folder = load_study(name)
    kept = parts or output / "parts"
    for place in (output, kept):
        require_folder_place(place)
    steps = steps_of(study, folder, n, only)
    announce_compilation(quiet, *(step.exam for step in steps))
    kept.mkdir(parents=True, exist_ok=True)
    rows = list(run_study(study, steps, kept, threads=threads, watch=_watch(kept, quiet)))
    output.mkdir(parents=True, exist_ok=True)
    for file, text in (("table.md", as_markdown(study, rows)), ("table.csv", as_csv(rows))):
        with atomic_write(output / file) as handle:
            handle.write(text)
    write_json(output / "table.json", whole(study, rows))
    if as_json:
        print_json(whole(study, rows))
    else:
        _print(study, rows)
    say(f"wrote {output}/table.md, table.csv and table.json; {kept} keeps the designs", quiet)
    next_step(f"issmp-cat study show {name}", quiet)


def _watch(kept: Path, quiet: bool) -> Watch:
    """A line, or a bar on a terminal, for each design."""
    import contextlib

    from issmp_cat.cli.talk import keep, progress

    @contextlib.contextmanager
    def watch(step: Step, number: int, of: int) -> Iterator[Progress]:
        with progress(f"{number} of {of}: {step.id}, {step.n:,} exams", step.n, quiet) as advance:
            before = 0

            def show(done: int, wanted: int) -> None:
                nonlocal before
                advance(done - before)
                before = done
                keep(
                    f"{number - 1} of {of} designs and {done:,} of {wanted:,} exams of the next are kept in {kept}; "
                    "the same command goes on"
                )

            show(0, step.n)
            yield show

    return watch


def _print(study: Study, rows: list[Row]) -> None:
    from issmp_cat.cli.talk import paragraph, table
    from issmp_simulations.studies.table import COLUMNS, cells

    table(study.title, COLUMNS, [cells(row) for row in rows])
    if broken := sum(row.violations for row in rows):
        paragraph(f"{broken} exams broke a rule")


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List the studies that ship with the package.

    Examples:
      issmp-cat study list
    """
    from issmp_cat.cli.talk import print_json, table
    from issmp_simulations.studies.definition import load_study, packaged_studies

    found = {name: load_study(name)[0] for name in packaged_studies()}
    if as_json:
        print_json({name: {"title": study.title, "designs": len(study.designs)} for name, study in found.items()})
        return
    rows = [
        (name, study.title, sum(len(design.banks or study.banks) for design in study.designs), f"{study.candidates:,}")
        for name, study in found.items()
    ]
    table("Studies", ("name", "title", "designs", "exams each"), rows)


@app.command("show")
def show_command(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show a study's designs, and the table that was kept of it.

    Examples:
      issmp-cat study show accuracy

      issmp-cat study show my-study.toml --json
    """
    from issmp_cat.cli.talk import paragraph, print_json, table
    from issmp_simulations.population import normal
    from issmp_simulations.studies.definition import load_study

    study, folder = load_study(name)
    if as_json:
        print_json(study.model_dump(mode="json"))
        return
    print(f"{study.title}\n")
    paragraph(study.note.strip())
    people = normal(study.population.mean, study.population.sd)
    print(f"\n{study.candidates:,} candidates {people} a design, seed {study.seed}\n")
    rows = [
        (
            design.id,
            design.title,
            ", ".join(design.banks or study.banks),
            design.exam or study.exam,
            told(design.change),
        )
        for design in study.designs
    ]
    table("Designs", ("id", "title", "banks", "exam", "changes"), rows)
    kept = folder / "results" / study.id / "table.md"
    if kept.is_file():
        print(f"\n{kept.read_text('utf-8')}", end="")


def told(change: dict[str, object], prefix: str = "") -> str:
    """Changes on one line.

    >>> told({"length": {"minimum": 125}, "selection": {"rule": "best"}})
    'length.minimum = 125, selection.rule = best'
    """
    lines = []
    for name, value in change.items():
        if isinstance(value, dict):
            lines.append(told(value, f"{prefix}{name}."))
        else:
            lines.append(f"{prefix}{name} = {value}")
    return ", ".join(lines)

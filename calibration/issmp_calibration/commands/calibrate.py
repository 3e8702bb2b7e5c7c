"""``issmp-cat calibrate``: from a response log to a calibrated item bank."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from issmp_calibration.commands.outputs import refuse_folder, refuse_output
from issmp_calibration.commands.reading import LogOptions, reads_log
from issmp_calibration.log.options import (
    JsonOption,
    LogArgument,
    QuietOption,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from issmp_calibration.girth_opinion import GirthOpinion
    from issmp_calibration.log import ItemKey
    from issmp_calibration.options import CalibrationOptions
    from issmp_calibration.result import Calibration
    from issmp_cat.responses import ResponseLog

__all__ = ["command"]

FITTING = "Fitting"
SHOWN = 60  # items listed on the screen; longer tables go to a file
PLOTS = ("items", "information", "standard_error", "latent", "convergence", "curves")


class ModelName(StrEnum):
    """The models, as typed on the command line."""

    rasch = "rasch"
    one = "1pl"
    two = "2pl"
    three = "3pl"


class Peer(StrEnum):
    """Who may give a second opinion."""

    girth = "girth"


ModelOption: TypeAlias = Annotated[ModelName, typer.Option("--model", "-m", help="Item response model.")]
OutputOption: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the item bank here (.json, or .csv).")
]
NameOption: TypeAlias = Annotated[str | None, typer.Option("--id", help="Name of the bank; by default the file's.")]
ItemsOption: TypeAlias = Annotated[Path | None, typer.Option(help="Write the item table to this CSV file.")]
ResultOption: TypeAlias = Annotated[Path | None, typer.Option(help="Write the whole result to this JSON file.")]
PlotsOption: TypeAlias = Annotated[Path | None, typer.Option(metavar="DIR", help="Write plots (SVG) into this folder.")]
CompareOption: TypeAlias = Annotated[
    Peer | None, typer.Option(help="Fit the same log with girth too, and print both side by side.")
]
DryRunOption: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")]
PriorsOption: TypeAlias = Annotated[
    bool, typer.Option("--priors/--no-priors", help="The 3PL's priors on ln a and logit c.", rich_help_panel=FITTING)
]
ErrorsOption: TypeAlias = Annotated[
    bool, typer.Option("--errors/--no-errors", help="Compute standard errors.", rich_help_panel=FITTING)
]
NodesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Nodes of the ability grid; by itself 61, or more for long tests.", rich_help_panel=FITTING),
]
ToleranceOption: TypeAlias = Annotated[
    float, typer.Option(help="Settled within this many standard errors of the solution.", rich_help_panel=FITTING)
]
PassesOption: TypeAlias = Annotated[
    int, typer.Option(help="Passes over the answers after which to give up.", rich_help_panel=FITTING)
]
ThreadsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="Threads; all processors by default. Results do not change.", rich_help_panel=FITTING),
]


@reads_log
def command(
    log: LogArgument,
    reading: LogOptions,
    model: ModelOption = ModelName.two,
    output: OutputOption = None,
    bank_id: NameOption = None,
    items: ItemsOption = None,
    result: ResultOption = None,
    plots: PlotsOption = None,
    compare: CompareOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    dry_run: DryRunOption = False,
    priors: PriorsOption = True,
    errors: ErrorsOption = True,
    nodes: NodesOption = None,
    tolerance: ToleranceOption = 1e-3,
    max_passes: PassesOption = 200,
    threads: ThreadsOption = None,
) -> None:
    """Calibrate items by marginal maximum likelihood and write the item bank.

    Items that everyone got right or wrong, items nobody saw and candidates without answers are set apart with a
    verdict. If an item has not settled, everything is written all the same and the exit code is 4.

    Examples:
      issmp-cat calibrate responses.csv.gz --key key.csv -o bank.json

      issmp-cat calibrate responses.parquet --model 3pl -o bank.json --plots plots

      issmp-cat calibrate wide.csv --model rasch --compare girth

      issmp-cat calibrate responses.csv --key key.csv --json > result.json
    """
    from issmp_calibration import CalibrationOptions, read_key
    from issmp_cat.errors import NotConverged

    refuse_output("--output", output, (".json", ".csv"))
    refuse_output("--items", items)
    refuse_output("--result", result)
    refuse_folder("--plots", plots)
    options = CalibrationOptions(nodes=nodes, tolerance=tolerance, max_passes=max_passes)
    known = read_key(reading.key) if reading.key else None
    answers = reading.read(log, known, quiet=quiet, flagged="drop")
    found = _fit(answers, known, model, options, threads, priors=priors, errors=errors, quiet=quiet)
    opinion = _ask(compare, found, answers, quiet=quiet)
    if as_json:
        _print_json(found, opinion)
    else:
        _print(found, opinion)
    written = _write(found, output, bank_id, items, result, plots, dry_run=dry_run)
    _talk(written, _next(log, output, reading.words()), dry_run=dry_run, quiet=quiet)
    if not found.converged:
        raise NotConverged(found.reason)


def _fit(
    answers: ResponseLog,
    known: ItemKey | None,
    model: ModelName,
    options: CalibrationOptions,
    threads: int | None,
    *,
    priors: bool,
    errors: bool,
    quiet: bool,
) -> Calibration:
    from issmp_calibration import Priors, calibrate
    from issmp_calibration.warmup import announce_compilation
    from issmp_cat.cli import talk

    announce_compilation("fit", quiet=quiet)
    with talk.progress("fitting", quiet=quiet) as advance:
        return calibrate(
            answers,
            model=model.value,
            key=known,
            priors=None if priors else Priors(),
            standard_errors=errors,
            threads=threads,
            progress=lambda _: advance(1),
            options=options,
        )


def _ask(peer: Peer | None, found: Calibration, answers: ResponseLog, *, quiet: bool) -> GirthOpinion | None:
    """The second opinion, if one is wanted."""
    if peer is None:
        return None
    from issmp_calibration.girth_opinion import girth_opinion
    from issmp_cat.cli import talk

    with talk.progress("girth", quiet=quiet):
        return girth_opinion(found, answers)


def _print_json(found: Calibration, opinion: GirthOpinion | None) -> None:
    import json

    from issmp_cat.cli import talk

    content = json.loads(found.to_json())
    if opinion is not None:
        content["girth"] = {"summary": opinion.summary(), "items": dict(opinion.columns)}
    talk.print_json(content)


def _print(found: Calibration, opinion: GirthOpinion | None) -> None:
    """Summary, items that deserve a look (all of a short test), and the second opinion."""
    from issmp_cat.cli import talk

    print(found.summary())
    print()
    columns = found.items.columns
    free = {"rasch": "b", "1pl": "ab", "2pl": "ab"}.get(found.model, "abc")
    estimates = [name for letter in free for name in (letter, f"se_{letter}")]
    names = ("item", *estimates, "answers", "p_value", "item_rest", "verdict")
    rows = list(zip(*(columns[name] for name in names), strict=True))
    wanted = [row for row in rows if row[-1] != "ok"] if len(rows) > SHOWN else rows
    shown = [[_number(value) for value in row] for row in wanted[:SHOWN]]
    title = "items" if len(rows) <= SHOWN else f"items with a verdict: {len(wanted):,} of {len(rows):,}"
    if shown:
        talk.table(title, names, shown)
    if len(wanted) > SHOWN:
        print(f"… and {len(wanted) - SHOWN:,} more: --items FILE writes the whole table")
    if opinion is None:
        return
    print(f"\n{opinion.summary()}")
    if len(opinion.item) and len(opinion.item) <= SHOWN:
        side = opinion.columns
        talk.table("", list(side), [[_number(value) for value in row] for row in zip(*side.values(), strict=True)])


def _number(value: object) -> object:
    """Four decimals for a number that exists, nothing for one that does not."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.4f}"  # noqa: PLR0124 - NaN alone differs from itself
    return value


def _write(
    found: Calibration,
    output: Path | None,
    bank_id: str | None,
    items: Path | None,
    result: Path | None,
    plots: Path | None,
    *,
    dry_run: bool,
) -> list[str]:
    """Write what was asked for, each file whole or not at all; a line about each."""
    from issmp_cat.files import atomic_write

    said = []
    if output:
        bank = found.to_bank(id=bank_id or output.stem)
        said.append(f"{output}: {_banked(len(bank), len(found.items), bank.provenance['left_out'])}")
    drawn = [plots / f"{kind}.svg" for kind in PLOTS] if plots else []
    said += [str(path) for path in (items, result, *drawn) if path]
    if dry_run:
        return said
    if output:
        bank.save(output)
    if items:
        with atomic_write(items) as handle:
            found.frame.to_csv(handle, index=False, lineterminator="\n")
    if result:
        found.to_json(result)
    if plots:
        plots.mkdir(parents=True, exist_ok=True)
        for kind, path in zip(PLOTS, drawn, strict=True):
            found.plot(kind).save(path)  # type: ignore[arg-type]
    return said


def _banked(kept: int, of: int, left_out: Mapping[str, str]) -> str:
    """How many items the bank holds, which it does not, and by what rule."""
    from issmp_calibration.banking import HARDEST
    from issmp_calibration.log.faults import some

    if not left_out:
        return f"all {of:,} items"
    reasons = some([f"{item} ({why})" for item, why in left_out.items()], 5)
    rule = f"an item needs parameters, a slope above 0 and |b| up to {HARDEST:g}"
    return f"{kept:,} of {of:,} items; left out: {reasons}; {rule}"


def _next(log: list[Path], output: Path | None, again: list[str]) -> str:
    """The command that scores the same log with the new bank."""
    import shlex

    if output is None:
        return "add -o bank.json to write the item bank"
    return shlex.join(["issmp-cat", "score", *map(str, log), "--bank", str(output), *again])


def _talk(written: list[str], following: str, *, dry_run: bool, quiet: bool) -> None:
    """What was written, and what to do next."""
    from issmp_cat.cli import talk

    for line in written:
        talk.say(f"{'would write' if dry_run else 'wrote'} {line}", quiet)
    talk.next_step(following, quiet)

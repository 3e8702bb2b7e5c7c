"""``issmp-cat calibrate``: from a response log to a calibrated item bank."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from issmp_calibration.commands.outputs import refuse_folder, refuse_output
from issmp_calibration.commands.reading import LogOptions, reads_log
from issmp_calibration.log.options import JsonOption, LogArgument, QuietOption

if TYPE_CHECKING:
    from issmp_calibration.commands.calibrate_output import Outputs
    from issmp_calibration.girth_opinion import GirthOpinion
    from issmp_calibration.log import ItemKey
    from issmp_calibration.options import CalibrationOptions
    from issmp_calibration.result import Calibration
    from issmp_cat.cli.gates import Gate
    from issmp_cat.responses import ResponseLog

__all__ = ["command"]

FITTING = "Fitting"


class Peer(StrEnum):
    """Who may give a second opinion."""

    girth = "girth"


class ErrorMethod(StrEnum):
    """How standard errors are computed."""

    observed = "observed"
    none = "none"


ModelOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="rasch, 1pl, 2pl, 3pl, 4pl; with scores above 1 grm, pcm, gpcm, nrm; by itself as the item file says, "
        "else 2pl; key: as it says for every item.",
    ),
]
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
GateOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        help='A condition such as "use>=0.95", "max_se_b<=0.3" or converged; strict stands for the usual ones. '
        "Exit code 5 when it is missed. Repeatable."
    ),
]
DryRunOption: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")]
PriorsOption: TypeAlias = Annotated[
    bool,
    typer.Option("--priors/--no-priors", help="Priors where the model has any by default.", rich_help_panel=FITTING),
]
ErrorsOption: TypeAlias = Annotated[ErrorMethod, typer.Option(help="Standard errors.", rich_help_panel=FITTING)]
MinAnswersOption: TypeAlias = Annotated[
    int | None,
    typer.Option(min=0, help="Hold items with fewer answers; by itself 100 to 400 by model.", rich_help_panel=FITTING),
]
NodesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Nodes of the ability grid; by itself as many as the answers need.", rich_help_panel=FITTING),
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
    model: ModelOption = None,
    output: OutputOption = None,
    bank_id: NameOption = None,
    items: ItemsOption = None,
    result: ResultOption = None,
    plots: PlotsOption = None,
    compare: CompareOption = None,
    gate: GateOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    dry_run: DryRunOption = False,
    priors: PriorsOption = True,
    errors: ErrorsOption = ErrorMethod.observed,
    min_answers: MinAnswersOption = None,
    nodes: NodesOption = None,
    tolerance: ToleranceOption = 1e-3,
    max_passes: PassesOption = 200,
    threads: ThreadsOption = None,
) -> None:
    """Calibrate items by marginal maximum likelihood and write the item bank.

    Each item gets a verdict: use, hold or retire, with reasons; what has no parameters, or is to be retired, is left
    out of the bank. If an item has not settled, everything is written all the same and the exit code is 4.

    Examples:
      issmp-cat calibrate responses.csv.gz --key key.csv -o bank.json

      issmp-cat calibrate responses.parquet --model 3pl -o bank.json --plots plots --gate strict

      issmp-cat calibrate essays.csv --model gpcm -o bank.json --gate "use>=0.95" --gate "max_se_b<=0.3"

      issmp-cat calibrate wide.csv --model rasch --compare girth

      issmp-cat calibrate responses.csv --key key.csv --json > result.json
    """
    from issmp_calibration import CalibrationOptions, VerdictRules, read_key
    from issmp_calibration.commands.calibrate_output import Outputs, next_command, print_json, print_text
    from issmp_calibration.gate_figures import read_gates
    from issmp_calibration.models import ANY_SCORE, Asked
    from issmp_cat.cli import talk

    outputs = Outputs(output, bank_id, items, result, plots)
    _refuse(outputs)
    gates = read_gates(gate or [], errors=errors is not ErrorMethod.none)
    options = CalibrationOptions(
        nodes=nodes,
        tolerance=tolerance,
        max_passes=max_passes,
        verdicts=VerdictRules(min_answers=min_answers),
        threads=threads,
    )
    known = read_key(reading.key) if reading.key else None
    most = ANY_SCORE if Asked.of(model, known, None).polytomous else 1
    answers = reading.read(log, known, quiet=quiet, flagged="drop", max_score=most)
    found = _fit(answers, known, model, options, priors=priors, errors=errors, quiet=quiet)
    opinion = _ask(compare, found, answers, quiet=quiet)
    # Files first: whoever reads our output may close the pipe at any line.
    for line in outputs.write(found, dry_run=dry_run):
        talk.say(line, quiet)
    if as_json:
        print_json(found, opinion)
    else:
        print_text(found, opinion)
    talk.next_step(next_command(log, output, reading.words()), quiet)
    _end(found, gates)


def _refuse(outputs: Outputs) -> None:
    """Places where nothing can be written, before the work."""
    refuse_output("--output", outputs.bank, (".json", ".csv"))
    refuse_output("--items", outputs.items)
    refuse_output("--result", outputs.result)
    refuse_folder("--plots", outputs.plots)


def _fit(
    answers: ResponseLog,
    known: ItemKey | None,
    model: str | None,
    options: CalibrationOptions,
    *,
    priors: bool,
    errors: ErrorMethod,
    quiet: bool,
) -> Calibration:
    from issmp_calibration import Priors, calibrate
    from issmp_calibration.warmup import announce_compilation
    from issmp_cat.cli import talk

    announce_compilation("fit", quiet=quiet)
    with talk.progress("fitting", quiet=quiet) as advance:
        return calibrate(
            answers,
            model=model,
            key=known,
            priors=None if priors else Priors(),
            standard_errors=errors is not ErrorMethod.none,
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


def _end(found: Calibration, gates: list[Gate]) -> None:
    """Leave with the exit code that the result deserves.

    Raises:
        GateFailed: a condition was missed.
        NotConverged: an item has not settled, and no condition asked for that.
    """
    from issmp_cat.cli.gates import require
    from issmp_cat.errors import NotConverged

    require(gates, found.figures)
    if not found.converged:
        raise NotConverged(found.reason)

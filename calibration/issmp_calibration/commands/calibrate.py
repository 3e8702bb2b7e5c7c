"""``issmp-cat calibrate``: from a response log to a calibrated item bank."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from issmp_calibration.commands.fitting import FitOptions
from issmp_calibration.commands.outputs import refuse_folder, refuse_output
from issmp_calibration.commands.reading import LogOptions, reads_log, takes
from issmp_calibration.log.options import JsonOption, QuietOption

if TYPE_CHECKING:
    from distributed import Client

    from issmp_calibration.commands.calibrate_output import Outputs
    from issmp_calibration.commands.repeating import Task
    from issmp_calibration.girth_opinion import GirthOpinion
    from issmp_calibration.log import ItemKey, LogStore
    from issmp_calibration.result import Calibration
    from issmp_cat.cli.gates import Gate
    from issmp_cat.responses import ResponseLog

__all__ = ["command"]


class Peer(StrEnum):
    """Who may give a second opinion."""

    girth = "girth"


LogArgument: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="LOG",
        help="Response log: .csv, .csv.gz, .tsv or .parquet, long or wide. Several files of one kind are read as one.",
        show_default=False,
    ),
]
OutputOption: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the item bank here (.json, or .csv), and its manifest.")
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
RepeatOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="MANIFEST", help="Make this calibration again, from the same files; exit code 5 if a bit differs."
    ),
]
DryRunOption: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")]
ThreadsOption: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Threads; all processors by default. Results do not change.")
]
ClusterOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Scheduler of a Dask cluster, such as tcp://host:8786, whose workers do the passes over a store.",
    ),
]


@reads_log
@takes("fitting", FitOptions)
def command(
    reading: LogOptions,
    fitting: FitOptions,
    log: LogArgument = None,
    output: OutputOption = None,
    bank_id: NameOption = None,
    items: ItemsOption = None,
    result: ResultOption = None,
    plots: PlotsOption = None,
    compare: CompareOption = None,
    gate: GateOption = None,
    repeat: RepeatOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    dry_run: DryRunOption = False,
    threads: ThreadsOption = None,
    cluster: ClusterOption = None,
) -> None:
    """Calibrate items by marginal maximum likelihood and write the item bank.

    Each item gets a verdict: use, hold or retire, with reasons; what has no parameters, or is to be retired, is left
    out of the bank. If an item has not settled, everything is written all the same and the exit code is 4.

    Examples:
      issmp-cat calibrate responses.csv.gz --key key.csv -o bank.json

      issmp-cat calibrate responses.parquet --model 3pl -o bank.json --plots plots --gate strict

      issmp-cat calibrate essays.csv --model gpcm -o bank.json --gate "use>=0.95" --gate "max_se_b<=0.3"

      issmp-cat calibrate responses.csv --candidates candidates.csv --groups country -o bank.json

      issmp-cat calibrate tryout.csv --key key.csv --fixed bank.json -o larger.json

      issmp-cat calibrate wide.csv --model rasch --compare girth

      issmp-cat calibrate --repeat bank.manifest.json
    """
    from issmp_calibration.commands.calibrate_output import Outputs, next_command, print_json, print_text
    from issmp_calibration.commands.clustering import workers_of
    from issmp_calibration.commands.repeating import check_repeated, make_manifest, take_up
    from issmp_calibration.gate_figures import read_gates
    from issmp_calibration.log import read_key
    from issmp_cat.cli import talk

    task = take_up(log, reading, fitting, repeat)
    outputs = Outputs(output, bank_id, items, result, plots)
    _refuse(outputs)
    gates = read_gates(gate or [], errors=task.fitting.with_errors)
    known = read_key(task.reading.key) if task.reading.key else None
    answers = _answers(task, known, whole=compare is not None, quiet=quiet)
    with workers_of(cluster) as client:
        found = _fit(answers, known, task, threads, client, quiet=quiet)
    for line in found.provenance["note"][len(answers.note) :]:  # of candidates without a group
        talk.say(line, quiet)
    opinion = _ask(compare, found, answers, quiet=quiet)
    # Files first: whoever reads our output may close the pipe at any line.
    for line in outputs.write(found, make_manifest(found, task), dry_run=dry_run):
        talk.say(line, quiet)
    if as_json:
        print_json(found, opinion)
    else:
        print_text(found, opinion)
    if task.repeated is not None:
        check_repeated(task.repeated, found, quiet=quiet)
    talk.next_step(next_command(found, task.log, output, task.reading.words()), quiet)
    _end(found, gates)


def _answers(task: Task, known: ItemKey | None, *, whole: bool, quiet: bool) -> ResponseLog | LogStore:
    """The log; a store stays on disk, unless all of it is wanted in memory."""
    from issmp_calibration.commands.reading import refuse_reading
    from issmp_calibration.stored_codes import store_of
    from issmp_cat.cli import talk

    if store := store_of(task.log):
        for line in (*refuse_reading(store.folder, task.reading), *(known.note if known else ())):
            talk.say(line, quiet)
        if not whole:
            talk.say(store.summary(), quiet)
            return store
    return task.reading.read(task.log, known, quiet=quiet, flagged="drop", max_score=task.fitting.highest(known))


def _refuse(outputs: Outputs) -> None:
    """Places where nothing can be written, before the work."""
    refuse_output("--output", outputs.bank, (".json", ".csv"))
    refuse_output("--items", outputs.items)
    refuse_output("--result", outputs.result)
    refuse_folder("--plots", outputs.plots)


def _fit(
    answers: ResponseLog | LogStore,
    known: ItemKey | None,
    task: Task,
    threads: int | None,
    cluster: Client | None,
    *,
    quiet: bool,
) -> Calibration:
    from issmp_calibration import calibrate
    from issmp_calibration.warmup import announce_compilation
    from issmp_cat.cli import talk

    settings = task.fitting.settings(threads, cluster)
    announce_compilation("fit", quiet=quiet)
    with talk.progress("fitting", quiet=quiet) as advance:
        return calibrate(answers, key=known, progress=lambda _: advance(1), **settings)


def _ask(peer: Peer | None, found: Calibration, answers: ResponseLog | LogStore, *, quiet: bool) -> GirthOpinion | None:
    """The second opinion, if one is wanted."""
    from issmp_cat.responses import ResponseLog

    if peer is None or not isinstance(answers, ResponseLog):
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
    from issmp_cat.cli.gates import missed_gates
    from issmp_cat.errors import GateFailed, NotConverged

    missed = missed_gates(gates, found.figures)
    if missed:
        late = [] if found.converged else [found.reason]
        raise GateFailed("\n  ".join([f"{len(missed)} of {len(gates)} thresholds missed:", *missed, *late]))
    if not found.converged:
        raise NotConverged(found.reason)

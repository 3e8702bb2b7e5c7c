"""``issmp-cat check``: read a response log, say what was understood, and what deserves a look."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issmp_calibration.commands.outputs import refuse_output
from issmp_calibration.commands.reading import LogOptions, reads_log
from issmp_calibration.log.options import JsonOption, LogArgument, QuietOption

if TYPE_CHECKING:
    from issmp_calibration.log.audit import DesignAudit
    from issmp_calibration.log.key import ItemKey
    from issmp_calibration.log.overview import Overview
    from issmp_calibration.log.report import DataReport
    from issmp_calibration.log.statistics import ClassicalStatistics

__all__ = ["command"]

FEWEST_TO_FIT = 30  # answers; of adaptive logs, items with fewer keep the others from settling


@reads_log
def command(
    log: LogArgument,
    reading: LogOptions,
    bank: Annotated[Path | None, typer.Option(help="Item bank that knows the items; takes the place of --key.")] = None,
    every_item: Annotated[bool, typer.Option("--all", help="List every item, not only the flagged ones.")] = False,
    options_of: Annotated[
        list[str] | None, typer.Option("--options", metavar="ITEM", help="Show who chose which option. Repeatable.")
    ] = None,
    items: Annotated[Path | None, typer.Option(help="Write the statistics of all items to this CSV file.")] = None,
    dropped: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every row that was dropped or changed, with line and reason, as CSV."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Check a response log before anything is fitted to it.

    Says what was understood and what was dropped, counts what is there, describes test and items by classical
    statistics, audits the design (are all items connected, how firmly, what decided who saw which), and names the
    items and candidates that deserve a look. Bad input is told line by line, all at once, with exit code 3.

    Examples:
      issmp-cat check responses.csv.gz --key key.csv --candidates candidates.csv

      issmp-cat check responses.csv.gz --key key.csv --dropped dropped.csv

      issmp-cat check responses.csv.gz --key key.csv --options S021

      issmp-cat check scored.parquet --json > check.json

      issmp-cat check wide.csv --key key.csv --omitted-code 8 --all
    """
    from issmp_calibration.log import classical_statistics
    from issmp_calibration.log.audit import audit_design
    from issmp_calibration.log.detect import refuse_missing
    from issmp_calibration.log.overview import overview
    from issmp_calibration.log.tell import refuse_options
    from issmp_calibration.warmup import announce_compilation

    refuse_output("--items", items)
    refuse_output("--dropped", dropped)
    refuse_missing([*log, *(path for path in (reading.key, bank, reading.candidates) if path)])
    announce_compilation("check", quiet=quiet)
    known, remarks = _items(reading.key, bank)
    read = reading.read(log, known, quiet=True, dropped=dropped)
    refuse_options(read, options_of or [])
    statistics = classical_statistics(read, known)
    view, audit = overview(read, statistics), audit_design(read)
    if as_json:
        _print_json(view, statistics, read.report, audit)
    else:
        _print(view, statistics, read.report, audit, remarks, options_of or [], every_item=every_item)
    if items:
        _write_items(items, statistics)
    if not quiet:
        again = [*reading.words(key=reading.key or bank), *_to_settle(audit)]
        _talk(log, again, [path for path in (items, dropped) if path])


def _items(key: Path | None, bank: Path | None) -> tuple[ItemKey | None, list[str]]:
    """What is known of the items, and what key and bank do not have in common."""
    from issmp_calibration.log import read_key
    from issmp_calibration.log.faults import some

    if not key or not bank:
        path = key or bank
        return (read_key(path) if path else None), []
    known, banked = read_key(key), read_key(bank)
    new = [item for item in known.items if item not in banked.index]
    return known, [f"{len(new):,} items of {known.name} are not in {banked.name} ({some(new)})"] if new else []


def _print(
    view: Overview,
    statistics: ClassicalStatistics,
    report: DataReport,
    audit: DesignAudit,
    remarks: list[str],
    options_of: list[str],
    *,
    every_item: bool,
) -> None:
    from rich.console import Console

    from issmp_calibration.log.tell import tell, tell_options

    console = Console(highlight=False, emoji=False)
    tell(console, view, statistics, report, audit, remarks, every_item=every_item)
    for item in options_of:
        tell_options(console, statistics, item)


def _print_json(view: Overview, statistics: ClassicalStatistics, report: DataReport, audit: DesignAudit) -> None:
    import dataclasses
    import json

    by_item = {
        item: {**numbers, "flags": [dataclasses.asdict(flag) for flag in flags]}
        for (item, numbers), flags in zip(statistics.by_item().items(), statistics.flags, strict=True)
    }
    plain = {
        "log": view.to_dict(),
        "data_report": report.to_dict(),
        "design": audit.to_dict(),
        "test": statistics.test.to_dict(),
        "item_rest": statistics.rest._asdict(),
        "items": by_item,
    }
    print(json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False))


def _write_items(path: Path, statistics: ClassicalStatistics) -> None:
    from issmp_cat.files import atomic_write

    with atomic_write(path) as handle:
        statistics.frame.to_csv(handle, index=False, lineterminator="\n")


def _to_settle(audit: DesignAudit) -> list[str]:
    """What ``calibrate`` needs for an adaptive log in which some items have a handful of answers."""
    route = audit.routing
    adaptive = route.verdict == "by_answers" or (route.verdict == "unknown" and not isnan(route.between))
    few = any(n < FEWEST_TO_FIT for n in audit.fewest.values())
    return ["--min-to-fit", str(FEWEST_TO_FIT)] if few and adaptive else []


def _talk(log: list[Path], again: list[str], written: list[Path]) -> None:
    """What was written and what to do next, on stderr."""
    import shlex

    for path in written:
        typer.echo(f"wrote {path}", err=True)
    words = ["issmp-cat", "calibrate", *map(str, log), *again, "-o", "bank.json"]
    typer.echo(f"next: {shlex.join(words)}", err=True)

"""``issmp-cat store``: a response log larger than memory, as a folder that fits read from disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issmp_calibration.commands.reading import LogOptions, reads_log
from issmp_calibration.log.options import JsonOption, LogArgument, QuietOption

if TYPE_CHECKING:
    from issmp_calibration.log import LogStore

__all__ = ["command"]

UNITS = {"m": 20, "g": 30}


@reads_log
def command(
    log: LogArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The new folder.")],
    reading: LogOptions,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory to use beside the program itself, such as 512M or 4G.")
    ] = "1G",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Read a response log of any size into a folder of shards on disk, at constant memory.

    Everything is read, judged and reported as by check, and flagged candidates are left out as by calibrate. Times and
    positions are not kept; answers without a score are counted only. The folder appears when it is complete: an
    interrupted one goes on where it stopped if it is given again. Up to 16 bytes of disk a row are needed meanwhile.

    Examples:
      issmp-cat store responses-*.parquet --key key.csv -o answers

      issmp-cat store responses.csv.gz --key key.csv --memory 512M -o answers
    """
    from issmp_calibration.log.detect import refuse_missing
    from issmp_calibration.log.storing import Room, refuse_store, store_as
    from issmp_calibration.warmup import announce_compilation
    from issmp_cat.cli import talk

    room = Room(memory=_bytes(memory))
    refuse_store(output)
    refuse_missing([*log, *(path for path in (reading.key, reading.candidates) if path)])
    announce_compilation("check", quiet=quiet)
    talk.keep(f"no store was written; if {output}.partial is there, the same command goes on from it")
    done = 0.0
    with talk.progress("storing", total=2.0, quiet=quiet) as advance:

        def tell(doing: str, so_far: int, of: int) -> None:
            nonlocal done
            now = so_far / max(of, 1) + (doing == "sorting")
            advance(now - done)
            done = now

        store = store_as(log, output, reading.reading(flagged="drop"), room, tell)
    for line in store.note:
        talk.say(line, quiet)
    _print(store, as_json=as_json)
    talk.say(f"wrote {output}", quiet)
    talk.next_step(f"issmp-cat calibrate {output} -o bank.json", quiet)


def _bytes(size: str) -> int:
    """A size as typed.

    Raises:
        UsageError: no size.

    >>> _bytes("512M"), _bytes("1.5 GiB")
    (536870912, 1610612736)
    """
    from issmp_cat.errors import UsageError

    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([mg])(i?b)?\s*", size.lower())
    if not found:
        raise UsageError(f'--memory "{size}": expected a size such as 512M or 4G')
    return int(float(found[1]) * (1 << UNITS[found[2]]))


def _print(store: LogStore, *, as_json: bool) -> None:
    """What is in the store."""
    from issmp_cat.cli import talk

    if not as_json:
        print(store.summary())
        return
    numbers = {"persons": store.n_persons, "items": store.n_items, "answers": store.n_answers}
    talk.print_json(
        {"store": str(store.folder), **numbers, "shards": len(store.answers.shards), "report": store.report}
    )

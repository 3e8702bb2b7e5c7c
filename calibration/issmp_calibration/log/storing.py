"""Write a store at constant memory: read the rows once, deal them out to shards, sort shard by shard.

On disk meanwhile: 8 bytes a row as they are read, and once more as they are dealt out. Beside the shard that is worked
on, memory holds some 100 bytes a candidate and what DuckDB is allowed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_calibration.log.duplicates import settle_duplicates
from issmp_calibration.log.judge import Judged, Reading, judge, understand
from issmp_calibration.log.key import ItemKey, read_key
from issmp_calibration.log.names import Columns
from issmp_calibration.log.people import join_candidates, personal_columns
from issmp_calibration.log.plan import Plan, made_from, write_plan
from issmp_calibration.log.raw import Source, count, open_raw
from issmp_calibration.log.reasons import by_duplicate
from issmp_calibration.log.report import make_report
from issmp_calibration.log.roster import roster
from issmp_calibration.log.rules import Attempts, Duplicates, Omitted, Rules, Shape
from issmp_calibration.log.shards import TwiceError, part_path, write_shard
from issmp_calibration.log.spill import ROW_BYTES, Spill, deal
from issmp_calibration.log.store import LogStore
from issmp_cat.errors import ResponseLogError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Progress", "Room", "refuse_store", "store_as", "write_store"]

GIB = 1 << 30
LEAST = 256 << 20
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What is being done, how far it is, and of how much.
Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, slots=True)
class Room:
    """How much memory to use.

    Attributes:
        memory: bytes, for everything but the interpreter and its libraries (some 200 MiB).
        answers: of a shard at most, unless one candidate has more; what is sorted at a time.
    """

    memory: int = GIB
    answers: int = 8_000_000

    def __post_init__(self) -> None:
        if self.memory < LEAST:
            raise UsageError(f"memory {self.memory >> 20} MiB: expected {LEAST >> 20} MiB or more")
        if self.answers < 1:
            raise UsageError(f"answers of a shard {self.answers}: expected 1 or more")

    @property
    def database(self) -> int:
        """DuckDB's share, bytes."""
        return self.memory * 2 // 5


def write_store(
    source: Source,
    folder: str | Path,
    *,
    key: str | Path | pd.DataFrame | ItemKey | Any | None = None,
    candidates: str | Path | pd.DataFrame | None = None,
    shape: Shape | None = None,
    columns: Columns | None = None,
    omitted: Omitted = "wrong",
    duplicates: Duplicates = "error",
    attempts: Attempts = "first",
    rules: Rules | None = None,
    room: Room | None = None,
    progress: Progress | None = None,
) -> LogStore:
    """Read a log of any size into a folder of shards, at constant memory.

    Everything is read, judged and reported as by ``read_log``; times and positions are not kept, and answers without a
    score are counted only. The folder appears when it is complete. An interrupted call goes on where it stopped if it
    is made again.

    Args:
        source: a path, several paths of one kind, or a data frame.
        folder: where the store shall stand; must not exist.
        key, candidates, shape, columns, omitted, duplicates, attempts, rules: as for ``read_log``.
        room: how much memory to use.
        progress: called with what is being done, how far it is, and of how much.

    Raises:
        ResponseLogError: every fault of the source, each with its line; or a disk that is too full.
        UsageError: the folder exists.
    """
    reading = Reading(key, candidates, shape, columns, omitted, duplicates, attempts, rules or Rules())
    return store_as(source, folder, reading, room, progress)


def store_as(
    source: Source, folder: str | Path, how: Reading, room: Room | None = None, progress: Progress | None = None
) -> LogStore:
    """Write a store; see :func:`write_store`."""
    folder, room = Path(folder), room or Room()
    tell = progress or (lambda *_: None)
    refuse_store(folder)
    items = None if how.key is None else read_key(how.key)
    fingerprint = made_from(source, items, how, room.answers)
    work = folder.with_name(f"{folder.name}.partial")
    with _disk(folder, work):
        plan = Plan.resume(work, fingerprint) or _read(work, source, items, how, room, fingerprint, tell)
        try:
            _write_shards(plan, tell)
        except TwiceError:
            plan = _read(work, source, items, how, room, fingerprint, tell, settle=True)
            _write_shards(plan, tell)
        plan.finish()
        work.rename(folder)
    return LogStore.open(folder)


def refuse_store(folder: Path) -> None:
    """Stop before the work if a store cannot be written here.

    Raises:
        UsageError: it exists, or the folder above is not there or cannot be written to.
    """
    if folder.exists():
        raise UsageError(f"{folder} exists already; a store is written to a new folder")
    if not folder.parent.is_dir():
        raise UsageError(f"{folder}: there is no folder {folder.parent}; make it first")
    if not os.access(folder.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{folder}: {folder.parent} cannot be written to")


@contextlib.contextmanager
def _disk(folder: Path, work: Path) -> Iterator[None]:
    """Say what a full disk means."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL and "requested and" not in str(error):  # numpy's own words, without a number
            raise
        kept = "what is done is kept, and the same command goes on from there" if work.exists() else "nothing is left"
        words = f"the disk is full ({error.strerror or error}); no store was written, {kept}"
        raise ResponseLogError(str(folder), [words]) from error


def _read(
    work: Path,
    source: Source,
    items: ItemKey | None,
    how: Reading,
    room: Room,
    fingerprint: str,
    tell: Progress,
    *,
    settle: bool = False,
) -> Plan:
    """Read all rows and write down what is to be done with them; nothing is left if that fails.

    Args:
        work: the folder to work in; what is there is deleted.
        source: the log.
        items: the item file.
        how: the arguments of ``read_log``.
        room: memory.
        fingerprint: of all that.
        tell: progress.
        settle: whether candidates are known to have answered an item twice.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        with open_raw(source, scratch=work, memory=room.database) as raw:
            layout, notes, removals = understand(raw, items, how)
            rows = count(raw, "SELECT count(*) FROM raw") * (len(layout.items) or 1)
            _refuse_disk(work, rows)
            spill = Spill(work)
            settled: list[str] = []
            if settle:
                judged = judge(raw, layout, items, how, lambda _: None)
                settled = settle_duplicates(raw, judged.on, how.duplicates, how.rules)
                spill.write(judged.stream.read, lambda done: tell("reading", done, rows))
                removals += by_duplicate(raw)
            else:
                found: list[Judged] = []
                spill.write(
                    lambda take: found.append(judge(raw, layout, items, how, take)),
                    lambda done: tell("reading", done, rows),
                )
                judged = found[0]
            removals = [*removals, *judged.removals]
            persons, place = roster(raw.con, judged.stream.people)
            candidates, unused = personal_columns(judged.stream, layout, place)
            used = int(judged.stream.count[judged.book.rank >= 0].sum())
            report = make_report(raw, removals, used, wide=layout.shape == "wide")
        joined, told = join_candidates(how.candidates, persons) if how.candidates is not None else ({}, [])
        index = {"note": [*notes, *judged.note, *settled, *unused, *told], "report": report.to_dict()}
        return write_plan(
            work, fingerprint, judged.book, persons, place, spill, candidates | joined, room.answers, index
        )
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _refuse_disk(work: Path, rows: int) -> None:
    """Stop before the work if there is no room for it on the disk."""
    needed, free = 2 * ROW_BYTES * rows, shutil.disk_usage(work).free
    if needed > free:
        words = (
            f"{needed / GIB:,.1f} GiB of disk are needed while {rows:,} rows are sorted, {free / GIB:,.1f} are free; "
            "make room, or write the store to another disk"
        )
        raise ResponseLogError(str(work.parent), [words])


def _write_shards(plan: Plan, tell: Progress) -> None:
    """Deal out the rows, unless that is done, and write the shards that are not there yet."""
    n = plan.n_shards
    if not plan.dealt:
        deal(Spill(plan.folder), plan.rank, plan.place, plan.shard, [part_path(plan.folder, k) for k in range(n)])
        plan.mark_dealt()
    for number in range(n):
        tell("sorting", number, n)
        if not plan.has(number):
            persons = int(plan.bounds[number]), int(plan.bounds[number + 1])
            plan.add(number, *write_shard(plan.folder, number, plan.coding, persons))
    tell("sorting", n, n)

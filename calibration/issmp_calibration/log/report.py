"""The data report: what was dropped or changed when a log was read, and why, to the row."""

# ruff: noqa: S608 - every name in these queries is our own

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_calibration.log.faults import counted
from issmp_calibration.log.lines import lines_of, site
from issmp_calibration.log.raw import Raw, count
from issmp_calibration.log.removals import Action, Removal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DataReport", "ReportLine", "make_report", "write_dropped"]

FIRST = 5  # rows named of each rule
DETAIL = 20_000_000  # in longer logs, rules that need another pass over every row are counted only
FAR = 2_000_000  # rows farther down a text file are named by their number: finding their line takes reading up to it
WHOLE_ROWS = ("flagged", "attempt", "duplicate")  # rules that meet all cells of a row of a wide table


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One rule and the rows it met.

    Attributes:
        rule: its name, for programs.
        action: dropped, changed, kept or noted.
        rows: rows of the source; of a wide table fewer than answers. None where they were not counted.
        answers: answers, likewise.
        candidates: candidates, likewise.
        first: where the first of them stand.
        words: what was done and why, for people.
    """

    rule: str
    action: Action
    rows: int | None
    answers: int | None
    candidates: int | None
    first: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class DataReport:
    """What happened to the rows of a source on their way into a log.

    Attributes:
        source: its name.
        rows: rows in it.
        used: answers in the log.
        lines: rule by rule, in the order in which the rules were applied.
    """

    source: str
    rows: int
    used: int
    lines: tuple[ReportLine, ...]

    @property
    def removed(self) -> bool:
        """Whether anything was dropped or changed."""
        return any(line.action in {"dropped", "changed"} for line in self.lines)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a rule."""
        import pandas as pd

        columns = ["rule", "action", "rows", "answers", "candidates", "first", "words"]
        frame = pd.DataFrame([asdict(line) for line in self.lines], columns=columns)
        whole = ["rows", "answers", "candidates"]
        return frame.assign(first=[", ".join(line.first) for line in self.lines]).astype(dict.fromkeys(whole, "Int64"))

    def summary(self) -> str:
        """Dropped and changed answers in one line."""
        said = [f"{self.source}: {counted(self.rows, 'row')}, {counted(self.used, 'answer')} used"]
        met = {
            action: [f"{line.rule} {line.answers or 0:,}" for line in self.lines if line.action == action]
            for action in ("dropped", "changed", "kept")
        }
        return "; ".join([*said, *(f"{action}: {', '.join(parts)}" for action, parts in met.items() if parts)])

    __repr__ = summary

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        lines = [asdict(line) | {"first": list(line.first)} for line in self.lines]
        return {"source": self.source, "rows": self.rows, "used": self.used, "lines": lines}


def make_report(raw: Raw, removals: Sequence[Removal], used: int, *, wide: bool) -> DataReport:
    """Count the rows of every rule, and find the first of each.

    Args:
        raw: the open source with its views.
        removals: the rules at work.
        used: answers in the log.
        wide: whether a row of the source is a candidate.
    """
    rows = count(raw, "SELECT count(*) FROM raw")
    lines = tuple(_line(raw, removal, rows, wide=wide) for removal in removals)
    return DataReport(raw.where, rows, used, tuple(line for line in lines if line.answers != 0))


def _line(raw: Raw, removal: Removal, rows: int, *, wide: bool) -> ReportLine:
    """Rows, answers and candidates that a rule met."""
    rule, action, words, query, answers = removal
    if not query or (answers is not None and rows > DETAIL and not wide):
        return ReportLine(rule, action, None if wide else answers, answers, None, (), words)
    counts = f"SELECT count(DISTINCT (__file, __row)), count(*), count(DISTINCT candidate) FROM ({query})"
    met = raw.con.execute(counts).fetchone() or (0, 0, 0)
    first = f"SELECT DISTINCT __file, __row FROM ({query}) ORDER BY ALL LIMIT {FIRST}"
    places = [(int(file), int(row)) for file, row in raw.con.execute(first).fetchall()]
    return ReportLine(rule, action, int(met[0]), int(met[1]), int(met[2]), _sites(raw, places), words)


def _sites(raw: Raw, places: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Lines of a text file where they can be found soon, rows elsewhere."""
    near = [place for place in places if place[1] <= FAR]
    line = lines_of(raw, near)[0]
    return tuple(site(raw, place[0], line.get(place, place[1]), known=place in line) for place in places)


def write_dropped(raw: Raw, removals: Sequence[Removal], path: Path, *, wide: bool) -> int:
    """Write every row that was dropped or changed: file, line, candidate, item, action, rule, reason.

    Returns:
        How many lines were written.
    """
    import csv

    from issmp_cat.files import atomic_write

    found = []
    for rule, action, words, query, _ in removals:
        if query and action in {"dropped", "changed"}:
            item = "''" if wide and rule in WHOLE_ROWS else "item::VARCHAR"
            rows = raw.con.execute(
                f"SELECT DISTINCT __file, __row, candidate::VARCHAR, {item} FROM ({query}) ORDER BY ALL"
            ).fetchall()
            found += [
                ((int(file), int(row)), who or "", what or "", action, rule, words) for file, row, who, what in rows
            ]
    found.sort(key=lambda row: row[0])
    line = lines_of(raw, [place for place, *_ in found])[0]
    with atomic_write(path) as handle:
        out = csv.writer(handle, lineterminator="\n")
        out.writerow(["file", "line", "candidate", "item", "action", "rule", "reason"])
        out.writerows([raw.names[place[0]], line.get(place, place[1]), *rest] for place, *rest in found)
    return len(found)

"""From record numbers to the lines of a text file, for the few that a message names."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Collection
from typing import TypeAlias

from issmp_calibration.log.detect import TextTable, open_text
from issmp_calibration.log.raw import Raw

__all__ = ["Place", "lines_of", "physical_lines", "site"]

Place: TypeAlias = tuple[int, int]  # file and row


def physical_lines(
    text: TextTable, rows: Collection[int], rejected: Collection[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Find the line on which each record starts.

    Args:
        text: the file.
        rows: accepted rows, counted from 1 without header, blank lines and rejected records.
        rejected: rejected records, counted with header (1) and blank lines.

    Returns:
        Line of each row and line of each rejected record. Records run over lines where a quoted cell holds a line
        break, so neither is simple arithmetic.
    """
    wanted, refused = set(rows), set(rejected)
    at_row: dict[int, int] = {}
    at_reject: dict[int, int] = {}
    row, line = 0, 0
    # A cell too long for Python's reader ends the walk; what lies behind it is named by its record.
    with open_text(text.path, errors="replace") as handle, contextlib.suppress(csv.Error):
        reader = csv.reader(handle, delimiter=text.delimiter)
        for record, cells in enumerate(reader, 1):
            start, line = line + 1, reader.line_num
            if record in refused:
                at_reject[record] = start
            elif cells and record > 1:
                row += 1
                if row in wanted:
                    at_row[row] = start
            if len(at_row) == len(wanted) and len(at_reject) == len(refused):
                break
    return at_row, at_reject


def lines_of(raw: Raw, places: Collection[Place]) -> tuple[dict[Place, int], dict[Place, int]]:
    """Physical lines of rows and of rejected records, file by file; nothing for what is no text file."""
    rows: dict[Place, int] = {}
    rejects: dict[Place, int] = {}
    for file, text in enumerate(raw.texts):
        wanted = {row for where, row in places if where == file}
        refused = {reject.record for reject in raw.rejects if reject.file == file}
        if wanted or refused:
            at_row, at_reject = physical_lines(text, wanted, refused)
            rows |= {(file, row): line for row, line in at_row.items()}
            rejects |= {(file, record): at_reject.get(record, record) for record in refused}
    return rows, rejects


def site(raw: Raw, file: int, line: int, *, known: bool = True) -> str:
    """Where something stands: a line of a text file, a row of anything else or where its line is not known."""
    prefix = f"{raw.names[file]}, " if len(raw.names) > 1 else ""
    return f"{prefix}{'line' if raw.texts and known else 'row'} {line}"

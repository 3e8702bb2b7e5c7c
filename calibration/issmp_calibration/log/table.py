"""Small tables (keys, candidates): all cells as text, with the line each row stands on."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from issmp_calibration.log.detect import TextTable, is_parquet, open_text, text_table
from issmp_calibration.log.faults import Faults
from issmp_cat.errors import ResponseLogError

__all__ = ["Table", "read_table"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text: ``cells[name][row]``; ``lines[row]`` is where the row stands in its file."""

    name: str
    names: tuple[str, ...]
    cells: dict[str, list[str]]
    lines: tuple[int, ...]

    def column(self, accepted: Sequence[str]) -> list[str] | None:
        """The first column under one of the accepted names, whatever its case."""
        lower = {name.lower(): name for name in reversed(self.names)}
        return next((self.cells[lower[name]] for name in accepted if name in lower), None)


def read_table(source: Any, what: str) -> Table:
    """Read a delimited file or a data frame as text.

    Raises:
        ResponseLogError: not a text table, or rows with another number of fields than the header.
    """
    if not isinstance(source, str | Path):
        return _from_frame(source, what)
    path = Path(source)
    if is_parquet(path, ResponseLogError):
        raise ResponseLogError(path.name, [f"the {what} is read from CSV, not from Parquet"])
    text = text_table(path, ResponseLogError)
    rows, lines = _rows(text)
    cells = {name: [row[k] for row in rows] for k, name in enumerate(text.header)}
    return Table(path.name, text.header, cells, lines)


def _rows(text: TextTable) -> tuple[list[list[str]], tuple[int, ...]]:
    """Stripped cells of every row, and the line it ends on.

    Raises:
        ResponseLogError: no rows, or every row that has another number of fields than the header.
    """
    faults, rows, lines = Faults(), [], []
    line, width = 1, len(text.header)
    try:
        with open_text(text.path) as handle:
            reader = csv.reader(handle, delimiter=text.delimiter)
            next(reader)
            for cells in reader:
                line = reader.line_num
                if cells and len(cells) != width:
                    faults.add("broken rows", f"line {line}: {len(cells)} fields; the header has {width}", line=line)
                elif cells:
                    rows.append([cell.strip() for cell in cells])
                    lines.append(line)
    except (csv.Error, EOFError, OSError, zlib.error) as fault:
        faults.add("unreadable", f"after line {line}: {fault}")
    except UnicodeDecodeError:
        faults.add("encoding", f"after line {line}: not UTF-8 text; save the file as UTF-8")
    if not rows and not faults.told:
        faults.add("empty", "a header and no rows")
    faults.check(text.path.name, ResponseLogError)
    return rows, tuple(lines)


def _from_frame(frame: Any, what: str) -> Table:
    """A data frame's cells as text, missing ones empty; rows count from 1."""
    filled = frame.astype(object).where(frame.notna(), "")
    names = tuple(str(name) for name in frame.columns)
    cells = {name: [str(cell).strip() for cell in filled.iloc[:, k]] for k, name in enumerate(names)}
    return Table(what, names, cells, tuple(range(1, len(frame) + 1)))

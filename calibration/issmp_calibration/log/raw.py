"""Any source as one DuckDB relation ``raw``: its own columns, and ``__file`` and ``__row`` to name faults by."""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from issmp_calibration.log.arrow import SETTINGS, StreamError
from issmp_calibration.log.detect import TextTable, check_names, is_parquet, text_table
from issmp_cat.errors import MissingExtra, ResponseLogError, UsageError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["Raw", "Reject", "Source", "count", "open_raw", "paths_of", "quoted", "stamps"]

Source: TypeAlias = "str | Path | Sequence[str | Path] | pd.DataFrame"


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is no row: ``record`` counts the header as 1."""

    file: int
    record: int
    error: str
    text: str


@dataclass(frozen=True, slots=True)
class Raw:
    """An open source.

    Attributes:
        con: the connection that holds the relation ``raw``.
        where: the source's name, for messages.
        types: DuckDB's type of each column.
        texts: the delimited files it was read from; empty for Parquet and frames, whose rows count from 1.
        names: the files' names.
        rejects: rows that could not be split into columns.
    """

    con: duckdb.DuckDBPyConnection
    where: str
    types: dict[str, str]
    names: tuple[str, ...]
    texts: tuple[TextTable, ...] = ()
    rejects: list[Reject] = field(default_factory=list)


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def count(raw: Raw, query: str) -> int:
    """The one number that a query gives; nothing counts as 0."""
    rows = raw.con.execute(query).fetchall()  # all of them: a result half read bars the connection
    return int(rows[0][0] or 0) if rows else 0


def _literal(text: object) -> str:
    """An SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


@contextlib.contextmanager
def open_raw(source: Source, *, scratch: Path | None = None, memory: int | None = None) -> Iterator[Raw]:
    """Open a path, several paths, or a data frame; everything temporary is gone afterwards.

    Args:
        source: what to open.
        scratch: where DuckDB keeps what does not fit into memory; the system's temporary folder if not given.
        memory: how much DuckDB may use, bytes; most of the machine's if not given.

    Raises:
        ResponseLogError: nothing there, not what its name says, files whose columns differ, or that changed meanwhile.
        KeyboardInterrupt: Ctrl-C, which DuckDB reports as an error of a query.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise MissingExtra("reading response logs", "calibration") from None
    paths = paths_of(source)
    where = ", ".join(path.name for path in paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    where = where or "data frame"
    before = stamps(paths)
    with tempfile.TemporaryDirectory(prefix="issmp-cat-", dir=scratch) as folder:
        con = duckdb.connect(str(Path(folder) / "log.duckdb"))
        try:
            for setting in (*SETTINGS, *(_within(memory) if memory else ())):
                con.execute(setting)
            yield _fill(con, source, paths, where)
        except (duckdb.InterruptException, RuntimeError, StreamError) as error:
            if "interrupted" in str(error).lower():  # Ctrl-C, in DuckDB's own words
                raise KeyboardInterrupt from None
            if isinstance(error, StreamError):
                _refuse_changed(paths, before, where)
                raise ResponseLogError(where, [_unreadable(str(error), memory)]) from error
            raise
        except (duckdb.DataError, duckdb.OperationalError, duckdb.InvalidInputException) as error:
            _refuse_changed(paths, before, where)
            raise ResponseLogError(where, [_unreadable(str(error), memory)]) from error
        finally:
            con.close()
    _refuse_changed(paths, before, where)


def stamps(paths: Sequence[Path]) -> list[tuple[str, int, int]]:
    """Full name, size and time of change of files; what is not there is left out."""
    found = [(path.resolve(), path.stat()) for path in paths if path.is_file()]
    return [(str(path), known.st_size, known.st_mtime_ns) for path, known in found]


def _refuse_changed(paths: Sequence[Path], before: list[tuple[str, int, int]], where: str) -> None:
    """Stop if a file is no longer what it was when it was opened."""
    after = set(stamps(paths))
    changed = [Path(stamp[0]).name for stamp in before if stamp not in after]
    if changed:
        raise ResponseLogError(where, [f"{name} changed while it was read; read it again" for name in changed])


def _within(memory: int) -> tuple[str, ...]:
    """Settings for little memory: each of DuckDB's threads needs some."""
    return (f"SET memory_limit = '{memory >> 20}MiB'", f"SET threads = {min(4, os.cpu_count() or 1)}")


def _unreadable(said: str, memory: int | None) -> str:
    """What DuckDB found wrong with a file as a whole, or with the place to read it in."""
    if "GZIP stream" in said:
        return "the gzip stream is damaged or cut off"
    if "No space left" in said or "max_temp_directory_size" in said:
        return f"the disk is full: {said.splitlines()[0]}"
    if "Out of Memory" in said and memory:
        return f"needs more than the {memory >> 20:,} MiB that DuckDB may use here; allow more memory"
    return f"cannot be read: {said.splitlines()[0]}"


def paths_of(source: Source) -> list[Path]:
    """The files of a source, none for a frame."""
    if isinstance(source, str | Path):
        return [Path(source)]
    if isinstance(source, Sequence):
        if not source:
            raise ResponseLogError("response log", ["no files given"])
        return [Path(path) for path in source]
    if not hasattr(source, "columns"):
        kind = type(source).__name__
        raise UsageError(f"a response log is a path, several paths, a data frame or a ResponseLog; got {kind}")
    return []


def _fill(con: duckdb.DuckDBPyConnection, source: Source, paths: Sequence[Path], where: str) -> Raw:
    """Make ``raw`` from whatever the source is."""
    if not paths:
        return _frame(con, source, where)
    kinds = [is_parquet(path, ResponseLogError) for path in paths]
    if all(kinds):
        return _parquet(con, paths, where)
    if any(kinds):
        raise ResponseLogError(where, ["Parquet and text files together; give one kind at a time"])
    return _text(con, paths, where)


def _types(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Column types of ``raw``."""
    return {
        name: str(kind) for name, kind, *_ in con.execute("DESCRIBE raw").fetchall() if name not in {"__file", "__row"}
    }


def _frame(con: duckdb.DuckDBPyConnection, frame: Any, where: str) -> Raw:
    """A data frame; its index is not read."""
    check_names(where, [str(name) for name in frame.columns], ResponseLogError)
    if not len(frame):
        raise ResponseLogError(where, ["a frame without rows"])
    # Handed categoricals, DuckDB 2.0 now and then reads a label as the empty text: they go in as plain values.
    plain = {name: object for name, kind in frame.dtypes.items() if str(kind) == "category"}
    con.register("frame", frame.astype(plain).rename(columns=str))
    types = {name: str(kind) for name, kind, *_ in con.execute("DESCRIBE frame").fetchall()}
    cells = ", ".join(
        f"nullif(trim({quoted(name)}), '') AS {quoted(name)}" if kind == "VARCHAR" else quoted(name)
        for name, kind in types.items()
    )
    con.execute(f"CREATE TABLE raw AS SELECT {cells}, 0 AS __file, row_number() OVER () AS __row FROM frame")
    return Raw(con, where, _types(con), (where,))


def _parquet(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], where: str) -> Raw:
    """Parquet files, read where they lie: only the columns asked for, as often as asked."""
    names = [
        [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM read_parquet({_literal(path)})").fetchall()]
        for path in paths
    ]
    check_names(where, names[0], ResponseLogError)
    _same_columns(paths, names)
    files = "[" + ", ".join(_literal(path) for path in paths) + "]"
    index = "list_position(" + files + ", __path) - 1"
    con.execute(
        f"CREATE VIEW raw AS SELECT * EXCLUDE (__path, file_row_number), {index} AS __file, "
        f"file_row_number + 1 AS __row "
        f"FROM read_parquet({files}, filename = '__path', file_row_number = true, union_by_name = true)"
    )
    return Raw(con, where, _types(con), tuple(path.name for path in paths))


def _text(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], where: str) -> Raw:
    """Delimited files, every cell as text, so that a bad cell is a fault of its line and not of the file."""
    texts = tuple(text_table(path, ResponseLogError) for path in paths)
    _same_columns(paths, [list(text.header) for text in texts])
    names = ", ".join(f"{quoted(name)} VARCHAR" for name in texts[0].header)
    con.execute(f"CREATE TABLE raw ({names}, __file INTEGER, __row BIGINT)")
    rejects = []
    for file, text in enumerate(texts):
        con.execute(f"INSERT INTO raw BY NAME {_select_text(text, file)}")
        faults = con.execute("SELECT line, error_type, csv_line FROM reject_errors ORDER BY line").fetchall()
        rejects += [Reject(file, line, kind, row or "") for line, kind, row in faults]
        con.execute("DROP TABLE reject_errors")
        con.execute("DROP TABLE reject_scans")
    return Raw(con, where, _types(con), tuple(path.name for path in paths), texts, rejects)


def _select_text(text: TextTable, file: int) -> str:
    """The query that reads one delimited file, its cells stripped and empty ones NULL."""
    types = ", ".join(f"'c{k}': 'VARCHAR'" for k in range(len(text.header)))
    cells = ", ".join(f"nullif(trim(c{k}), '') AS {quoted(name)}" for k, name in enumerate(text.header))
    return (
        f"SELECT {cells}, {file} AS __file, row_number() OVER () AS __row FROM read_csv({_literal(text.path)}, "
        f"auto_detect = false, header = true, delim = {_literal(text.delimiter)}, quote = '\"', escape = '\"', "
        f"compression = '{text.compression}', columns = {{{types}}}, store_rejects = true, rejects_limit = 100000)"
    )


def _same_columns(paths: Sequence[Path], names: Sequence[Sequence[str]]) -> None:
    """Refuse files that do not hold the same columns."""
    faults = [
        f"{path.name}: columns {', '.join(found)}; {paths[0].name} has {', '.join(names[0])}"
        for path, found in zip(paths, names, strict=True)
        if set(found) != set(names[0])
    ]
    if faults:
        raise ResponseLogError("files that do not fit together", faults)

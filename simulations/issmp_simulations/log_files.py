"""Response logs as files: CSV, gzipped CSV and Parquet, long or wide, a bounded number of rows at a time."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from issmp_cat import ResponseLog
from issmp_cat.errors import MissingExtra, UsageError
from issmp_cat.files import atomic_path
from issmp_cat.responses import NO_OPTION, NO_SCORE

__all__ = ["FORMATS", "write_log"]

# Cells a part: some hundred MB while it is written.
CELLS = 4_000_000

FORMATS = {
    ".csv": "FORMAT csv, HEADER",
    ".csv.gz": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
}


def write_log(log: ResponseLog, path: str | Path, *, wide: bool = False) -> None:
    """Write a log, whole or not at all; the suffix decides: .csv, .csv.gz or .parquet.

    Args:
        log: the answers.
        path: where to.
        wide: a row a candidate and a column an item, instead of a row an answer.

    Raises:
        UsageError: another suffix.
        MissingExtra: duckdb is not installed.
    """
    path = Path(path)
    suffix = next((known for known in FORMATS if path.name.lower().endswith(known)), None)
    if suffix is None:
        raise UsageError(f"{path}: logs are written as {', '.join(FORMATS)}")
    try:
        import duckdb
    except ImportError:
        raise MissingExtra("writing response logs (duckdb)", "all") from None
    parts = _wide(log) if wide else _long(log)
    # Parts go to Parquet first and are then streamed into one file: no more than one part is ever held as a table.
    with (
        atomic_path(path) as temporary,
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as name,
        duckdb.connect() as connection,
    ):
        folder = Path(name)
        for k, part in enumerate(parts):
            connection.register("part", part)
            connection.execute(f"COPY part TO '{_quoted(folder / f'{k:06d}.parquet')}' (FORMAT parquet)")
            connection.unregister("part")
        plain = folder / "all.csv" if suffix == ".csv.gz" else temporary
        source = _quoted(folder / "*.parquet")
        connection.execute(f"COPY (FROM '{source}') TO '{_quoted(plain)}' ({FORMATS[suffix]})")
        if suffix == ".csv.gz":
            _compress(plain, temporary)


def _compress(source: Path, target: Path) -> None:
    """Gzip without a date, so that equal logs are equal files."""
    with (
        source.open("rb") as reading,
        target.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=4, mtime=0) as writing,
    ):
        shutil.copyfileobj(reading, writing, 1 << 20)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _spans(log: ResponseLog, width: int) -> Iterator[tuple[int, int]]:
    """Runs of persons whose answers, or cells, fit a part."""
    people = max(1, CELLS // max(1, width))
    for first in range(0, max(log.n_persons, 1), people):
        yield first, min(first + people, log.n_persons)


def _long(log: ResponseLog) -> Iterator[pd.DataFrame]:
    """Rows of answers: candidate, item, option or score, position, seconds, and the candidates' own columns."""
    mean = log.n_answers / max(log.n_persons, 1)
    for first, last in _spans(log, int(mean) + 1):
        rows = slice(int(log.start[first]), int(log.start[last]))
        person = np.repeat(np.arange(last - first), np.diff(log.start[first : last + 1]))
        columns: dict[str, Any] = {
            "candidate": _labels(person, log.persons[first:last]),
            "item": _labels(log.item[rows], log.items),
        }
        if log.option is not None:
            option = log.option[rows].astype(np.int16)
            columns["option"] = _labels(np.where(option == NO_OPTION, -1, option), np.array(log.options))
        else:
            columns["score"] = pd.arrays.IntegerArray(log.score[rows].copy(), log.score[rows] == NO_SCORE)
        if log.position is not None:
            columns["position"] = log.position[rows]
        if log.unscored is not None:
            columns["item_status"] = np.where(log.unscored[rows], "pretest", "operational")
        if log.seconds is not None:
            columns["seconds"] = np.round(log.seconds[rows].astype(np.float64), 1)
        for name, values in log.candidates.items():
            columns[name] = values[first:last][person]
        yield pd.DataFrame(columns)


def _labels(codes: Any, labels: Any) -> Any:
    """The label of each code; none for −1.

    Plain Python strings, not a pandas categorical: handed categoricals, DuckDB 2.0 now and then writes a label as the
    empty text (16 of 318 logs of 12.5 million rows on a busy machine; none this way).
    """
    names = np.array([*labels.tolist(), None], dtype=object)
    return pd.Series(names[np.asarray(codes)], dtype=object)


def _wide(log: ResponseLog) -> Iterator[pd.DataFrame]:
    """Rows of candidates: a column an item, of options or scores, and the candidates' own columns."""
    if log.option is not None:
        values, names = log.option.astype(np.int16), np.array([*log.options, None], dtype=object)
    else:
        values, names = log.score.astype(np.int16), None
    for first, last in _spans(log, log.n_items):
        rows = slice(int(log.start[first]), int(log.start[last]))
        person = np.repeat(np.arange(last - first), np.diff(log.start[first : last + 1]))
        cells = np.full((log.n_items, last - first), -1, dtype=np.int16)
        cells[log.item[rows], person] = values[rows]
        columns: dict[str, Any] = {"candidate": log.persons[first:last].astype(object)}
        columns |= {name: values_[first:last] for name, values_ in log.candidates.items()}
        for item, column in zip(log.items, cells, strict=True):
            absent = (column < 0) | (column == NO_OPTION)
            if names is None:
                columns[str(item)] = pd.arrays.IntegerArray(np.where(absent, 0, column).astype(np.int8), absent)
            else:
                columns[str(item)] = _labels(np.where(absent, -1, column), names[:-1])
        yield pd.DataFrame(columns)

"""What a table file really is: its kind, its compression, its delimiter, its header."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from issmp_cat.errors import InputRejected, ResponseLogError

__all__ = ["TextTable", "check_names", "is_parquet", "open_text", "refuse_missing", "text_table"]

PARQUET, GZIP = b"PAR1", b"\x1f\x8b"
FOREIGN = {
    b"PK\x03\x04": "a zip or Excel file; save the sheet as CSV",
    b"\xff\xfe": 'UTF-16 text; save it as "CSV UTF-8"',
    b"\xfe\xff": 'UTF-16 text; save it as "CSV UTF-8"',
    b"\xd0\xcf\x11\xe0": "an old Excel file; save the sheet as CSV",
}
DELIMITERS = ",;\t|"
RESERVED = {"__file", "__row", "__path", "file_row_number"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """A delimited text file whose header could be read."""

    path: Path
    compression: Literal["gzip", "none"]
    delimiter: str
    header: tuple[str, ...]


def _head(path: Path, error: type[InputRejected]) -> bytes:
    """The first bytes of a file, or ``error`` saying why there are none."""
    try:
        with path.open("rb") as handle:
            head = handle.read(65_536)
    except FileNotFoundError:
        raise error(str(path), ["no such file"]) from None
    except IsADirectoryError:
        raise error(str(path), ["this is a folder, not a file"]) from None
    except OSError as fault:
        raise error(str(path), [f"cannot be read: {fault.strerror}"]) from None
    if not head.strip():
        raise error(path.name, ["the file is empty"])
    return head


def refuse_missing(paths: Sequence[Path]) -> None:
    """Stop before any work if files or folders are not there, naming all of them.

    Raises:
        ResponseLogError: some are not.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if len(missing) == 1:
        raise ResponseLogError(missing[0], ["no such file"])
    if missing:
        raise ResponseLogError("missing files", [f"{path}: no such file" for path in missing])


def _nature(head: bytes) -> str:
    """What the bytes say a file is, in words."""
    if head.startswith(PARQUET):
        return "a Parquet file"
    if head.startswith(GZIP):
        return "gzip-compressed"
    for magic, words in FOREIGN.items():
        if head.startswith(magic):
            return words
    return "binary" if b"\0" in head else "text"


def is_parquet(path: Path, error: type[InputRejected]) -> bool:
    """Whether to read a file as Parquet; its name and its content must agree.

    Raises:
        InputRejected: no such file, empty, or a file that is not what its name says.
    """
    nature = _nature(_head(path, error))
    suffix = path.suffix.lower()
    parquet = suffix in {".parquet", ".pq"}
    if nature == "a Parquet file" and not parquet:
        raise error(
            path.name, [f"named {suffix or 'without a suffix'}, but it is a Parquet file; rename it to .parquet"]
        )
    if parquet and nature != "a Parquet file":
        raise error(path.name, [f"named {suffix}, but it is {nature}, not Parquet"])
    if suffix == ".gz" and nature != "gzip-compressed":
        raise error(path.name, [f"named .gz, but it is {nature}, not gzip-compressed"])
    if suffix != ".gz" and nature == "gzip-compressed":
        raise error(
            path.name, [f"named {suffix or 'without a suffix'}, but it is gzip-compressed; add .gz to its name"]
        )
    if nature not in {"text", "gzip-compressed", "a Parquet file"}:
        raise error(path.name, [f"not a text table: it is {nature}"])
    return parquet


def open_text(path: Path, *, errors: str = "strict") -> TextIO:
    """A text file, compressed or not, a byte-order mark dropped."""
    return io.TextIOWrapper(_open_bytes(path), encoding="utf-8-sig", errors=errors, newline="")


def _open_bytes(path: Path) -> io.BufferedReader:
    """A file's bytes, decompressed if its name says so."""
    return io.BufferedReader(gzip.GzipFile(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _delimiter(line: str) -> str:
    """The separator that occurs most often in a header; a comma where none does."""
    return max(DELIMITERS, key=lambda mark: (line.count(mark), mark == ","))


def text_table(path: Path, error: type[InputRejected]) -> TextTable:
    """Read the header of a delimited text file.

    Raises:
        InputRejected: damaged compression, another encoding, or a header that names no columns.
    """
    try:
        with _open_bytes(path) as handle:
            lines = handle.readline(1 << 24).decode("utf-8-sig").splitlines()
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise error(path.name, ["the gzip stream is damaged or cut off"]) from None
    except UnicodeDecodeError:
        raise error(path.name, ["line 1: not UTF-8 text; save the file as UTF-8"]) from None
    line = lines[0] if lines else ""
    if "\0" in line:
        raise error(path.name, ["not a text table: it is binary"])
    delimiter = _delimiter(line)
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as fault:
        raise error(path.name, [f"line 1: {fault}"]) from None
    _check_header(path, names, error)
    header = tuple(name or f"Unnamed: {place}" for place, name in enumerate(names))  # as pandas calls them
    return TextTable(path, "gzip" if path.suffix.lower() == ".gz" else "none", delimiter, header)


def _check_header(path: Path, header: Sequence[str], error: type[InputRejected]) -> None:
    """Refuse a header without names, with values in place of names, or with a name twice."""
    if not any(header):
        raise error(path.name, ["line 1 is empty; expected a header with column names"])
    if all(_is_number(name) for name in header):
        raise error(
            path.name, [f'line 1 holds values ("{",".join(header)[:40]}"), not column names; add a header line']
        )
    check_names(path.name, [name for name in header if name], error)


def check_names(where: str, names: Sequence[str], error: type[InputRejected]) -> None:
    """Refuse a column name that appears twice, whatever its case, or that the reader needs for itself."""
    lower = [name.lower() for name in names]
    if taken := [name for name in names if name.lower() in RESERVED]:
        raise error(where, [f'column "{name}" has a name that the reader uses itself; rename it' for name in taken])
    twice = [name for place, name in enumerate(names) if name.lower() in lower[:place]]
    if twice:
        raise error(where, [f'column "{name}" appears twice (capitals do not count)' for name in twice])


def _is_number(text: str) -> bool:
    """Whether a cell is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True

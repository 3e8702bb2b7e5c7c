"""Files are whole or absent: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from issmp_cat.errors import InputRejected

__all__ = ["atomic_path", "atomic_write", "read_json", "read_text", "write_json"]


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; it takes the final name only if the block succeeds.

    Raises:
        InputRejected: the folder does not exist or cannot be written to.
    """
    path = Path(path)
    try:
        # The temporary name keeps the suffixes: writers choose a format by them.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix="".join(path.suffixes))
    except OSError as error:
        raise InputRejected(str(path), [f"cannot write here: {error.strerror}"]) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp's 0600 would surprise whoever shares the folder
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_write(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file for writing that appears under its name only when complete.

    Args:
        path: where the file shall stand.
        mode: ``"w"`` (UTF-8 text) or ``"wb"``.
    """
    encoding = None if "b" in mode else "utf-8"
    with atomic_path(path) as temporary, temporary.open(mode, encoding=encoding) as handle:
        yield handle
        handle.flush()
        os.fsync(handle.fileno())


def write_json(path: str | Path, content: object) -> None:
    """Write JSON as UTF-8 with stable layout: one space of indent, no NaN."""
    with atomic_write(path) as handle:
        json.dump(content, handle, indent=1, ensure_ascii=False, allow_nan=False)
        handle.write("\n")


def read_text(path: str | Path, error: type[InputRejected]) -> str:
    """A file's text, or ``error`` saying why there is none."""
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise error(str(path), ["no such file"]) from None
    except IsADirectoryError:
        raise error(str(path), ["this is a folder, not a file"]) from None
    except UnicodeDecodeError as fault:
        raise error(str(path), [f"not a UTF-8 text file (byte {fault.start})"]) from None
    except OSError as fault:
        raise error(str(path), [f"cannot be read: {fault.strerror}"]) from None


def read_json(path: str | Path, error: type[InputRejected]) -> Any:
    """A JSON file's content, or ``error`` with line and column of the fault."""
    text = read_text(path, error)
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        problem = "the file is empty" if not text.strip() else f"line {fault.lineno}, column {fault.colno}: {fault.msg}"
        raise error(str(path), [f"not JSON: {problem}"]) from None

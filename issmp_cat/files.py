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

    A file that is replaced keeps its permissions.

    Raises:
        InputRejected: the folder does not exist or cannot be written to, or the name is taken by something that is
            not a file.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise InputRejected(str(path), ["cannot write here: this is not a file"])
        # The temporary name keeps the suffixes: writers choose a format by them.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix="".join(path.suffixes))
    except OSError as error:
        raise InputRejected(str(path), [f"cannot write here: {error.strerror}"]) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else _usual_mode())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _usual_mode() -> int:
    """What a new file gets: mkstemp's 0600 would surprise whoever shares the folder."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


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
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            twice.extend(sorted({name for k, (name, _) in enumerate(pairs) if name in dict(pairs[:k])}))
        return content

    try:
        content = json.loads(text, object_pairs_hook=once)
        if "\\ud" in text.lower():  # half of a surrogate pair can be read, but never written again
            json.dumps(content, ensure_ascii=False).encode()
    except json.JSONDecodeError as fault:
        problem = "the file is empty" if not text.strip() else f"line {fault.lineno}, column {fault.colno}: {fault.msg}"
        raise error(str(path), [f"not JSON: {problem}"]) from None
    except UnicodeEncodeError:
        raise error(str(path), ["a text holds half a character (an unpaired surrogate)"]) from None
    except RecursionError:
        raise error(str(path), ["not JSON that anyone wrote: nested too deeply"]) from None
    except ValueError:
        raise error(str(path), ["a number has more than 4300 digits"]) from None
    if twice:
        raise error(str(path), [f'"{name}" stands twice in one object' for name in dict.fromkeys(twice)])
    return content

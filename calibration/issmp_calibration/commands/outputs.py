"""Where a command shall write: refused before the work, not after it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

__all__ = ["refuse_folder", "refuse_output"]


def refuse_output(option: str, path: Path | None, suffixes: Sequence[str] = ()) -> None:
    """Stop if a file cannot be written.

    Args:
        option: what it was given by, for the message.
        path: the file, or None for none.
        suffixes: the formats there are; empty for any name.

    Raises:
        UsageError: a folder that is missing or cannot be written to, a folder in the file's place, another suffix.
    """
    from issmp_cat.errors import UsageError

    if path is None:
        return
    if suffixes and path.suffix.lower() not in suffixes:
        raise UsageError(f"{option} {path}: expected a name that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise UsageError(f"{option} {path}: this is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {path}: {path.parent} cannot be written to")


def refuse_folder(option: str, path: Path | None) -> None:
    """Stop if a folder cannot be made.

    Raises:
        UsageError: a file stands in its way, or the folder above cannot be written to.
    """
    from issmp_cat.errors import UsageError

    if path is None:
        return
    for place in (path, *path.parents):
        if place.exists():
            if not place.is_dir():
                raise UsageError(f"{option} {path}: {place} is a file; give the name of a folder")
            if not os.access(place, os.W_OK | os.X_OK):
                raise UsageError(f"{option} {path}: {place} cannot be written to")
            return

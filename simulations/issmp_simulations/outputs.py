"""Whether results can be written where they shall go: asked before the work, not after."""

from __future__ import annotations

import os
from pathlib import Path

from issmp_cat.errors import InputRejected

__all__ = ["require_file_place", "require_folder_place"]


def require_folder_place(path: Path) -> None:
    """Check that a folder is there or can be made; nothing is made.

    Raises:
        InputRejected: a file is in the way, or the folder above cannot be written to.
    """
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists() or place.is_symlink())
    if not nearest.is_dir():
        where = "there is a file" if nearest == path else f"{nearest} is a file"
        raise InputRejected(str(path), [f"cannot make this folder: {where}"])
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputRejected(str(path), [f"cannot make this folder: {nearest} cannot be written to"])


def require_file_place(path: Path) -> None:
    """Check that a file can be written; nothing is written.

    Raises:
        InputRejected: a folder has this name, or its own folder is missing or cannot be written to.
    """
    folder = path.absolute().parent
    if path.is_dir():
        raise InputRejected(str(path), ["cannot write here: this is a folder"])
    if not folder.is_dir():
        raise InputRejected(str(path), [f"cannot write here: there is no folder {path.parent}"])
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputRejected(str(path), [f"cannot write here: {path.parent} cannot be written to"])

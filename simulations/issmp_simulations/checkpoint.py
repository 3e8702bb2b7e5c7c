"""Finished parts of a study on disk, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_cat.errors import InputRejected
from issmp_cat.files import atomic_path, read_json, write_json

__all__ = ["Checkpoint"]

FORMAT, FORMAT_VERSION = "issmp-cat/study-checkpoint", 1


class Checkpoint:
    """A folder with one file for each finished part, and one that says of which study.

    Args:
        folder: made when it does not exist.
        study: everything the results depend on; a folder of another study is refused.

    Raises:
        InputRejected: the folder holds another study, or cannot be written to.
    """

    def __init__(self, folder: str | Path, study: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputRejected(str(folder), [f"cannot make this folder: {error.strerror}"]) from error
        card = self.folder / "study.json"
        wanted = {"format": FORMAT, "format_version": FORMAT_VERSION, **study}
        if card.exists():
            found = read_json(card, InputRejected)
            problems = [
                f"{name} was {found.get(name)!r} and is now {wanted.get(name)!r}"
                for name in sorted({*wanted, *found})
                if found.get(name) != wanted.get(name)
            ]
            if problems:
                raise InputRejected(f"{folder}: the checkpoint of another study", problems)
        else:
            write_json(card, wanted)

    def _path(self, first: int, count: int) -> Path:
        return self.folder / f"exams-{first:010d}-{count}.npz"

    def load(self, first: int, count: int) -> dict[str, NDArray[Any]] | None:
        """The part that holds ``count`` candidates from ``first`` on; None when it is not there or not whole."""
        path = self._path(first, count)
        if not path.exists():
            return None
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as parts:
                return {name: parts[name] for name in parts.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None  # a damaged part is computed again

    def save(self, first: int, count: int, parts: Mapping[str, NDArray[Any]]) -> None:
        """Keep a part; it appears whole or not at all."""
        with atomic_path(self._path(first, count)) as temporary, temporary.open("wb") as handle:
            arrays: dict[str, Any] = dict(parts)
            np.savez(handle, **arrays)

"""What a calibration was made from, to the bit, so that it can be made again."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from issmp_calibration.provenance import versions
from issmp_cat.errors import InputRejected
from issmp_cat.files import read_json, write_json

if TYPE_CHECKING:
    from issmp_calibration.result import Calibration

__all__ = ["Manifest", "file_hash", "machine", "manifest_of", "result_hash"]

FORMAT, FORMAT_VERSION = "issmp-cat/calibration-manifest", 1
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """A calibration's inputs, settings and outcome.

    Attributes:
        arguments: options of the command, as typed or by default, without those that change no number.
        files: by role (log, key, candidates, …) the files read: path, bytes, sha256.
        answers: hash of the scored answers as they went in.
        versions: of all that computes; ``machine``: operating system and processor family.
        settings: model, grid, priors, thresholds, as used.
        seed: none is needed: nothing is drawn.
        result: hash of parameters, covariances and log likelihood, every bit of them.
        bank_version: of the bank that was written; None if none was.
    """

    arguments: Mapping[str, Any]
    files: Mapping[str, Sequence[Mapping[str, Any]]]
    answers: str
    versions: Mapping[str, str]
    machine: str
    settings: Mapping[str, Any]
    result: str
    bank_version: str | None = None
    seed: None = None

    def save(self, path: str | Path) -> None:
        """Write it as JSON; paths of files are kept relative to it."""
        folder = Path(path).absolute().parent
        files = {
            role: [{**entry, "path": os.path.relpath(entry["path"], folder)} for entry in entries]
            for role, entries in self.files.items()
        }
        content = {name: getattr(self, name) for name in self.__slots__} | {"files": files}
        write_json(path, {"format": FORMAT, "format_version": FORMAT_VERSION, **content})

    @classmethod
    def load(cls, path: str | Path) -> Manifest:
        """Read it; paths become relative to the working directory again.

        Raises:
            InputRejected: not a manifest, or of another version.
        """
        content = read_json(path, InputRejected)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise InputRejected(str(path), [f'not a calibration manifest: "format" should be "{FORMAT}"'])
        version = content.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise InputRejected(str(path), [f"format_version {version!r} is not read here, only {FORMAT_VERSION}"])
        folder = Path(path).parent
        try:
            content["files"] = {
                role: [{**entry, "path": str(folder / entry["path"])} for entry in entries]
                for role, entries in content["files"].items()
            }
            return cls(**content)
        except (KeyError, TypeError, AttributeError) as fault:
            raise InputRejected(str(path), [f"not a calibration manifest: {fault}"]) from None

    def paths(self, role: str) -> list[Path]:
        """The files of a role."""
        return [Path(entry["path"]) for entry in self.files.get(role, ())]

    def changed_files(self) -> list[str]:
        """A line about every file that is not what it was; none if all are the same, byte for byte."""
        faults = []
        for role, entries in self.files.items():
            for entry in entries:
                path = Path(entry["path"])
                if not path.exists():
                    faults.append(f"{role} {path}: no such file")
                elif (found := file_hash(path))["sha256"] != entry["sha256"]:
                    faults.append(
                        f"{role} {path}: other content: {found['bytes']:,} bytes, sha256 {found['sha256'][:12]}…; "
                        f"it had {entry['bytes']:,} bytes, sha256 {entry['sha256'][:12]}…"
                    )
        return faults

    def changed_versions(self) -> list[str]:
        """A line about every program whose version is another now."""
        now = {**versions(), "machine": machine()}
        then = {**self.versions, "machine": self.machine}
        return [
            f"{name} {now.get(name, 'missing')}, then {then.get(name, 'missing')}"
            for name in sorted(now.keys() | then.keys())
            if now.get(name) != then.get(name)
        ]


def manifest_of(
    found: Calibration,
    *,
    arguments: Mapping[str, Any],
    files: Mapping[str, Sequence[Path]],
    bank_version: str | None = None,
) -> Manifest:
    """The manifest of a calibration.

    Args:
        found: the result.
        arguments: options that would make it again.
        files: by role what was read.
        bank_version: of the bank that was made of it.
    """
    kept = ("options", "grid", "note")
    return Manifest(
        arguments=arguments,
        files={role: [file_hash(path) for path in paths] for role, paths in files.items() if paths},
        answers=found.provenance["input"],
        versions=found.provenance["versions"],
        machine=machine(),
        settings={"model": found.model, "priors": dict(found.priors), **{n: found.provenance.get(n) for n in kept}},
        result=result_hash(found),
        bank_version=bank_version,
    )


def result_hash(found: Calibration) -> str:
    """Hash of all that was estimated: equal only if every bit is."""
    digest = hashlib.sha256()
    table = found.items
    digest.update("\n".join(map(str, (*table.item, *table.names))).encode())
    for values in (table.parameters, table.covariance, table.linear, table.linear_errors):
        # NaN has many forms; only where it stands is told.
        digest.update(np.isnan(values).tobytes())
        digest.update(np.ascontiguousarray(np.nan_to_num(values) + 0.0).tobytes())
    for group in found.groups:
        digest.update(np.array([group.mean, group.sd]).tobytes() + np.ascontiguousarray(group.assumed).tobytes())
    digest.update(np.array([found.log_likelihood, found.log_prior]).tobytes())
    return digest.hexdigest()


def file_hash(path: str | Path) -> dict[str, Any]:
    """A file's path, length and SHA-256, read in pieces; of a folder all its files and their names."""
    digest, length, place = hashlib.sha256(), 0, Path(path)
    inside = sorted(part for part in place.rglob("*") if part.is_file()) if place.is_dir() else [place]
    for part in inside:
        if part != place:
            digest.update(part.relative_to(place).as_posix().encode())
        with part.open("rb") as handle:
            while block := handle.read(BLOCK):
                digest.update(block)
                length += len(block)
    return {"path": str(path), "bytes": length, "sha256": digest.hexdigest()}


def machine() -> str:
    """What besides versions can change the last bit: operating system and processor family."""
    return f"{platform.system()} {platform.machine()}"

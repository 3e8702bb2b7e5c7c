"""A calibration as the command takes it up: from its options, or once more from a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

from issmp_calibration.commands.fitting import FitOptions
from issmp_calibration.commands.reading import LogOptions
from issmp_calibration.manifest import Manifest, manifest_of, result_hash
from issmp_calibration.result import Calibration
from issmp_cat.cli import talk
from issmp_cat.errors import GateFailed, InputRejected, UsageError

__all__ = ["Task", "check_repeated", "make_manifest", "take_up"]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be calibrated.

    Attributes:
        log: files of answers.
        reading: how they are read; ``fitting``: what is estimated.
        repeated: the calibration that is made again, None for a new one.
    """

    log: list[Path]
    reading: LogOptions
    fitting: FitOptions
    repeated: Manifest | None = None


def take_up(log: list[Path] | None, reading: LogOptions, fitting: FitOptions, repeat: Path | None) -> Task:
    """The task that the options describe.

    Raises:
        UsageError: no log, or with ``--repeat`` options that would change the outcome.
        InputRejected: with ``--repeat``, files that are not what they were.
    """
    if repeat is None:
        if not log:
            raise UsageError("a response log is needed: issmp-cat calibrate LOG …, or --repeat MANIFEST")
        return Task(log, reading, fitting)
    manifest = Manifest.load(repeat)
    _refuse_others(log, reading, fitting)
    if faults := manifest.changed_files():
        raise InputRejected(str(repeat), [*faults, "a repetition needs the very same files"])
    for line in manifest.changed_versions():
        talk.warn(f"other version: {line}; the last bits may differ")
    try:
        return Task(
            manifest.paths("log"),
            LogOptions(**_typed(manifest, LogOptions)),
            _fit_options(_typed(manifest, FitOptions)),
            manifest,
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise InputRejected(str(repeat), [f"its options are not those of this version: {fault}"]) from None


def _refuse_others(log: list[Path] | None, reading: LogOptions, fitting: FitOptions) -> None:
    """With ``--repeat`` everything that changes the outcome comes from the manifest."""
    changed = [
        f"--{option.name.replace('_', '-')}"
        for options in (reading, fitting)
        for option in fields(options)
        if getattr(options, option.name) != option.default
    ]
    if log:
        changed.insert(0, "LOG")
    if changed:
        raise UsageError(f"--repeat takes the log and its options from the manifest: leave out {', '.join(changed)}")


def _typed(manifest: Manifest, options: type[Any]) -> dict[str, Any]:
    """Values of the options of this class; of those that name a file, where it stands."""
    known = {option.name for option in fields(options)}
    typed = {name: value for name, value in manifest.arguments.items() if name in known}
    return typed | {role: manifest.paths(role)[0] for role in manifest.files if role in known}


def _fit_options(typed: Mapping[str, Any]) -> FitOptions:
    """Plain words back into the options' own enumerations."""
    plain = FitOptions()
    kinds = {name: type(getattr(plain, name)) for name in typed}
    return replace(
        plain, **{name: kinds[name](value) if issubclass(kinds[name], Enum) else value for name, value in typed.items()}
    )


def make_manifest(found: Calibration, task: Task) -> Manifest:
    """What the calibration was made from."""
    arguments: dict[str, Any] = {}
    files = {"log": task.log}
    for source in (task.reading, task.fitting):
        for option in fields(source):
            value = getattr(source, option.name)
            if isinstance(value, Path):
                files[option.name] = [value]
            else:
                arguments[option.name] = value.value if isinstance(value, Enum) else value
    return manifest_of(found, arguments=arguments, files=files)


def check_repeated(manifest: Manifest, found: Calibration, *, quiet: bool) -> None:
    """Say whether the calibration came out the same.

    Raises:
        GateFailed: it did not, to the last bit.
    """
    if found.provenance["input"] != manifest.answers:
        raise GateFailed("not repeated: the same files gave other answers: the reading of logs has changed since")
    if result_hash(found) != manifest.result:
        others = "; ".join(manifest.changed_versions()) or "with the same versions"
        raise GateFailed(f"not repeated to the last bit: parameters, errors or log likelihood differ ({others})")
    talk.say("repeated: the same to the last bit", quiet)

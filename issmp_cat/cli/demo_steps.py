"""The demo's steps: each is a command of this tool, run in order, kept when nothing it rests on has changed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from issmp_cat import __version__
from issmp_cat.cli.registry import build_command
from issmp_cat.errors import InputRejected, IssmpError
from issmp_cat.files import atomic_write, read_json, write_json

__all__ = ["CANDIDATES", "SEED", "STATE", "Diary", "Size", "Step", "run_step", "steps"]

STATE, FORMAT = "demo.json", "issmp-cat/demo"
SEED = 20250601
CANDIDATES = {"weak": -1.5, "borderline": -0.3, "strong": 1.2}
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Size:
    """How big the demo is."""

    bank: str = "1500"
    persons: int = 5_000
    answers: int = 125
    simulated: int = 100_000


@dataclass(frozen=True, slots=True)
class Step:
    """One command: what it is for, its arguments, what it writes; ``capture`` names the file that keeps its stdout."""

    title: str
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    capture: str | None = None

    @property
    def line(self) -> str:
        """The command as a person would type it in the demo's folder."""
        return " ".join(("issmp-cat", *self.arguments)) + (f" > {self.capture}" if self.capture else "")


def steps(size: Size) -> tuple[Step, ...]:
    """The whole loop, in order."""

    def step(title: str, line: str, *outputs: str, capture: str | None = None) -> Step:
        return Step(title, tuple(line.split()), (*outputs, *((capture,) if capture else ())), capture)

    log = f"--persons {size.persons} --answers {size.answers} --seed {SEED} -o log.parquet --key key.csv"
    exam = "take --exam issmp --bank bank.json --truth true-bank.json"
    many = f"--exam issmp -n {size.simulated} --seed {SEED} --plots plots/simulation -o study.json"
    candidates = [
        step(
            f"{label} candidate takes the exam",
            f"{exam} --simulee {theta:g} --candidate {label} --seed {n} --json",
            capture=f"{label}.json",
        )
        for n, (label, theta) in enumerate(CANDIDATES.items(), start=1)
    ]
    return (
        step("make a bank", f"sample bank {size.bank} --model 2pl -o true-bank.json", "true-bank.json"),
        step("make a response log", f"sample log --bank true-bank.json {log}", "log.parquet", "key.csv"),
        step("check the log", "check log.parquet --key key.csv --json", capture="check.json"),
        step(
            "calibrate the log",
            "calibrate log.parquet --key key.csv --model 2pl -o bank.json --plots plots/calibration",
            "bank.json",
            "plots/calibration",
        ),
        step("check the bank", "bank check bank.json --json", capture="bank-check.json"),
        step("check the exam", "exam check issmp --bank bank.json --json", capture="exam-check.json"),
        *candidates,
        step(
            f"simulate {size.simulated:,} candidates",
            f"simulate --bank bank.json --truth true-bank.json {many}",
            "study.json",
            "plots/simulation",
        ),
    )


@dataclass(slots=True)
class Diary:
    """What is finished: by step its command, seconds, and hashes of what it wrote. Kept in the demo's folder."""

    folder: Path
    sources: str
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Diary:
        """The folder's diary, without what another version of the program wrote."""
        from issmp_cat.compiled import cache_folder

        diary = cls(folder, f"{__version__} {cache_folder().name}")
        path = folder / STATE
        if path.exists():
            content = read_json(path, InputRejected)
            if not isinstance(content, Mapping) or content.get("format") != FORMAT:
                raise InputRejected(str(path), [f'not a demo: "format" should be "{FORMAT}"'])
            if content.get("sources") == diary.sources:
                diary.done = dict(content.get("steps", {}))
        return diary

    def holds(self, step: Step) -> bool:
        """Whether the step was finished by the same command and its files are as it left them."""
        entry = self.done.get(step.title, {})
        return entry.get("command") == step.line and entry.get("outputs") == self._hashes(step)

    def note(self, step: Step, seconds: float) -> None:
        """Write down that a step is finished; later steps rest on it, so theirs are void."""
        titles = list(self.done)
        later = titles[titles.index(step.title) :] if step.title in titles else []
        for title in later:
            del self.done[title]
        self.done[step.title] = {"command": step.line, "seconds": round(seconds, 2), "outputs": self._hashes(step)}
        self.write()

    def write(self) -> None:
        """Put the diary into its folder, which marks it as a demo's."""
        content = {"format": FORMAT, "version": __version__, "sources": self.sources, "steps": self.done}
        write_json(self.folder / STATE, content)

    def _hashes(self, step: Step) -> dict[str, str]:
        return {name: file_hash(self.folder / name) for name in step.outputs}


def file_hash(path: Path) -> str:
    """Twelve hex digits of a file's or folder's SHA-256; empty when it is not there."""
    if not path.exists():
        return ""
    digest = hashlib.sha256()
    for part in sorted(path.rglob("*")) if path.is_dir() else [path]:
        digest.update(part.relative_to(path.parent).as_posix().encode() + part.read_bytes())
    return digest.hexdigest()[:12]


def run_step(step: Step, folder: Path) -> float:
    """Run one command inside the demo's folder, as if it had been typed there; return the seconds it took.

    Raises:
        IssmpError: whatever the command raises.
        KeyboardInterrupt: it was interrupted.
    """
    began = time.perf_counter()
    out = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        code = build_command().main([*step.arguments, *_quiet(step)], prog_name="issmp-cat", standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code:
            raise IssmpError(f"{step.line}: ended with exit code {code}")
        if step.capture:
            json.loads(out.getvalue())
            with atomic_write(step.capture) as handle:
                handle.write(out.getvalue())
    return time.perf_counter() - began


def _quiet(step: Step) -> tuple[str, ...]:
    """The demo shows progress by itself."""
    return () if "--quiet" in step.arguments else ("--quiet",)

"""Run a study design by design; what is done is kept, and an interrupted study goes on from there."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from issmp_cat import Exam, ItemBank, __version__
from issmp_cat.arrays import Bools
from issmp_cat.compiled import cache_folder
from issmp_cat.errors import InputRejected
from issmp_cat.exposure import ExposureTable
from issmp_cat.files import atomic_path, read_json, write_json
from issmp_simulations.exposure import calibrate_exposure
from issmp_simulations.population import Population
from issmp_simulations.run import Design, Progress
from issmp_simulations.sources import open_any_bank
from issmp_simulations.studies.definition import DesignTable, Study
from issmp_simulations.studies.oracle import oracle_row
from issmp_simulations.studies.row import Row, compared, decided_rightly, row_of
from issmp_simulations.study import CALIBRATION, simulate

__all__ = ["Step", "Watch", "run_study", "steps_of"]

Watch: TypeAlias = Callable[["Step", int, int], AbstractContextManager[Progress]]
"""Entered as a design begins, with its number and how many there are; gives what is called after each part of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One design on one bank."""

    id: str
    design: DesignTable
    exam: Exam
    bank_name: str
    bank: ItemBank
    n: int


def steps_of(study: Study, folder: Path, n: int | None = None, only: str | None = None) -> list[Step]:
    """All designs on all their banks, ready to run: whatever is wrong with one of them is told before any work.

    Args:
        study: the study; ``folder``: where its exams and banks may lie.
        n: candidates a design, instead of the study's own number.
        only: take the designs whose id begins so, and the reference.

    Raises:
        InputRejected, ExamError, BankError, BlueprintInfeasible: what is wrong with a design.
    """
    steps = []
    for design in study.designs:
        banks = design.banks or study.banks
        exam = study.exam_of(design, folder)
        for name in banks:
            id_ = design.id if len(banks) == 1 else f"{design.id}@{name}"
            if only is not None and not id_.startswith(only) and design.id != study.reference:
                continue
            beside = folder / name
            bank = open_any_bank(str(beside) if beside.is_file() else name)
            steps.append(Step(id_, design, exam, name, bank, n or design.candidates or study.candidates))
    if not steps:
        raise InputRejected(study.id, [f'no design begins with "{only}"'])
    return steps


def run_study(
    study: Study,
    steps: list[Step],
    parts: Path,
    *,
    threads: int | None = None,
    watch: Watch | None = None,
) -> Iterator[Row]:
    """Simulate the designs; rows come as they are done.

    Args:
        study: the study; ``steps``: its designs, see :func:`steps_of`.
        parts: folder that keeps finished designs and parts of the one at work. What the figures depend on is in the
            file names, the program's sources included: nothing out of date is taken.
        threads: how many exams run at once; the figures do not depend on it.
        watch: told what is at work.
    """
    reference: dict[str, Bools] = {}
    for number, step in enumerate(_reference_first(study, steps), start=1):
        with watch(step, number, len(steps)) if watch else nullcontext() as progress:
            row, right = _one(study, step, parts, threads, progress)
        if step.design.id == study.reference:
            reference[step.bank_name] = right
        elif step.bank_name in reference:
            row = replace(row, difference=compared(right, reference[step.bank_name]))
        yield row


def _reference_first(study: Study, steps: list[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: step.design.id != study.reference)


def _one(study: Study, step: Step, parts: Path, threads: int | None, progress: Progress | None) -> tuple[Row, Bools]:
    """A design's row and who was decided rightly: as kept, or simulated now."""
    population = Population(float(study.population.mean), float(study.population.sd))
    design = Design(step.exam, step.bank, step.bank, population, study.seed)
    what = {
        **design.as_dict(),
        "n": step.n,
        "oracle": step.design.oracle,
        "version": __version__,
        "sources": cache_folder().name,
    }
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
    card, bits, checkpoint = (parts / f"{step.id}-{key}{suffix}" for suffix in (".json", ".npy", ".parts"))
    if card.is_file() and bits.is_file():
        row = Row.from_dict(read_json(card, InputRejected))
        if progress is not None:
            progress(step.n, step.n)
        return replace(row, title=step.design.title), _unpacked(bits, step.n)
    if step.design.oracle is not None:
        names = step.id, step.design.title, step.bank_name
        row, right = oracle_row(design, float(step.design.oracle), step.n, names, threads, progress)
        return _kept(card, bits, row, right)
    found = simulate(
        step.exam, step.bank, population,
        n=step.n, seed=study.seed, threads=threads, progress=progress, checkpoint=checkpoint,
        exposure=_exposure_table(study, step, population, parts / f"{step.id}-{key}.exposure", threads),
    )  # fmt: skip
    row, right = row_of(step.id, step.design.title, step.bank_name, found), decided_rightly(found)
    shutil.rmtree(checkpoint)
    return _kept(card, bits, row, right)


def _exposure_table(
    study: Study, step: Step, population: Population, kept: Path, threads: int | None
) -> ExposureTable | None:
    """Who is admitted to which item, where the design controls exposure: as kept, or calibrated now on own draws."""
    if step.exam.exposure.control == "none":
        return None
    file = kept.with_name(f"{kept.name}.json")
    if file.is_file():
        return ExposureTable.load(file)
    seed = study.seed ^ CALIBRATION
    table = calibrate_exposure(step.exam, step.bank, population, seed=seed, threads=threads, checkpoint=kept)
    table.save(file)
    shutil.rmtree(kept)
    return table


def _kept(card: Path, bits: Path, row: Row, right: Bools) -> tuple[Row, Bools]:
    """A design on disk, so that it need not be simulated again."""
    with atomic_path(bits) as temporary:
        np.save(temporary, np.packbits(right))
    write_json(card, row.as_dict())
    return row, right


def _unpacked(path: Path, n: int) -> Bools:
    bits: Any = np.load(path, allow_pickle=False)
    return np.unpackbits(bits, count=n).astype(np.bool_)

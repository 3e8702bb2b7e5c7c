"""One call: exam, bank and population in, evidence out."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from issmp_cat import Exam, ItemBank
from issmp_cat.errors import UsageError
from issmp_cat.exam.exposure import require_table
from issmp_cat.exam.plan import pool_of
from issmp_cat.exam.pretest_plan import pretest_items, pretest_plan
from issmp_cat.exposure import ExposureTable
from issmp_cat.intervals import Z95
from issmp_cat.stopping import REASONS
from issmp_simulations.estimates import mean_of, rmse_of, share_of
from issmp_simulations.population import Population
from issmp_simulations.provenance import provenance_of
from issmp_simulations.result import StudyResult
from issmp_simulations.run import Design, Exams, Progress, run_design
from issmp_simulations.tables import Exposure, PretestUse, bands_of, histogram_of, sample_of, scores_of

__all__ = ["CALIBRATION", "simulate"]

DEFAULT_N = 100_000
# Flips bits of the seed, so that a table is not judged by the candidates that shaped it.
CALIBRATION = 0x5EED


def simulate(
    exam: Exam | str | Path,
    bank: ItemBank | str | Path,
    population: Population | None = None,
    *,
    n: int | None = None,
    seed: int | None = None,
    truth: ItemBank | str | Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
    keep_items: bool = False,
    exposure: ExposureTable | str | Path | None = None,
    seen: Sequence[str] = (),
) -> StudyResult:
    """Give an exam to simulated candidates, through the very code that decides in a real session.

    Args:
        exam: an exam, its file, or the name of one that ships with the package.
        bank: the items, or their file, as the programme knows them.
        population: who sits the exam; that of the bank's metric, without a clock, when not given.
        n: how many candidates: 100,000, or all of a given list.
        seed: all draws follow from it; drawn, and told in the result, when not given.
        truth: a bank of the same items by whose parameters candidates answer; ``bank`` itself when not given.
        threads: how many run at once; all usable cores when not given. The result does not depend on it.
        progress: called with exams done and exams wanted.
        checkpoint: a folder that keeps finished parts; the same call goes on from there.
        keep_items: keep every candidate's items and scores in ``result.exams``.
        exposure: who is admitted to which item, or its file; where the exam asks for control and none is given, a
            table is calibrated first. The result keeps it as ``exposure_table``.
        seen: ids of items that every candidate saw in an earlier attempt; ``[retakes] seen_items`` decides.

    Raises:
        ExamError, BankError: a file is refused, or the banks do not fit each other.
        BlueprintInfeasible: the bank cannot fill the blueprint.
        UsageError: more candidates than the population lists, or another impossible number.

    >>> from issmp_simulations import standard_bank
    >>> study = simulate("issmp", standard_bank("218"), n=500, seed=1)
    >>> study.compliance.violations, study.accuracy.value > 0.9
    (0, True)
    """
    exam = exam if isinstance(exam, Exam) else Exam.load(exam)
    bank = bank if isinstance(bank, ItemBank) else ItemBank.load(bank)
    truth = bank if truth is None else truth if isinstance(truth, ItemBank) else ItemBank.load(truth)
    population = population or Population.of_bank(bank)
    seed = secrets.randbits(32) if seed is None else _checked_seed(seed)
    table = _table_for(exam, bank, population, exposure, seed, threads)
    design = Design(exam, bank, truth, population, seed, table, tuple(seen))
    exams = run_design(
        design,
        _how_many(population, n),
        threads=threads,
        progress=progress,
        checkpoint=checkpoint,
        keep_items=keep_items,
    )
    return summarise(design, exams)


def _table_for(
    exam: Exam,
    bank: ItemBank,
    population: Population,
    exposure: ExposureTable | str | Path | None,
    seed: int,
    threads: int | None,
) -> ExposureTable | None:
    """The table given; where none is and the exam asks for control, one calibrated on draws of its own."""
    if exposure is None and exam.exposure.control != "none":
        from issmp_simulations.exposure import calibrate_exposure

        return calibrate_exposure(exam, bank, population, seed=seed ^ CALIBRATION, threads=threads)
    table = exposure if exposure is None or isinstance(exposure, ExposureTable) else ExposureTable.load(exposure)
    require_table(exam, table)
    return table


def _checked_seed(seed: int) -> int:
    if not 0 <= seed < 2**63:
        raise UsageError(f"seed is {seed}; expected a whole number from 0 to 2⁶³ − 1")
    return seed


def _how_many(population: Population, n: int | None) -> int:
    if population.thetas is None:
        return DEFAULT_N if n is None else n
    if n is not None and n > len(population.thetas):
        raise UsageError(f"n is {n:,}, but the population lists {len(population.thetas):,} abilities")
    return len(population.thetas) if n is None else n


def summarise(design: Design, exams: Exams) -> StudyResult:
    """All figures of a study."""
    cut = design.plan().rule.cut
    n = len(exams.theta)
    passed, above = exams.passed, exams.ability >= cut
    error = exams.theta - exams.ability
    length = mean_of(exams.length.astype(np.float64))
    timed = design.population.clock is not None
    operational = pool_of(design.bank)
    return StudyResult(
        n=n,
        cut=cut,
        pass_rate=share_of(passed),
        true_pass_rate=share_of(above),
        accuracy=share_of(passed == above),
        false_pass=share_of(passed & ~above),
        false_fail=share_of(~passed & above),
        false_pass_rate=share_of(passed[~above]),
        false_fail_rate=share_of(~passed[above]),
        bias=mean_of(error),
        rmse=rmse_of(error),
        mean_se=mean_of(exams.se),
        coverage=share_of(np.abs(error) <= Z95 * exams.se),
        mean_length=length,
        mean_seconds=mean_of(exams.seconds) if timed else None,
        reasons={REASONS[code]: int(np.count_nonzero(exams.reason == code)) for code in REASONS},
        unproven=int(exams.unproven.sum()),
        compliance=exams.compliance,
        exposure=Exposure(
            items=tuple(item.id for item in operational.items),
            domains=tuple(item.domain for item in operational.items),
            counts=tuple(map(int, exams.exposure)),
            n=n,
            length=length.value if length else 0.0,
        ),
        bands=bands_of(exams, cut),
        lengths=histogram_of(exams.length.astype(np.int64)),
        scores=histogram_of(scores_of(design.exam, exams.theta, exams.passed)),
        sample=sample_of(exams),
        provenance=provenance_of(design, n),
        pretest=_pretest_use(design, exams),
        exams=exams,
        exposure_table=design.exposure,
    )


def _pretest_use(design: Design, exams: Exams) -> PretestUse | None:
    """What the unscored slots brought; None when the exam has none."""
    if design.exam.pretest is None:
        return None
    plan = pretest_plan(design.exam, design.bank)
    return PretestUse(
        slots=plan.slots,
        n=len(exams.theta),
        items=tuple(item.id for item in pretest_items(design.bank)),
        counts=tuple(map(int, exams.pretest_exposure)),
        wanted=tuple(map(int, plan.wanted)),
    )

"""Eligibility learnt while candidates come: in epochs, so that nothing depends on who finishes first."""

from __future__ import annotations

import dataclasses

from issmp_cat.errors import UsageError
from issmp_cat.exposure import ExposureTable
from issmp_simulations.exposure.calibrate import untrained_table
from issmp_simulations.exposure.tally import tally
from issmp_simulations.run import Design, Exams, Progress, joined, run_design

__all__ = ["run_online"]


def run_online(
    design: Design,
    n: int,
    *,
    epoch: int = 500,
    first: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Exams, ExposureTable]:
    """Simulate candidates in the order of their numbers; after each epoch the table is learnt anew.

    Candidates of one epoch sit under one table and their counts are whole numbers, so the result does not depend on
    threads. A run may be split where an epoch ends: give the second part the first one's table, and its ``first``.

    Args:
        design: what to simulate; its table is where learning starts, everybody being admitted to everything without.
        n: how many candidates; ``first``: number of the first, a multiple of ``epoch``.
        epoch: candidates an epoch.
        threads: how many exams run at once; ``progress``: called with exams done and exams wanted.

    Returns:
        The exams, with their items, and the table after the last epoch.

    Raises:
        UsageError: the exam does not ask for eligibility control, or the epochs do not fit.
    """
    method = design.exam.exposure.control
    if method != "eligibility":
        raise UsageError(f'exam "{design.exam.id}" has exposure control "{method}"; online it must be "eligibility"')
    if epoch < 1 or first % epoch:
        raise UsageError(f"epochs of {epoch} do not begin at candidate {first}")
    table = design.exposure or untrained_table(design)
    parts: list[Exams] = []
    for start in range(first, first + n, epoch):
        under = dataclasses.replace(design, exposure=table)
        exams = run_design(under, min(epoch, first + n - start), first=start, threads=threads, keep_items=True)
        table = table.learn(tally(under.plan(), exams, design.seed, start))
        parts.append(exams)
        if progress is not None:
            progress(start - first + len(exams.theta), n)
    return joined(parts), table

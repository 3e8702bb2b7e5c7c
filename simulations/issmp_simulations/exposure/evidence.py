"""What fresh candidates meet under an exposure table, and what it costs."""

from __future__ import annotations

import dataclasses
from statistics import NormalDist
from typing import Any

import numpy as np

from issmp_cat.arrays import Floats
from issmp_cat.exposure import Counts, Evidence, ExposureTable
from issmp_simulations.exposure.tally import tally
from issmp_simulations.run import Design, Exams, Progress, run_design

__all__ = ["BINS", "FALSE_ALARM", "assess", "excess", "figures", "reassessed"]

# Items are counted by rate in steps of 0.05.
BINS = np.round(np.arange(0.0, 1.0001, 0.05), 2)
# How often chance alone may make the largest of all rates look too large.
FALSE_ALARM = 0.01


def figures(counts: Counts, exams: Exams, without: Exams, cut: float) -> dict[str, Any]:
    """The figures of an :class:`issmp_cat.exposure.Evidence` that come from fresh candidates.

    Args:
        counts: of the exams; ``exams``: under control.
        without: the same candidates without control.
        cut: θ of the pass mark, logits.
    """
    rates = counts.overall
    n = len(exams.theta)
    used = counts.given.sum(axis=0)
    pairs = float((used * (used - 1.0)).sum())
    banded = len(counts.candidates) > 1
    return {
        "checked": n,
        "largest_rate": float(rates.max()),
        "largest_conditional": tuple(map(float, counts.rates.max(axis=1))) if banded else (),
        "never_used": float(np.mean(used == 0)),
        "overlap": pairs / (n * (n - 1.0)) / float(exams.length.mean()) if n > 1 else 0.0,
        "rmse": _rmse(exams),
        "rmse_without": _rmse(without),
        "accuracy": _accuracy(exams, cut),
        "accuracy_without": _accuracy(without, cut),
        "length": float(exams.length.mean()),
        "length_without": float(without.length.mean()),
        "relaxed": int(exams.relaxed.sum()),
        "histogram": tuple(map(int, np.histogram(rates, bins=BINS)[0])),
    }


def _rmse(exams: Exams) -> float:
    error: Floats = exams.theta - exams.ability
    return float(np.sqrt(np.mean(error * error)))


def _accuracy(exams: Exams, cut: float) -> float:
    return float(np.mean(exams.passed == (exams.ability >= cut)))


def assess(
    design: Design, without: Exams, *, threads: int | None = None, progress: Progress | None = None
) -> tuple[Counts, dict[str, Any]]:
    """Give the exam under the design's table to the candidates of ``without``.

    Args:
        design: with its exposure table.
        without: candidates 0, 1, … of the same design without the table.
        threads: how many run at once; ``progress``: called with exams done and exams wanted.
    """
    exams = run_design(design, len(without.theta), threads=threads, progress=progress, keep_items=True)
    plan = design.plan()
    counts = tally(plan, exams, design.seed, 0)
    return counts, figures(counts, exams, without, plan.rule.cut)


def reassessed(
    design: Design, n: int, *, threads: int | None = None, progress: Progress | None = None
) -> ExposureTable:
    """The design's table with the figures of ``n`` fresh candidates; how it was found stays as it was told.

    Args:
        design: with its exposure table; ``n``: how many candidates.
        threads: how many run at once; ``progress``: called with exams done and exams wanted.
    """
    assert design.exposure is not None, "a design with a table"  # noqa: S101 - narrows the type
    table = design.exposure
    alone = dataclasses.replace(design, exposure=None)

    def second(done: int, _wanted: int) -> None:
        if progress is not None:
            progress(n + done, 2 * n)

    def first(done: int, _wanted: int) -> None:
        if progress is not None:
            progress(done, 2 * n)

    without = run_design(alone, n, threads=threads, progress=first)
    _, found = assess(design, without, threads=threads, progress=second)
    before = table.evidence
    told = {
        "iterations": 0 if before is None else before.iterations,
        "candidates": 0 if before is None else before.candidates,
        "seed": design.seed,
        "population": design.population.describe(),
        "converged": before is not None and before.converged,
        "movement": 0.0 if before is None else before.movement,
        "path": () if before is None else before.path,
    }
    return dataclasses.replace(table, evidence=Evidence(**told, **found))


def excess(table: ExposureTable) -> str | None:
    """By how much the largest rate of fresh candidates exceeds the cap, if by more than chance explains; else None."""
    evidence, cap = table.evidence, table.method.cap
    if evidence is None or cap is None:
        return None
    z = NormalDist().inv_cdf(1.0 - FALSE_ALARM / len(table.items))
    noise = z * (cap * (1.0 - cap) / evidence.checked) ** 0.5
    if evidence.largest_rate <= cap + noise:
        return None
    chance = f"chance alone reaches {cap + noise:.4f} among {len(table.items):,} items in 1 of 100 checks"
    return f"the largest rate is {evidence.largest_rate:.4f}, the cap {cap:g}; {chance}. Calibrate again"

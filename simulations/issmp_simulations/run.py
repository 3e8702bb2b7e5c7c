"""Many exams, in chunks over threads: the same result however they are cut and whoever runs them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from issmp_cat import Exam, Item, ItemBank, __version__
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.errors import BankError, UsageError
from issmp_cat.exam import Plan, begin
from issmp_cat.exam.exposure import plan_under, terms_under
from issmp_cat.exam.overlap import Terms
from issmp_cat.exam.plan import pool_of
from issmp_cat.exam.pretest_plan import pretest_items
from issmp_cat.exposure import ExposureTable
from issmp_cat.irt import Parameters, select
from issmp_simulations.checkpoint import Checkpoint
from issmp_simulations.compliance import Compliance, Rules, count_violations, rules_of, total
from issmp_simulations.kernel import Pace, Records, new_records, run_exams
from issmp_simulations.population import Population
from issmp_simulations.tryout import Tryout, new_tryout, no_tryout

__all__ = ["CHUNK", "Design", "Exams", "Progress", "joined", "pace_of", "run_design", "usable_cores"]

# Candidates a chunk: a fraction of a second of work, a few MB of records.
CHUNK = 2_000

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of exams done and the number wanted."""


@dataclass(frozen=True, slots=True)
class Design:
    """What is simulated: an exam on a bank, candidates who answer by ``truth``, and the seed of all draws."""

    exam: Exam
    bank: ItemBank
    truth: ItemBank
    population: Population
    seed: int
    exposure: ExposureTable | None = None
    seen: tuple[str, ...] = ()

    def terms(self) -> Terms:
        """The exam as every candidate is given it, who saw the items ``seen`` before."""
        return terms_under(self.exam, self.bank, self.seen, self.exposure)

    def plan(self) -> Plan:
        """The tables by which items are chosen."""
        return plan_under(self.exam, self.bank, self.exposure)

    def true_parameters(self) -> Parameters:
        """Parameters by which candidates answer, in the order of the bank's operational items.

        Raises:
            BankError: an item of the bank is not in the bank that holds the truth, or has other scores there.
        """
        return self._true(pool_of(self.bank).items)

    def pretest_parameters(self) -> Parameters:
        """Parameters by which candidates answer the items that the exam tries out; raises as the scored ones do."""
        return self._true(pretest_items(self.bank)) if self.exam.pretest else no_tryout().truth

    def _true(self, items: Sequence[Item]) -> Parameters:
        ids = [item.id for item in items]
        if missing := [id_ for id_ in ids if id_ not in self.truth.index]:
            raise BankError(
                f"true bank {self.truth.id}",
                [f"{len(missing)} items of bank {self.bank.id} are not in it, for example {', '.join(missing[:3])}"],
            )
        true = [self.truth.items[self.truth.index[id_]] for id_ in ids]
        if other := [
            f'item "{item.id}" is scored 0 to {there.highest}, but 0 to {item.highest} in bank {self.bank.id}'
            for item, there in zip(items, true, strict=True)
            if item.highest != there.highest
        ]:
            raise BankError(f"true bank {self.truth.id}", other)
        return select(self.truth.parameters, np.array([self.truth.index[id_] for id_ in ids]))

    def as_dict(self) -> dict[str, Any]:
        """Everything the results depend on, for provenance and checkpoints."""
        return {
            "exam": {"id": self.exam.id, "version": self.exam.version},
            "bank": {"id": self.bank.id, "version": self.bank.version},
            "truth": {"id": self.truth.id, "version": self.truth.version},
            "population": self.population.as_dict(),
            "seed": self.seed,
            **({} if self.exposure is None else {"exposure": self.exposure.version}),
            **({"seen": list(self.seen)} if self.seen else {}),
        }


@dataclass(frozen=True, slots=True)
class Exams:
    """Simulated exams.

    Attributes:
        ability: true θ, logits. Shape ``(persons,)``, as the next eight, which ``kernel.Records`` explains.
        exposure: how many candidates saw each operational item. Shape ``(items,)``.
        compliance: rules broken, counted from the records.
        items: positions of the items given; None when they were not kept. ``scores`` alike.
        pretest_exposure: how many candidates saw each pretest item. Shape ``(pretest items,)``; empty when the exam
            tries out nothing.
        pretest_items: pretest item in each unscored slot, −1 for none; None when they were not kept. Shape
            ``(persons, slots)``; ``pretest_scores`` and ``pretest_after``, the scored answers before it, alike.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(arbitrary_types_allowed=True)

    ability: Floats
    length: NDArray[np.int32]
    passed: Bools
    theta: Floats
    se: Floats
    reason: NDArray[np.int8]
    seconds: Floats
    unproven: NDArray[np.int32]
    relaxed: NDArray[np.int32]
    exposure: Ints
    compliance: Compliance
    items: NDArray[np.int32] | None = None
    scores: NDArray[np.int8] | None = None
    pretest_exposure: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    pretest_items: NDArray[np.int32] | None = None
    pretest_scores: NDArray[np.int8] | None = None
    pretest_after: NDArray[np.int32] | None = None


PERSONAL = ("ability", "length", "passed", "theta", "se", "reason", "seconds", "unproven", "relaxed")


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_design(
    design: Design,
    n: int,
    *,
    first: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
    keep_items: bool = False,
    chunk: int = CHUNK,
) -> Exams:
    """Simulate ``n`` exams.

    Args:
        design: what to simulate.
        n: how many candidates; ``first``: number of the first of them.
        threads: how many run at once, every usable core when not given; the result does not depend on it.
        progress: called after each chunk.
        checkpoint: folder in which finished chunks are kept, and from which a second run takes them.
        keep_items: keep every candidate's items and scores (5 bytes an answer).
        chunk: candidates a chunk; the result does not depend on it.

    Raises:
        KeyboardInterrupt: as it came, with a message about how much was done.
    """
    worker = _Worker(design, keep_items=keep_items, truth=design.true_parameters())
    _require_sensible(n, threads, chunk)
    store = (
        Checkpoint(checkpoint, {**design.as_dict(), "items_kept": keep_items, "version": __version__})
        if checkpoint is not None
        else None
    )
    spans = [(first + done, min(chunk, n - done)) for done in range(0, n, chunk)]
    parts: dict[int, dict[str, NDArray[Any]]] = {}
    executor = ThreadPoolExecutor(max_workers=threads or usable_cores(), thread_name_prefix="issmp-exams")
    done = 0
    try:
        futures = {executor.submit(worker.part, store, start, count): (start, count) for start, count in spans}
        for future in as_completed(list(futures)):
            start, count = futures.pop(future)
            parts[start] = future.result()
            done += count
            if progress is not None:
                progress(done, n)
    except KeyboardInterrupt:
        kept = f"; kept in {checkpoint}" if checkpoint is not None else ""
        raise KeyboardInterrupt(f"interrupted after {done:,} of {n:,} exams{kept}") from None
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    return _joined([parts[start] for start, _ in spans], keep_items=keep_items)


def _require_sensible(n: int, threads: int | None, chunk: int) -> None:
    for name, value in (("n", n), ("threads", 1 if threads is None else threads), ("chunk", chunk)):
        if value < 1:
            raise UsageError(f"{name} is {value}; expected at least 1")


class _Worker:
    """What every chunk needs, tabulated once; called from several threads, changes nothing."""

    def __init__(self, design: Design, *, keep_items: bool, truth: Parameters) -> None:
        self.design, self.keep_items, self.truth = design, keep_items, truth
        terms = design.terms()
        self.plan, self.programme, self.barred, self.pretest = terms
        self.pretest_truth = design.pretest_parameters()
        if design.population.predictor_correlation is not None and not design.exam.start_from.background:
            raise UsageError(
                f'predictor_correlation is given, but exam "{design.exam.id}" has no [[start.background]] to predict by'
            )
        self.rules: Rules = rules_of(design.exam, pool_of(design.bank))
        self.pace = pace_of(design.population)

    def part(self, store: Checkpoint | None, first: int, count: int) -> dict[str, NDArray[Any]]:
        """One chunk: from the checkpoint when it is there, else simulated and kept."""
        found = store.load(first, count) if store is not None else None
        if found is not None:
            return found
        part = self.simulate(first, count)
        if store is not None:
            store.save(first, count, part)
        return part

    def simulate(self, first: int, count: int) -> dict[str, NDArray[Any]]:
        """Run a chunk and count what it used and whether it kept the rules."""
        plan, seed = self.plan, self.design.seed
        ability = self.design.population.draw(seed, first, count)
        records = new_records(count, plan.rule.maximum)
        state = begin(plan, self.barred)
        means = self.design.population.prior_means(ability, seed, first, mean=plan.prior[0], spread=plan.start.spread)
        tryout = new_tryout(self.pretest, self.pretest_truth, count)
        run_exams(plan, self.programme, self.truth, state, ability, first, seed, self.pace, records, means, tryout)
        compliance = count_violations(self.rules, records.items, records.reason)
        given = records.items[records.items >= 0]
        return {
            "ability": ability,
            **{name: getattr(records, name) for name in PERSONAL[1:]},
            "exposure": np.bincount(given, minlength=len(plan.pool.domain)),
            "compliance": np.array([getattr(compliance, name) for name in Compliance.__dataclass_fields__]),
            "pretest_exposure": np.bincount(tryout.items[tryout.items >= 0], minlength=len(self.pretest.domain)),
            **(_kept(records, tryout) if self.keep_items else {}),
        }


def _kept(records: Records, tryout: Tryout) -> dict[str, NDArray[Any]]:
    """What is kept of every candidate when asked for."""
    pretest = {f"pretest_{name}": getattr(tryout, name) for name in ("items", "scores", "after")}
    return {"items": records.items, "scores": records.scores, **(pretest if tryout.plan.slots else {})}


def pace_of(population: Population) -> Pace:
    """The population's clock as the kernel takes it."""
    clock = population.clock
    if clock is None:
        return Pace(timed=False, log_median=0.0, log_sd=0.0, speed_sd=0.0)
    return Pace(
        timed=True,
        log_median=math.log(clock.median_seconds),
        log_sd=float(clock.log_sd),
        speed_sd=float(clock.speed_sd),
    )


_KEPT = ("items", "scores", "pretest_items", "pretest_scores", "pretest_after")


def _joined(parts: list[dict[str, NDArray[Any]]], *, keep_items: bool) -> Exams:
    """Chunks in the order of candidates."""
    kept = [name for name in _KEPT if name in parts[0]] if keep_items else []
    columns: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in (*PERSONAL, *kept)}
    return Exams(
        **columns,
        exposure=np.sum([part["exposure"] for part in parts], axis=0),
        pretest_exposure=np.sum([part["pretest_exposure"] for part in parts], axis=0),
        compliance=total([Compliance(*map(int, part["compliance"])) for part in parts]),
    )


def joined(runs: Sequence[Exams]) -> Exams:
    """Several runs, one after the other."""
    names = [*PERSONAL, *(name for name in _KEPT if getattr(runs[0], name) is not None)]
    return Exams(
        **{name: np.concatenate([getattr(run, name) for run in runs]) for name in names},
        exposure=np.sum([run.exposure for run in runs], axis=0),
        pretest_exposure=np.sum([run.pretest_exposure for run in runs], axis=0),
        compliance=total([run.compliance for run in runs]),
    )

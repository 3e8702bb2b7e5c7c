"""Find who is to be admitted to which item: rounds of simulated exams, until the largest rate rests at its target."""

from __future__ import annotations

import dataclasses
import platform
import secrets
from collections import deque
from functools import reduce
from importlib import metadata
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from issmp_cat import Exam, ItemBank, __version__
from issmp_cat.arrays import Floats
from issmp_cat.errors import UsageError
from issmp_cat.exam.plan import pool_of
from issmp_cat.exposure import Counts, Evidence, ExposureTable, next_admission
from issmp_simulations.checkpoint import Checkpoint
from issmp_simulations.exposure.evidence import FALSE_ALARM, assess
from issmp_simulations.exposure.prices import decision_weight, even_weight, shadow_prices, where_exams_end
from issmp_simulations.exposure.tally import tally
from issmp_simulations.population import Population
from issmp_simulations.run import Design, Exams, Progress, run_design

__all__ = ["calibrate_exposure", "untrained_table"]

# The first rounds forget quickly, since each moves the use of many items; later ones are averaged. Bands pass items
# on to each other: they take longer, go on forgetting a little, and hold fewer candidates each.
FORGETTING = 0.3
# So many rounds together are looked at to see whether the rates have settled.
LEAST_AVERAGED = 6


class Pace(NamedTuple):
    """How rounds follow each other.

    Attributes:
        burn_in: rounds that forget quickly; ``keep``: the weight of earlier counts in each later one.
        at_rest: shares rest when none moves by more in a round; 0.02 of a share moves a rate of 0.25 by 0.005 or so.
    """

    burn_in: int
    keep: float
    at_rest: float


OVERALL, IN_BANDS = Pace(12, 1.0, 0.02), Pace(20, 0.9, 0.03)
# Each round draws from a seed of its own, far from its neighbours.
SEED_STEP = 0x9E3779B97F4A7C15


def calibrate_exposure(
    exam: Exam | str | Path,
    bank: ItemBank | str | Path,
    population: Population | None = None,
    *,
    seed: int | None = None,
    candidates: int = 5_000,
    rounds: int = 60,
    checked: int = 10_000,
    threads: int | None = None,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
) -> ExposureTable:
    """Find the exposure table of an exam on a bank.

    Rounds of simulation, each with fresh candidates, until no item's rate exceeds its target by more than chance and
    the shares rest; then ``checked`` fresh candidates with and without control. The result depends on the arguments
    alone, not on threads or on interruptions.

    Args:
        exam: an exam whose ``[exposure]`` names a method, its file, or its name.
        bank: the items, or their file.
        population: who will sit the exam; that of the bank's metric when not given.
        seed: all draws follow from it; drawn, and told in the table, when not given.
        candidates: simulated in each round.
        rounds: at most; a table that has not settled by then says so (``evidence.converged``).
        checked: fresh candidates for the figures in ``evidence``.
        threads: how many run at once; all usable cores when not given.
        progress: called with exams done and exams wanted at most.
        checkpoint: a folder that keeps finished rounds; the same call goes on from there.

    Raises:
        UsageError: the exam asks for no exposure control, or an impossible number was given.
        BlueprintInfeasible: the bank cannot keep the cap.

    >>> from issmp_cat.exposure import ExposureControl
    >>> from issmp_simulations import standard_bank
    >>> exam = Exam.load("issmp").model_copy(update={"exposure": ExposureControl(control="sympson_hetter", cap=0.6)})
    >>> table = calibrate_exposure(exam, standard_bank("218"), seed=1, candidates=500, checked=2000)
    >>> table.evidence.converged, table.evidence.largest_rate < 0.65
    (True, True)
    """
    exam = exam if isinstance(exam, Exam) else Exam.load(exam)
    bank = bank if isinstance(bank, ItemBank) else ItemBank.load(bank)
    if exam.exposure.control == "none":
        raise UsageError(f'exam "{exam.id}" asks for no exposure control: add [exposure] with control and cap')
    for name, value in (("candidates", candidates), ("rounds", rounds), ("checked", checked)):
        if value < 1:
            raise UsageError(f"{name} is {value}; expected at least 1")
    population = population or Population.of_bank(bank)
    seed = secrets.randbits(32) if seed is None else seed
    return _Calibration(
        Design(exam, bank, bank, population, seed),
        candidates,
        rounds,
        threads,
        _Counter(progress, 2 * checked + rounds * candidates),
    ).run(checked, checkpoint)


class _Counter:
    """One progress over several runs."""

    def __init__(self, progress: Progress | None, wanted: int) -> None:
        self.progress, self.wanted, self.before = progress, wanted, 0

    def __call__(self, done: int, wanted: int) -> None:
        if self.progress is not None:
            self.progress(self.before + done, self.wanted)
        if done == wanted:
            self.before += wanted


class _Calibration:
    """The rounds of one calibration and what they have found so far."""

    def __init__(self, design: Design, candidates: int, rounds: int, threads: int | None, told: _Counter) -> None:
        self.design, self.candidates, self.rounds, self.threads, self.told = design, candidates, rounds, threads, told
        self.control = design.exam.exposure
        self.ids = pool_of(design.bank).ids
        bands = len(self.control.bands) + 1
        self.admit: Floats = np.ones((bands, len(self.ids)))
        self.price, self.weight = np.zeros(0), np.zeros(0)
        self.counts = Counts.none(bands, len(self.ids))
        self.recent: deque[Counts] = deque(maxlen=LEAST_AVERAGED)
        self.path: list[float] = []
        self.movement = float("inf")
        self.settled = False

    def run(self, checked: int, checkpoint: str | Path | None) -> ExposureTable:
        """Everything, from the first uncontrolled exams to the evidence."""
        without = run_design(self.design, checked, threads=self.threads, progress=self.told)
        if self.control.control == "prices":
            self._set_prices(without)
        store = None if checkpoint is None else Checkpoint(checkpoint, self._card())
        done = 0
        while done < self.rounds and not self.settled:
            self._round(done, store)
            done += 1
        table = self.table()
        told = dataclasses.replace(self.design, exposure=table)
        _, found = assess(told, without, threads=self.threads, progress=self.told)
        evidence = Evidence(
            iterations=done,
            candidates=self.candidates,
            seed=self.design.seed,
            population=self.design.population.describe(),
            converged=self.settled,
            movement=self.movement,
            path=tuple(self.path),
            **found,
        )
        return dataclasses.replace(table, evidence=evidence, counts=self.counts)

    def _card(self) -> dict[str, Any]:
        return {
            **self.design.as_dict(),
            "exposure": "calibration",
            "candidates": self.candidates,
            "version": __version__,
        }

    def _set_prices(self, without: Exams) -> None:
        plan = self.design.plan()
        ends, length = where_exams_end(without, plan.rule.minimum)
        decision = self.control.favour == "decision"
        self.weight = decision_weight(plan, ends, length) if decision else even_weight()
        self.price, _ = shadow_prices(
            plan, ends, length, self.weight, cap=self.control.target - 0.005, floor=self.control.floor
        )

    def table(self) -> ExposureTable:
        """The table as it stands."""
        return dataclasses.replace(untrained_table(self.design), admit=self.admit, price=self.price, weight=self.weight)

    def _round(self, number: int, store: Checkpoint | None) -> None:
        """Fresh candidates under the table as it stands, and the next table."""
        found = store.load(number, self.candidates) if store is not None else None
        if found is None:
            found = self._simulate(number)
            if store is not None:
                store.save(number, self.candidates, found)
        else:
            self.told(self.candidates, self.candidates)
        fresh = Counts(found["candidates"], found["eligible"], found["given"])
        self.recent.append(fresh)
        pace = IN_BANDS if self.control.bands else OVERALL
        self.counts = self.counts.then(fresh, keep=FORGETTING if number < pace.burn_in else pace.keep)
        before, self.admit = self.admit, next_admission(self.counts, self.control.target, self.admit)
        self.movement = float(np.abs(self.admit - before).max())
        self.path.append(float(fresh.rates.max()))
        rested = number + 1 >= pace.burn_in + LEAST_AVERAGED and self.movement <= pace.at_rest
        self.settled = rested and self._is_within_noise()

    def _simulate(self, number: int) -> dict[str, NDArray[Any]]:
        seed = (self.design.seed + (number + 1) * SEED_STEP) % 2**63
        design = dataclasses.replace(self.design, seed=seed, exposure=self.table())
        exams = run_design(design, self.candidates, threads=self.threads, progress=self.told, keep_items=True)
        counts = tally(design.plan(), exams, seed, 0)
        return {"candidates": counts.candidates, "eligible": counts.eligible, "given": counts.given}

    def _is_within_noise(self) -> bool:
        """Whether no rate of the last rounds exceeds the target by more than the largest of so many would by chance."""
        target = self.control.target
        fresh = reduce(Counts.then, self.recent)
        z = NormalDist().inv_cdf(1.0 - FALSE_ALARM / fresh.given.size)
        noise = z * np.sqrt(target * (1.0 - target) / np.maximum(fresh.candidates, 1.0))
        return bool((fresh.rates <= target + noise[:, None]).all())


def untrained_table(design: Design) -> ExposureTable:
    """Everybody is admitted to everything: where learning starts."""
    exam, bank, ids = design.exam, design.bank, pool_of(design.bank).ids
    return ExposureTable(
        exam=exam.id,
        exam_version=exam.version,
        bank=bank.id,
        bank_version=bank.version,
        method=exam.exposure,
        items=ids,
        admit=np.ones((len(exam.exposure.bands) + 1, len(ids))),
        price=np.zeros(0),
        weight=np.zeros(0),
        provenance={
            "issmp-cat": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("numpy", "numba")},
        },
    )

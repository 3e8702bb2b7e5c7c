"""Response logs of simulated candidates, at any size, on any bank."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from issmp_cat import Exam, ItemBank, ResponseLog
from issmp_cat.arrays import Floats, Ints, Ints32
from issmp_cat.blueprint import largest_remainder
from issmp_cat.errors import UsageError
from issmp_cat.exam import Plan, begin, plan_exam
from issmp_cat.exam.plan import pool_of
from issmp_simulations.forms import answer_forms, choose_options, draw_forms
from issmp_simulations.kernel import Pace, new_records, run_exams
from issmp_simulations.keys import OPTIONS, key_numbers
from issmp_simulations.population import Population
from issmp_simulations.run import pace_of, usable_cores

__all__ = ["LogDesign", "sample_log"]

LogDesign: TypeAlias = Literal["random", "fixed", "adaptive"]

# Persons a chunk: scratch of some ten MB.
CHUNK = 10_000
NO_TIME = np.float32(np.nan)


def sample_log(
    bank: ItemBank,
    persons: int,
    answers: int | None = None,
    *,
    design: LogDesign = "random",
    seed: int,
    population: Population | None = None,
    exam: Exam | None = None,
    options: bool = False,
    true_theta: bool = False,
) -> ResponseLog:
    """Simulated candidates answer operational items of a bank.

    Items are chosen by the design and by answers so far, never by true θ: whoever calibrates the log may ignore how.

    Args:
        bank: the items and their true parameters.
        persons: how many candidates.
        answers: items each; all operational ones when not given.
        design: ``random``, a form of one's own drawn within the blueprint; ``fixed``, one such form for all;
            ``adaptive``, the exam's own selection over this length, without early stop.
        seed: all draws follow from it.
        population: who answers; with a clock, seconds are recorded.
        exam: whose blueprint (and selection) applies; the ISSMP's when not given and the bank has its domains, else
            every domain has its share of the bank.
        options: record chosen options A to D, to be scored by :func:`item_keys`, not scores alone.
        true_theta: keep each candidate's θ as the column ``cov_true_theta``.

    Raises:
        UsageError: an impossible number or design, or options of items that are not right or wrong.
        BlueprintInfeasible: an adaptive log on a bank that cannot fill the blueprint.

    >>> from issmp_simulations import standard_bank
    >>> log = sample_log(standard_bank("218"), 100, 20, seed=1)
    >>> log.n_persons, log.n_answers
    (100, 2000)
    """
    if design not in get_args(LogDesign):
        raise UsageError(f'no design "{design}"; there are {", ".join(get_args(LogDesign))}')
    population = population or Population()
    operational = pool_of(bank)
    length = len(operational) if answers is None else answers
    _require_sensible(persons, length, len(operational), population)
    if options and (stepped := [item.id for item in operational.items if item.highest > 1]):
        raise UsageError(f"chosen options need right-or-wrong items; {len(stepped)} have steps, such as {stepped[0]}")
    job = _Job(
        bank=operational,
        length=length,
        design=design,
        seed=seed,
        population=population,
        exam=_exam_for(operational, exam),
        keys=key_numbers(operational) if options else None,
    )
    log = job.run(persons)
    timed = population.clock is not None
    width = len(str(persons))
    return ResponseLog(
        persons=np.array([f"C{p + 1:0{width}d}" for p in range(persons)]),
        items=np.array(operational.ids),
        start=np.arange(persons + 1, dtype=np.int64) * length,
        item=log.item.reshape(-1),
        score=log.score.reshape(-1),
        option=log.option.reshape(-1) if options else None,
        options=OPTIONS if options else (),
        seconds=log.seconds.reshape(-1) if timed else None,
        position=np.tile(np.arange(length, dtype=np.int16), persons),
        candidates=MappingProxyType({"cov_true_theta": log.theta} if true_theta else {}),
        note=(f"simulated: {persons:,} candidates, {population.describe()}, {design} design, seed {seed}",),
    )


def _require_sensible(persons: int, length: int, items: int, population: Population) -> None:
    if persons < 1:
        raise UsageError(f"persons is {persons}; expected at least 1")
    if not 1 <= length <= items:
        raise UsageError(f"answers is {length}; the bank has {items} operational items")
    if population.thetas is not None and len(population.thetas) < persons:
        raise UsageError(f"persons is {persons:,}, but the population lists {len(population.thetas):,} abilities")


def _exam_for(bank: ItemBank, exam: Exam | None) -> Exam | None:
    """The exam given; else the ISSMP when it knows the bank's domains; else none."""
    if exam is not None:
        return exam
    issmp = Exam.load("issmp")
    return issmp if {item.domain for item in bank.items} == set(issmp.blueprint.ids) else None


@dataclass(frozen=True, slots=True)
class _Columns:
    """The log's columns as matrices of persons × answers, and θ by person."""

    item: NDArray[Any]
    score: NDArray[np.int8]
    option: NDArray[np.uint8]
    seconds: NDArray[np.float32]
    theta: Floats


@dataclass(frozen=True, slots=True)
class _Job:
    bank: ItemBank
    length: int
    design: LogDesign
    seed: int
    population: Population
    exam: Exam | None
    keys: NDArray[np.uint8] | None

    def run(self, persons: int) -> _Columns:
        """Everybody, in chunks over threads; each writes rows of its own."""
        length = self.length
        columns = _Columns(
            item=np.zeros((persons, length), dtype=np.uint16 if len(self.bank) <= 0xFFFF else np.uint32),
            score=np.zeros((persons, length), dtype=np.int8),
            option=np.zeros((persons, length if self.keys is not None else 0), dtype=np.uint8),
            seconds=np.zeros((persons, length if self.population.clock is not None else 0), dtype=np.float32),
            theta=np.zeros(persons),
        )
        plan, pack = self._plan(), self._pack()
        with ThreadPoolExecutor(max_workers=usable_cores()) as executor:
            lots = [
                executor.submit(self._chunk, plan, pack, columns, first, min(CHUNK, persons - first))
                for first in range(0, persons, CHUNK)
            ]
            for lot in lots:
                lot.result()
        return columns

    def _chunk(
        self, plan: Plan | None, pack: tuple[Ints32, Ints, Ints], columns: _Columns, first: int, count: int
    ) -> None:
        rows = slice(first, first + count)
        theta = self.population.draw(self.seed, first, count)
        forms, scores, times = self._answers(plan, pack, theta, first)
        columns.theta[rows], columns.item[rows], columns.score[rows] = theta, forms, scores
        if self.population.clock is not None:
            columns.seconds[rows] = times
        if self.keys is not None:
            choose_options(forms, scores, columns.option[rows], self.keys, len(OPTIONS), self.seed, first)

    def _answers(
        self, plan: Plan | None, pack: tuple[Ints32, Ints, Ints], theta: Floats, first: int
    ) -> tuple[Ints32, NDArray[np.int8], NDArray[np.float32]]:
        """Items given, scores and seconds, each of shape ``(persons, answers)``."""
        timed = self.population.clock is not None
        pace: Pace = pace_of(self.population)
        truth = self.bank.parameters
        if plan is not None:
            records = new_records(len(theta), self.length, times=timed)
            state = begin(plan)
            run_exams(plan, None, truth, state, theta, first, self.seed, pace, records)
            return records.items, records.scores, records.times
        by_domain, starts, quota = pack
        one_for_all = self.design == "fixed"
        forms = np.zeros((1 if one_for_all else len(theta), self.length), dtype=np.int32)
        draw_forms(forms, by_domain, starts, quota, self.seed, 0 if one_for_all else first)
        if one_for_all:
            forms = np.repeat(forms, len(theta), axis=0)
        scores = np.zeros(forms.shape, dtype=np.int8)
        times = np.zeros((len(theta), self.length if timed else 0), dtype=np.float32)
        answer_forms(forms, scores, times, theta, truth, pace, self.seed, first)
        return forms, scores, times

    def _plan(self) -> Plan | None:
        """The exam over this length without early stop or time limit; None unless the design is adaptive."""
        if self.design != "adaptive":
            return None
        if self.exam is None:
            raise UsageError("an adaptive log needs an exam: the bank does not have the domains of the ISSMP")
        changes = {
            "length": {"minimum": self.length, "maximum": self.length},
            "stopping": {"rule": "fixed_length"},
            "time_limit_minutes": None,
            "pretest": None,
        }
        return plan_exam(Exam.model_validate({**self.exam.model_dump(), **changes}), self.bank)

    def _pack(self) -> tuple[Ints32, Ints, Ints]:
        """Items sorted by domain, where each domain begins, and how many of each a form takes."""
        labels = self.exam.blueprint.ids if self.exam is not None else tuple(dict.fromkeys(self._domains()))
        if unknown := sorted(set(self._domains()) - set(labels)):
            raise UsageError(f"the exam does not know these domains of the bank: {', '.join(unknown)}")
        place = np.array([labels.index(name) for name in self._domains()])
        sizes = np.bincount(place, minlength=len(labels))
        quota = np.array(self._quota(sizes))
        if (quota > sizes).any() and self.design != "adaptive":
            k = int(np.argmax(quota - sizes))
            raise UsageError(
                f'answers is {self.length}: domain "{labels[k]}" would give {quota[k]}, the bank has {sizes[k]} there'
            )
        by_domain = np.argsort(place, kind="stable").astype(np.int32)
        return by_domain, np.concatenate([[0], np.cumsum(sizes)]), quota

    def _domains(self) -> list[str]:
        return [item.domain for item in self.bank.items]

    def _quota(self, sizes: Ints) -> tuple[int, ...]:
        if self.exam is not None and self.length < len(self.bank):
            return self.exam.blueprint.quotas(self.length)
        shares: list[Any] = [Fraction(int(size), len(self.bank)) for size in sizes]
        return largest_remainder(shares, self.length)

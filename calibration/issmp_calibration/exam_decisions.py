"""Who of a log passes an exam: decided for those whose answers make a whole test of it, for nobody else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.faults import counted
from issmp_calibration.log.store import LogStore
from issmp_calibration.scoring.answers import places
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.bank import ItemBank
from issmp_cat.errors import ExamError
from issmp_cat.exam import Exam
from issmp_cat.responses import ResponseLog

__all__ = ["Decisions", "answers_by_domain", "decide", "domain_faults", "refuse_other_exam"]

PERSONS = 1 << 14  # at a time
NONE = "none"


@dataclass(frozen=True, slots=True)
class Decisions:
    """What an exam says of each candidate.

    Attributes:
        scaled: score on the exam's scale; None where nothing was decided. Shape ``(persons,)``, as all columns.
        decision: ``pass``, ``fail``, or ``none`` where the answers are no whole test of this exam.
        undecided: why it is ``none``; empty elsewhere.
        longer: candidates with more answers than the exam's longest test has.
        exam: whose scale and cut.
    """

    scaled: NDArray[Any]
    decision: NDArray[np.str_]
    undecided: NDArray[Any]
    longer: int
    exam: Exam

    @property
    def decided(self) -> Bools:
        """Who passed or failed."""
        return np.asarray(self.decision != NONE)

    def summary(self) -> list[str]:
        """What was not decided, and why."""
        lines = []
        if n := int((~self.decided).sum()):
            why = Counter(self.undecided[~self.decided].tolist()).most_common(3)
            kinds = len(set(self.undecided[~self.decided].tolist()))
            listed = "; ".join(f"{number:,}: {words}" for words, number in why) + ("; …" if kinds > len(why) else "")
            lines.append(
                f"{n:,} of {counted(len(self.decision), 'candidate')} not decided, and in no pass rate: fewer answers "
                f"than any whole test of {self.exam.id} has ({listed}). Where shorter tests are meant, give an exam "
                "file with a lower length.minimum"
            )
        if self.longer:
            who = counted(self.longer, "candidate")
            lines.append(f"{who} with more answers than the {self.exam.length.maximum} of the exam's longest test")
        return lines


def domain_faults(exam: Exam, bank: ItemBank, *, pretest: bool = False) -> list[str]:
    """Why the items of a bank that count cannot be those of an exam: domains it lacks, domains the exam lacks."""
    held = Counter(item.domain for item in bank.items if item.status in _admitted(pretest))
    met = {exam.blueprint.place(name) for name in held}
    missing = [name for k, name in enumerate(exam.blueprint.ids) if k not in met]
    foreign = {name: n for name, n in held.items() if exam.blueprint.place(name) is None}
    faults = []
    if missing:
        faults.append(f"no item of the bank that counts is of {_named(missing)}, which the exam asks for")
    faults += [f'{counted(n, "item")} of domain "{name}", which the exam does not know' for name, n in foreign.items()]
    return faults


def refuse_other_exam(exam: Exam, bank: ItemBank, *, pretest: bool = False) -> None:
    """Stop where the items that count are not of the exam's domains.

    Raises:
        ExamError: naming the domains that are missing or unknown, and how items get theirs.
    """
    if faults := domain_faults(exam, bank, pretest=pretest):
        way_out = (
            "who passes this exam cannot be told by these items. An item file with the columns item and domain "
            f"({', '.join(exam.blueprint.ids)}) names domains: calibrate --key items.csv; an exam of other domains is "
            "a file of its own (--exam my-exam.toml); without --exam there is θ alone"
        )
        raise ExamError(f"{exam.id} with bank {bank.id}", [*faults, way_out])


def answers_by_domain(log: ResponseLog | LogStore, exam: Exam, bank: ItemBank, *, pretest: bool = False) -> Ints:
    """How many answers that count each candidate gave in each domain of an exam. Shape ``(persons, domains)``."""
    parts = log.shards() if isinstance(log, LogStore) else [log]
    return np.concatenate([_by_domain(part, exam, bank, pretest) for part in parts])


def decide(theta: Floats, answers: Ints, exam: Exam, bank: ItemBank) -> Decisions:
    """Scaled score and decision of those whose answers make a whole test.

    A whole test has the exam's minimum of answers or more, and of each domain no fewer than every test of that length
    holds: ⌊n w⌋ items, less what an item set that travels whole may take from it.

    Args:
        theta: abilities, logits; NaN without answers. Shape ``(persons,)``.
        answers: that count, by domain. Shape ``(persons, domains)``.
        exam: its scale, cut and blueprint; ``bank``: its items.
    """
    least, most = exam.length.minimum, exam.length.maximum
    n = answers.sum(axis=1)
    slack = _largest_set(exam, bank)
    floor = np.array([max(0, int(weight * least) - slack) for weight in exam.blueprint.weights])
    whole = (n >= least) & (answers >= floor).all(axis=1)
    scale = exam.scale
    scaled = [scale.score(float(value)) if there else None for value, there in zip(theta, whole, strict=True)]
    why = np.full(len(n), "", dtype=object)
    for person in np.flatnonzero(~whole):
        why[person] = _why(int(n[person]), answers[person], floor, exam)
    return Decisions(
        scaled=np.array(scaled, dtype=object),
        decision=np.where(whole, np.where(theta >= scale.theta_cut, "pass", "fail"), NONE),
        undecided=why,
        longer=int((n > most).sum()),
        exam=exam,
    )


def _why(n: int, answers: Ints, floor: Ints, exam: Exam) -> str:
    if n < exam.length.minimum:
        return f"{counted(n, 'answer')} of at least {exam.length.minimum}" if n else "no answers"
    short = np.flatnonzero(answers < floor)
    ids = exam.blueprint.ids
    return ", ".join(f"domain {ids[k]}: {counted(int(answers[k]), 'answer')} of at least {floor[k]}" for k in short)


def _by_domain(log: ResponseLog, exam: Exam, bank: ItemBank, pretest: bool) -> Ints:
    """The same for one log, some candidates at a time."""
    where, _ = places(log, bank, pretest=pretest)
    place = [exam.blueprint.place(bank.items[k].domain) if k >= 0 else None for k in where]
    domain = np.array([-1 if k is None else k for k in place], dtype=np.int64)
    number = len(exam.blueprint.ids)
    found = np.zeros((log.n_persons, number), np.int64)
    for first in range(0, log.n_persons, PERSONS):
        last = min(first + PERSONS, log.n_persons)
        rows = slice(int(log.start[first]), int(log.start[last]))
        person = np.repeat(np.arange(last - first), np.diff(log.start[first : last + 1]))
        of = domain[log.item[rows]]
        counts = (of >= 0) & (log.score[rows] >= 0)
        cells = person[counts] * number + of[counts]
        found[first:last] = np.bincount(cells, minlength=(last - first) * number).reshape(-1, number)
    return found


def _largest_set(exam: Exam, bank: ItemBank) -> int:
    """Items of the largest set that travels whole: by so many may a domain differ from its share; 0 without any."""
    stay = {part.id for part in exam.blueprint.sets if not part.travel}
    sizes = Counter(item.item_set for item in bank.items if item.item_set and item.item_set not in stay)
    return max((n for n in sizes.values() if n > 1), default=0)


def _admitted(pretest: bool) -> set[str]:
    return {"operational", "pretest"} if pretest else {"operational"}


def _named(names: list[str]) -> str:
    return f"domain{'s' * (len(names) > 1)} {', '.join(names)}"

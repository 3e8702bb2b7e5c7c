"""What is proved: exams on banks, and how many states of each."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from issmp_cat import Exam, ItemBank
from issmp_simulations.standard import standard_bank

# Not a standard bank: more decisions need the search there.
HOSTILE = "218-hostile"


@dataclass(frozen=True)
class Case:
    """A design on a bank, and how many states of it the long proof takes."""

    design: str
    bank: str
    states: int


# Changes to the packaged exam "issmp": 75 to 125 items, six domains, every bank with its enemies.
DESIGNS: dict[str, dict[str, dict[str, object]]] = {
    "best": {"selection": {"rule": "best"}},
    "best at the cut": {"selection": {"criterion": "fisher_at_cut", "rule": "best"}},
    "randomesque-5": {"selection": {"rule": "randomesque", "among": 5}},
}

CASES = (
    Case("best", "218", 300),
    Case("best", "1500", 300),
    Case("best", "1500-unequal", 300),
    Case("best", "10000", 50),
    Case("best", HOSTILE, 150),
    Case("best at the cut", "218", 50),
    Case("best at the cut", "1500", 50),
    Case("randomesque-5", "218", 50),
    Case("randomesque-5", "1500", 50),
    Case("randomesque-5", HOSTILE, 50),
)


@cache
def exam_of(design: str) -> Exam:
    """The exam of a design."""
    exam = Exam.load("issmp").model_dump()
    for table, changes in DESIGNS[design].items():
        exam[table] = {**(exam[table] or {}), **changes}
    return Exam.model_validate(exam)


@cache
def bank_of(name: str) -> ItemBank:
    """A standard bank; or the smallest one, made hostile by twice as many enemy pairs."""
    if name != HOSTILE:
        return standard_bank(name)
    bank = standard_bank("218")
    foes = {item.id: set(item.enemies) for item in bank.items}
    random = np.random.default_rng(218)
    for one, other in random.choice(bank.ids, (30, 2)):
        if one != other:
            foes[one].add(str(other))
            foes[other].add(str(one))
    return ItemBank.from_items(
        [item.model_copy(update={"enemies": tuple(sorted(foes[item.id]))}) for item in bank.items], id=HOSTILE
    )

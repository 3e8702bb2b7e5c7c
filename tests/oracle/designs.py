"""What is proved: exams on banks, and how many states of each."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from issmp_cat import Exam, ItemBank
from issmp_simulations.standard import standard_bank

# Not a standard bank: more decisions need the search there.
HOSTILE = "218-hostile"
# The 1,500 items, each with a key position, a cognitive level and a number of words, drawn at random.
WITH_ATTRIBUTES = "1500-attributes"


@dataclass(frozen=True)
class Case:
    """A design on a bank, and how many states of it the long proof takes."""

    design: str
    bank: str
    states: int


CROSSING: dict[str, object] = {
    "rows": [
        *({"id": f"key {k}", "attribute": "position", "value": k, "minimum": 28, "maximum": 34} for k in "ABCD"),
        {"id": "recall", "attribute": "level", "value": "recall", "maximum": 35},
        {"id": "analyse", "attribute": "level", "value": "analyse", "minimum": 40},
        {"id": "words", "attribute": "words", "measure": "sum", "maximum": 7500},
    ],
    "enemy_sets": [{"items": ["D1-0001", "D2-0001", "D3-0001"]}, {"items": ["D4-0003", "D4-0004", "D5-0005"]}],
}

# Changes to the packaged exam "issmp": 75 to 125 items, six domains, every bank with its enemies.
DESIGNS: dict[str, dict[str, dict[str, object]]] = {
    "best": {"selection": {"rule": "best"}},
    "best at the cut": {"selection": {"criterion": "fisher_at_cut", "rule": "best"}},
    "best, mpwi": {"selection": {"criterion": "mpwi", "rule": "best"}},
    "randomesque-5": {"selection": {"rule": "randomesque", "among": 5}},
    "crossing rows, best": {"selection": {"rule": "best"}, "blueprint": CROSSING},
    "crossing rows, randomesque-5": {"selection": {"rule": "randomesque", "among": 5}, "blueprint": CROSSING},
}

CASES = (
    Case("best", "218", 300),
    Case("best", "1500", 300),
    Case("best", "1500-unequal", 300),
    Case("best", "10000", 50),
    Case("best", HOSTILE, 150),
    Case("best at the cut", "218", 50),
    Case("best at the cut", "1500", 50),
    Case("best, mpwi", "218", 25),
    Case("best, mpwi", "1500", 25),
    Case("randomesque-5", "218", 50),
    Case("randomesque-5", "1500", 50),
    Case("randomesque-5", HOSTILE, 50),
    Case("crossing rows, best", WITH_ATTRIBUTES, 60),
    Case("crossing rows, randomesque-5", WITH_ATTRIBUTES, 20),
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
    """A standard bank; one with attributes; or the smallest, made hostile by twice as many enemy pairs."""
    if name == WITH_ATTRIBUTES:
        return _with_attributes(standard_bank("1500"))
    if name == HOSTILE:
        return _hostile(standard_bank("218"))
    return standard_bank(name)


def _with_attributes(bank: ItemBank) -> ItemBank:
    random = np.random.default_rng(1500)
    levels = random.choice(["recall", "apply", "analyse"], len(bank), p=[0.4, 0.4, 0.2])
    drawn = zip(random.choice(list("ABCD"), len(bank)), levels, random.integers(30, 120, len(bank)), strict=True)
    items = [
        item.model_copy(update={"attributes": {"position": str(key), "level": str(level), "words": int(words)}})
        for item, (key, level, words) in zip(bank.items, drawn, strict=True)
    ]
    return ItemBank.from_items(items, id=WITH_ATTRIBUTES)


def _hostile(bank: ItemBank) -> ItemBank:
    foes = {item.id: set(item.enemies) for item in bank.items}
    random = np.random.default_rng(218)
    for one, other in random.choice(bank.ids, (30, 2)):
        if one != other:
            foes[one].add(str(other))
            foes[other].add(str(one))
    return ItemBank.from_items(
        [item.model_copy(update={"enemies": tuple(sorted(foes[item.id]))}) for item in bank.items], id=HOSTILE
    )

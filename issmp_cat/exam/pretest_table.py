"""The table ``[pretest]`` of an exam file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from issmp_cat.spelling import did_you_mean

__all__ = ["Pretest"]

Answers = Annotated[int, Field(ge=1)]


class Pretest(BaseModel):
    """Unscored questions that try out items with status ``pretest``.

    Attributes:
        slots: unscored questions a candidate.
        first: earliest question that may be one, from 1; ``last``: the latest. The places between are drawn for each
            candidate; without ``last`` they end where the shortest exam can.
        target: answers wanted of each item; ``targets``: of single items, by id.
        per_domain: slots of each domain; any item may fill any slot when empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slots: Annotated[int, Field(ge=1, le=1000)]
    first: Annotated[int, Field(ge=1)] = 1
    last: Annotated[int, Field(ge=1)] | None = None
    target: Answers
    targets: dict[str, Answers] = Field(default_factory=dict)
    per_domain: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)

    def __hash__(self) -> int:
        shares = frozenset(self.targets.items()), frozenset(self.per_domain.items())
        return hash((self.slots, self.first, self.last, self.target, *shares))

    def latest(self, minimum: int) -> int:
        """The last question that may be unscored in an exam of at least ``minimum`` scored ones.

        >>> Pretest(slots=10, target=400).latest(75)
        84
        """
        return minimum + self.slots - 1 if self.last is None else self.last

    def faults(self, minimum: int, domains: Sequence[str]) -> list[str]:
        """What does not go with the exam; nothing when all does.

        Args:
            minimum: scored questions of the shortest exam.
            domains: ids of the exam's domains.

        >>> Pretest(slots=10, last=90, target=400).faults(75, ["D1"])
        ['pretest.last 90: an exam of 75 scored questions would end before it; expected at most 84']
        """
        last = self.latest(minimum)
        found = []
        if last > minimum + self.slots - 1:
            found.append(
                f"pretest.last {last}: an exam of {minimum} scored questions would end before it; "
                f"expected at most {minimum + self.slots - 1}"
            )
        if last - self.first + 1 < self.slots:
            places = max(last - self.first + 1, 0)
            found.append(f"pretest.slots {self.slots}: questions {self.first} to {last} are only {places} places")
        if self.per_domain and sum(self.per_domain.values()) != self.slots:
            found.append(f"pretest.per_domain sums to {sum(self.per_domain.values())}; slots is {self.slots}")
        return found + [
            f'pretest.per_domain names "{name}", which the exam does not know{did_you_mean(name, domains)}'
            for name in self.per_domain
            if name not in domains
        ]

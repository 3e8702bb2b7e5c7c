"""The blueprint as an exam file holds it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from issmp_cat.blueprint.apportion import largest_remainder
from issmp_cat.blueprint.rows import EnemySet, ItemSet, Row

__all__ = ["ANY", "Blueprint", "Domain"]

# Which domains stand at their ceiling is one bit each: 2¹² states a length are tabulated in milliseconds.
MOST_DOMAINS = 12
# Takes the items of every domain that no other one names: a blueprint of this alone asks for nothing.
ANY = "*"


class Domain(BaseModel):
    """A content domain and its share of the test; id ``*`` takes the items of every domain that is not named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1)]
    name: str = ""
    weight: Annotated[Decimal, Field(gt=0, le=1)]

    @field_validator("weight", mode="before")
    @classmethod
    def _exact(cls, value: Any) -> Any:
        """Read 0.29 as 29/100, not as the binary number nearest to it."""
        return str(value) if isinstance(value, float) else value


class Blueprint(BaseModel):
    """Domains whose weights sum to 1; and what else the whole test must satisfy.

    Attributes:
        domains: content domains, at most 12.
        rows: bounds over other attributes, at the maximum length.
        sets: what happens to item sets; a set that is not named here travels.
        enemy_sets: items or sets of which one candidate meets at most one.

    >>> Blueprint(domains=[{"id": "D1", "weight": 0.6}, {"id": "D2", "weight": 0.4}]).quotas(10)
    (6, 4)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    domains: Annotated[tuple[Domain, ...], Field(min_length=1, max_length=MOST_DOMAINS)]
    enemies: Literal["apart", "ignore"] = "apart"
    rows: tuple[Row, ...] = ()
    sets: tuple[ItemSet, ...] = ()
    enemy_sets: tuple[EnemySet, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        named = {
            "domain": [domain.id for domain in self.domains],
            "row": [row.id for row in self.rows],
            "set": [part.id for part in self.sets],
            "enemy set": [part.id for part in self.enemy_sets if part.id],
        }
        for kind, ids in named.items():
            if doubles := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
                faults.append(f"{kind} id used twice: {', '.join(doubles)}")
        faults += _contradictions([row for row in self.rows if row.active])
        total = sum(domain.weight for domain in self.domains)
        if total != 1:
            parts = " + ".join(str(domain.weight) for domain in self.domains)
            faults.append(f"weights sum to {total}, not to 1 ({parts}); change them by {1 - total:+}")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def ids(self) -> tuple[str, ...]:
        """Domain ids, in order."""
        return tuple(domain.id for domain in self.domains)

    def place(self, domain: str) -> int | None:
        """Where items of a domain of the bank count: the position of their domain here; None when there is none.

        >>> loose = Blueprint(domains=[{"id": "D1", "weight": 0.6}, {"id": "*", "weight": 0.4}])
        >>> loose.place("D1"), loose.place("D7")
        (0, 1)
        """
        ids = self.ids
        name = domain if domain in ids else ANY
        return ids.index(name) if name in ids else None

    @property
    def weights(self) -> tuple[Decimal, ...]:
        """Shares, in order."""
        return tuple(domain.weight for domain in self.domains)

    def quotas(self, length: int) -> tuple[int, ...]:
        """Items of each domain in a test of ``length``."""
        return largest_remainder(self.weights, length)


def _contradictions(rows: list[Row]) -> list[str]:
    """Rows over the same items that leave no number."""
    same: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        same.setdefault((row.attribute, row.measure, *sorted(set(row.wanted))), []).append(row)
    faults = []
    for group in same.values():
        low = max((row for row in group if row.minimum is not None), key=lambda row: row.minimum or 0.0, default=None)
        high = min((row for row in group if row.maximum is not None), key=lambda row: row.maximum or 0.0, default=None)
        if low and high and low is not high and (low.minimum or 0.0) > (high.maximum or 0.0):
            faults.append(
                f'rows "{low.id}" and "{high.id}" bound the same items and contradict each other: '
                f"at least {low.minimum:g}, at most {high.maximum:g}"
            )
    return faults

"""What a blueprint may ask beyond domains: rows over attributes, item sets, enemy sets. Typed fields, never code."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["EnemySet", "ItemSet", "Row", "label"]

Value: TypeAlias = bool | int | float | str
Name = Annotated[str, Field(min_length=1)]
Bound = Annotated[float, Field(allow_inf_nan=False)] | None


def label(value: object) -> str:
    """One spelling for a value, wherever it was written: ``3``, ``3.0`` and ``"3"`` are the same.

    >>> label(3), label(3.0), label("3"), label(True), label(0.5)
    ('3', '3', '3', 'true', '0.5')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, Decimal)):
        return f"{float(value):.15g}"
    return str(value)


def _listed(value: Any) -> Any:
    """One value, or several: always several."""
    if value is None or isinstance(value, (list, tuple)):
        return value
    return (value,)


def _plain(value: Any) -> Any:
    """Decimals of an exam file as ordinary numbers."""
    if isinstance(value, (list, tuple)):
        return tuple(_plain(part) for part in value)
    return float(value) if isinstance(value, Decimal) else value


class Part(BaseModel):
    """A table of the blueprint."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(Part):
    """A bound on the whole test: how many items have a value, or what an attribute sums to.

    Rows hold at the maximum length.

    Attributes:
        id: its name in messages.
        attribute: a key of the items' attributes, or ``id``, ``domain``, ``key``, ``item_set``, ``model``, ``status``.
        value: what is counted: items whose attribute has this value, or one of these.
        measure: ``count`` items, or ``sum`` the attribute over the items.
        minimum: at least; ``maximum``: at most; either may be left open.
        active: a row can be switched off.

    >>> Row(id="key-A", attribute="key", value="A", minimum=28, maximum=35).wanted
    ('A',)
    """

    id: Name
    attribute: Name
    value: tuple[Value, ...] | None = None
    measure: Literal["count", "sum"] = "count"
    minimum: Bound = None
    maximum: Bound = None
    active: bool = True

    @field_validator("value", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return _plain(_listed(value))

    @model_validator(mode="after")
    def _sound(self) -> Self:
        faults = []
        if self.minimum is None and self.maximum is None:
            faults.append("has neither minimum nor maximum")
        elif self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            faults.append(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        if self.measure == "count":
            faults += ["a count needs the value that is counted"] if not self.value else []
            for name in ("minimum", "maximum"):
                bound = getattr(self, name)
                if bound is not None and (bound < 0 or bound != int(bound)):
                    faults.append(f"{name} {bound:g} of a count must be a whole number of at least 0")
        elif self.value is not None:
            faults.append("a sum takes the attribute as it is; leave out value")
        if faults:
            raise ValueError("; ".join([f'row "{self.id}": {faults[0]}', *faults[1:]]))
        return self

    @property
    def wanted(self) -> tuple[str, ...]:
        """The values that are counted, in one spelling."""
        return tuple(label(value) for value in self.value or ())


class ItemSet(Part):
    """What the exam does with the items that name this set in ``item_set``.

    Without such a table a set travels: its items are given all, one after the other, or none.
    """

    id: Name
    travel: bool = True


class EnemySet(Part):
    """Items, or item sets, of which one candidate meets at most one.

    Either ``items``, or ``sets``, or an ``attribute`` with its ``value``.
    """

    id: str = ""
    items: tuple[Name, ...] = ()
    sets: tuple[Name, ...] = ()
    attribute: str | None = None
    value: tuple[Value, ...] | None = None

    @field_validator("value", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return _plain(_listed(value))

    @model_validator(mode="after")
    def _sound(self) -> Self:
        faults = []
        ways = [bool(self.items), bool(self.sets), self.attribute is not None]
        if sum(ways) != 1:
            faults.append("give either items, or sets, or an attribute with its value")
        if (self.attribute is None) != (not self.value):
            faults.append("attribute and value go together")
        for kind, names in (("item", self.items), ("set", self.sets)):
            doubles = sorted({name for name in names if names.count(name) > 1})
            faults += [f'{kind} "{name}" is named twice: it would be its own enemy' for name in doubles]
            if len(names) == 1:
                faults.append(f'holds only the {kind} "{names[0]}"; enemies are at least two')
        if faults:
            raise ValueError("; ".join([f"{self.name}: {faults[0]}", *faults[1:]]))
        return self

    @property
    def name(self) -> str:
        """What messages call it."""
        if self.id:
            return f'enemy set "{self.id}"'
        shown = [*self.items, *self.sets, *(label(value) for value in self.value or ())]
        return f"enemy set of {', '.join(shown[:3])}{', …' if shown[3:] else ''}"

    @property
    def wanted(self) -> tuple[str, ...]:
        """The values of the attribute, in one spelling."""
        return tuple(label(value) for value in self.value or ())

"""The items two banks share, side by side, and what speaks against linking by them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from issmp_calibration.log.faults import some
from issmp_cat.arrays import Bools, Floats
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import BankError
from issmp_cat.irt import Parameters, select
from issmp_cat.spelling import did_you_mean

__all__ = [
    "SLOPE_ONE",
    "Pairs",
    "covariances",
    "fewest",
    "match",
    "names_of",
    "too_few",
    "unknown_errors",
    "width",
]

SLOPE_ONE = ("rasch", "pcm")
MODELS = "model "


@dataclass(frozen=True, slots=True)
class Pairs:
    """Items that stand in both banks.

    Attributes:
        new: the items as the bank to be transformed holds them; ``old``: as the bank whose scale is kept does.
        new_parameters: of ``new``; ``old_parameters``: of ``old``.
        slope_one: whether the scales can differ by a shift only.
    """

    new: tuple[Item, ...]
    old: tuple[Item, ...]
    new_parameters: Parameters
    old_parameters: Parameters
    slope_one: bool

    def __len__(self) -> int:
        return len(self.new)

    @property
    def earned(self) -> Floats:
        """Points of every score of every item, as the bank says that says it. Shape ``(rows,)``."""
        told = [new if _says_points(new) else old for new, old in zip(self.new, self.old, strict=True)]
        return np.array([points for item in told for points in item.earned], dtype=np.float64)

    def only(self, kept: Bools) -> Pairs:
        """Some of them. ``kept`` has shape ``(items,)``."""
        places = np.flatnonzero(kept)
        return Pairs(
            tuple(self.new[k] for k in places),
            tuple(self.old[k] for k in places),
            select(self.new_parameters, places),
            select(self.old_parameters, places),
            self.slope_one,
        )


def match(new: ItemBank, old: ItemBank, anchors: Collection[str] | None) -> Pairs:
    """The anchors of two banks.

    Args:
        new: bank to be transformed.
        old: bank whose scale is kept.
        anchors: ids of the items to link by; every common item that neither bank has retired when None.

    Raises:
        BankError: no common items, too few, unknown anchors, or an item that follows different models.
    """
    where = f'linking "{new.id}" to "{old.id}"'
    ids = [id_ for id_ in new.ids if id_ in old.index and _active(new, old, id_)] if anchors is None else list(anchors)
    faults = [] if anchors is None else [*_absent(new, old, ids)]
    both = [id_ for id_ in dict.fromkeys(ids) if id_ in new.index and id_ in old.index]
    faults += _all_differences([(new.items[new.index[id_]], old.items[old.index[id_]]) for id_ in both])
    # A bank with slopes of 1 cannot take another unit.
    slope_one = any(item.model in SLOPE_ONE for item in new.items)
    if not both and not faults:
        faults.append(_nothing_common(new, old))
    elif len(both) < fewest(slope_one=slope_one):
        faults.append(too_few(len(both), slope_one=slope_one))
    if faults:
        raise BankError(where, faults)
    at_new, at_old = (np.array([bank.index[id_] for id_ in both]) for bank in (new, old))
    return Pairs(
        tuple(new.items[k] for k in at_new),
        tuple(old.items[k] for k in at_old),
        select(new.parameters, at_new),
        select(old.parameters, at_old),
        slope_one,
    )


def fewest(*, slope_one: bool) -> int:
    """The fewest anchors that leave something to check: one more than there are constants."""
    return 2 if slope_one else 3


def too_few(n: int, *, slope_one: bool) -> str:
    """What to say of a link by ``n`` anchors."""
    return f"{n} anchor{'' if n == 1 else 's'}; at least {fewest(slope_one=slope_one)} are needed"


def _active(new: ItemBank, old: ItemBank, id_: str) -> bool:
    return all(bank.items[bank.index[id_]].status != "retired" for bank in (new, old))


def _absent(new: ItemBank, old: ItemBank, ids: Sequence[str]) -> Iterator[str]:
    for id_ in dict.fromkeys(ids):
        for bank, name in ((new, "new"), (old, "old")):
            if id_ not in bank.index:
                yield f'anchor "{id_}" is not in the {name} bank "{bank.id}"{did_you_mean(id_, bank.ids)}'


def _all_differences(both: Sequence[tuple[Item, Item]]) -> list[str]:
    """What keeps items from being compared; items with the same trouble share a line."""
    found: dict[str, list[str]] = {}
    for new, old in both:
        if trouble := _difference(new, old):
            found.setdefault(trouble, []).append(new.id)
    others = len(both) - sum(map(len, found.values()))
    advice = "link by the others (anchors)" if others else "calibrate one bank again with the other's model"
    return [
        f"{_whose(ids)}: {trouble}" + (f"; {advice}" if trouble.startswith(MODELS) else "")
        for trouble, ids in found.items()
    ]


def _whose(ids: Sequence[str]) -> str:
    return f'item "{ids[0]}"' if len(ids) == 1 else f"{len(ids):,} items ({some(ids)})"


def _difference(new: Item, old: Item) -> str:
    """Why two curves of one item cannot be compared; empty if they can. Only curves of one model can be."""
    if new.model != old.model:
        return f"{MODELS}{new.model} in the new bank, {old.model} in the old one"
    if len(new.steps) != len(old.steps):
        return f"{len(new.steps)} steps in the new bank, {len(old.steps)} in the old one"
    if len(new.slopes) != len(old.slopes):
        return f"{len(new.slopes) + 1} categories in the new bank, {len(old.slopes) + 1} in the old one"
    if new.options and old.options and new.options != old.options:
        return f"its categories are {' '.join(new.options)} in the new bank, {' '.join(old.options)} in the old one"
    if new.earned != old.earned and _says_points(new) and _says_points(old):
        return f"its categories earn {new.earned} in the new bank, {old.earned} in the old one"
    return ""


def _says_points(item: Item) -> bool:
    """Whether it is known what the categories earn; files of other programs do not say it of nominal items."""
    return item.model != "nrm" or bool(item.points) or item.content is not None


def _nothing_common(new: ItemBank, old: ItemBank) -> str:
    retired = sum(id_ in old.index for id_ in new.ids)
    if retired:
        return f"all {retired} common items are retired; name anchors to link by them nevertheless"
    return f"no common items: the new bank has {some(new.ids)}; the old one {some(old.ids)}"


def names_of(item: Item) -> tuple[str, ...]:
    """The parameters of an item, in the order of every covariance and gradient here.

    >>> names_of(Item(id="i", domain="D1", model="grm", steps=(0.0, 1.0)))
    ('a', 'b1', 'b2')
    """
    if item.model == "nrm":
        numbers = range(1, len(item.slopes) + 1)
        return (*(f"a{k}" for k in numbers), *(f"c{k}" for k in numbers))
    return ("a", *(f"b{k}" for k in range(1, len(item.steps) + 1))) if item.steps else ("a", "b", "c", "d")


def width(items: Sequence[Item]) -> int:
    """The most parameters that an item has."""
    return max(len(names_of(item)) for item in items)


def covariances(items: Sequence[Item]) -> Floats:
    """Sampling covariances in the order of :func:`names_of`; 0 for what was fixed. Shape ``(items, width, width)``."""
    size = width(items)
    whole = np.zeros((len(items), size, size))
    for k, item in enumerate(items):
        if item.covariance is not None:
            names = names_of(item)
            known = [i for i, name in enumerate(item.covariance.names) if name in names]
            places = [names.index(item.covariance.names[i]) for i in known]
            whole[k][np.ix_(places, places)] = np.array(item.covariance.values)[np.ix_(known, known)]
    return whole


def unknown_errors(items: Sequence[Item]) -> list[str]:
    """Ids of items whose bank does not hold the covariance of all that was estimated."""
    return [item.id for item in items if not _needed(item) <= set(_named(item))]


def _needed(item: Item) -> set[str]:
    """What is never fixed: neither asymptotes, nor slopes that are 1 by the model."""
    return {name for name in names_of(item) if name not in "cd" and not (name == "a" and item.model in SLOPE_ONE)}


def _named(item: Item) -> tuple[str, ...]:
    return () if item.covariance is None else item.covariance.names

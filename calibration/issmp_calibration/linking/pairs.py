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

__all__ = ["NAMES", "SLOPE_ONE", "Pairs", "covariances", "fewest", "match", "too_few", "unknown_errors"]

# The order of parameters in every covariance and gradient here.
NAMES = ("a", "b", "c", "d")
SLOPE_ONE = ("rasch", "pcm")


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
    faults += [fault for id_ in both for fault in _differences(new.items[new.index[id_]], old.items[old.index[id_]])]
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


def _differences(new: Item, old: Item) -> Iterator[str]:
    """Two curves of one item can be compared only within one model."""
    if new.model != old.model:
        yield f'item "{new.id}": {new.model} in the new bank, {old.model} in the old one; link by the others (anchors)'
    elif len(new.steps) != len(old.steps):
        yield f'item "{new.id}": {len(new.steps)} steps in the new bank, {len(old.steps)} in the old one'


def _nothing_common(new: ItemBank, old: ItemBank) -> str:
    retired = sum(id_ in old.index for id_ in new.ids)
    if retired:
        return f"all {retired} common items are retired; name anchors to link by them nevertheless"
    return f"no common items: the new bank has {some(new.ids)}; the old one {some(old.ids)}"


def covariances(items: Sequence[Item]) -> Floats:
    """Sampling covariances of a, b, c, d; 0 for what was fixed, steps apart. Shape ``(items, 4, 4)``."""
    whole = np.zeros((len(items), len(NAMES), len(NAMES)))
    for k, item in enumerate(items):
        if item.covariance is not None:
            known = [i for i, name in enumerate(item.covariance.names) if name in NAMES]
            places = [NAMES.index(item.covariance.names[i]) for i in known]
            whole[k][np.ix_(places, places)] = np.array(item.covariance.values)[np.ix_(known, known)]
    return whole


def unknown_errors(items: Sequence[Item]) -> list[str]:
    """Ids of items whose bank does not hold the covariance of all that was estimated.

    Errors of single steps are not used: items with steps count as unknown.
    """
    return [item.id for item in items if item.steps or not _needed(item) <= set(_named(item))]


def _needed(item: Item) -> set[str]:
    return {"b"} if item.model in SLOPE_ONE else {"a", "b"}


def _named(item: Item) -> tuple[str, ...]:
    return () if item.covariance is None else item.covariance.names

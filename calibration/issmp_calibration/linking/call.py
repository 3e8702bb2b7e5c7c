"""Linking two banks: match, screen, solve, say how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from issmp_calibration.linking.changes import SURE, Changes, changes, rmsd
from issmp_calibration.linking.characteristic import ROUGH, Criterion, Meeting, bring_together, nearest_start
from issmp_calibration.linking.curves import points
from issmp_calibration.linking.errors import Errors, link_covariance
from issmp_calibration.linking.moments import Solution, mean_mean, mean_sigma
from issmp_calibration.linking.pairs import Pairs, fewest, match, too_few, unknown_errors
from issmp_calibration.linking.result import TITLES, Anchor, Link, as_rows
from issmp_calibration.log.faults import some
from issmp_calibration.provenance import versions
from issmp_cat.arrays import Bools, Floats
from issmp_cat.bank import ItemBank
from issmp_cat.errors import BankError, UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["Method", "Screen", "Weights", "change_errors", "link", "moved", "rows", "solved"]

Method: TypeAlias = Literal["mean_mean", "mean_sigma", "haebara", "stocking_lord"]
Weights: TypeAlias = Literal["normal", "uniform"]
Screen: TypeAlias = Literal["none", "once", "iterative"]
MOMENTS: Mapping[str, Callable[[Pairs], Solution]] = {"mean_mean": mean_mean, "mean_sigma": mean_sigma}
CHOICES = {
    "method": tuple(name for name in TITLES if name != "chain"),
    "weights": ("normal", "uniform"),
    "screen": ("none", "once", "iterative"),
}


def link(
    new_bank: ItemBank,
    old_bank: ItemBank,
    method: Method = "stocking_lord",
    anchors: Collection[str] | None = None,
    *,
    weights: Weights = "normal",
    symmetric: bool = False,
    screen: Screen = "none",
    limit: float = 2.7,
) -> Link:
    """The constants that put one calibration onto the scale of another: ``θ_old = A θ_new + B``.

    Args:
        new_bank: the bank to be transformed.
        old_bank: the bank whose scale is kept.
        method: mean_mean, mean_sigma, haebara or stocking_lord.
        anchors: ids of the items to link by; all common items that are not retired when not given.
        weights: of the characteristic curve methods: "normal", by the density of the bank's population on 121 points to
            ±6 SD, or "uniform", 161 points to ±4 SD.
        symmetric: compare the curves on the new scale too, not on the old one only.
        screen: "none" flags moved anchors and keeps them; "once" drops all beyond the limit; "iterative" drops the
            worst, links again, and so on until none is beyond.
        limit: of the robust z on log a and on b; 2.7 is Tukey's fence, which 0.7 % of a normal sample cross. Where
            both banks hold an anchor's covariance, its change must also exceed 2.58 of its own standard errors.

    Returns:
        The link, with standard errors by the delta method where both banks hold the anchors' covariances.

    Raises:
        BankError: nothing to link by; every fault is named.
        NotConverged: the curves could not be brought together.
        UsageError: an unknown method, weights or screen.

    >>> from issmp_cat.bank import Item
    >>> old = ItemBank.from_items([Item(id=f"i{k}", domain="D1", a=1.0, b=k - 1.0) for k in range(3)])
    >>> new = ItemBank.from_items([Item(id=f"i{k}", domain="D1", a=2.0, b=0.5 * k - 1.0) for k in range(3)])
    >>> found = link(new, old, "mean_sigma")
    >>> round(found.A, 6), round(found.B, 6)
    (2.0, 1.0)
    """
    return solved(new_bank, old_bank, method, anchors, weights, symmetric=symmetric, screen=screen, limit=limit)[0]


def solved(
    new_bank: ItemBank,
    old_bank: ItemBank,
    method: Method,
    anchors: Collection[str] | None,
    weights: Weights = "normal",
    *,
    symmetric: bool = False,
    screen: Screen,
    limit: float,
) -> tuple[Link, Solution]:
    """As :func:`link`, with how A and B follow the parameters of the anchors used, in the link's order."""
    _refuse(limit, method=method, weights=weights, screen=screen)
    pairs = match(new_bank, old_bank, anchors)
    on_old, on_new = (points(bank.metric, weights) for bank in (old_bank, new_bank))
    on_new_too = on_new if symmetric else None
    kept, reasons = np.ones(len(pairs), dtype=bool), dict[int, str]()
    if screen != "none":
        constants = _quick(method, Criterion(pairs, on_old, on_new_too, method == "stocking_lord"))
        where = f'linking "{new_bank.id}" to "{old_bank.id}"'
        kept, reasons = _screened(pairs, constants, limit, screen, where)
    used = pairs.only(kept)
    solution = _solve(method, Criterion(used, on_old, on_new_too, method == "stocking_lord"))
    covariance, unknown = _covariance(used, solution)
    found = changes(pairs, solution.A, solution.B, kept, limit, change_errors(pairs, kept, solution, covariance))
    apart = rmsd(pairs, solution.A, solution.B, on_old)
    curves = method in ("haebara", "stocking_lord")
    found_link = Link(
        solution.A,
        solution.B,
        covariance,
        method,
        rows(pairs, solution.A, solution.B, found, apart, reasons),
        solution.criterion,
        (*_notes(pairs, found, kept, limit, method, screen), *unknown),
        {
            **_names(new_bank, old_bank),
            "screen": screen,
            "limit": limit,
            **({"weights": weights, "symmetric": symmetric} if curves else {}),
            "versions": versions(),
        },
    )
    return found_link, solution


def _solve(method: str, criterion: Criterion) -> Solution:
    """A and B from the pairs of a criterion, and how they follow the items' parameters."""
    if method in MOMENTS:
        return MOMENTS[method](criterion.pairs)
    return bring_together(criterion)


def _quick(method: str, criterion: Criterion) -> Callable[[Bools], tuple[float, float]]:
    """A and B of some of the pairs, good enough to see which item moved; curves are searched on from the last ones."""
    if method in MOMENTS:
        return lambda kept: MOMENTS[method](criterion.pairs.only(kept))[:2]
    meeting = Meeting(criterion)
    last = nearest_start(criterion, meeting)

    def constants(kept: Bools) -> tuple[float, float]:
        nonlocal last
        meeting.search(last, kept, ROUGH)
        last = meeting.where
        return last

    return constants


def _screened(
    pairs: Pairs, constants: Callable[[Bools], tuple[float, float]], limit: float, screen: str, where: str
) -> tuple[Bools, dict[int, str]]:
    """Which anchors stay, and why the others do not.

    Raises:
        BankError: too few stay.
    """
    kept, reasons = np.ones(len(pairs), dtype=bool), dict[int, str]()
    errors = Errors.of(pairs)

    def compared() -> Changes:
        slope, shift = constants(kept)
        return changes(pairs, slope, shift, kept, limit, errors.own(slope))

    found = compared()
    while len(drop := _to_drop(found, kept, screen)):
        kept = kept.copy()
        kept[drop] = False
        reasons |= {int(k): moved(found, int(k)) for k in drop}
        if kept.sum() < fewest(slope_one=pairs.slope_one):
            left = too_few(int(kept.sum()), slope_one=pairs.slope_one)
            problem = f"screening at |z| > {limit:g} leaves {left} ({some(pairs.new[k].id for k in reasons)} dropped)"
            raise BankError(where, [problem])
        if screen == "once":
            break
        found = compared()
    return kept, reasons


def _names(new: ItemBank, old: ItemBank) -> dict[str, str]:
    return {"new": new.id, "new_version": new.version, "old": old.id, "old_version": old.version}


def _refuse(limit: float, **chosen: str) -> None:
    for name, value in chosen.items():
        if value not in CHOICES[name]:
            known = ", ".join(CHOICES[name])
            raise UsageError(f'{name} "{value}" is not known{did_you_mean(value, CHOICES[name])}; one of: {known}')
    if not limit > 0:
        raise UsageError(f"limit {limit:g}: a robust z above 0 is expected")


def _to_drop(found: Changes, kept: Bools, screen: str) -> Sequence[int]:
    """Anchors beyond the limit: all of them, or the worst."""
    beyond = np.flatnonzero(kept & (found.worst > 1.0))
    if screen == "once" or len(beyond) == 0:
        return [int(k) for k in beyond]
    return [int(beyond[np.argmax(found.worst[beyond])])]


def moved(found: Changes, place: int) -> str:
    """Which parameter moved, by how much; nothing for an item within the limits."""
    parts = []
    if found.beyond_a[place] > 1.0:
        measures = _measures(found.z_a[place], found.in_se_a[place])
        parts.append(f"log a moved by {found.a[place]:+.3f} ({measures})")
    if found.beyond_b[place] > 1.0:
        measures = _measures(found.z_b[place], found.in_se_b[place])
        parts.append(f"b moved by {found.b[place]:+.3f} logits ({measures})")
    return "; ".join(parts)


def _measures(z: float, in_se: float) -> str:
    return f"robust z {z:+.1f}" + ("" if np.isnan(in_se) else f", {in_se:+.1f} SE")


def change_errors(pairs: Pairs, kept: Bools, solution: Solution, covariance: Any) -> tuple[Floats, Floats]:
    """Standard errors of the changes; without the link's own where that is not known."""
    errors = Errors.of(pairs)
    return errors.own(solution.A) if covariance is None else errors.with_link(pairs, kept, solution)


def _covariance(pairs: Pairs, solution: Solution) -> tuple[Any, list[str]]:
    """Covariance of A and B by the delta method, items and calibrations taken as independent; or why there is none."""
    unknown = {"new": unknown_errors(pairs.new), "old": unknown_errors(pairs.old)}
    if any(unknown.values()):
        places = [f"{len(ids)} in the {name} bank ({some(ids)})" for name, ids in unknown.items() if ids]
        return None, [f"no standard errors: the covariance is not known of {' and '.join(places)}"]
    return as_rows(link_covariance(pairs, solution)), []


def _notes(pairs: Pairs, found: Changes, kept: Bools, limit: float, method: str, screen: str) -> Iterator[str]:
    if pairs.slope_one:
        same = ", and mean/mean and mean/sigma are one method" if method in ("mean_mean", "mean_sigma") else ""
        yield f"A = 1 by the model: slopes of Rasch and PCM items are 1, so only the shift is free{same}"
    flagged = [pairs.new[k].id for k in np.flatnonzero(kept & (found.worst > 1.0))]
    if flagged:
        known = not np.isnan([found.in_se_a, found.in_se_b]).all()
        sure = f" and {SURE} standard errors" if known else ""
        act = "; --screen iterative drops such anchors" if screen == "none" else ""
        yield f"{len(flagged)} of the anchors used lie beyond |robust z| {limit:g}{sure} ({some(flagged)}){act}"


def rows(
    pairs: Pairs, slope: float, shift: float, found: Changes, apart: Floats, reasons: dict[int, str]
) -> tuple[Anchor, ...]:
    """The table of common items: changes, rmsd; ``reasons`` says at which places they were not used, and why."""
    return tuple(
        Anchor(
            new.id,
            new.model,
            k not in reasons,
            reasons.get(k, ""),
            *(new.a, new.b, old.a, old.b, new.a / slope, slope * new.b + shift),
            *(float(values[k]) for values in (found.a, found.b, found.z_a, found.z_b, apart)),
            *(None if np.isnan(values[k]) else float(values[k]) for values in (found.in_se_a, found.in_se_b)),
        )
        for k, (new, old) in enumerate(zip(pairs.new, pairs.old, strict=True))
    )

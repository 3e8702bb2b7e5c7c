"""What is assumed of the candidates: one population or groups, its shape, what their covariates tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log.faults import counted, some
from issmp_calibration.log.store import LogStore
from issmp_calibration.split import split_by_group
from issmp_calibration.ungrouped import OWN_GROUP, said_of
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.errors import UsageError
from issmp_cat.responses import ResponseLog
from issmp_cat.spelling import did_you_mean

__all__ = ["Populated", "PopulationModel", "populate"]

MOST_GROUPS = 200
MISSING = (
    '; leave them out (--missing-group drop, missing_group="drop") or make them a group of their own '
    '(--missing-group own, missing_group="own")'
)


@dataclass(frozen=True, slots=True)
class PopulationModel:
    """Populations of candidates.

    Attributes:
        groups: column about candidates that tells the groups; one group when not given. Means and SDs of all but the
            reference group are estimated; with items held at their values, those of all groups.
        reference: the group that is N(0, 1); the first in alphabetical order when not given.
        anchors: items that are the same in all groups; the others get parameters in each. All items when not given.
        density: "normal", or "histogram": a weight at each node, estimated.
        missing_group: what becomes of candidates without a group: "error" refuses them, "drop" leaves them out, "own"
            makes them a group of their own, called (missing).
        covariates: columns about candidates on which ability is regressed: numbers, or words (each but the first in
            alphabetical order becomes a covariate).
    """

    groups: str | None = None
    reference: str | None = None
    anchors: Sequence[str] | None = None
    density: Literal["normal", "histogram"] = "normal"
    covariates: Sequence[str] = ()
    missing_group: Literal["error", "drop", "own"] = "error"

    def __post_init__(self) -> None:
        problems = []
        if self.density not in {"normal", "histogram"}:
            problems.append(f'density (--density) "{self.density}": expected normal or histogram')
        if self.covariates and self.density == "histogram":
            problems.append("covariates (--covariates) need a normal density (--density)")
        if self.covariates and self.groups:
            problems.append(
                "groups and covariates (--groups, --covariates) exclude each other: name the group among the covariates"
            )
        if self.missing_group not in {"error", "drop", "own"}:
            problems.append(f'missing_group (--missing-group) "{self.missing_group}": expected error, drop or own')
        if self.groups is None and self.missing_group != "error":
            problems.append("missing_group (--missing-group) needs groups (--groups)")
        if self.groups is None and (self.reference is not None or self.anchors is not None):
            problems.append("reference and anchors (--reference, --anchors) need groups (--groups)")
        if problems:
            raise UsageError("; ".join(problems))

    def describe(self) -> dict[str, Any]:
        """As plain values, for the provenance."""
        return {
            "groups": self.groups,
            "reference": self.reference,
            "anchors": None if self.anchors is None else list(self.anchors),
            "density": self.density,
            "covariates": list(self.covariates),
            "missing_group": self.missing_group,
        }


@dataclass(frozen=True, slots=True)
class Populated:
    """A log whose candidates have found their populations.

    Attributes:
        log: items that differ by group are items of their own.
        base: id of the item in the item file, for each item of the log.
        labels: names of the groups, the reference first.
        pattern: group of each candidate. Shape ``(persons,)``.
        standard: groups that stay N(0, 1), since nothing links them to the others.
        covariates: of each candidate; None without any. Shape ``(persons, covariates)``.
        covariate_names: of the columns.
    """

    log: ResponseLog | LogStore
    base: tuple[str, ...]
    labels: tuple[str, ...]
    pattern: Ints
    standard: tuple[bool, ...]
    covariates: Floats | None
    covariate_names: tuple[str, ...]


def populate(log: ResponseLog | LogStore, model: PopulationModel | None, held: Sequence[str] = ()) -> Populated:
    """Groups and covariates of the candidates of a log.

    Args:
        log: the answers, with columns about candidates; a store is read as a whole if it has groups or covariates.
        model: what is wanted; one normal population when not given.
        held: items with fixed parameters, which link groups to the scale too.

    Raises:
        UsageError: every column, group or item that is not there, and candidates without a value.
    """
    names = tuple(map(str, log.items))
    one = Populated(log, names, ("all",), np.zeros(log.n_persons, np.int64), (), None, ())
    if model is None or (model.groups is None and not model.covariates):
        return one
    log = log if isinstance(log, ResponseLog) else log.log()
    wanted = [*([model.groups] if model.groups else []), *model.covariates]
    if missing := [name for name in wanted if name not in log.candidates]:
        known = ", ".join(log.candidates) or "none"
        hint = did_you_mean(missing[0], list(log.candidates))
        raise UsageError(f"no column about candidates is called {some(missing)}; there are: {known}{hint}")
    if model.covariates:
        matrix, columns = _covariates(log, model.covariates)
        return Populated(log, names, ("all",), one.pattern, (), matrix, columns)
    return one if model.groups is None else _grouped(log, model, held)


def _grouped(log: ResponseLog, model: PopulationModel, held: Sequence[str]) -> Populated:
    labels = _words(log, str(model.groups), advice=MISSING)
    found = sorted(set(labels), key=lambda label: (label == OWN_GROUP, label))  # never the reference by itself
    first = model.reference if model.reference is not None else found[0]
    problems = []
    if first not in found:
        problems.append(f'no candidate is of the reference group "{first}"{did_you_mean(first, found)}')
    if len(found) > MOST_GROUPS:
        problems.append(f'"{model.groups}" has {len(found):,} values: no groups of any size')
    names = [str(item) for item in log.items]
    if unknown := [item for item in model.anchors or () if item not in names]:
        problems.append(f"anchors that are not in the log: {some(unknown)}")
    if problems:
        raise UsageError("groups: " + "; ".join(problems))
    order = [first, *(label for label in found if label != first)]
    number = {label: place for place, label in enumerate(order)}
    pattern = np.array([number[label] for label in labels], np.int64)
    common = set(names if model.anchors is None else model.anchors) | set(held)
    apart: Bools = np.array([item not in common for item in names])
    base = tuple(name for name, split in zip(names, apart, strict=True) for _ in range(len(order) if split else 1))
    linked = _linked(log, ~apart, np.isin(names, list(held)), pattern, len(order))
    whole = split_by_group(log, apart, pattern, order) if apart.any() else log
    return Populated(whole, base, tuple(order), pattern, tuple(~linked), None, ())


def _linked(log: ResponseLog, common: Bools, held: Bools, pattern: Ints, groups: int) -> Bools:
    """Groups that common items connect with the reference group, or with held items. Shape ``(groups,)``."""
    seen = np.zeros((groups, log.n_items), bool)
    scored = log.score >= 0
    seen[pattern[log.person[scored]], log.item[scored]] = True
    seen &= common
    linked: Bools = np.asarray((seen & held).any(axis=1))
    linked[0] = True
    for _ in range(groups):
        reached = seen[linked].any(axis=0)
        linked = np.logical_or(linked, (seen & reached).any(axis=1))
    return linked


def _words(log: ResponseLog, column: str, *, advice: str = "") -> list[str]:
    """A column's values as words; every candidate must have one."""
    values = said_of(log.candidates[column])
    if without := [str(log.persons[k]) for k, value in enumerate(values) if not value]:
        raise UsageError(f'{counted(len(without), "candidate")} without "{column}": {some(without)}{advice}')
    return values


def _covariates(log: ResponseLog, columns: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """Numbers as they are, words as one column for each value but the first."""
    parts, names = list[Floats](), list[str]()
    for column in columns:
        values: NDArray[Any] = np.asarray(log.candidates[column])
        try:
            numbers = values.astype(np.float64)
        except (TypeError, ValueError):
            words = np.array(_words(log, column))
            for label in sorted(set(words))[1:]:
                parts.append((words == label).astype(np.float64))
                names.append(f"{column}={label}")
            continue
        if without := [str(person) for person in log.persons[~np.isfinite(numbers)]]:
            raise UsageError(f'{counted(len(without), "candidate")} without "{column}": {some(without)}')
        parts.append(numbers)
        names.append(column)
    matrix = np.column_stack(parts) if parts else np.zeros((log.n_persons, 0))
    centred = matrix - matrix.mean(axis=0)
    scale = np.sqrt(np.square(centred).mean(axis=0))
    constant = [name for name, sd in zip(names, scale, strict=True) if sd == 0.0]
    if constant or not names:
        raise UsageError(f"covariates that do not vary: {some(constant or list(columns))}")
    if np.linalg.matrix_rank(centred / scale) < len(names):
        raise UsageError(f"covariates that follow from each other: {', '.join(names)}")
    return matrix, tuple(names)

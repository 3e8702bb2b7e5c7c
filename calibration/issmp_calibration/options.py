"""How a calibration is run, where the defaults do not fit."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from issmp_calibration.verdict_rules import VerdictRules
from issmp_cat.errors import UsageError
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    from distributed import Client

    from issmp_cat.bank import ItemBank

__all__ = ["CalibrationOptions", "refuse_unknown"]


HOW = ("threads", "cluster", "strict")


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """The finer decisions of a calibration.

    Attributes:
        nodes: equally spaced abilities on which ability is integrated out; None starts with 61 and puts them closer
            together when a posterior is too narrow for them.
        limit: the outermost nodes, population SDs.
        tolerance: largest distance of an item to the solution at which the iteration ends, standard errors.
        max_passes: passes over the answers after which it ends anyway.
        verdicts: when items are held back or retired.
        min_to_fit: items with fewer answers are left out of the fit, on hold; 0 fits all. A few answers can ask for any
            slope, and keep a fit from settling. Items held at known parameters stay in.
        start: a bank to begin from, where it knows an item: a fit of the same items with further answers then takes a
            few passes. Where the fit ends does not depend on it.
        wanted_error: standard error of b, logits, that every item should reach; the result then says how many answers
            each still needs.
        threads: how many work on the answers, all processors when not given. The result does not depend on it.
        cluster: a Dask cluster whose workers do the passes over a store, each holding some of its shards; they must
            find the store under the same path. The result does not depend on it.
        strict: raise instead of returning a result that has not settled.
    """

    nodes: int | None = None
    limit: float = 6.0
    tolerance: float = 1e-3
    max_passes: int = 200
    verdicts: VerdictRules = field(default_factory=VerdictRules)
    start: ItemBank | None = None
    wanted_error: float | None = None
    min_to_fit: int = 0
    threads: int | None = None
    cluster: Client | None = None
    strict: bool = False

    def __post_init__(self) -> None:
        problems = []
        if self.nodes is not None and not 11 <= self.nodes <= 1001:
            problems.append(f"nodes (--nodes) {self.nodes}: expected 11 to 1001")
        if not 2.0 <= self.limit <= 20.0:
            problems.append(f"limit {self.limit:g}: expected 2 to 20 population SDs")
        if not 1e-8 <= self.tolerance <= 0.1:
            problems.append(f"tolerance (--tolerance) {self.tolerance:g}: expected 1e-8 to 0.1 standard errors")
        if self.max_passes < 1:
            problems.append(f"max_passes (--max-passes) {self.max_passes}: expected 1 or more")
        if self.min_to_fit < 0:
            problems.append(f"min_to_fit (--min-to-fit) {self.min_to_fit}: expected 0 or more")
        if self.wanted_error is not None and not 0.0 < self.wanted_error <= 10.0:
            problems.append(f"wanted_error (--wanted-error) {self.wanted_error:g}: expected above 0, up to 10 logits")
        if self.threads is not None and self.threads < 1:
            problems.append(f"threads (--threads) {self.threads}: expected 1 or more")
        if problems:
            raise UsageError("; ".join(problems))

    def as_dict(self) -> dict[str, Any]:
        """The options that a result depends on, as plain values."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name not in HOW}
        start = None if self.start is None else self.start.version
        return {**plain, "verdicts": self.verdicts.as_dict(), "start": start}


def refuse_unknown(unknown: dict[str, Any], known: tuple[str, ...]) -> None:
    """Say which keyword was meant.

    Raises:
        UsageError: whenever there is an unknown keyword.
    """
    finer = tuple(entry.name for entry in fields(CalibrationOptions))
    for name, value in unknown.items():
        if name in finer:
            raise UsageError(f'calibrate() takes "{name}" as options=CalibrationOptions({name}={value!r})')
        raise UsageError(f'calibrate() does not know "{name}"{did_you_mean(name, [*known, *finer])}')

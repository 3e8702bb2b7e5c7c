"""What a person wants to see of an exam: how it ended, and how θ moved."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SessionResult", "TraceRow"]


@dataclass(frozen=True, slots=True)
class TraceRow:
    """What a person wants to see of one step: the item, its answer, and θ after it."""

    position: int
    item: str
    domain: str
    score: int
    seconds: float
    theta: float
    se: float


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How an exam ended.

    ``theta`` and ``se`` are in logits, by ``estimator``; ``score`` is on the reporting scale. ``final`` is False for an
    exam still under way, whose figures are provisional. ``passed`` is what the rule that decided says, and the score
    keeps to it; ``decided_by`` names the rule when it is not the estimate against the cut, and is empty then.
    ``items`` counts scored answers, ``unscored`` the others.
    """

    candidate: str
    final: bool
    passed: bool
    score: int
    theta: float
    se: float
    estimator: str
    reason: str
    decided_by: str
    items: int
    unscored: int
    seconds: float
    counts: dict[str, int]
    quotas: dict[str, int]

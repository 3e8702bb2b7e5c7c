"""What deserves a look in a bank that is free of contradictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from issmp_cat.bank import Item, ItemBank
from issmp_cat.irt import item_information

__all__ = ["DomainSupply", "Finding", "findings", "supply"]

FLAT, FAR, GUESSED, LOOSE = 0.4, 4.0, 0.35, 0.5

# What is odd about one item, and in which words; the model cannot refuse these, a person should look at them.
ODD: tuple[tuple[str, Callable[[Item], bool]], ...] = (
    (f"low discrimination (a < {FLAT:g})", lambda item: item.a < FLAT),
    (f"far from the population (|b| > {FAR:g})", lambda item: abs(item.b) > FAR),
    (f"high guessing (c > {GUESSED:g})", lambda item: item.c > GUESSED),
    (f"loose difficulty (SE of b > {LOOSE:g})", lambda item: (_error(item, "b") or 0.0) > LOOSE),
    ("a verdict of their calibration", lambda item: item.verdict is not None),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: what, and which items."""

    words: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DomainSupply:
    """What a domain has: items by status, enemy pairs, and operational information at the cut, per logit²."""

    domain: str
    operational: int
    pretest: int
    retired: int
    enemy_pairs: int
    mean_b: float | None
    information: float


def _error(item: Item, name: str) -> float | None:
    return item.covariance.standard_error(name) if item.covariance else None


def findings(bank: ItemBank) -> tuple[Finding, ...]:
    """Everything that deserves a look, most serious first."""
    provisional = tuple(item.id for item in bank.items if item.provisional)
    found = [Finding("provisional parameters: judged, not measured", provisional)]
    found += [Finding(words, tuple(item.id for item in bank.items if odd(item))) for words, odd in ODD]
    unmeasured = tuple(item.id for item in bank.items if item.covariance is None and not item.provisional)
    found.append(Finding("no standard errors", unmeasured))
    found += _left_out(bank)
    return tuple(finding for finding in found if finding.items)


def _left_out(bank: ItemBank) -> Iterator[Finding]:
    """Items that the calibration could not use, as its provenance tells."""
    left_out: Any = bank.provenance.get("left_out", {})
    if isinstance(left_out, dict):
        for reason, _ in Counter(left_out.values()).most_common():
            yield Finding(
                f"left out of the bank: {reason}", tuple(item for item, why in left_out.items() if why == reason)
            )


def supply(bank: ItemBank, cut: float) -> tuple[DomainSupply, ...]:
    """What each domain has, in the bank's order.

    Args:
        bank: the items.
        cut: θ at which information is asked for, logits.
    """
    at_cut = item_information(np.array([cut]), bank.parameters)[0]
    live = np.array([item.status == "operational" for item in bank.items])
    rows = []
    for k, label in enumerate(bank.domains):
        inside = bank.domain == k
        members = np.flatnonzero(inside)
        status = Counter(bank.items[i].status for i in members)
        rows.append(
            DomainSupply(
                domain=label,
                operational=status["operational"],
                pretest=status["pretest"],
                retired=status["retired"],
                enemy_pairs=sum(1 for i in members for j in bank.enemies[i] if inside[j] and j > i),
                mean_b=float(bank.b[inside & live].mean()) if (inside & live).any() else None,
                information=float(at_cut[inside & live].sum()),
            )
        )
    return tuple(rows)

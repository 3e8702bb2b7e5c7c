"""Thresholds that a result must keep, for people who let a pipeline decide."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from issmp_cat.errors import GateFailed, UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["Gate", "missed_gates", "parse_gate", "require", "require_known"]

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
PATTERN = re.compile(r"^\s*(\w+)\s*(>=|<=|==|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$")


@dataclass(frozen=True, slots=True)
class Gate:
    """A figure of the result and the bound it must keep."""

    figure: str
    sign: str
    bound: float


def parse_gate(text: str, flags: Collection[str] = (), example: str = "accuracy>=0.95") -> Gate:
    """Read a threshold.

    Args:
        text: what was typed.
        flags: figures that are 0 or 1, whose name alone asks for 1.
        example: for the message.

    Raises:
        UsageError: not of the form ``figure>=number``.

    >>> parse_gate("accuracy >= 0.95")
    Gate(figure='accuracy', sign='>=', bound=0.95)
    >>> parse_gate("converged", flags=["converged"])
    Gate(figure='converged', sign='==', bound=1.0)
    """
    if text.strip() in flags:
        return Gate(text.strip(), "==", 1.0)
    found = PATTERN.match(text)
    if found is None:
        raise UsageError(f'--gate "{text}": expected a figure, a sign and a number, such as {example}')
    return Gate(found[1], found[2], float(found[3]))


def require_known(gates: Sequence[Gate], figures: Iterable[str]) -> None:
    """Check that every threshold is about a figure there is.

    Raises:
        UsageError: no such figure.
    """
    names = list(figures)
    for gate in gates:
        if gate.figure not in names:
            hint = did_you_mean(gate.figure, names)
            raise UsageError(f'--gate: no figure "{gate.figure}"{hint}; there are {", ".join(names)}')


def missed_gates(gates: Sequence[Gate], figures: Mapping[str, float]) -> list[str]:
    """A line about every threshold that was missed, and by how much."""
    missed = [gate for gate in gates if not OPERATORS[gate.sign](figures[gate.figure], gate.bound)]
    return [
        f"{gate.figure} is {figures[gate.figure]:.6g}, not {gate.sign} {gate.bound:g} "
        f"(off by {abs(figures[gate.figure] - gate.bound):.3g})"
        for gate in missed
    ]


def require(gates: Sequence[Gate], figures: Mapping[str, float]) -> None:
    """Check all thresholds.

    Raises:
        UsageError: no such figure.
        GateFailed: naming every threshold that was missed, and by how much.
    """
    require_known(gates, figures)
    if missed := missed_gates(gates, figures):
        raise GateFailed("\n  ".join([f"{len(missed)} of {len(gates)} thresholds missed:", *missed]))

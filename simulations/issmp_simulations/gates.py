"""Thresholds that a study must keep, for people who let a pipeline decide."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from issmp_cat.errors import GateFailed, UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["FIGURES", "Gate", "parse_gate", "require", "require_known"]

# The names of ``StudyResult.figures``, needed before there is a study.
FIGURES = (
    *("pass_rate", "true_pass_rate", "accuracy", "false_pass", "false_fail", "false_pass_rate", "false_fail_rate"),
    *("bias", "rmse", "mean_se", "coverage", "mean_length", "mean_seconds"),
    *("exposure_maximum", "exposure_mean", "never_used", "overlap", "exposure_chi_square", "violations", "unproven"),
)

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
    """A figure of the study and the bound it must keep."""

    figure: str
    sign: str
    bound: float


def parse_gate(text: str) -> Gate:
    """Read a threshold.

    Raises:
        UsageError: not of the form ``figure>=number``.

    >>> parse_gate("accuracy >= 0.95")
    Gate(figure='accuracy', sign='>=', bound=0.95)
    """
    found = PATTERN.match(text)
    if found is None:
        raise UsageError(f'--gate "{text}": expected a figure, a sign and a number, such as accuracy>=0.95')
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


def require(gates: Sequence[Gate], figures: Mapping[str, float]) -> None:
    """Check all thresholds.

    Raises:
        UsageError: no such figure.
        GateFailed: naming every threshold that was missed, and by how much.
    """
    require_known(gates, figures)
    missed = [gate for gate in gates if not OPERATORS[gate.sign](figures[gate.figure], gate.bound)]
    if missed:
        raise GateFailed(
            "\n  ".join(
                [f"{len(missed)} of {len(gates)} thresholds missed:"]
                + [
                    f"{gate.figure} is {figures[gate.figure]:.6g}, not {gate.sign} {gate.bound:g} "
                    f"(off by {abs(figures[gate.figure] - gate.bound):.3g})"
                    for gate in missed
                ]
            )
        )

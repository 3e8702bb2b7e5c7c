"""The figures of a calibration that ``--gate`` knows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.item_table import numbered
from issmp_calibration.item_verdict import ACTIONS, CODES
from issmp_cat.arrays import Bools, Floats

if TYPE_CHECKING:
    from issmp_calibration.result import Calibration
    from issmp_cat.cli.gates import Gate

__all__ = ["FIGURES", "STRICT", "figures", "read_gates"]

FLAGS = ("converged",)
ERRORS = ("max_se_a", "max_se_b", "max_se_c", "mean_se_b")
# How many items have each reason; "integration_error" alone is the largest error itself.
COUNTS = {("integration_error_items" if code == "integration_error" else code): code for code in CODES}
# Needed before there is a calibration; after the actions' shares, how many items have each reason.
FIGURES = (
    *FLAGS,
    *ACTIONS,
    *("integration_error", "min_answers", "items", "candidates", "alpha"),
    *ERRORS,
    *COUNTS,
)
STRICT = ("converged", "integration_error<=0.05", "hold<=0", "retire<=0")


def figures(result: Calibration) -> dict[str, float]:
    """Every figure by name; what is not known is as bad as can be, so that no threshold is kept by default.

    use, hold and retire are shares of the log's items; min_answers counts the items nobody saw, but for those that
    stand as in the bank whose items were held; max_se_b is over b and
    all steps; integration_error is the largest one, integration_error_items how many items are held for theirs.
    """
    table = result.items
    n = max(len(table), 1)
    actions = Counter(table.action.tolist())
    codes = Counter(code for verdict in table.verdicts for code in verdict.kinds)
    errors, fitted = table.standard_errors, table.fitted
    steps = numbered(table.names)
    stepped = fitted & ~np.isnan(table.parameters[:, steps]).all(axis=1) if steps else np.zeros_like(fitted)
    alone = ~stepped & ~np.isnan(table.parameters[:, 1])
    location = np.concatenate([errors[alone, 1], _of_estimated(table.parameters, errors, stepped, steps)])
    alpha = result.test.get("alpha")
    return {
        "converged": float(result.converged),
        **{action: actions[action] / n for action in ACTIONS},
        "integration_error": _largest(table.integration_error[fitted]),
        "min_answers": _fewest(result),
        "items": float(len(table)),
        "candidates": float(result.n_persons),
        "alpha": -math.inf if alpha is None else float(alpha),
        "max_se_a": _largest(errors[fitted & _estimated(result, "a"), 0]),
        "max_se_b": _largest(location),
        "max_se_c": _largest(errors[fitted & _estimated(result, "c"), 2]),
        "mean_se_b": _mean(location),
        **{name: float(codes[code]) for name, code in COUNTS.items()},
    }


def read_gates(texts: Sequence[str], *, errors: bool) -> list[Gate]:
    """The thresholds asked for; ``strict`` stands for several.

    Args:
        texts: as typed.
        errors: whether standard errors will be computed.

    Raises:
        UsageError: not a threshold, or about a figure that will not be there.
    """
    from issmp_cat.cli.gates import parse_gate, require_known
    from issmp_cat.errors import UsageError

    listed = [one for text in texts for one in (STRICT if text.strip() == "strict" else (text,))]
    gates = [parse_gate(text, flags=FLAGS, example='use>=0.95, or "strict"') for text in listed]
    require_known(gates, FIGURES)
    if not errors and (blind := [gate.figure for gate in gates if gate.figure in ERRORS]):
        raise UsageError(f"--gate {blind[0]} needs standard errors; leave out --errors none")
    return gates


def _fewest(result: Calibration) -> float:
    """The fewest answers of an item that is not simply as in the bank."""
    answers = result.items.answers[["stands_in_bank" not in one.codes for one in result.items.verdicts]]
    return float(answers.min()) if len(answers) else 0.0


def _estimated(result: Calibration, name: str) -> Bools:
    """Items whose model estimates this parameter. Shape ``(items,)``."""
    without = {"a": ("rasch", "pcm", "nrm"), "c": ("rasch", "1pl", "2pl", "grm", "pcm", "gpcm", "nrm")}[name]
    return ~np.isin(result.items.model, without)


def _of_estimated(values: Floats, errors: Floats, rows: Bools, columns: list[int]) -> Floats:
    """Errors of the cells that exist."""
    there = ~np.isnan(values[rows][:, columns])
    found: Floats = errors[rows][:, columns][there]
    return found


def _largest(values: Floats) -> float:
    return math.inf if np.isnan(values).any() else float(values.max(initial=0.0))


def _mean(values: Floats) -> float:
    return math.inf if np.isnan(values).any() or not len(values) else float(values.mean())

"""The two-parameter logistic, sixteen nodes at a time: what most passes over most logs consist of.

The same curve as ``chances`` and ``terms`` of the logistic family, written as vector instructions (see ``lanes``); a
test holds them to each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from issmp_calibration.mml.lanes import LANES, Emit, Writer, number
from issmp_calibration.mml.weights import exponential
from issmp_cat.compiled import jit

__all__ = ["expected_two", "log_two"]

SERIES = 17  # terms of log(1 + e) = 2 (t + t³/3 + t⁵/5 + …) with t = e / (2 + e) ≤ 1/3: the rest is below 1e-17


def _parts(write: Writer, z: Any) -> tuple[Any, Any, Any]:
    """Of e = exp(−|z|): e, 1 / (1 + e) and log(1 + e)."""
    build = write.builder
    small = exponential(write, write.call("minnum", z, build.fsub(write.constant(0.0), z)))
    far = build.fdiv(write.constant(1.0), build.fadd(write.constant(1.0), small))
    t = build.fdiv(small, build.fadd(write.constant(2.0), small))
    square, total = build.fmul(t, t), write.constant(1.0 / (2 * SERIES - 1))
    for term in range(SERIES - 2, -1, -1):
        total = write.call("fma", total, square, write.constant(1.0 / (2 * term + 1)))
    return small, far, build.fmul(build.fmul(write.constant(2.0), t), total)


def _log_row(_typing: Any, wrong: Any, right: Any, nodes: Any, slope: Any, intercept: Any) -> tuple[Any, Emit]:
    """Log probabilities of wrong and right at 16 nodes; worked out in float64 whatever they are kept in."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, types.float64, LANES)
        z = write.call("fma", write.scalar(3), write.row_of(2), write.scalar(4))
        _, _, above = _parts(write, z)
        zero = write.constant(0.0)
        for argument, signed in ((0, z), (1, builder.fsub(zero, z))):
            value = builder.fsub(zero, builder.fadd(write.call("maxnum", signed, zero), above))
            write.store_as(value, argument)
        return write.done()

    return types.void(wrong, right, nodes, slope, intercept), emit


def _expected_rows(
    _typing: Any, wrong: Any, right: Any, nodes: Any, size: Any, slope: Any, intercept: Any, out: Any
) -> tuple[Any, Emit]:
    """``out[:6] +=`` value, gradient by slope and intercept, information (0, 0), (0, 1), (1, 1); 16 nodes at a time."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, types.float64, LANES)
        sums = [write.variable() for _ in range(6)]
        low, high, theta_at = write.pointer(0), write.pointer(1), write.pointer(2)
        rise, middle, zero = write.scalar(4), write.scalar(5), write.constant(0.0)
        with write.loop(number(0), values[3], LANES) as (node, _):
            correct, theta = write.load(high, node), write.load(theta_at, node)
            both = builder.fadd(write.load(low, node), correct)
            z = write.call("fma", rise, theta, middle)
            small, far, above = _parts(write, z)
            near = builder.fmul(small, far)
            chance = builder.select(builder.fcmp_ordered(">", z, zero), far, near)
            loss = builder.fmul(both, builder.fadd(write.call("maxnum", z, zero), above))
            pull = builder.fsub(correct, builder.fmul(both, chance))
            weight = builder.fmul(builder.fmul(both, near), far)
            across = builder.fmul(weight, theta)
            added = (
                builder.fsub(builder.fmul(correct, z), loss),
                builder.fmul(pull, theta),
                pull,
                builder.fmul(across, theta),
                across,
                weight,
            )
            for place, term in zip(sums, added, strict=True):
                builder.store(builder.fadd(builder.load(place), term), place)
        for which, place in enumerate(sums):
            there = builder.gep(write.pointer(6), [ir.Constant(ir.IntType(64), which)])
            builder.store(builder.fadd(builder.load(there), write.halved(builder.load(place), builder.fadd)), there)
        return write.done()

    return types.void(wrong, right, nodes, size, slope, intercept, out), emit


log_row: Any = intrinsic(_log_row)
expected_rows: Any = intrinsic(_expected_rows)


@jit(allocates=False, error_model="numpy")
def log_two(wrong: Any, right: Any, nodes: Any, slope: float, intercept: float) -> int:
    """Log probabilities where there are no asymptotes, at all whole sixteens of nodes; returns how many those are."""
    whole = nodes.size // LANES * LANES
    for node in range(0, whole, LANES):
        log_row(wrong[node:], right[node:], nodes[node:], slope, intercept)
    return int(whole)


@jit(error_model="numpy")
def expected_two(counts: Any, nodes: Any, parameters: Any, gradient: Any, information: Any) -> float:
    """Expected complete-data log likelihood where there are no asymptotes, gradient and information: the quick way.

    Args:
        counts: expected wrong and right answers. Shape ``(2, nodes)``.
        nodes: abilities.
        parameters: cells of the item.
        gradient: written; ``information`` alike, the first two cells.
    """
    sums = np.zeros(6)
    whole = nodes.size // LANES * LANES
    expected_rows(counts[0], counts[1], nodes, whole, parameters[0], parameters[1], sums)
    if whole < nodes.size:
        rest = np.zeros((3, LANES))
        for node in range(whole, nodes.size):
            rest[0, node - whole], rest[1, node - whole] = counts[0, node], counts[1, node]
            rest[2, node - whole] = nodes[node]
        expected_rows(rest[0], rest[1], rest[2], LANES, parameters[0], parameters[1], sums)
    gradient[0], gradient[1] = sums[1], sums[2]
    information[0, 0], information[1, 1] = sums[3], sums[5]
    information[0, 1] = information[1, 0] = sums[4]
    return float(sums[0])

"""From log likelihoods to posterior weights, sixteen nodes at a time.

The exponential is written out for vectors: the compiler's own is called for one number at a time, which takes longer
than adding up the answers of a whole block. Cody, W. J., & Waite, W. (1980). Software manual for the elementary
functions, chapter 6, with the polynomial by Taylor: every step is an IEEE operation in a fixed order, so that all
processors return the same bits.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from issmp_calibration.mml.lanes import LANES, Emit, Writer
from issmp_cat.compiled import jit

__all__ = ["exponential", "posterior", "tilted_posterior"]

LN_2_HIGH = 0.693359375  # ln 2 in two parts; the first has few bits, so that multiples of it are exact
LN_2_LOW = -2.121944400546905827679e-4
# Of each precision: lowest exponent taken for anything but 0, degree, exponent bias, bits of the mantissa.
SINGLE = (-87.0, 7, 127, 23)
DOUBLE = (-708.0, 13, 1023, 52)


def exponential(write: Writer, power: Any) -> Any:
    """Base e raised to powers that are not above 0, 0 below what the precision holds."""
    build = write.builder
    lowest, degree, bias, bits = SINGLE if write.bytes == 4 else DOUBLE
    floor = write.constant(lowest)
    held = write.call("maxnum", power, floor)
    twos = write.call("rint", build.fmul(held, write.constant(1.0 / math.log(2.0))))
    rest = write.call("fma", twos, write.constant(-LN_2_HIGH), held)
    rest = write.call("fma", twos, write.constant(-LN_2_LOW), rest)
    total = write.constant(1.0 / math.factorial(degree))
    for order in range(degree - 1, -1, -1):
        total = write.call("fma", total, rest, write.constant(1.0 / math.factorial(order)))
    whole = ir.VectorType(ir.IntType(8 * write.bytes), LANES)
    exponent = build.add(build.fptosi(twos, whole), ir.Constant(whole, [bias] * LANES))
    scale = build.bitcast(build.shl(exponent, ir.Constant(whole, [bits] * LANES)), write.vector)
    kept = build.fcmp_ordered(">=", power, floor)
    return build.select(kept, build.fmul(total, scale), write.constant(0.0))


def _raise_row(_typing: Any, total: Any, log_density: Any, nodes: Any, tilt: Any, shift: Any) -> tuple[Any, Emit]:
    """``total[:16] += log_density[:16] + tilt · nodes[:16] + shift``; returns the largest."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, total.dtype, LANES)
        line = write.call("fma", write.scalar(3), write.row_of(2), write.scalar(4))
        density = builder.fadd(write.load(write.pointer(1)), line)
        here = builder.fadd(write.load(write.pointer(0)), density)
        write.store(here, write.pointer(0))

        def larger(one: Any, two: Any) -> Any:
            return builder.select(builder.fcmp_ordered(">", one, two), one, two)

        return write.halved(here, larger)

    return total.dtype(total, log_density, nodes, tilt, shift), emit


def _weigh_row(_typing: Any, total: Any, peak: Any) -> tuple[Any, Emit]:
    """``total[:16] = exp(total[:16] − peak)``; returns the sum."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, total.dtype, LANES)
        weight = exponential(write, builder.fsub(write.load(write.pointer(0)), write.scalar(1)))
        write.store(weight, write.pointer(0))
        return write.halved(weight, builder.fadd)

    return total.dtype(total, peak), emit


def _centre_row(_typing: Any, total: Any, factor: Any, nodes: Any) -> tuple[Any, Emit]:
    """``total[:16] *= factor``; returns the sum of their products with the nodes."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, total.dtype, LANES)
        weight = builder.fmul(write.load(write.pointer(0)), write.scalar(1))
        write.store(weight, write.pointer(0))
        return write.halved(builder.fmul(weight, write.row_of(2)), builder.fadd)

    return total.dtype(total, factor, nodes), emit


def _square_row(_typing: Any, total: Any, nodes: Any, mean: Any) -> tuple[Any, Emit]:
    """Sum of ``total[:16] · (nodes[:16] − mean)²``."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, total.dtype, LANES)
        away = builder.fsub(write.row_of(1), write.scalar(2))
        product = builder.fmul(builder.fmul(away, away), write.load(write.pointer(0)))
        return write.halved(product, builder.fadd)

    return total.dtype(total, nodes, mean), emit


raise_row: Any = intrinsic(_raise_row)
weigh_row: Any = intrinsic(_weigh_row)
centre_row: Any = intrinsic(_centre_row)
square_row: Any = intrinsic(_square_row)


@jit(allocates=False)
def tilted_posterior(total: Any, log_density: Any, nodes: Any, tilt: float, shift: float, moments: Any) -> float:
    """Turn log likelihoods into posterior weights in place; returns the log marginal likelihood.

    Args:
        total: log likelihood at each node, a multiple of 16 of them; becomes the weights. Shape ``(nodes,)``.
        log_density: of the same precision; ``log_density + tilt · nodes + shift`` is the log weight of each node.
        nodes: abilities, logits. Shape ``(nodes,)``.
        tilt: change of the log weight with ability; ``shift``: added to it.
        moments: posterior mean and SD, logits, are written. Shape ``(2,)``.
    """
    peak = raise_row(total, log_density, nodes, tilt, shift)
    for row in range(LANES, total.size, LANES):
        peak = max(peak, raise_row(total[row:], log_density[row:], nodes[row:], tilt, shift))
    mass = weigh_row(total, peak)
    for row in range(LANES, total.size, LANES):
        mass += weigh_row(total[row:], peak)
    mean = centre_row(total, 1.0 / mass, nodes)
    for row in range(LANES, total.size, LANES):
        mean += centre_row(total[row:], 1.0 / mass, nodes[row:])
    variance = square_row(total, nodes, mean)
    for row in range(LANES, total.size, LANES):
        variance += square_row(total[row:], nodes[row:], mean)
    moments[0] = mean
    moments[1] = math.sqrt(variance)
    return float(peak) + math.log(float(mass))


@jit(allocates=False)
def posterior(total: Any, log_density: Any, nodes: Any, moments: Any) -> float:
    """:func:`tilted_posterior` where the density is what it is."""
    return tilted_posterior(total, log_density, nodes, 0.0, 0.0, moments)

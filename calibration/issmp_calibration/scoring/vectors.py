"""Posterior weights sixteen at a time: prior, peak, exponential and sums as vector instructions.

The exponential is Cephes' ``expf`` (Moshier, 1992): reduced by ln 2 in two parts, a polynomial of degree six, relative
error below 1.2e-7. The processor's own would differ from one machine to the next; this one is fixed by the code.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from issmp_calibration.mml.lanes import COUNTER, LANES, Emit, Writer, number

__all__ = ["SIDE", "TAPS", "blend", "weigh"]

SIDE = 6  # points on each side of a place that is interpolated
TAPS = 2 * SIDE
LOWEST = -80.0  # a weight below e⁻⁸⁰ is e⁻⁸⁰: no denormal numbers, which would be slow
LOG2_E, LN2_HIGH, LN2_LOW = 1.44269504088896341, 0.693359375, -2.12194440e-4
POLYNOMIAL = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
ROUND = 12582912.0  # 1.5 · 2²³: adding and subtracting it rounds to a whole number
EXPONENT_BIAS, EXPONENT_SHIFT = 127, 23
DOUBLE = ir.VectorType(ir.DoubleType(), LANES)
WHOLE = ir.VectorType(ir.IntType(32), LANES)


def _weigh(
    _typing: Any, values: Any, density: Any, offset: Any, lift: Any, bend: Any, rows: Any, sums: Any
) -> tuple[Any, Emit]:
    """Turn log likelihoods into posterior weights in place: ``exp(values + density + lift o + bend o² − highest)``.

    ``values``, ``density`` and ``offset`` (o) are float32 of ``16 · rows`` numbers, ``lift`` and ``bend`` float32.
    ``sums``, float64 of shape ``(3,)``, takes the weights' sum, and their sums times o and o².
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write = Writer(context, builder, signature, arguments, types.float32, LANES)
        places = [write.pointer(k) for k in range(3)]
        ends = number(0), builder.mul(arguments[5], number(LANES))
        lift, bend = (_everywhere(builder, write, arguments[k]) for k in (3, 4))
        make: Any = cgutils.alloca_once_value
        highest = make(builder, _constant(write.vector, -3.0e38))
        with cgutils.for_range_slice(builder, *ends, number(LANES), COUNTER) as (first, _):
            value, own, o = (write.load(place, first) for place in places)
            prior = builder.fmul(o, builder.fadd(lift, builder.fmul(bend, o)))
            value = builder.fadd(builder.fadd(value, own), prior)
            write.store(value, places[0], first)
            before = builder.load(highest)
            builder.store(builder.select(builder.fcmp_ordered(">", value, before), value, before), highest)
        peak = _everywhere(builder, write, _folded(builder, builder.load(highest), _larger))
        totals = [make(builder, _constant(DOUBLE, 0.0)) for _ in range(3)]
        with cgutils.for_range_slice(builder, *ends, number(LANES), COUNTER) as (first, _):
            weight = _exponential(builder, write, builder.fsub(write.load(places[0], first), peak))
            write.store(weight, places[0], first)
            part, o = (builder.fpext(vector, DOUBLE) for vector in (weight, write.load(places[2], first)))
            for total in totals:
                builder.store(builder.fadd(builder.load(total), part), total)
                part = builder.fmul(part, o)
        for place, total in enumerate(totals):
            target = builder.gep(write.pointer(6), [number(place)])
            builder.store(_folded(builder, builder.load(total), lambda b, one, two: b.fadd(one, two)), target)
        return write.done()

    return types.void(values, density, offset, lift, bend, rows, sums), emit


def _blend(_typing: Any, known: Any, taps: Any, between: Any, rows: Any) -> tuple[Any, Emit]:
    """``between[k] = Σ_t taps[t, k] known[k + t]`` over twelve t, for ``16 · rows`` places k; float32, taps flat."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write = Writer(context, builder, signature, arguments, types.float32, LANES)
        values, factors, out = (write.pointer(k) for k in range(3))
        width = builder.mul(arguments[3], number(LANES))
        with cgutils.for_range_slice(builder, number(0), width, number(LANES), COUNTER) as (first, _):
            total = _constant(write.vector, 0.0)
            place = first
            for tap in range(TAPS):
                value = write.load(values, builder.add(first, number(tap)))
                total = builder.fadd(total, builder.fmul(value, write.load(factors, place)))
                place = builder.add(place, width)
            write.store(total, out, first)
        return write.done()

    return types.void(known, taps, between, rows), emit


def _constant(vector: Any, value: float) -> Any:
    return ir.Constant(vector, [value] * LANES)


def _everywhere(builder: Any, write: Any, scalar: Any) -> Any:
    """A number in all sixteen places."""
    one = builder.insert_element(ir.Constant(write.vector, ir.Undefined), scalar, ir.Constant(WHOLE.element, 0))
    return builder.shuffle_vector(one, one, ir.Constant(WHOLE, [0] * LANES))


def _larger(builder: Any, one: Any, two: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", one, two), one, two)


def _exponential(builder: Any, write: Any, power: Any) -> Any:
    """Exp of sixteen numbers that are 0 or less."""

    def constant(value: float) -> Any:
        return _constant(write.vector, value)

    power = _larger(builder, power, constant(LOWEST))
    times = builder.fadd(builder.fmul(power, constant(LOG2_E)), constant(ROUND))
    times = builder.fsub(times, constant(ROUND))
    rest = builder.fsub(power, builder.fmul(times, constant(LN2_HIGH)))
    rest = builder.fsub(rest, builder.fmul(times, constant(LN2_LOW)))
    value = constant(POLYNOMIAL[0])
    for coefficient in POLYNOMIAL[1:]:
        value = builder.fadd(builder.fmul(value, rest), constant(coefficient))
    value = builder.fadd(builder.fmul(builder.fmul(value, rest), rest), builder.fadd(rest, constant(1.0)))
    bits = builder.add(builder.fptosi(times, WHOLE), ir.Constant(WHOLE, [EXPONENT_BIAS] * LANES))
    bits = builder.shl(bits, ir.Constant(WHOLE, [EXPONENT_SHIFT] * LANES))
    return builder.fmul(value, builder.bitcast(bits, write.vector))


def _folded(builder: Any, vector: Any, together: Any) -> Any:
    """Sixteen numbers made one: halves onto each other, 16, 8, 4, 2, 1."""
    half = LANES
    while half > 1:
        half //= 2
        sides = (range(half), range(half, 2 * half))
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), half), list(side)) for side in sides]
        nothing = ir.Constant(vector.type, ir.Undefined)
        vector = together(builder, *(builder.shuffle_vector(vector, nothing, mask) for mask in masks))
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


blend: Any = intrinsic(_blend)
weigh: Any = intrinsic(_weigh)

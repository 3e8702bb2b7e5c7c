"""Sixteen nodes at a time: the inner loops over answers as vector instructions.

LLVM unrolls a loop over 16 nodes before it can vectorise it, which costs a factor of five or more. The intrinsics
here say what is meant. On processors without 512-bit registers LLVM splits the rows; the order of additions is fixed
by the code, so the results are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = [
    "COUNTER",
    "LANES",
    "Emit",
    "Writer",
    "add_row",
    "add_rows",
    "dot_rows",
    "number",
    "spread_row",
]

LANES = 16
SUMS = 4  # independent running sums hide the latency of an addition
COUNTER = ir.IntType(64)

Emit = Callable[[Any, Any, Any, Any], Any]


def number(value: int) -> Any:
    """A 64-bit whole number of LLVM."""
    return ir.Constant(COUNTER, value)


class Writer:
    """What the intrinsics share: arrays as pointers, vectors of neighbouring numbers, loops over answers.

    Args:
        context: numba's; ``builder``: LLVM's; ``signature`` and ``values``: of the call being written.
        element: the float type of the arrays.
        width: numbers in a vector.
    """

    def __init__(self, context: Any, builder: Any, signature: Any, values: Any, element: Any, width: int) -> None:
        self.context, self.builder, self.signature, self.values = context, builder, signature, values
        self.bytes = element.bitwidth // 8
        self.vector = ir.VectorType(ir.FloatType() if element == types.float32 else ir.DoubleType(), width)

    def pointer(self, argument: int) -> Any:
        """The first element of an array argument."""
        kind = self.signature.args[argument]
        return self.context.make_array(kind)(self.context, self.builder, self.values[argument]).data

    def load(self, pointer: Any, index: Any = None) -> Any:
        """Neighbouring numbers from an index on; arrays are aligned to their element only."""
        place = pointer if index is None else self.builder.gep(pointer, [index])
        loaded = self.builder.load(self.builder.bitcast(place, self.vector.as_pointer()))
        loaded.align = self.bytes
        return loaded

    def store(self, vector: Any, pointer: Any, index: Any = None) -> None:
        """Write neighbouring numbers from an index on."""
        place = pointer if index is None else self.builder.gep(pointer, [index])
        self.builder.store(vector, self.builder.bitcast(place, self.vector.as_pointer())).align = self.bytes

    def constant(self, value: float) -> Any:
        """A vector of one number, repeated."""
        return ir.Constant(self.vector, [value] * self.vector.count)

    def row_of(self, argument: int) -> Any:
        """The first numbers of an array argument, in this writer's precision whatever theirs."""
        own = self.signature.args[argument].dtype
        if own.bitwidth == 8 * self.bytes:
            return self.load(self.pointer(argument))
        other = Writer(self.context, self.builder, self.signature, self.values, own, self.vector.count)
        change = self.builder.fptrunc if own == types.float64 else self.builder.fpext
        return change(other.load(other.pointer(argument)), self.vector)

    def store_as(self, vector: Any, argument: int) -> None:
        """Write to the beginning of an array argument, in its own precision."""
        own = self.signature.args[argument].dtype
        other = Writer(self.context, self.builder, self.signature, self.values, own, self.vector.count)
        shorter = own.bitwidth < 8 * self.bytes
        other.store(self.builder.fptrunc(vector, other.vector) if shorter else vector, other.pointer(argument))

    def scalar(self, argument: int) -> Any:
        """A vector of one number, which is an argument."""
        kind = types.float32 if self.bytes == 4 else types.float64
        number = self.context.cast(self.builder, self.values[argument], self.signature.args[argument], kind)
        return self.repeated(number)

    def repeated(self, scalar: Any) -> Any:
        """A vector of one number known when the code runs."""
        first = self.builder.insert_element(
            ir.Constant(self.vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.vector.count), [0] * self.vector.count)
        return self.builder.shuffle_vector(first, ir.Constant(self.vector, ir.Undefined), mask)

    def call(self, name: str, *operands: Any) -> Any:
        """One of LLVM's functions of vectors: ``fma``, ``rint``, ``maxnum``."""
        kind = ir.FunctionType(self.vector, [self.vector] * len(operands))
        declare: Any = cgutils.get_or_insert_function
        full = f"llvm.{name}.v{self.vector.count}f{8 * self.bytes}"
        return self.builder.call(declare(self.builder.module, kind, full), operands)

    def halved(self, vector: Any, combine: Callable[[Any, Any], Any]) -> Any:
        """One number of a vector, its halves combined: 16, 8, 4, 2, 1."""
        half = vector.type.count
        while half > 1:
            half //= 2
            sides = (range(half), range(half, 2 * half))
            masks = [ir.Constant(ir.VectorType(ir.IntType(32), half), list(side)) for side in sides]
            nothing = ir.Constant(vector.type, ir.Undefined)
            vector = combine(*(self.builder.shuffle_vector(vector, nothing, mask) for mask in masks))
        return self.builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    def variable(self) -> Any:
        """A vector of zeros that may change."""
        make: Any = cgutils.alloca_once_value
        return make(self.builder, ir.Constant(self.vector, [0.0] * self.vector.count))

    def row(self, codes: Any, answer: Any, width: int = LANES) -> Any:
        """Where the row of an answer begins: its code times the row's width."""
        code = self.builder.zext(self.builder.load(self.builder.gep(codes, [answer])), COUNTER)
        return self.builder.mul(code, number(width))

    def loop(self, first: Any, last: Any, step: int = 1) -> Any:
        """A loop over first … last − 1, as a context manager."""
        return cgutils.for_range_slice(self.builder, first, last, number(step), COUNTER)

    def done(self) -> Any:
        """What a call that returns nothing returns."""
        return self.context.get_dummy_value()


def _add_rows(_typing: Any, total: Any, table: Any, codes: Any, start: Any, stop: Any) -> tuple[Any, Emit]:
    """``total[:16] = Σ table[codes[i]]`` over answers start … stop; the table has 16 columns."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, table.dtype, LANES)
        sums = [write.variable() for _ in range(SUMS)]
        rows, answers, first, last = write.pointer(1), write.pointer(2), values[3], values[4]

        def add(answer: Any, place: Any) -> None:
            builder.store(builder.fadd(builder.load(place), write.load(rows, write.row(answers, answer))), place)

        middle = builder.add(first, builder.and_(builder.sub(last, first), number(-SUMS)))
        with write.loop(first, middle, SUMS) as (answer, _):
            for offset, place in enumerate(sums):
                add(builder.add(answer, number(offset)), place)
        with write.loop(middle, last) as (answer, _):
            add(answer, sums[0])
        one, two, three, four = (builder.load(place) for place in sums)
        write.store(builder.fadd(builder.fadd(one, two), builder.fadd(three, four)), write.pointer(0))
        return write.done()

    return types.void(total, table, codes, start, stop), emit


def _spread_row(_typing: Any, counts: Any, weights: Any, codes: Any, start: Any, stop: Any) -> tuple[Any, Emit]:
    """``counts[codes[i]] += weights[:16]`` over answers start … stop; counts have 16 columns."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, counts.dtype, LANES)
        rows, answers, added = write.pointer(0), write.pointer(2), write.load(write.pointer(1))
        with write.loop(values[3], values[4]) as (answer, _):
            row = write.row(answers, answer)
            write.store(builder.fadd(write.load(rows, row), added), rows, row)
        return write.done()

    return types.void(counts, weights, codes, start, stop), emit


def _dot_rows(
    _typing: Any, out: Any, stride: Any, table: Any, weights: Any, codes: Any, start: Any, stop: Any
) -> tuple[Any, Emit]:
    """``out[stride * (i − start)] += weights[:16] · table[codes[i]]`` over answers start … stop."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, table.dtype, LANES)
        sums, rows, answers, weight = write.pointer(0), write.pointer(2), write.pointer(4), write.load(write.pointer(3))
        with write.loop(values[5], values[6]) as (answer, _):
            product = builder.fmul(write.load(rows, write.row(answers, answer)), weight)
            place = builder.gep(sums, [builder.mul(builder.sub(answer, values[5]), values[1])])
            total = write.halved(product, builder.fadd)
            builder.store(builder.fadd(builder.load(place), total), place)
        return write.done()

    return types.void(out, stride, table, weights, codes, start, stop), emit


def _add_row(_typing: Any, out: Any, one: Any, two: Any) -> tuple[Any, Emit]:
    """``out[:16] = one[:16] + two[:16]``."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        write = Writer(context, builder, signature, values, out.dtype, LANES)
        total = builder.fadd(write.load(write.pointer(1)), write.load(write.pointer(2)))
        write.store(total, write.pointer(0))
        return write.done()

    return types.void(out, one, two), emit


add_row: Any = intrinsic(_add_row)
add_rows: Any = intrinsic(_add_rows)
spread_row: Any = intrinsic(_spread_row)
dot_rows: Any = intrinsic(_dot_rows)

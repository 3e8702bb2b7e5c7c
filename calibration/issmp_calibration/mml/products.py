"""Sums of products between the answers of one person, written as vector instructions (see ``lanes``)."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from issmp_calibration.mml.lanes import Emit, Writer, number

__all__ = ["ORDERS", "WIDTHS", "add_products", "width_for"]

ORDERS = 4  # components of each answer that are multiplied and summed at a time
WIDTHS = (1, 2, 4)  # parameters of an item, filled up with zeros so that their products fill registers evenly


def width_for(parameters: int) -> int:
    """The width that holds so many parameters.

    >>> width_for(3)
    4
    """
    return min(width for width in WIDTHS if width >= parameters)


def _add_products(
    _typing: Any, shape: Any, row: Any, items: Any, parts: Any, own: Any, first: Any, last: Any
) -> tuple[Any, Emit]:
    """``row[items[l]] += Σ_m parts[own, m] ⊗ parts[l, m]`` for l = first … last.

    ``parts`` has 4 orders of ``width`` numbers for each answer, ``row`` width² numbers for each item. The width must be
    known when the code is written: it is the length of the tuple ``shape``.
    """
    size = shape.count

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        short = Writer(context, builder, signature, values, parts.dtype, size)
        long = Writer(context, builder, signature, values, parts.dtype, size * size)
        sums, answers, components = (short.pointer(argument) for argument in (1, 2, 3))
        spread = ir.VectorType(ir.IntType(32), size * size)
        across = ir.Constant(spread, [q for _ in range(size) for q in range(size)])
        down = ir.Constant(spread, [p for p in range(size) for _ in range(size)])
        kind = ir.FunctionType(long.vector, [long.vector] * 3)
        name = f"llvm.fma.v{size * size}f{parts.dtype.bitwidth}"
        declare: Any = cgutils.get_or_insert_function
        multiply_add = declare(builder.module, kind, name)

        def component(answer: Any, order: int, mask: Any) -> Any:
            place = builder.add(builder.mul(answer, number(ORDERS * size)), number(order * size))
            part = short.load(components, place)
            return builder.shuffle_vector(part, ir.Constant(short.vector, ir.Undefined), mask)

        mine = [component(values[4], order, down) for order in range(ORDERS)]
        with short.loop(values[5], values[6]) as (answer, _):
            block = short.row(answers, answer, size * size)
            total = long.load(sums, block)
            for order in range(ORDERS):
                total = builder.call(multiply_add, [mine[order], component(answer, order, across), total])
            long.store(total, sums, block)
        return short.done()

    return types.void(shape, row, items, parts, own, first, last), emit


add_products: Any = intrinsic(_add_products)

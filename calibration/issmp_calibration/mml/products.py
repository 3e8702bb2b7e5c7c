"""Sums of products between the blocks of one person, written as vector instructions (see ``lanes``)."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from issmp_calibration.mml.lanes import Emit, Writer, number

__all__ = ["WIDTHS", "add_products"]

WIDTHS = (1, 2, 4)  # parameters in a block, filled up with zeros so that their products fill registers evenly


def _add_products(
    _typing: Any, shape: Any, depth: Any, row: Any, blocks: Any, parts: Any, own: Any, first: Any, last: Any
) -> tuple[Any, Emit]:
    """``row[blocks[l]] += Σ_m parts[own, m] ⊗ parts[l, m]`` for l = first … last.

    ``parts`` has some orders of ``width`` numbers for each entry, ``row`` width² numbers for each block. Width and
    orders must be known when the code is written: they are the lengths of the tuples ``shape`` and ``depth``.
    """
    size, orders = shape.count, depth.count

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        short = Writer(context, builder, signature, values, parts.dtype, size)
        long = Writer(context, builder, signature, values, parts.dtype, size * size)
        sums, entries, components = (short.pointer(argument) for argument in (2, 3, 4))
        spread = ir.VectorType(ir.IntType(32), size * size)
        across = ir.Constant(spread, [q for _ in range(size) for q in range(size)])
        down = ir.Constant(spread, [p for p in range(size) for _ in range(size)])
        kind = ir.FunctionType(long.vector, [long.vector] * 3)
        name = f"llvm.fma.v{size * size}f{parts.dtype.bitwidth}"
        declare: Any = cgutils.get_or_insert_function
        multiply_add = declare(builder.module, kind, name)

        def component(entry: Any, order: int, mask: Any) -> Any:
            place = builder.add(builder.mul(entry, number(orders * size)), number(order * size))
            part = short.load(components, place)
            return builder.shuffle_vector(part, ir.Constant(short.vector, ir.Undefined), mask)

        mine = [component(values[5], order, down) for order in range(orders)]
        with short.loop(values[6], values[7]) as (entry, _):
            block = short.row(entries, entry, size * size)
            total = long.load(sums, block)
            for order in range(orders):
                total = builder.call(multiply_add, [mine[order], component(entry, order, across), total])
            long.store(total, sums, block)
        return short.done()

    return types.void(shape, depth, row, blocks, parts, own, first, last), emit


add_products: Any = intrinsic(_add_products)

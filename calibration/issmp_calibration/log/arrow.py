"""The rows of a DuckDB query as arrays, a row group at a time, without copying them.

DuckDB hands results over by the Arrow C stream interface (arrow.apache.org/docs/format/CStreamInterface.html), three C
structures that ctypes reads; no Arrow library is needed. Turning a result into numpy strings takes eight times as long.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["SETTINGS", "Chunk", "Column", "StreamError", "chunks"]

# Texts come as views of 16 bytes: length, then either all of a short text, or its beginning and where the rest is.
SETTINGS = ("SET produce_arrow_string_view = true", "SET arrow_output_version = '1.4'")
# Arrow's letters for the types that our own queries ask for.
TYPES: dict[bytes, type[np.generic]] = {b"l": np.int64, b"f": np.float32, b"s": np.int16}
TEXT = b"vu"
NONE = np.zeros(0, np.uint8)


class StreamError(Exception):
    """DuckDB failed while a result was being read; the message is its own."""


class Column(NamedTuple):
    """One column of a chunk; valid until the next chunk is asked for.

    Attributes:
        values: the cells; views of texts have shape ``(rows, 2)``, other columns ``(rows,)``.
        valid: 1 where a cell is not NULL; empty when none is. Shape ``(rows,)``.
        data: the bytes that views of long texts point to.
    """

    values: NDArray[Any]
    valid: NDArray[np.uint8]
    data: NDArray[np.uint8] = NONE


Chunk: TypeAlias = dict[str, Column]


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]
_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.POINTER(_Array)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private_data", ctypes.c_void_p),
]


def chunks(relation: Any) -> Iterator[Chunk]:
    """The rows of a relation, in order, some 100,000 at a time.

    Args:
        relation: a DuckDB relation, on a connection with our ``SETTINGS``, whose columns are BIGINT, FLOAT, SMALLINT or
            VARCHAR. Its connection runs no other query until the last chunk is read or the iterator is closed.

    Raises:
        StreamError: the query failed on the way.
    """
    capsule = relation.__arrow_c_stream__()  # frees the stream when it goes
    address = ctypes.pythonapi.PyCapsule_GetPointer
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    stream = _Stream.from_address(address(capsule, b"arrow_array_stream"))
    columns = _columns(stream)
    while True:
        array = _Array()
        _check(stream, stream.get_next(ctypes.byref(stream), ctypes.byref(array)))
        if not array.release:
            return
        try:
            yield {name: _column(array.children[k].contents, kind) for k, (name, kind) in enumerate(columns)}
        finally:
            array.release(ctypes.byref(array))


def _columns(stream: _Stream) -> list[tuple[str, bytes]]:
    """Names and types of a stream's columns."""
    schema = _Schema()
    _check(stream, stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)))
    fields = [schema.children[k].contents for k in range(schema.n_children)]
    found = [(field.name.decode(), field.format) for field in fields]
    schema.release(ctypes.byref(schema))
    return found


def _check(stream: _Stream, failed: int) -> None:
    if failed:
        said = stream.get_last_error(ctypes.byref(stream))
        raise StreamError((said or b"unknown error").decode(errors="replace"))


def _column(array: _Array, kind: bytes) -> Column:
    """A column's arrays; they lie in DuckDB's memory."""
    rows, skipped = array.length, array.offset
    valid = NONE
    if array.null_count and array.buffers[0]:
        bits = _array(array.buffers[0], np.uint8, (rows + skipped + 7) // 8)
        valid = np.unpackbits(bits, count=rows + skipped, bitorder="little")[skipped:]
    if kind != TEXT:
        return Column(_array(array.buffers[1], TYPES[kind], rows + skipped)[skipped:], valid)
    views = _array(array.buffers[1], np.uint64, 2 * (rows + skipped)).reshape(-1, 2)[skipped:]
    buffers = array.n_buffers - 3  # validity, views, …, and the lengths of those between
    lengths = _array(array.buffers[array.n_buffers - 1], np.int64, buffers)
    parts = [_array(array.buffers[2 + k], np.uint8, int(length)) for k, length in enumerate(lengths)]
    if len(parts) > 1:
        views, parts = _one_buffer(views, lengths), [np.concatenate(parts)]
    return Column(views, valid, parts[0] if parts else NONE)


def _array(address: int | None, kind: type[np.generic], length: int) -> NDArray[Any]:
    """Memory as an array."""
    if not address or not length:
        return np.zeros(0, kind)
    size = length * np.dtype(kind).itemsize
    found: NDArray[Any] = np.frombuffer((ctypes.c_char * size).from_address(address), kind)  # type: ignore[call-overload]
    return found


def _one_buffer(views: NDArray[np.uint64], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Views whose long texts point into all buffers joined to one."""
    joined = views.copy()
    cells = joined.view(np.uint32)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    long = cells[:, 0] > 12
    cells[long, 3] += starts[cells[long, 2]].astype(np.uint32)
    return joined

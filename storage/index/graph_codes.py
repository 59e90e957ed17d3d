"""The file of codes of a graph: int8, which walks compare instead of the graph's vectors. Derived from the graph alone.

head  64: "HWCODES1", the graph's checksum u32, size u32, nodes u64, stride u32, checksum of what follows u32, zeros,
          and the checksum of these bytes u32
codes i8 (nodes, stride) | scales f32 (nodes,) | squares f32 (nodes,), see GraphCodes

A file without codes (0 nodes) says that codes would tell the vectors apart too poorly. A file that is missing, damaged
or of another graph is made anew. Codes only nominate: wrong ones could hide rows, and never give a wrong score.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from storage.files import FILE_MODE, map_bytes, sync_folder
from storage.kernels import GraphCodes, NativeGraph

SUFFIX = ".codes"
LEAST_BYTES = 1 << 20
"""Bytes of the vectors of a graph from which on it gets codes. A smaller one stays near the processor anyway."""

LEAST_SIZE = 64  # components of a vector; of fewer a walk would hardly be faster
_MAGIC = b"HWCODES1"
_HEAD = struct.Struct("<8sIIQII28x")
_HEAD_BYTES = 64
_LINE = 64  # rows begin where a line of the cache does
_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesOf:
    """The graph that codes are of: the checksum of its file, its nodes, and the components of a vector."""

    checksum: int
    nodes: int
    size: int


@dataclass(frozen=True, slots=True)
class StoredCodes:
    """What a file says: the codes; None: the graph does better without."""

    codes: GraphCodes | None


def codes_file(graph: Path) -> Path:
    """Where the codes of the graph in this file are."""
    return graph.with_name(graph.name + SUFFIX)


def write_codes(path: Path, graph: NativeGraph, of: CodesOf, check: Callable[[], None] = lambda: None) -> None:
    """Writes the codes of all vectors of a graph, durably; the file appears whole or not at all.

    Calls `check` now and then, which may raise. Raises OSError, KernelFailed.
    """
    stride = -(-of.size // _LINE) * _LINE
    scales, squares = np.empty((2, of.nodes), np.float32)

    def parts() -> Iterator[memoryview]:
        for start in range(0, of.nodes, _AT_ONCE):
            check()
            part = slice(start, min(of.nodes, start + _AT_ONCE))
            codes = np.empty((part.stop - start, stride), np.int8)
            graph.code(start, GraphCodes(codes, scales[part], squares[part]))
            yield codes.data
        yield scales.data
        yield squares.data

    _write(path, of, (of.nodes, stride), parts())


def refuse_codes(path: Path, of: CodesOf) -> None:
    """Writes a file that says that the graph does better without codes. Raises OSError."""
    _write(path, of, (0, 0), ())


def _write(path: Path, of: CodesOf, shape: tuple[int, int], parts: Iterable[memoryview]) -> None:
    temporary, checksum = path.with_name(path.name + ".new"), 0
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
        with os.fdopen(handle, "wb") as file:
            file.seek(_HEAD_BYTES)
            for part in parts:
                checksum = zlib.crc32(part, checksum)
                file.write(part)
            head = _HEAD.pack(_MAGIC, of.checksum, of.size, *shape, checksum)
            file.seek(0)
            file.write(head + struct.pack("<I", zlib.crc32(head)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def read_codes(path: Path, graph: CodesOf, *, verify: bool) -> StoredCodes | None:
    """What the file says of the graph, mapped; None: it is missing, damaged, or of another graph.

    `verify`: the checksum of the codes is made, too, so all of the file is read.
    """
    try:
        data = map_bytes(path)
    except OSError:
        return None
    head = data[: _HEAD_BYTES - 4].tobytes()
    if len(data) < _HEAD_BYTES or struct.pack("<I", zlib.crc32(head)) != data[_HEAD_BYTES - 4 : _HEAD_BYTES].tobytes():
        return None
    magic, of, size, nodes, stride, checksum = _HEAD.unpack(head)
    if magic != _MAGIC or (of, size) != (graph.checksum, graph.size):
        return None
    rest = data[_HEAD_BYTES:]
    if verify and zlib.crc32(rest.data) != checksum:
        return None
    if nodes == 0:
        return StoredCodes(None) if not len(rest) else None
    if nodes != graph.nodes or stride < size or stride % _LINE or len(rest) != nodes * (stride + 8):
        return None
    columns = rest[nodes * stride :].view(np.float32)
    return StoredCodes(
        GraphCodes(rest[: nodes * stride].view(np.int8).reshape(nodes, stride), *columns.reshape(2, nodes))
    )

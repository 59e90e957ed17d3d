"""Walking a graph in the file that usearch saved, without usearch and without the interpreter's lock."""

import ctypes
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.files import map_bytes
from storage.kernels.library import STOPPED, KernelFailed, address, check, check_sizes, contiguous, library
from storage.kernels.metric import Form, Metric

WALKED_VERSIONS = ("2.26",)
"""The versions of usearch whose files are walked. Another may lay its files out in another way."""

_ANY = 2**63 - 1
_MATRIX = struct.Struct("<II")
_HEAD = struct.Struct("<7s3H")

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Walks for `queries` (m, ...) in the form of the graph, each `width` wide.

    At most `threads` threads walk, until the `deadline` in seconds of time.monotonic(); None: there is none.
    """

    queries: NDArray[Any]
    width: int
    threads: int = 1
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How found rows are scored: exactly, by `metric`, for `queries` float32 (m, size).

    `vectors`: the rows of the block, float32 (n, size). `usable`: which of them may be found, (n,); None: all.
    `nominated`: rows scored of each walk, the nearest first. `limit`: rows that are asked for.
    """

    metric: Metric
    queries: NDArray[np.float32]
    vectors: NDArray[np.float32]
    usable: NDArray[np.bool_] | None
    nominated: int
    limit: int


@dataclass(frozen=True, slots=True)
class WalkFound:
    """What walks found, by query: `positions` int64 and `scores` float32 (m, nominated), nearest first by the graph, of
    which the first `kept` (m,) are valid.

    `usable` (m,): how many rows that may be found were found. `place` (m,): where the `limit`-th of them stands among
    all that were found, or the last when there are fewer; -1: there is none. `computed` (m,): distances computed.
    """

    positions: Numbers
    scores: NDArray[np.float32]
    kept: Numbers
    usable: Numbers
    place: Numbers
    computed: Numbers


@dataclass(frozen=True, slots=True)
class GraphCodes:
    """Codes of the vectors of a graph, which walks compare instead of these: int8 (nodes, stride), what each code of a
    vector is multiplied by to come near it, and the square of its length, float32 (nodes,)."""

    codes: NDArray[np.int8]
    scales: NDArray[np.float32]
    squares: NDArray[np.float32]


class _Codes(ctypes.Structure):
    _fields_ = (
        ("codes", ctypes.c_void_p),
        ("scales", ctypes.c_void_p),
        ("squares", ctypes.c_void_p),
        ("nodes", ctypes.c_size_t),
        ("stride", ctypes.c_size_t),
    )


class _Asking(ctypes.Structure):
    _fields_ = (
        ("queries", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("width", ctypes.c_size_t),
        ("threads", ctypes.c_size_t),
        ("deadline", ctypes.c_double),
    )


class _Scoring(ctypes.Structure):
    _fields_ = (
        ("metric", ctypes.c_int32),
        ("queries", ctypes.c_void_p),
        ("vectors", ctypes.c_void_p),
        ("rows", ctypes.c_size_t),
        ("usable", ctypes.c_void_p),
        ("nominated", ctypes.c_size_t),
        ("limit", ctypes.c_size_t),
    )


class NativeGraph:
    """A saved graph, mapped read-only. Many threads may search it at once.

    A file that says what cannot be is refused when it is opened, or costs recall: nothing outside of it is read.
    """

    def __init__(self, path: Path, metric: Metric, form: Form, size: int, positions: int = _ANY) -> None:
        """`size`: components of a vector; `positions`: what every key is below. Raises OSError, KernelFailed."""
        loaded = library()
        if loaded is None:
            raise ValueError("there is no library of kernels")
        self._library = loaded
        self._bytes = map_bytes(path)
        _check_version(self._bytes)
        handle, nodes = ctypes.c_void_p(), ctypes.c_size_t()
        where, length = address(self._bytes), len(self._bytes)
        check(
            loaded.hw_graph_open(
                where, length, metric, form, size, positions, ctypes.byref(handle), ctypes.byref(nodes)
            )
        )
        self._handle = handle
        self._components = size
        self._query_bytes = _query_bytes(form, size)
        self.size = nodes.value
        self._codes: GraphCodes | None = None

    def use_codes(self, codes: GraphCodes) -> None:
        """Makes walks compare these codes instead of the vectors. Before the first walk.

        Raises KernelFailed when they are not those of so many vectors, or vectors of this form have none.
        """
        nodes, stride = codes.codes.shape
        check_sizes((len(codes.scales), nodes), (len(codes.squares), nodes))
        told = _Codes(address(codes.codes), address(codes.scales), address(codes.squares), nodes, stride)
        check(self._library.hw_graph_use_codes(self._handle, ctypes.byref(told)))
        self._codes = codes  # its bytes stay while the graph is there

    def code(self, first: int, codes: GraphCodes) -> None:
        """Fills `codes` with those of the vectors from number `first` on. Raises KernelFailed."""
        count, stride = codes.codes.shape
        check_sizes((len(codes.scales), count), (len(codes.squares), count))
        where = (address(codes.codes), address(codes.scales), address(codes.squares))
        check(self._library.hw_graph_code(self._handle, first, count, stride, *where))

    def walk(self, asking: Asking) -> tuple[Numbers, Numbers, Numbers]:
        """About the `width` nearest positions of each query, nearest first, as (m, width); how many of each row are
        valid, (m,); and the distances computed for each, (m,). Raises DeadlineExceeded, MemoryError."""
        queries = self._checked(asking)
        count = len(queries)
        keys, found, computed = np.empty((count, asking.width), np.int64), *(np.empty(count, np.int64) for _ in "12")
        self._check(
            self._library.hw_graph_walk(
                self._handle, _asked(asking, queries), address(keys), address(found), address(computed)
            )
        )
        return keys, found, computed

    def find(self, asking: Asking, scoring: Scoring) -> WalkFound:
        """Walks, and scores what it finds. Raises DeadlineExceeded, MemoryError, and KernelFailed when a key is that of
        no row."""
        queries = self._checked(asking)
        floats, vectors = contiguous(scoring.queries, np.float32), contiguous(scoring.vectors, np.float32)
        usable = None if scoring.usable is None else contiguous(scoring.usable, np.bool_)
        count, size = len(queries), self._components
        rows = len(vectors) if usable is None else len(usable)
        check_sizes((floats.shape, (count, size)), (vectors.shape, (rows, size)))
        numbers = np.empty((4, count), np.int64)
        found = WalkFound(
            np.empty((count, scoring.nominated), np.int64), np.empty((count, scoring.nominated), np.float32), *numbers
        )
        told_at = address(numbers)
        kept, usable_at, place, computed = (told_at + 8 * count * row for row in range(4))
        told = _Scoring(
            scoring.metric,
            address(floats),
            address(vectors),
            len(vectors),
            None if usable is None else address(usable),
            scoring.nominated,
            scoring.limit,
        )
        self._check(
            self._library.hw_graph_find(
                self._handle,
                _asked(asking, queries),
                ctypes.byref(told),
                address(found.positions),
                address(found.scores),
                kept,
                usable_at,
                place,
                computed,
            )
        )
        return found

    def _check(self, status: int) -> None:
        if status == STOPPED:
            raise DeadlineExceeded()
        check(status)

    def _checked(self, asking: Asking) -> NDArray[Any]:
        """The queries in one piece. Raises KernelFailed when they are not in the form of the graph."""
        queries = np.ascontiguousarray(asking.queries)
        check_sizes((queries.nbytes, len(queries) * self._query_bytes))
        return queries

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._library.hw_graph_close(handle)


def _query_bytes(form: Form, size: int) -> int:
    """Bytes of a query, as bytes_of_query in source/graph.h."""
    return {Form.INT8: size, Form.BITS: (size + 7) // 8}.get(form, 4 * size)


def _check_version(data: NDArray[np.uint8]) -> None:
    """Raises KernelFailed, by name, for the file of another version of usearch, or of something else."""
    start = _MATRIX.size
    if len(data) >= start:
        rows, row_bytes = _MATRIX.unpack_from(data.data)
        start += rows * row_bytes
    if start + _HEAD.size > len(data):
        raise KernelFailed("the file is too short")
    magic, *version = _HEAD.unpack_from(data.data, start)
    if magic != b"usearch":
        raise KernelFailed("the file is not of usearch")
    if f"{version[0]}.{version[1]}" not in WALKED_VERSIONS:
        known, found = " and ".join(WALKED_VERSIONS), ".".join(map(str, version))
        raise KernelFailed(f"usearch {found} wrote it, and the kernels know the files of usearch {known}")


def _asked(asking: Asking, queries: NDArray[Any]) -> Any:
    deadline = math.inf if asking.deadline is None else asking.deadline
    return ctypes.byref(_Asking(address(queries), len(queries), asking.width, asking.threads, deadline))

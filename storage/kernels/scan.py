"""Scans of rows by the library: what may be among the best by estimates with bounds is scored exactly.

The twin is scan_in_numpy in storage/search/scan.py. Codes, which make a scan faster, have none.
"""

import ctypes
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.kernels.library import STOPPED, address, check, check_sizes, contiguous, library
from storage.kernels.metric import Metric

Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Codes:
    """Rows as int8 (n, size), from which their scores are estimated: see CodedRows in storage/vectors/codes.py.

    `factors`, `errors` and `lengths`, float32 (n,), and `offsets`, the same or None, are of each row.
    """

    codes: NDArray[np.int8]
    factors: Floats
    offsets: Floats | None
    errors: Floats
    lengths: Floats

    def part(self, part: slice) -> "Codes":
        """Those of some rows, as views."""
        offsets = None if self.offsets is None else self.offsets[part]
        return Codes(self.codes[part], self.factors[part], offsets, self.errors[part], self.lengths[part])

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""
        columns = (self.factors, self.errors, self.lengths, *(() if self.offsets is None else (self.offsets,)))
        return int(self.codes.nbytes + sum(column.nbytes for column in columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """The rows of a block that are scanned: those at `positions` (int64, (n,)), or all where that is None.

    `vectors` float32 (rows, size) and `norms` float32 (rows,) are of all rows of the block. `usable`: which of them may
    be found, (rows,); None: all. `codes` are of the rows at `positions`; None: estimates are made of `vectors`.
    """

    metric: Metric
    vectors: Floats
    norms: Floats
    positions: Numbers | None
    usable: NDArray[np.bool_] | None
    codes: Codes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What is asked of a scan: for each of `queries` float32 (m, size) the best `limits` int64 (m,), each at least 1.

    `floors`, float32 (m,): rows that score worse are not wanted. `after`, float32 (m,): nor are those that score
    better. NaN: there is none. At most `threads` threads scan, until the `deadline` in seconds of time.monotonic();
    None: there is none.
    """

    queries: Floats
    limits: Numbers
    floors: Floats
    after: Floats
    threads: int = 1
    deadline: float | None = None


class _Rows(ctypes.Structure):
    _fields_ = (
        ("metric", ctypes.c_int32),
        ("vectors", ctypes.c_void_p),
        ("rows", ctypes.c_size_t),
        ("size", ctypes.c_size_t),
        ("norms", ctypes.c_void_p),
        ("positions", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("usable", ctypes.c_void_p),
        ("codes", ctypes.c_void_p),
        ("factors", ctypes.c_void_p),
        ("offsets", ctypes.c_void_p),
        ("errors", ctypes.c_void_p),
        ("lengths", ctypes.c_void_p),
    )


class _Queries(ctypes.Structure):
    _fields_ = (
        ("queries", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("limits", ctypes.c_void_p),
        ("floors", ctypes.c_void_p),
        ("after", ctypes.c_void_p),
        ("threads", ctypes.c_size_t),
        ("deadline", ctypes.c_double),
    )


def native_scan(rows: Scanned, scan: Scan) -> list[tuple[Numbers, Floats]]:
    """For each query positions and exact scores of its best rows, of all that tie with the last of them, and of all
    that tie with `after`; in no order.

    Requires: there is a library. Raises DeadlineExceeded, MemoryError, and KernelFailed when a position is that of no
    row.
    """
    loaded = library()
    if loaded is None:
        raise ValueError("there is no library of kernels")
    _check_sizes(rows, scan)
    told_rows, kept_rows = _told_rows(rows)
    told, kept = _told_queries(scan)
    counts, found = np.empty(len(scan.queries), np.int64), ctypes.c_void_p()
    status = loaded.hw_scan(ctypes.byref(told_rows), ctypes.byref(told), address(counts), ctypes.byref(found))
    del kept_rows, kept  # until here their bytes were read
    if status == STOPPED:
        raise DeadlineExceeded()
    check(status)
    try:
        total = int(counts.sum())
        positions, scores = np.empty(total, np.int64), np.empty(total, np.float32)
        loaded.hw_scan_take(found, address(positions), address(scores))
    finally:
        loaded.hw_scan_free(found)
    ends = np.cumsum(counts).tolist()
    return [(positions[start:end], scores[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def native_codes(vectors: Floats, positions: Numbers) -> tuple[NDArray[np.int8], Floats, Floats] | None:
    """The codes (k, size) of the rows of `vectors` (n, size) at `positions` (k,), what each code of a row is multiplied
    by to come near it, (k,), and the length of what is lost, (k,). None: there is no library.

    Requires: float32 holds the square of each row's norm. Raises KernelFailed when a position is not that of a row.
    """
    loaded = library()
    if loaded is None:
        return None
    rows, chosen = contiguous(vectors, np.float32), contiguous(positions, np.int64)
    codes = np.empty((len(chosen), rows.shape[1]), np.int8)
    scales, lost = np.empty(len(chosen), np.float32), np.empty(len(chosen), np.float32)
    given = (address(rows), len(rows), rows.shape[1], address(chosen), len(chosen))
    check(loaded.hw_codes(*given, address(codes), address(scales), address(lost)))
    return codes, scales, lost


def _check_sizes(rows: Scanned, scan: Scan) -> None:
    """Raises KernelFailed when arrays do not fit each other."""
    held, size = rows.vectors.shape
    asked = (len(scan.queries),)
    check_sizes((scan.queries.shape, (*asked, size)), (rows.norms.shape, (held,)))
    check_sizes((scan.limits.shape, asked), (scan.floors.shape, asked), (scan.after.shape, asked))
    if rows.usable is not None:
        check_sizes((rows.usable.shape, (held,)))
    if rows.codes is not None:
        count = (held if rows.positions is None else len(rows.positions),)
        codes = rows.codes
        check_sizes((codes.codes.shape, (*count, size)), (codes.factors.shape, count), (codes.errors.shape, count))
        check_sizes((codes.lengths.shape, count))
        if codes.offsets is not None:
            check_sizes((codes.offsets.shape, count))


def _told_rows(rows: Scanned) -> tuple[_Rows, list[NDArray[Any]]]:
    """The rows as the library takes them, and the arrays whose bytes it reads."""
    kept: list[NDArray[Any]] = []

    def at(array: NDArray[Any] | None, dtype: type[np.generic]) -> int | None:
        if array is None:
            return None
        kept.append(contiguous(array, dtype))
        return address(kept[-1])

    vectors = at(rows.vectors, np.float32)
    count = len(rows.vectors) if rows.positions is None else len(rows.positions)
    norms, positions, usable = at(rows.norms, np.float32), at(rows.positions, np.int64), at(rows.usable, np.bool_)
    codes = rows.codes
    columns = (None,) * 5
    if codes is not None:
        held = (codes.factors, codes.offsets, codes.errors, codes.lengths)
        columns = (at(codes.codes, np.int8), *(at(column, np.float32) for column in held))  # type: ignore[assignment]
    told = _Rows(rows.metric, vectors, *rows.vectors.shape, norms, positions, count, usable, *columns)
    return told, kept


def _told_queries(scan: Scan) -> tuple[_Queries, list[NDArray[Any]]]:
    """The queries as the library takes them, and the arrays whose bytes it reads."""
    queries, limits = contiguous(scan.queries, np.float32), contiguous(scan.limits, np.int64)
    floors, after = contiguous(scan.floors, np.float32), contiguous(scan.after, np.float32)
    deadline = math.inf if scan.deadline is None else scan.deadline
    where = (address(limits), address(floors), address(after))
    return _Queries(address(queries), len(queries), *where, scan.threads, deadline), [queries, limits, floors, after]

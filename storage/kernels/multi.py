"""MaxSim of multi-vectors by the library. storage/vectors/multi.py is the twin, and says what it is."""

import ctypes
import math

import numpy as np
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.kernels.library import STOPPED, address, check, check_sizes, contiguous, library
from storage.kernels.metric import Metric

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]


class _Query(ctypes.Structure):
    _fields_ = (
        ("metric", ctypes.c_int32),
        ("rows", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("size", ctypes.c_size_t),
        ("deadline", ctypes.c_double),
    )


class _Documents(ctypes.Structure):
    _fields_ = (
        ("rows", ctypes.c_void_p),
        ("row_count", ctypes.c_size_t),
        ("starts", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
    )


def native_max_similarities(
    metric: Metric, query: Floats, rows: Floats, starts: NDArray[np.int64], deadline: float | None = None
) -> Floats | None:
    """MaxSim (k,) for `query` (m, size) of k documents, which have the `rows` (n, size) from `starts` (k,) on.

    None: there is no library. Raises DeadlineExceeded after the `deadline` in seconds of time.monotonic(), MemoryError,
    and KernelFailed when a document has no row.
    """
    scores = np.empty(len(starts), np.float32)
    return scores if _ask(metric, query, rows, starts, deadline, (address(scores), None, None)) else None


def native_bounds_of_max_similarities(
    metric: Metric, query: Floats, rows: Floats, starts: NDArray[np.int64], deadline: float | None = None
) -> tuple[Wide, Wide] | None:
    """Lower and upper bounds (k,) of the same before it is rounded. Raises the same."""
    least, most = np.empty(len(starts), np.float64), np.empty(len(starts), np.float64)
    return (least, most) if _ask(metric, query, rows, starts, deadline, (None, address(least), address(most))) else None


def _ask(
    metric: Metric,
    query: Floats,
    rows: Floats,
    starts: NDArray[np.int64],
    deadline: float | None,
    answers: tuple[int | None, int | None, int | None],
) -> bool:
    loaded = library()
    if loaded is None:
        return False
    asked, tokens = contiguous(query, np.float32), contiguous(rows, np.float32)
    check_sizes((asked.shape[1:], tokens.shape[1:]))
    first = contiguous(starts, np.int64)
    told = _Query(metric, address(asked), *asked.shape, math.inf if deadline is None else deadline)
    documents = _Documents(address(tokens), len(tokens), address(first), len(first))
    status = loaded.hw_max_similarities(ctypes.byref(told), ctypes.byref(documents), *answers)
    if status == STOPPED:
        raise DeadlineExceeded()
    check(status)
    return True

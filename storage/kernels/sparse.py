"""Sums of products with sparse vectors by the library. The twin is SparseScores in storage/vectors/sparse.py."""

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.kernels.library import STOPPED, address, check, check_sizes, contiguous, library
from storage.kernels.metric import Metric

Numbers = NDArray[np.int64]
Wide = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseTerms:
    """Indices of a query, (m,): those of number i are the postings from `starts[i]` to `stops[i]`, and `weights[i]` is
    what their values are multiplied by. `rows` int32 and `values` float32 (n,): what each posting says."""

    starts: Numbers
    stops: Numbers
    weights: Wide
    rows: NDArray[np.int32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseRows:
    """What scores are made of, for each row: sums of products, how many indices are shared, how many it has, its norm.

    `usable`: the rows that may be found; None: all. `norm` and `terms`: of the query, as `norms` and `lengths`.
    """

    metric: Metric
    sums: Wide
    shared: NDArray[np.int32]
    usable: NDArray[np.bool_] | None
    lengths: NDArray[np.int32]
    norms: Wide
    norm: float
    terms: int


class _Terms(ctypes.Structure):
    _fields_ = (
        ("starts", ctypes.c_void_p),
        ("stops", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
    )


class _Rows(ctypes.Structure):
    _fields_ = (
        ("metric", ctypes.c_int32),
        ("sums", ctypes.c_void_p),
        ("shared", ctypes.c_void_p),
        ("usable", ctypes.c_void_p),
        ("lengths", ctypes.c_void_p),
        ("norms", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("norm", ctypes.c_double),
        ("terms", ctypes.c_size_t),
    )


def add_sparse(
    terms: SparseTerms, sums: Wide, shared: NDArray[np.int32], pause: Callable[[], None], deadline: float | None
) -> bool:
    """Adds to `sums` of each row its products with the terms, one term after another, and to `shared` their number.

    `pause` is called before each million of postings. False: there is no library, so the twin must do it. Raises
    DeadlineExceeded, what `pause` raises, and KernelFailed when a posting is of no row.
    """
    loaded = library()
    if loaded is None:
        return False
    starts, stops = contiguous(terms.starts, np.int64), contiguous(terms.stops, np.int64)
    weights = contiguous(terms.weights, np.float64)
    rows, values = contiguous(terms.rows, np.int32), contiguous(terms.values, np.float32)
    count = len(starts)
    check_sizes((len(stops), count), (len(weights), count), (len(values), len(rows)), (len(shared), len(sums)))
    told = _Terms(address(starts), address(stops), address(weights), len(starts))
    following, end = ctypes.c_size_t(0), math.inf if deadline is None else deadline
    while following.value < len(starts):
        pause()
        postings = (address(rows), address(values), len(rows))
        status = loaded.hw_sparse_add(
            ctypes.byref(told), ctypes.byref(following), *postings, address(sums), address(shared), len(sums), end
        )
        if status == STOPPED:
            raise DeadlineExceeded()
        check(status)
    return True


def best_sparse(rows: SparseRows, limit: int) -> tuple[Numbers, NDArray[np.float32], int] | None:
    """The `limit` best rows that share an index with the query, with all that tie with the last of them, in no order;
    their scores; and how many share one. None: there is no library."""
    loaded = library()
    if loaded is None:
        return None
    usable = None if rows.usable is None else contiguous(rows.usable, np.bool_)
    lengths, norms = contiguous(rows.lengths, np.int32), contiguous(rows.norms, np.float64)
    count = len(rows.sums)
    alive = count if usable is None else len(usable)
    check_sizes((len(rows.shared), count), (alive, count), (len(lengths), count), (len(norms), count))
    columns = (address(rows.sums), address(rows.shared), None if usable is None else address(usable))
    told = _Rows(rows.metric, *columns, address(lengths), address(norms), count, rows.norm, rows.terms)
    positions, scores = np.empty(count, np.int64), np.empty(count, np.float32)
    found, total = ctypes.c_size_t(), ctypes.c_size_t()
    room = (address(positions), address(scores))
    check(loaded.hw_sparse_best(ctypes.byref(told), limit, *room, ctypes.byref(found), ctypes.byref(total)))
    return positions[: found.value].copy(), scores[: found.value].copy(), total.value

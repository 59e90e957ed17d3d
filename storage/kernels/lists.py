"""Codes of lists by the library: how near the rows of some runs are to the query of each run, as whole numbers."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.kernels.library import address, check, check_sizes, contiguous, library

Positions = NDArray[np.int64]
Counts = NDArray[np.int32]


class _Runs(ctypes.Structure):
    _fields_ = (
        ("starts", ctypes.c_void_p),
        ("stops", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("rows", ctypes.c_size_t),
    )


def code_products(queries: NDArray[np.int8], rows: NDArray[np.int8], starts: Positions, stops: Positions) -> Counts:
    """Inner products (n,) of `queries[i]` (m, size) with rows `starts[i]` to `stops[i]` of `rows`, run after run.

    Exact for up to 65,536 components. Raises KernelFailed when a run leaves the rows.
    """
    native = _ask("hw_code_products", queries, rows, (starts, stops))
    if native is not None:
        return native
    runs = zip(queries.astype(np.float64), starts.tolist(), stops.tolist(), strict=True)
    products = [rows[start:stop].astype(np.float64) @ query for query, start, stop in runs]  # whole numbers below 2**53
    return np.concatenate([np.empty(0), *products]).astype(np.int32)


def unequal_bits(queries: NDArray[np.uint8], rows: NDArray[np.uint8], starts: Positions, stops: Positions) -> Counts:
    """How many bits differ between `queries[i]` (m, bytes) and rows `starts[i]` to `stops[i]` of `rows`, run after run.

    Raises KernelFailed when a run leaves the rows.
    """
    native = _ask("hw_unequal_bits", queries, rows, (starts, stops))
    if native is not None:
        return native
    runs = zip(queries, starts.tolist(), stops.tolist(), strict=True)
    counts = [np.bitwise_count(rows[start:stop] ^ query).sum(axis=1, dtype=np.int32) for query, start, stop in runs]
    return np.concatenate([np.empty(0, np.int32), *counts])


def _ask(name: str, queries: NDArray[Any], rows: NDArray[Any], runs: tuple[Positions, Positions]) -> Counts | None:
    """What the function of the library gives; None: there is no library."""
    loaded = library()
    if loaded is None:
        return None
    starts, stops = (contiguous(each, np.int64) for each in runs)
    asked, codes = contiguous(queries, queries.dtype.type), contiguous(rows, rows.dtype.type)
    check_sizes((asked.shape[1:], codes.shape[1:]), (len(asked), len(starts)), (len(stops), len(starts)))
    found = np.empty(int((stops - starts).sum()), np.int32)
    told = _Runs(address(starts), address(stops), len(starts), len(codes))
    check(getattr(loaded, name)(ctypes.byref(told), codes.shape[1], address(asked), address(codes), address(found)))
    return found

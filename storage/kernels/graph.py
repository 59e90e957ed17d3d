"""Walking a graph in the file that usearch saved, without usearch and without the interpreter's lock."""

import ctypes
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.files import map_bytes
from storage.kernels.library import STOPPED, address, check, library
from storage.kernels.metric import Form, Metric

_ANY = 2**63 - 1


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
        handle, nodes = ctypes.c_void_p(), ctypes.c_size_t()
        check(
            loaded.hw_graph_open(
                address(self._bytes),
                len(self._bytes),
                metric,
                form,
                size,
                positions,
                ctypes.byref(handle),
                ctypes.byref(nodes),
            )
        )
        self._handle = handle
        self.size = nodes.value

    def walk(
        self, queries: NDArray[np.generic], width: int, threads: int = 1, deadline: float | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """About the `width` nearest positions of each of `queries` (m, ...), nearest first, as (m, width); how many of
        each row are valid, (m,); and the distances computed for each, (m,).

        `deadline`: in seconds of time.monotonic(). Raises DeadlineExceeded, MemoryError.
        """
        asked = np.ascontiguousarray(queries)
        keys = np.empty((len(asked), width), np.int64)
        found = np.empty(len(asked), np.int64)
        computed = np.empty(len(asked), np.int64)
        status = self._library.hw_graph_walk(
            self._handle,
            address(asked),
            len(asked),
            width,
            threads,
            math.inf if deadline is None else deadline,
            address(keys),
            address(found),
            address(computed),
        )
        if status == STOPPED:
            raise DeadlineExceeded()
        check(status)
        return keys, found, computed

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._library.hw_graph_close(handle)

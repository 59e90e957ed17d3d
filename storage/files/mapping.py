"""Files as arrays: mapped for reading, without an open descriptor. Knows nothing of their contents."""

import ctypes
import math
import mmap
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int64,
)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_FAILED = ctypes.c_void_p(-1).value


class _Mapping:
    """Keeps a mapping alive as long as its array. Python's mmap would also keep a descriptor open."""

    def __init__(self, handle: int, shape: tuple[int, ...], kind: str) -> None:
        self._length = math.prod(shape) * np.dtype(kind).itemsize
        self._address: int | None = _libc.mmap(None, self._length, mmap.PROT_READ, mmap.MAP_SHARED, handle, 0)
        if self._address == _FAILED:
            self._address = None
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": kind,
            "data": (self._address, True),
        }

    def __del__(self) -> None:
        if self._address is not None:
            _libc.munmap(self._address, self._length)
            self._address = None


def map_rows(handle: int, rows: int, size: int) -> NDArray[np.float32]:
    """The first `rows` rows of `size` float32 of a file, read-only, as (rows, size). The last view unmaps it.

    Reading past the end of the file kills the process, so the file must not become shorter. Raises OSError.
    """
    return np.asarray(_Mapping(handle, (rows, size), "<f4")) if rows else np.zeros((0, size), np.float32)


def map_bytes(path: Path) -> NDArray[np.uint8]:
    """All bytes of a file, read-only, (n,). They are unmapped with their last view. Raises OSError.

    The file must not become shorter.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        length = os.fstat(handle).st_size
        return np.asarray(_Mapping(handle, (length,), "|u1")) if length else np.zeros(0, np.uint8)
    finally:
        os.close(handle)

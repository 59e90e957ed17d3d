"""The wire library: found and loaded once for each process, or not there. Declares the functions of source/wire.h.

The variable HEADWATER_KERNELS turns it off together with the kernels of storage.
"""

import ctypes
import functools
import os
from pathlib import Path

from storage.kernels import Signatures, load

SOURCE = Path(__file__).parent / "source"
LIBRARY = Path(os.environ.get("HEADWATER_WIRE_LIBRARY", Path(__file__).parent / "wire.so"))
"""Where the library is. The variable is for builds that tests use, as `make sanitize` does."""

DONE, UNUSUAL, NO_MEMORY = 0, 1, -1

MAX_SPACES = 64


class Sizes(ctypes.Structure):
    """See source/wire.h."""

    _fields_ = [
        ("points", ctypes.c_int64),
        ("payload_bytes", ctypes.c_int64),
        ("rest_bytes", ctypes.c_int64),
        ("spaces", ctypes.c_int64),
    ]


class SpaceSizes(ctypes.Structure):
    """See source/wire.h."""

    _fields_ = [
        ("name_start", ctypes.c_int64),
        ("name_end", ctypes.c_int64),
        ("rows", ctypes.c_int64),
        ("components", ctypes.c_int64),
    ]


AllSpaceSizes = SpaceSizes * MAX_SPACES
Addresses = ctypes.c_void_p * MAX_SPACES


class Columns(ctypes.Structure):
    """See source/wire.h."""

    _fields_ = [
        ("numbers", ctypes.c_void_p),
        ("keys", ctypes.c_void_p),
        ("payloads", ctypes.c_void_p),
        ("payload_ends", ctypes.c_void_p),
        ("rest", ctypes.c_void_p),
        ("matrices", ctypes.c_void_p),
        ("positions", ctypes.c_void_p),
    ]


_REQUEST = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int32)

_SIGNATURES: Signatures = {
    "hw_points_measure": (ctypes.c_int32, (*_REQUEST, ctypes.c_void_p, ctypes.c_void_p)),
    "hw_points_fill": (ctypes.c_int32, (*_REQUEST, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)),
}


@functools.cache
def library() -> ctypes.CDLL | None:
    """The loaded library; None: protobuf reads everything. It is looked for once."""
    return load(LIBRARY, SOURCE, _SIGNATURES)

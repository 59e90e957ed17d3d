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


class StoredPoints(ctypes.Structure):
    """See source/wire.h."""

    _fields_ = [
        ("records", ctypes.c_char_p),
        ("length", ctypes.c_size_t),
        ("places", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("with_payloads", ctypes.c_int32),
    ]


class Answers(ctypes.Structure):
    """See source/wire.h."""

    _fields_ = [
        ("points", StoredPoints),
        ("scores", ctypes.c_char_p),
        ("results", ctypes.c_int64),
        ("ends", ctypes.c_char_p),
        ("totals", ctypes.c_char_p),
        ("seq", ctypes.c_uint64),
    ]


VALUES = -1

MAX_CUT = 1024


class Leads(ctypes.Structure):
    """See source/wire.h."""

    _fields_ = [
        ("starts", ctypes.c_void_p),
        ("fields", ctypes.c_void_p),
        ("kinds", ctypes.c_void_p),
        ("list", ctypes.c_int64),
    ]


class Cut(ctypes.Structure):
    """See source/wire.h."""

    _fields_ = [
        ("keys", ctypes.c_void_p),
        ("key_room", ctypes.c_size_t),
        ("values", ctypes.c_void_p),
        ("value_room", ctypes.c_size_t),
        ("key_ends", ctypes.c_void_p),
        ("key_of", ctypes.c_void_p),
        ("vector_ends", ctypes.c_void_p),
        ("value_ends", ctypes.c_void_p),
        ("value_places", ctypes.c_void_p),
    ]


class CutSizes(ctypes.Structure):
    """See source/wire.h."""

    _fields_ = [
        ("parts", ctypes.c_int64),
        ("keys", ctypes.c_int64),
        ("vectors", ctypes.c_int64),
        ("values", ctypes.c_int64),
    ]


_REQUEST = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int32)

_ENCODE = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)

_SIGNATURES: Signatures = {
    "hw_points_measure": (ctypes.c_int32, (*_REQUEST, ctypes.c_void_p, ctypes.c_void_p)),
    "hw_points_fill": (ctypes.c_int32, (*_REQUEST, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)),
    "hw_answers_encode": (ctypes.c_int32, _ENCODE),
    "hw_points_encode": (ctypes.c_int32, _ENCODE),
    "hw_request_cut": (
        ctypes.c_int32,
        (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
    ),
}


@functools.cache
def library() -> ctypes.CDLL | None:
    """The loaded library; None: protobuf reads everything. It is looked for once."""
    return load(LIBRARY, SOURCE, _SIGNATURES)

"""The library of kernels: found, checked and loaded once for each process, or not there.

The variable HEADWATER_KERNELS chooses: `auto` (the default) takes the best that this processor has; `off` takes the
twins in numpy; `avx512`, `avx2`, `neon` and `scalar` take just that set of instructions.
"""

import ctypes
import functools
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NewType, cast

import numpy as np
from numpy.typing import NDArray

from storage.kernels.build import LIBRARY, SOURCE, source_digest

log = logging.getLogger(__name__)

VARIABLE = "HEADWATER_KERNELS"
PATHS = ("avx512", "avx2", "neon", "scalar")
CHOICES = ("auto", "off", *PATHS)

QUERIES_PER_THREAD = 8
"""Queries of a request that are worth a thread: to start one takes as long as a part of a walk."""

_PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

Address = NewType("Address", int)

_SIZE = ctypes.c_size_t
_NUMBER = ctypes.c_int32
_POINTER = ctypes.c_void_p

NO_MEMORY, BAD_ARGUMENT, UNSOUND, STOPPED = -1, -2, -3, -4

Signatures = Mapping[str, tuple[Any, Sequence[Any]]]
"""Functions of a library: the type of the result and those of the arguments, by name."""

_SIGNATURES: Signatures = {
    "hw_path": (ctypes.c_char_p, ()),
    "hw_use": (_NUMBER, (ctypes.c_char_p,)),
    "hw_scores": (_NUMBER, (_NUMBER, _POINTER, _SIZE, _POINTER, _SIZE, _POINTER, _SIZE, _POINTER)),
    "hw_graph_open": (
        _NUMBER,
        (_POINTER, _SIZE, _NUMBER, _NUMBER, _SIZE, _SIZE, ctypes.POINTER(_POINTER), ctypes.POINTER(_SIZE)),
    ),
    "hw_graph_use_codes": (_NUMBER, (_POINTER,) * 2),
    "hw_graph_code": (_NUMBER, (_POINTER, _SIZE, _SIZE, _SIZE, *(_POINTER,) * 3)),
    "hw_graph_close": (None, (_POINTER,)),
    "hw_graph_walk": (_NUMBER, (_POINTER,) * 5),
    "hw_graph_find": (_NUMBER, (_POINTER,) * 9),
    "hw_postings_prepare": (_NUMBER, (_POINTER,)),
    "hw_postings_count": (None, (_POINTER, ctypes.c_uint64, _POINTER, ctypes.c_uint64, _POINTER)),
    "hw_postings_search": (
        _NUMBER,
        (ctypes.c_char_p, ctypes.c_uint64, _POINTER, _POINTER, ctypes.c_uint64, _POINTER, _POINTER),
    ),
    "hw_checksums": (_NUMBER, (_POINTER, _SIZE, _SIZE, _POINTER)),
    "hw_records": (_NUMBER, (_POINTER, _POINTER, _SIZE)),
    "hw_read_records": (_NUMBER, (ctypes.c_char_p, _SIZE, ctypes.c_uint8, _SIZE, _POINTER)),
    "hw_scan": (_NUMBER, (_POINTER,) * 4),
    "hw_scan_take": (None, (_POINTER,) * 3),
    "hw_scan_free": (None, (_POINTER,)),
    "hw_sparse_add": (_NUMBER, (*(_POINTER,) * 4, _SIZE, _POINTER, _POINTER, _SIZE, ctypes.c_double)),
    "hw_sparse_best": (_NUMBER, (_POINTER, _SIZE, *(_POINTER,) * 4)),
    "hw_max_similarities": (_NUMBER, (_POINTER,) * 5),
    "hw_code_products": (_NUMBER, (_POINTER, _SIZE, *(_POINTER,) * 3)),
    "hw_unequal_bits": (_NUMBER, (_POINTER, _SIZE, *(_POINTER,) * 3)),
    "hw_codes": (_NUMBER, (_POINTER, _SIZE, _SIZE, _POINTER, _SIZE, _POINTER, _POINTER, _POINTER)),
}


class KernelFailed(Exception):
    """A kernel refused what it was given: a fault of ours, or a file that says what cannot be."""


@functools.cache
def library() -> ctypes.CDLL | None:
    """The loaded library; None: the twins in numpy serve. It is looked for once.

    Raises ValueError for a choice that cannot be.
    """
    choice = _choice()
    loaded = load(LIBRARY, SOURCE, _SIGNATURES)
    if choice in ("auto", "off"):
        return loaded
    if loaded is None:
        raise ValueError(f"{VARIABLE} is {choice!r}, but no native kernels were built: `make install` builds them")
    if loaded.hw_use(choice.encode()) != 0:
        raise ValueError(f"{VARIABLE} is {choice!r}, which this processor does not have")
    return loaded


def has_kernels() -> bool:
    """Whether there is a library; without one the twins serve."""
    return library() is not None


def _choice() -> str:
    choice = os.environ.get(VARIABLE, "auto")
    if choice not in CHOICES:
        raise ValueError(f"{VARIABLE} is {choice!r}: choose one of {', '.join(CHOICES)}")
    return choice


def load(file: Path, source: Path, signatures: Signatures) -> ctypes.CDLL | None:
    """The library in `file`, built from `source`, with its functions declared.

    Its function `hw_source` tells the digest of its sources. None: it is not there, cannot be loaded, was built from
    other sources, or the variable HEADWATER_KERNELS is `off`.
    """
    if _choice() == "off" or not file.exists():
        return None
    try:
        loaded = ctypes.CDLL(str(file))
        for name, (result, arguments) in {"hw_source": (ctypes.c_char_p, ()), **signatures}.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        log.warning("%s cannot be loaded (%s)", file.name, error)
        return None
    if loaded.hw_source().decode() != source_digest(source):
        log.warning("%s was built from other sources: build it again (make install)", file.name)
        return None
    return loaded


def paths() -> list[str]:
    """The sets of instructions that this processor has; empty without a library."""
    loaded = library()
    if loaded is None:
        return []
    now = loaded.hw_path()
    there = [path for path in PATHS if loaded.hw_use(path.encode()) == 0]
    loaded.hw_use(now)
    return there


@contextmanager
def using(path: str) -> Iterator[None]:
    """A context in which all threads of the process use this set of instructions: for tests and measurements.

    Raises ValueError when this processor does not have it.
    """
    loaded = library()
    now = None if loaded is None else loaded.hw_path()
    if loaded is None or loaded.hw_use(path.encode()) != 0:
        raise ValueError(f"this processor does not have {path}")
    try:
        yield
    finally:
        loaded.hw_use(now)


def threads_for(queries: int) -> int:
    """How many threads work on so many queries of one request: one for each few, up to the processors there are."""
    return max(1, min(_PROCESSORS, queries // QUERIES_PER_THREAD))


def describe_kernels() -> str:
    """What searches run on in this process, for the log. Raises ValueError for a choice that cannot be."""
    loaded = library()
    if loaded is not None:
        return f"native kernels ({loaded.hw_path().decode()})"
    if os.environ.get(VARIABLE) == "off":
        return f"numpy, since {VARIABLE} is off"
    return "numpy, since there are no native kernels: `make install` builds them where there is a C++ compiler (g++)"


def address(array: NDArray[Any]) -> Address:
    """Where the elements of a contiguous array are."""
    if array.flags.writeable and array.size:
        return Address(ctypes.addressof(ctypes.c_char.from_buffer(cast(Any, array))))  # takes a third of the time
    return Address(array.ctypes.data)


def check(status: int) -> None:
    """Raises MemoryError or KernelFailed for the status of a kernel, unless it is done."""
    if status == 0:
        return
    if status == NO_MEMORY:
        raise MemoryError("a kernel was given no memory")
    raise KernelFailed({BAD_ARGUMENT: "a bad argument", UNSOUND: "an unsound file"}.get(status, f"status {status}"))


def check_sizes(*pairs: tuple[object, object]) -> None:
    """Raises KernelFailed unless both sizes of each pair are equal: else the library would read beyond an array."""
    for one, other in pairs:
        if one != other:
            raise KernelFailed(f"arrays do not fit each other: {one} and {other}")


def contiguous(array: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    """`array` with this type, in one piece: itself if it is so already."""
    return np.ascontiguousarray(array, dtype)

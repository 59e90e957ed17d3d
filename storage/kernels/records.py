"""Checksums of rows, and records of points, by the library. The twins and the form are in storage/tables."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.kernels.library import address, check, library


class _RecordParts(ctypes.Structure):
    """See source/kernels.h."""

    _fields_ = (
        ("keys", ctypes.c_char_p),
        ("key_ends", ctypes.c_void_p),
        ("payloads", ctypes.c_char_p),
        ("payload_ends", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("commit", ctypes.c_uint64),
        ("version", ctypes.c_uint8),
    )


def native_checksums(rows: NDArray[Any]) -> NDArray[np.uint32] | None:
    """The CRC-32 of the bytes of each row of a contiguous array (n, d), uint32 (n,). None: there is no library."""
    loaded = library()
    if loaded is None:
        return None
    assert rows.flags.c_contiguous
    checksums = np.empty(len(rows), np.uint32)
    row_bytes = rows.nbytes // max(1, len(rows))  # the stride of a single row says nothing
    check(loaded.hw_checksums(address(rows), len(rows), row_bytes, address(checksums)))
    return checksums


def native_records(
    version: int, commit: int, id_keys: Sequence[bytes], payloads: Sequence[bytes], *, header: int
) -> list[bytes] | None:
    """The record of each point. `header`: bytes of a record before its id key. None: there is no library."""
    loaded = library()
    if loaded is None:
        return None
    keys, key_ends = _joined(id_keys)
    data, payload_ends = _joined(payloads)
    records = np.empty(len(keys) + len(data) + header * len(id_keys), np.uint8)
    parts = _RecordParts(keys, address(key_ends), data, address(payload_ends), len(id_keys), commit, version)
    check(loaded.hw_records(ctypes.byref(parts), address(records), len(records)))
    whole = records.tobytes()
    ends = (key_ends + payload_ends + header * np.arange(1, len(id_keys) + 1)).tolist()
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _joined(parts: Sequence[bytes]) -> tuple[bytes, NDArray[np.int64]]:
    """All parts in one, and where each of them ends."""
    return b"".join(parts), np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))

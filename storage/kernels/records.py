"""Checksums of rows, and records of points, by the library. The twins and the form are in storage/tables."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from storage.kernels.library import address, check, library


@dataclass(frozen=True, slots=True, eq=False)
class Pieces(Sequence[bytes]):
    """Byte strings that lie one after the other in `data`, and where each of them ends: int64 (n,), ascending."""

    data: bytes
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return self.data[int(self.ends[number - 1]) if number else 0 : int(self.ends[number])]

    def __iter__(self) -> Iterator[bytes]:
        start = 0
        for end in self.ends.tolist():
            yield self.data[start:end]
            start = end


class _RecordParts(ctypes.Structure):
    """See source/kernels.h."""

    _fields_ = (
        ("keys", ctypes.c_char_p),
        ("key_ends", ctypes.c_void_p),
        ("payloads", ctypes.c_char_p),
        ("payload_ends", ctypes.c_void_p),
        ("key_bytes", ctypes.c_int64),
        ("payload_bytes", ctypes.c_int64),
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
    """The record of each point. `header`: bytes of a record before its id key. None: there is no library.

    Raises KernelFailed when a key is too long for a record.
    """
    loaded = library()
    if loaded is None:
        return None
    keys, key_ends = _joined(id_keys)
    data, payload_ends = _joined(payloads)
    records = np.empty(len(keys) + len(data) + header * len(id_keys), np.uint8)
    about = (keys, address(key_ends), data, address(payload_ends), len(keys), len(data))
    parts = _RecordParts(*about, len(id_keys), commit, version)
    check(loaded.hw_records(ctypes.byref(parts), address(records), len(records)))
    return list(Pieces(records.tobytes(), key_ends + payload_ends + header * np.arange(1, len(id_keys) + 1)))


def native_record_places(version: int, records: bytes, places: NDArray[np.int64]) -> bool:
    """Fills `places` (5, n) with what the n records hold, whose lengths are in the last row: their commits, and ids
    that are numbers, as unsigned numbers; then where ids that are strings, payloads, and the next records begin.

    False: there is no library; or a record is damaged, or its id has a form that is not known here. Then `places` hold
    anything.
    """
    loaded = library()
    if loaded is None:
        return False
    assert places.flags.c_contiguous
    assert len(places) == 5
    status = loaded.hw_read_records(records, len(records), version, places.shape[1], address(places))
    return bool(status == 0)


def _joined(parts: Sequence[bytes]) -> tuple[bytes, NDArray[np.int64]]:
    """All parts in one, and where each of them ends."""
    if isinstance(parts, Pieces):
        return parts.data, parts.ends
    return b"".join(parts), np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))

"""Values stored under slots: points, references to rows, and vectors, each with a checksum. FORMAT.md shows the
bytes."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.kernels import native_checksums, native_records
from storage.schema import PointId

RECORD_VERSION = 1  # persisted: do not renumber
VECTOR_VERSION = 1  # persisted: do not renumber

_HEADER = struct.Struct(">BIQH")  # version, checksum of all that follows it, commit sequence, length of the id key
_CHECKED_FROM = 5
_SHORTEST_KEY = 2  # an id has at least one byte, besides its kind
VERSION_BYTES = slice(5, 13)
"""The position of the commit sequence in a stored point."""

_ROW = struct.Struct(">QI")  # row, checksum of the vector's bytes
_ROWS = np.dtype([("row", ">u8"), ("checksum", ">u4")])  # the same
_VECTOR_HEADER = struct.Struct(">B3xI")  # version, checksum of all that follows; 8 bytes, so that numbers are aligned


class PointRecord(NamedTuple):  # made for each point that is read; a frozen dataclass would take three times as long
    """A stored point without its vectors. `version` is the commit sequence of its last write."""

    slot: int
    id: PointId
    version: int
    payload: bytes


def encode_record(id_key: bytes, version: int, payload: bytes) -> bytes:
    tail = _HEADER.pack(0, 0, version, len(id_key))[_CHECKED_FROM:] + id_key + payload
    return struct.pack(">BI", RECORD_VERSION, zlib.crc32(tail)) + tail


def encode_records(id_keys: Sequence[bytes], version: int, payloads: Sequence[bytes]) -> list[bytes]:
    """The records of many points that one commit writes."""
    records = native_records(RECORD_VERSION, version, id_keys, payloads, header=_HEADER.size)
    if records is not None:
        return records
    return [encode_record(key, version, payload) for key, payload in zip(id_keys, payloads, strict=True)]


def record_parts(data: memoryview) -> tuple[int, memoryview, memoryview]:
    """Version, id key and payload of a stored point. Raises ValueError when it is damaged."""
    if len(data) < _HEADER.size:
        raise ValueError("the stored point is too short")
    record_version, checksum, version, id_length = _HEADER.unpack_from(data)
    if record_version != RECORD_VERSION:
        raise ValueError(f"the stored point has the unknown version {record_version}")
    if zlib.crc32(data[_CHECKED_FROM:]) != checksum:
        raise ValueError("the stored point does not match its checksum")
    start = _HEADER.size
    if not _SHORTEST_KEY <= id_length <= len(data) - start:
        raise ValueError("the stored point has no id")
    return version, data[start : start + id_length], data[start + id_length :]


def encode_row(row: int, checksum: int) -> bytes:
    return _ROW.pack(row, checksum)


def encode_rows(first: int, matrix: NDArray[np.float32]) -> list[bytes]:
    """The values of the rows from number `first` whose vectors are `matrix` (n, d)."""
    rows = np.empty(len(matrix), _ROWS)
    rows["row"] = np.arange(first, first + len(matrix))
    rows["checksum"] = checksums_of(np.ascontiguousarray(matrix, "<f4"))
    values: list[bytes] = rows.view(f"V{_ROW.size}").tolist()
    return values


def checksums_of(rows: NDArray[Any]) -> NDArray[np.uint32]:
    """The checksum of the bytes of each row of a contiguous array (n, d)."""
    checksums = native_checksums(rows)
    return np.array([zlib.crc32(row) for row in rows], np.uint32) if checksums is None else checksums


def decode_row(data: bytes | memoryview) -> tuple[int, int]:
    """The row, and the checksum of its vector's bytes."""
    row, checksum = _ROW.unpack(data)
    return row, checksum


def encode_vector(body: bytes) -> bytes:
    """The stored value of a sparse vector or multi-vector whose bytes are `body`."""
    return _VECTOR_HEADER.pack(VECTOR_VERSION, zlib.crc32(body)) + body


def decode_vector(data: memoryview) -> memoryview:
    """The bytes of the vector in a stored value. Raises ValueError when the value is damaged."""
    if len(data) < _VECTOR_HEADER.size:
        raise ValueError("the stored vector is too short")
    version, checksum = _VECTOR_HEADER.unpack_from(data)
    if version != VECTOR_VERSION:
        raise ValueError(f"the stored vector has the unknown version {version}")
    body = data[_VECTOR_HEADER.size :]
    if zlib.crc32(body) != checksum:
        raise ValueError("the vector does not match its checksum")
    return body

"""The bytes of one file of derived data: header, arrays and a checksum over all of it. Where files lie is files.py's.

    8 bytes     "HWDERIV" 1
    8 bytes     length of the header, u64 little-endian
    ...         the header, JSON with spaces at its end: `collection`, `kind`, `key`, `seq`, `version`, `about`, and
                `arrays`, by name their `dtype`, `shape` and `offset`
    ...         arrays, each beginning at a multiple of 64 bytes, offsets counted from the end of the header
    4 bytes     CRC-32 of all before, u32 little-endian

It is read whole, not mapped, so that nothing that happens to the file later can reach a reader.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"HWDERIV\x01"
_ALIGNMENT = 64
_NUMBER = 8
_CHECKSUM = 4
_FIRST = len(MAGIC) + _NUMBER

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Derived:
    """Data derived from commit `seq` of a collection: `arrays`, read-only once they come from a file, and JSON data
    `about` them.

    `version` names the code that made it. Data of another version are not used.
    """

    seq: int
    version: str
    about: Mapping[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Label:
    """What derived data belong to: a collection (by uid), a kind of data, and a `key` within the kind."""

    collection: str
    kind: str
    key: str


def size_of(data: Derived) -> int:
    """The bytes of the file, about."""
    return sum(array.nbytes + _ALIGNMENT for array in data.arrays.values()) + 4096


def write_file(path: Path, label: Label, data: Derived) -> None:
    """Writes a new file. Not synced. Raises OSError."""
    checksum = 0
    with path.open("wb") as file:
        for chunk in _chunks(label, data):
            checksum = zlib.crc32(chunk, checksum)
            file.write(chunk)
        file.write(checksum.to_bytes(_CHECKSUM, "little"))


def read_file(path: Path) -> tuple[Label, Derived]:
    """Raises ValueError for a file that is damaged or of another format, and OSError."""
    content = np.fromfile(path, np.uint8)
    if len(content) < _FIRST + _CHECKSUM or content[: len(MAGIC)].tobytes() != MAGIC:
        raise ValueError("no file of derived data, or of another format")
    body = content[:-_CHECKSUM]
    if zlib.crc32(body.data) != int.from_bytes(content[-_CHECKSUM:].tobytes(), "little"):
        raise ValueError("the file does not match its checksum")
    start, end = _header_place(body[:_FIRST].tobytes())
    try:
        header = json.loads(body[start:end].tobytes())
        arrays = {name: _array(body[end:], place) for name, place in header["arrays"].items()}
        return _label(header), Derived(header["seq"], header["version"], header["about"], arrays)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the header is none of ours: {error!r}") from error


def read_label(path: Path) -> tuple[Label, int]:
    """The label and the commit that the file claims. Not verified. Raises ValueError, and OSError."""
    with path.open("rb") as file:
        first = file.read(_FIRST)
        if len(first) < _FIRST or first[: len(MAGIC)] != MAGIC:
            raise ValueError("no file of derived data, or of another format")
        start, end = _header_place(first)
        if end - start > path.stat().st_size:
            raise ValueError("the header is longer than the file")
        try:
            header = json.loads(file.read(end - start))
            return _label(header), int(header["seq"])
        except (LookupError, TypeError) as error:
            raise ValueError(f"the header is none of ours: {error!r}") from error


def _label(header: Mapping[str, Any]) -> Label:
    return Label(header["collection"], header["kind"], header["key"])


def _header_place(first: bytes) -> tuple[int, int]:
    """The offsets at which the header begins and ends; the arrays follow."""
    return _FIRST, _FIRST + int.from_bytes(first[len(MAGIC) :], "little")


def _chunks(label: Label, data: Derived) -> Iterator[bytes | memoryview]:
    arrays = {name: np.ascontiguousarray(array) for name, array in data.arrays.items()}
    header = _header(label, data, arrays)
    yield MAGIC + len(header).to_bytes(_NUMBER, "little") + header
    for array in arrays.values():
        if array.nbytes:
            yield array.reshape(-1).view(np.uint8).data
            yield bytes(-array.nbytes % _ALIGNMENT)


def _header(label: Label, data: Derived, arrays: Arrays) -> bytes:
    places: dict[str, Any] = {}
    offset = 0
    for name, array in arrays.items():
        places[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        offset += array.nbytes + -array.nbytes % _ALIGNMENT
    about = {"collection": label.collection, "kind": label.kind, "key": label.key}
    content = {**about, "seq": data.seq, "version": data.version, "about": data.about, "arrays": places}
    header = json.dumps(content).encode()
    return header + b" " * (-(_FIRST + len(header)) % _ALIGNMENT)


def _array(content: NDArray[np.uint8], place: Mapping[str, Any]) -> NDArray[Any]:
    dtype, shape = np.dtype(place["dtype"]), tuple(place["shape"])
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    array: NDArray[Any] = content[place["offset"] : place["offset"] + size].view(dtype).reshape(shape)
    array.flags.writeable = False
    return array

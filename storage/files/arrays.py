"""Arrays in one file that is mapped for reading. A JSON header gives their names, types, shapes and offsets."""

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64  # bytes: scoring kernels read aligned arrays fastest
_LENGTH_BYTES = 8

Layout = Mapping[str, tuple[str, tuple[int, ...]]]
"""Type (as numpy writes it) and shape by name."""


def create(path: Path, magic: bytes, about: Mapping[str, Any], layout: Layout) -> dict[str, NDArray[Any]]:
    """Makes a file for arrays of `layout` and returns them mapped. The caller fills and flushes them. Not synced."""
    places: dict[str, dict[str, Any]] = {}
    offset = 0
    for name, (dtype, shape) in layout.items():
        places[name] = {"dtype": dtype, "shape": shape, "offset": offset}
        offset += -(-int(np.prod(shape)) * np.dtype(dtype).itemsize // _ALIGNMENT) * _ALIGNMENT
    header = json.dumps({"about": about, "arrays": places}).encode()
    start = _start(magic, len(header))
    with path.open("wb") as file:
        file.write(magic + len(header).to_bytes(_LENGTH_BYTES, "little") + header)
        file.truncate(start + offset)
    return {
        name: np.memmap(path, place["dtype"], "r+", start + place["offset"], place["shape"])
        if np.prod(place["shape"])
        else np.empty(place["shape"], place["dtype"])
        for name, place in places.items()
    }


def open_arrays(path: Path, magic: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]], int]:
    """Returns the `about` that `create` was given, the arrays mapped read-only, and the file's size in bytes.

    Raises ValueError when the file is of another kind. Requires: its checksum has been verified.
    """
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    if mapping[: len(magic)] != magic:
        raise ValueError(f"{path} does not begin with {magic!r}")
    length = int.from_bytes(mapping[len(magic) : len(magic) + _LENGTH_BYTES], "little")
    header = json.loads(mapping[len(magic) + _LENGTH_BYTES : len(magic) + _LENGTH_BYTES + length])
    start = _start(magic, length)
    arrays: dict[str, NDArray[Any]] = {}
    for name, place in header["arrays"].items():
        count = int(np.prod(place["shape"]))
        flat = np.frombuffer(mapping, place["dtype"], count, start + place["offset"]) if count else np.empty(0)
        arrays[name] = flat.astype(place["dtype"], copy=False).reshape(place["shape"])
    return header["about"], arrays, len(mapping)


def _start(magic: bytes, header: int) -> int:
    """The offset of the first array."""
    return -(-(len(magic) + _LENGTH_BYTES + header) // _ALIGNMENT) * _ALIGNMENT

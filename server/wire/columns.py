"""The points of a request as columns, by one native pass over its bytes. Knows no schema."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.wire.library import (
    DONE,
    MAX_SPACES,
    NO_MEMORY,
    Addresses,
    AllSpaceSizes,
    Columns,
    Sizes,
    library,
)
from storage.kernels import address
from storage.schema import PointId
from storage.write import SpaceVectors


@dataclass(frozen=True, slots=True)
class PointColumns:
    """Points whose ids, payloads and vectors are sound by themselves; whether they fit a schema is not known.

    `payloads` are in their stored form; none for a request without payloads. `vectors` are by space: matrices of
    float32 (n, d) with finite components.
    """

    ids: tuple[PointId, ...]
    payloads: tuple[bytes, ...]
    vectors: Mapping[str, SpaceVectors]


def read_columns(request: bytes, *, with_payloads: bool) -> tuple[PointColumns, bytes] | None:
    """The points of a request, and its other fields as they were sent. None: protobuf must read the request.

    `with_payloads`: the request is a `PointsUpsertRequest`, else a `PointsUpdateVectorsRequest`.
    """
    native = library()
    if native is None:
        return None
    sizes, spaces = Sizes(), AllSpaceSizes()
    about = (request, len(request), int(with_payloads), ctypes.byref(sizes), ctypes.byref(spaces))
    if native.hw_points_measure(*about) != DONE:
        return None
    filled = _Filled(sizes, [(spaces[i].rows, spaces[i].components) for i in range(sizes.spaces)])
    status = native.hw_points_fill(*about, ctypes.byref(filled.columns))
    if status == NO_MEMORY:
        raise MemoryError("the points of a request found no memory")
    if status != DONE:
        return None
    names = [request[spaces[i].name_start : spaces[i].name_end].decode() for i in range(sizes.spaces)]
    columns = PointColumns(
        filled.ids(request),
        filled.payloads() if with_payloads else (),
        dict(zip(names, map(SpaceVectors, filled.positions, filled.matrices), strict=True)),
    )
    return columns, filled.rest.tobytes()


class _Filled:
    """The arrays that the native pass fills."""

    def __init__(self, sizes: Sizes, spaces: list[tuple[int, int]]) -> None:
        self.numbers = np.empty(sizes.points, np.uint64)
        self.keys = np.empty((sizes.points, 2), np.int64)
        self.payload_data = np.empty(sizes.payload_bytes, np.uint8)
        self.payload_ends = np.empty(sizes.points, np.int64)
        self.rest = np.empty(sizes.rest_bytes, np.uint8)
        self.matrices = [np.empty(shape, np.float32) for shape in spaces]
        self.positions = [np.empty(rows, np.int64) for rows, _ in spaces]
        self._addresses = _addresses(self.matrices), _addresses(self.positions)
        whole = (self.numbers, self.keys, self.payload_data, self.payload_ends, self.rest)
        self.columns = Columns(*map(address, whole), *map(ctypes.addressof, self._addresses))

    def ids(self, request: bytes) -> tuple[PointId, ...]:
        numbers = self.numbers.tolist()
        if (self.keys < 0).all():
            return tuple(numbers)
        return tuple(
            number if start < 0 else request[start:end].decode()
            for number, (start, end) in zip(numbers, self.keys.tolist(), strict=True)
        )

    def payloads(self) -> tuple[bytes, ...]:
        data, ends = self.payload_data.tobytes(), self.payload_ends.tolist()
        return tuple([data[start:end] for start, end in zip([0, *ends], ends, strict=False)])


def _addresses(arrays: list[NDArray[np.float32]] | list[NDArray[np.int64]]) -> ctypes.Array[ctypes.c_void_p]:
    assert len(arrays) <= MAX_SPACES
    return Addresses(*map(address, arrays))

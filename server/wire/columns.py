"""The points of a request as columns, by one native pass over its bytes. Knows no schema."""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from server.wire.library import (
    DONE,
    NO_MEMORY,
    Addresses,
    AllSpaceSizes,
    Columns,
    Sizes,
    library,
)
from storage.kernels import Pieces, address
from storage.schema import PointId
from storage.write import SpaceVectors


@dataclass(frozen=True, slots=True)
class PointColumns:
    """Points whose ids, payloads and vectors are sound by themselves; whether they fit a schema is not known.

    `payloads` are in their stored form; none for a request without payloads. `vectors` are by space: matrices of
    float32 (n, d) with finite components.
    """

    ids: tuple[PointId, ...]
    payloads: Sequence[bytes]
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
    return columns, filled.rest()


class _Filled:
    """The arrays that the native pass fills. Most are parts of one, since asking for an address takes time."""

    def __init__(self, sizes: Sizes, spaces: list[tuple[int, int]]) -> None:
        points = sizes.points
        vectors = sum(rows for rows, _ in spaces)
        self._numbers = np.empty(4 * points + vectors, np.int64)
        self._bytes = np.empty(sizes.payload_bytes + sizes.rest_bytes, np.uint8)
        self._points, self._payload_bytes = points, sizes.payload_bytes
        self.matrices = [np.empty(shape, np.float32) for shape in spaces]
        ends = np.cumsum([4 * points, *(rows for rows, _ in spaces)]).tolist()
        self.positions = [self._numbers[start:end] for start, end in pairwise(ends)]
        numbers, data = address(self._numbers), address(self._bytes)
        self._addresses = (
            Addresses(*map(address, self.matrices)),
            Addresses(*(numbers + 8 * start for start in ends[:-1])),
        )
        self.columns = Columns(
            numbers,
            numbers + 8 * points,
            data,
            numbers + 8 * 3 * points,
            data + sizes.payload_bytes,
            *map(ctypes.addressof, self._addresses),
        )

    def ids(self, request: bytes) -> tuple[PointId, ...]:
        numbers = self._numbers[: self._points].view(np.uint64).tolist()
        keys = self._numbers[self._points : 3 * self._points]
        if (keys < 0).all():
            return tuple(numbers)
        places = keys.reshape(-1, 2).tolist()
        return tuple(
            number if start < 0 else request[start:end].decode()
            for number, (start, end) in zip(numbers, places, strict=True)
        )

    def payloads(self) -> Pieces:
        ends = self._numbers[3 * self._points : 4 * self._points]
        return Pieces(self._bytes[: self._payload_bytes].tobytes(), ends)

    def rest(self) -> bytes:
        """The fields of the request that are no points."""
        return self._bytes[self._payload_bytes :].tobytes()

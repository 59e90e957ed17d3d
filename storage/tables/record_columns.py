"""Points that were read together: their ids, versions and payloads as columns over the bytes of their records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.kernels import native_record_places
from storage.schema import PointId
from storage.tables.keys import decode_id, encode_ids, encode_numbers
from storage.tables.point_records import RECORD_VERSION, record_parts


@dataclass(frozen=True, slots=True, eq=False)
class RecordColumns:
    """The records of n points, one after the other, and what each of them holds: `places` (5, n), of which the rows
    have names below."""

    records: bytes
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.places.shape[1])

    @property
    def versions(self) -> NDArray[np.uint64]:
        """The commit of the last write of each point (n,)."""
        found: NDArray[np.uint64] = self.places[0].view(np.uint64)
        return found

    @property
    def numbers(self) -> NDArray[np.uint64]:
        """Ids that are numbers (n,); 0 for others."""
        found: NDArray[np.uint64] = self.places[1].view(np.uint64)
        return found

    @property
    def string_starts(self) -> NDArray[np.int64]:
        """Where in `records` ids that are strings begin (n,). They end where payloads begin; that of a number is
        empty."""
        found: NDArray[np.int64] = self.places[2]
        return found

    @property
    def payload_starts(self) -> NDArray[np.int64]:
        """Where in `records` payloads begin (n,)."""
        found: NDArray[np.int64] = self.places[3]
        return found

    @property
    def ends(self) -> NDArray[np.int64]:
        """Where in `records` payloads end (n,)."""
        found: NDArray[np.int64] = self.places[4]
        return found

    def ids(self) -> list[PointId]:
        ids: list[PointId] = self.numbers.tolist()
        for place in self.string_places():
            ids[place] = self.records[self.string_starts[place] : self.payload_starts[place]].decode()
        return ids

    def string_places(self) -> list[int]:
        """The positions of points whose ids are strings."""
        found: list[int] = np.flatnonzero(self.string_starts != self.payload_starts).tolist() if self.records else []
        return found

    def id_keys(self) -> list[bytes]:
        """The keys of the ids. They sort as ids do."""
        return encode_ids(self.ids()) if self.string_places() else encode_numbers(self.numbers)

    def payloads(self) -> list[bytes]:
        places = zip(self.payload_starts.tolist(), self.ends.tolist(), strict=True)
        return [self.records[start:end] for start, end in places]

    def payload_sizes(self) -> NDArray[np.int64]:
        """The bytes of each payload (n,)."""
        return self.ends - self.payload_starts

    def take(self, positions: NDArray[np.integer]) -> "RecordColumns":
        """The points at these positions, which may be repeated."""
        return RecordColumns(self.records, self.places.take(positions, axis=1))

    def first(self, count: int) -> "RecordColumns":
        """At most so many points."""
        return self if count >= len(self) else RecordColumns(self.records, self.places[:, :count])


def columns_of(values: Sequence[bytes | memoryview], sizes: Sequence[int]) -> RecordColumns:
    """What stored records of these sizes hold. Raises ValueError for one that is damaged."""
    records = b"".join(values)
    places = np.empty((5, len(values)), np.int64)
    places[4] = sizes
    if not native_record_places(RECORD_VERSION, records, places):
        _fill(values, places)
    return RecordColumns(records, places)


def numbered(versions: NDArray[np.uint64], ids: NDArray[np.uint64]) -> RecordColumns:
    """Points without payloads whose ids are numbers."""
    places = np.zeros((5, len(ids)), np.uint64)
    places[0], places[1] = versions, ids
    return RecordColumns(b"", places.view(np.int64))


def joined(parts: Sequence[RecordColumns]) -> RecordColumns:
    """The points of all parts, in their order."""
    if len(parts) == 1:
        return parts[0]
    places, start = [np.empty((5, 0), np.int64)], 0
    for part in parts:
        moved = part.places.copy()
        moved[2:] += start
        places.append(moved)
        start += len(part.records)
    return RecordColumns(b"".join(part.records for part in parts), np.concatenate(places, axis=1))


def _fill(values: Iterable[bytes | memoryview], places: NDArray[np.int64]) -> None:
    """The twin of `native_record_places`. Raises ValueError."""
    start = 0
    unsigned = places.view(np.uint64)
    for number, value in enumerate(values):
        version, id_key, payload = record_parts(memoryview(value))
        point_id = decode_id(bytes(id_key))
        end = start + len(value)
        payload_start = end - len(payload)
        if isinstance(point_id, str):
            unsigned[:3, number] = version, 0, payload_start - len(id_key) + 1
        else:
            unsigned[:3, number] = version, point_id, payload_start
        places[3:, number] = payload_start, end
        start = end

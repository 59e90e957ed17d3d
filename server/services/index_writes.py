"""Writes of vectors into indexes: RPCs of `Indexes`. A write becomes operations on points that are applied together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from headwater.v1 import indexes_pb2 as wire
from headwater.v1.common_pb2 import Vector
from planner.limits import MAX_LIMIT
from server.convert import (
    enum_value,
    payload_of,
    point_id_of,
    replaced,
    similarity_of,
    stored_payload,
    vector_kind,
    vector_of,
)
from server.embedders import Role, TextInput, Texts
from server.indexes import Wanted, index_of, size_of, space_meant
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import InvalidRequest, LimitExceeded, PointNotFound, SpaceNotFound
from storage.schema import CollectionSchema, IndexSource, PointId
from storage.write import (
    ByIds,
    ChangePayload,
    Operation,
    SpaceVectors,
    UpdateVectors,
    Upsert,
    UpsertMode,
    check_vectors,
    wait_for,
)

MAX_ATTEMPTS = 8
"""How often a write starts again because points that it found were deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class _Given:
    """One vector of a write: the position of its point, its space, and the path of its field."""

    position: int
    space: str
    vector: Vector
    path: str


class IndexWrites:
    """The RPCs of `Indexes` that write records and their vectors."""

    def __init__(self, database: Database, texts: Texts) -> None:
        self._database = database
        self._texts = texts

    def upsert_vectors(
        self, request: wire.IndexesUpsertVectorsRequest, budget: Budget
    ) -> wire.IndexesUpsertVectorsResponse:
        index = index_of(self._database, request.index_id)
        if index.policy.source is not IndexSource.EXTERNAL:
            raise InvalidRequest("index_id", "the index is managed: the server makes its vectors")
        _check_count(len(request.items), "items")
        ids = [point_id_of(item.record_id, f"items[{i}].record_id") for i, item in enumerate(request.items)]
        given = [_Given(i, index.space, item.vector, f"items[{i}].vector") for i, item in enumerate(request.items)]
        schema = index.collection.schema
        vectors = self._vectors(schema, given, budget).get(index.space)
        assert vectors is not None
        last = {point_id: position for position, point_id in enumerate(ids)}
        changed, seq = _changed(index.collection, index.space, last, vectors)
        response = wire.IndexesUpsertVectorsResponse(
            updated=len(last), requested=len(ids), unchanged=len(last) - len(changed), seq=seq
        )
        if changed:
            rows = vectors.matrix[[last[point_id] for point_id in changed]]
            update = UpdateVectors(ids=tuple(changed), vectors={index.space: SpaceVectors(np.arange(len(rows)), rows)})
            wait = request.wait or not request.HasField("wait")
            result = _write(index.collection, [update], wait, budget, "Indexes/UpsertVectors")
            response.seq = 0 if result is None else result[0]
        return response

    def upsert_records(
        self, request: wire.IndexesUpsertRecordsRequest, budget: Budget
    ) -> wire.IndexesUpsertRecordsResponse:
        collection = self._database.collection(request.label, budget)
        mode = enum_value(_MODES, request.mode, "mode")
        _check_count(len(request.records), "records")
        ids = _distinct(point_id_of(record.id, f"records[{i}].id") for i, record in enumerate(request.records))
        payloads = [stored_payload(each.payload, f"records[{i}].payload") for i, each in enumerate(request.records)]
        schema = collection.schema
        vectors = self._vectors(schema, list(_inline(collection, schema, request.records)), budget)
        wait = request.wait or not request.HasField("wait")
        if mode is not None:
            upsert = Upsert(ids=tuple(ids), payloads=tuple(payloads), vectors=vectors, mode=mode)
            return _outcome(_write(collection, [upsert], wait, budget), len(ids))
        for attempt in range(MAX_ATTEMPTS):
            operations = _keeping_vectors(collection, ids, payloads, vectors, request.records)
            try:
                return _outcome(_write(collection, operations, wait, budget), len(ids))
            except PointNotFound:
                if attempt == MAX_ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _vectors(self, schema: CollectionSchema, given: Sequence[_Given], budget: Budget) -> dict[str, SpaceVectors]:
        """The checked vectors by space. Texts are embedded."""
        texts = [
            TextInput(each.vector, each.space, each.path)
            for each in given
            if vector_kind(each.vector, each.path) == "text"
        ]
        self._texts.embed(texts, schema, Role.DOCUMENT, budget)
        by_space: dict[str, list[_Given]] = {}
        for each in given:
            size_of(each.vector, each.path)
            by_space.setdefault(each.space, []).append(each)
        return {space: _checked(schema, space, group) for space, group in by_space.items()}


def _checked(schema: CollectionSchema, space: str, given: Sequence[_Given]) -> SpaceVectors:
    rows, positions = [vector_of(each.vector, each.path) for each in given], [each.position for each in given]
    return check_vectors(schema, space, rows, positions, lambda row: given[row].path)


def _inline(collection: Collection, schema: CollectionSchema, records: Iterable[wire.IndexRecord]) -> Iterator[_Given]:
    """The vectors inside records, each with its space. A record can have at most one vector for a space."""
    for position, record in enumerate(records):
        taken: set[str] = set()
        for number, inline in enumerate(record.vectors):
            path = f"records[{position}].vectors[{number}]"
            text = vector_kind(inline.vector, f"{path}.vector") == "text"
            wanted = Wanted(
                property=inline.property_name,
                size=None if text else size_of(inline.vector, f"{path}.vector"),
                distance=similarity_of(inline.similarity, f"{path}.similarity"),
                source=IndexSource.EXTERNAL,
                using=inline.using if inline.HasField("using") else None,
            )
            space = space_meant(collection, schema, wanted, path, f"{path}.vector")
            if space in taken:
                raise InvalidRequest(path, f"the record has another vector for the space {space!r}")
            taken.add(space)
            yield _Given(position, space, inline.vector, f"{path}.vector")


def _changed(
    collection: Collection, space: str, last: dict[PointId, int], vectors: SpaceVectors
) -> tuple[list[PointId], int]:
    """The points whose stored vector differs, and the commit that was read. Raises PointNotFound."""
    ids = list(last)
    with collection.snapshot() as snapshot:
        if space not in snapshot.schema.dense:  # it was deleted meanwhile
            raise SpaceNotFound(space, snapshot.schema.names)
        slots = snapshot.slots_of(ids)
        missing = [point_id for point_id, slot in zip(ids, slots.tolist(), strict=True) if slot < 0]
        if missing:
            raise PointNotFound(missing)
        present, stored = snapshot.vectors(space, slots.astype(np.uint32))
        given = vectors.matrix[list(last.values())]
        # Vectors are compared by their bytes: 0 and -0 are equal numbers, but not the same vector.
        same = present & (stored.view(np.uint32) == given.view(np.uint32)).all(axis=1)
        return [point_id for point_id, kept in zip(ids, same.tolist(), strict=True) if not kept], snapshot.seq


def _keeping_vectors(
    collection: Collection,
    ids: Sequence[PointId],
    payloads: Sequence[bytes],
    vectors: dict[str, SpaceVectors],
    records: Sequence[wire.IndexRecord],
) -> list[Operation]:
    """Inserts records that do not exist. For the others, replaces payloads and the given vectors."""
    with collection.snapshot() as snapshot:
        found = snapshot.slots_of(ids) >= 0
    fresh, known = np.flatnonzero(~found), np.flatnonzero(found)
    operations: list[Operation] = []
    if len(fresh):
        operations.append(
            Upsert(
                ids=tuple(ids[position] for position in fresh.tolist()),
                payloads=tuple(payloads[position] for position in fresh.tolist()),
                vectors=_of(vectors, fresh),
            )
        )
    for position in known.tolist():
        change = partial(replaced, values=payload_of(records[position].payload))
        operations.append(ChangePayload(selector=ByIds((ids[position],)), change=change))
    update = _of(vectors, known)
    if update:
        operations.append(UpdateVectors(ids=tuple(ids[position] for position in known.tolist()), vectors=update))
    return operations


def _of(vectors: dict[str, SpaceVectors], positions: NDArray[np.intp]) -> dict[str, SpaceVectors]:
    """The vectors of the points at these ascending positions. They get new positions from 0."""
    chosen = {}
    for space, each in vectors.items():
        rows = np.flatnonzero(np.isin(each.positions, positions))
        if len(rows):
            chosen[space] = SpaceVectors(np.searchsorted(positions, each.positions[rows]), each.matrix[rows])
    return chosen


def _write(
    collection: Collection,
    operations: Sequence[Operation],
    wait: bool,
    budget: Budget,
    name: str = "Indexes/UpsertRecords",
) -> tuple[int, int, int] | None:
    """The commit, how many points were changed, and how many were skipped. None if the request does not wait."""
    future = collection.write(operations, budget if wait else UNLIMITED, unattended="" if wait else name)
    if not wait:
        return None
    result = wait_for(future, budget)
    return result.seq, sum(result.affected), sum(result.skipped)


def _outcome(result: tuple[int, int, int] | None, asked: int) -> wire.IndexesUpsertRecordsResponse:
    if result is None:
        return wire.IndexesUpsertRecordsResponse()
    seq, _, skipped = result
    return wire.IndexesUpsertRecordsResponse(written=asked - skipped, skipped=skipped, seq=seq)


def _distinct(ids: Iterable[PointId]) -> list[PointId]:
    seen: dict[PointId, int] = {}
    for position, point_id in enumerate(ids):
        if point_id in seen:
            raise InvalidRequest(f"records[{position}].id", f"records[{seen[point_id]}] has the same id")
        seen[point_id] = position
    return list(seen)


def _check_count(count: int, field: str) -> None:
    if count == 0:
        raise InvalidRequest(field, "give at least one")
    if count > MAX_LIMIT:
        raise LimitExceeded(field, limit="MAX_LIMIT", maximum=MAX_LIMIT, actual=count)


_MODES: Mapping[int, UpsertMode | None] = {
    wire.RECORD_MODE_UNSPECIFIED: None,
    wire.RECORD_MODE_KEEP_VECTORS: None,
    wire.RECORD_MODE_REPLACE: UpsertMode.UPSERT,
    wire.RECORD_MODE_INSERT_ONLY: UpsertMode.INSERT_ONLY,
}
"""The upsert mode for each mode of records; None: the mode is no upsert."""

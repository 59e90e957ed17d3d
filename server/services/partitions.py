"""Partitions: the RPCs of `VDE` that send samples of vectors, and receive trees of centroids."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from headwater.v1 import vde_pb2 as wire
from planner.resolve import dense_space, space_of
from server.convert import point_id_message
from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import InvalidRequest, NoPartitionPhase
from storage.ivf import MAX_ROWS, Malformation, TreeRow, check_row, malformed, partition_of, serves
from storage.schema import CollectionSchema, IndexKind, PointId
from storage.search import sample_vectors
from storage.tables import PayloadCodec

MAX_SAMPLE = 10_000_000
_PARENT = "parent"
_ROW_BYTES = 300
"""Memory of a row of a partition besides its vector."""

_COPIES = 2
"""Each vector is held twice: in its row, and in the matrix of all of them."""

_ROWS_PER_READ = 256


class Partitions:
    """The RPCs of `VDE` for partitions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sample_vectors(
        self, request: wire.VDESampleVectorsRequest, budget: Budget
    ) -> Iterator[wire.VDESampleVectorsResponse]:
        collection = self._database.collection(request.collection_name, budget)
        if not 1 <= request.count <= MAX_SAMPLE:
            raise InvalidRequest("count", f"{request.count:,} is not between 1 and {MAX_SAMPLE:,}")
        with collection.snapshot() as snapshot:
            space = _dense(request.using if request.HasField("using") else None, snapshot.schema, "using")
            for ids, vectors in sample_vectors(snapshot, space, request.count, request.seed, budget):
                yield from _sample_messages(ids, vectors, budget.meter.largest_reply)

    def import_partition(
        self, requests: Iterator[wire.VDEImportPartitionRequest], budget: Budget
    ) -> wire.VDEImportPartitionResponse:
        first = next(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidRequest("header", "the first message must be the header")
        header = first.header
        collection = self._database.collection(header.collection_name, budget)
        using = header.using if header.HasField("using") else None
        space = _dense(using, collection.schema, "header.using")
        schema = collection.schema.dense[space]
        if not serves(schema.distance):
            what = f"IVF lists support Cosine, Dot and Euclid, but the space has {schema.distance.name}"
            raise InvalidRequest("header.using", what)
        if schema.index is not IndexKind.IVF:
            raise NoPartitionPhase(space, schema.index.name)
        rows = list(_streamed(requests, schema.size, budget))
        field = "rows"
        if header.from_collection:
            if rows:
                raise InvalidRequest("rows", "give rows by `from_collection` or in the stream, not both")
            field = "header.from_collection"
            rows = list(self._stored(header, schema.size, budget))
        file = collection.unseen.set_partition(space, partition_of(rows, schema.size, field, budget))
        assert file is not None
        return wire.VDEImportPartitionResponse(partition_id=file.id, lists=file.lists, checksum=file.checksum)

    def delete_partition(
        self, request: wire.VDEDeletePartitionRequest, budget: Budget
    ) -> wire.VDEDeletePartitionResponse:
        collection = self._database.collection(request.collection_name, budget)
        space = _dense(request.using if request.HasField("using") else None, collection.schema, "using")
        deleted = collection.spaces()[space].manifest.partition is not None
        if deleted:
            collection.unseen.set_partition(space, None)
        return wire.VDEDeletePartitionResponse(deleted=deleted)

    def _stored(self, header: wire.PartitionHeader, size: int, budget: Budget) -> Iterator[TreeRow]:
        """The points of another collection as rows, in the order of their slots."""
        source: Collection = self._database.collection(header.from_collection, budget)
        with source.snapshot() as snapshot:
            using = header.from_using if header.HasField("from_using") else None
            space = _dense(using, snapshot.schema, "header.from_using")
            if snapshot.schema.dense[space].size != size:
                what = f"expected {size} dimensions, space {space!r} has {snapshot.schema.dense[space].size}"
                raise malformed(Malformation.WRONG_DIMENSION, what, field="header.from_collection")
            slots = snapshot.all_slots()
            if len(slots) > MAX_ROWS:
                what = f"a partition has at most {MAX_ROWS:,} rows, the collection {len(slots):,}"
                raise malformed(Malformation.TOO_MANY, what, field="header.from_collection")
            budget.hold(len(slots) * (_ROW_BYTES + _COPIES * 4 * size), "the rows of the partition")
            for start in range(0, len(slots), _ROWS_PER_READ):
                budget.check()
                part = slots[start : start + _ROWS_PER_READ]
                present, vectors = snapshot.vectors(space, part)
                for number, record in enumerate(snapshot.records(part)):
                    vector = vectors[number] if present[number] else None
                    yield _row_of_point(start + number, record.id, record.payload, snapshot.codec, vector)


def _sample_messages(
    ids: Sequence[PointId], vectors: NDArray[np.float32], most: int | None
) -> Iterator[wire.VDESampleVectorsResponse]:
    """The rows in as few messages of at most `most` bytes as halving finds; a row that is larger has its own."""
    message = wire.VDESampleVectorsResponse(
        ids=map(point_id_message, ids), vectors=vectors.astype("<f4").tobytes(), size=vectors.shape[1]
    )
    if most is None or len(ids) <= 1 or message.ByteSize() <= most:
        yield message
        return
    half = len(ids) // 2
    yield from _sample_messages(ids[:half], vectors[:half], most)
    yield from _sample_messages(ids[half:], vectors[half:], most)


def _dense(using: str | None, schema: CollectionSchema, field: str) -> str:
    """The space that `using` means. Raises what `space_of` raises, and InvalidQuery for a space that is not dense."""
    space = space_of(using, schema, field)
    dense_space(schema, space, field)
    return space


def _row_of_point(
    number: int, point_id: PointId, payload: bytes, codec: PayloadCodec, vector: NDArray[np.float32] | None
) -> TreeRow:
    field = "header.from_collection"
    if not isinstance(point_id, int):
        what = f"point {point_id!r}: the id of a row must be a number"
        raise malformed(Malformation.NULL_ID, what, number, field)
    if vector is None:
        what = f"point {point_id}: it has no vector in the space"
        raise malformed(Malformation.WRONG_DIMENSION, what, number, field)
    parent = codec.decode(payload, {_PARENT}).get(_PARENT)
    if parent is not None and (isinstance(parent, bool) or not isinstance(parent, int)):
        what = f"point {point_id}: its parent is not an integer"
        raise malformed(Malformation.MISSING_PARENT, what, number, field)
    return TreeRow(point_id, parent, vector.copy())


def _streamed(requests: Iterator[wire.VDEImportPartitionRequest], size: int, budget: Budget) -> Iterator[TreeRow]:
    """The rows of a stream. Each row is checked when it comes, so that a wrong stream ends early."""
    number = 0
    for message, request in enumerate(requests):
        budget.check()
        if request.WhichOneof("part") != "rows":
            raise InvalidRequest("rows", f"message {message + 2} of the stream has no rows")
        for row in request.rows.rows:
            budget.hold(_ROW_BYTES + _COPIES * 4 * size, "the rows of the partition")
            taken = TreeRow(
                row.id if row.HasField("id") else None,
                row.parent if row.HasField("parent") else None,
                np.array(row.vector, np.float32),
            )
            check_row(taken, number, size)
            yield taken
            number += 1

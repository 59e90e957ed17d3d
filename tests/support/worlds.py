"""Puts a World of the oracle into a real collection, by operations that leave slots out of id order and rows dead."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path

import numpy as np

from server.convert.payload import ProtobufPayloadCodec
from storage.collection import Collection
from storage.database import Database
from storage.schema import CollectionSchema, DenseSpace, PointId, default_datatype
from storage.write.operations import ByIds, DeletePoints, Operation, SpaceVectors, Upsert
from tests.support.oracle.query import Point, World

CODEC = ProtobufPayloadCodec()


def open_database(path: Path) -> AbstractContextManager[Database]:
    return closing(Database.open(path, codec=CODEC))


def create(database: Database, name: str, world: World, sizes: Mapping[str, int]) -> Collection:
    """A collection that holds `world`. Every point is written twice and some others are written and deleted."""
    spaces = {
        space: DenseSpace(size=sizes[space], distance=distance, datatype=default_datatype(distance))
        for space, distance in world.distances.items()
    }
    collection = database.create_collection(name, CollectionSchema(spaces=spaces, text_indexes=world.texts))
    ids = list(world.points)
    ghosts: list[PointId] = [f"ghost {number}" for number in range(len(ids))]
    first = {**world.points, **dict(zip(ghosts, world.points.values(), strict=True))}
    _write(collection, [_upsert(first, [*reversed(ghosts), *ids])])
    _write(collection, [DeletePoints(selector=ByIds(tuple(ghosts)))])
    _write(collection, [_upsert(world.points, ids[::2])])
    _write(collection, [_upsert(world.points, ids[1::2])])
    return collection


def _write(collection: Collection, operations: Sequence[Operation]) -> None:
    collection.write(operations).result(timeout=30)


def _upsert(points: Mapping[PointId, Point], ids: Sequence[PointId]) -> Upsert:
    spaces = sorted({space for point_id in ids for space in points[point_id].vectors})
    vectors = {}
    for space in spaces:
        positions = [position for position, point_id in enumerate(ids) if space in points[point_id].vectors]
        rows = [points[ids[position]].vectors[space] for position in positions]
        vectors[space] = SpaceVectors(np.array(positions, np.int64), np.stack(rows).astype(np.float32))
    return Upsert(
        ids=tuple(ids), payloads=tuple(CODEC.encode(points[point_id].payload) for point_id in ids), vectors=vectors
    )

"""What a data directory must hold after some steps, and what it does hold. Owns no step and no death."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.collection import Collection
from storage.database import Database
from storage.schema import CollectionSchema, DenseSpace, Distance, MultiSpace, SparseSpace
from storage.vectors.sparse import SparseVector
from storage.write.operations import SpaceBodies, SpaceVectors, Upsert
from tests.support.directories import CODEC

DENSE = {"v": DenseSpace(size=8, distance=Distance.EUCLID), "w": DenseSpace(size=4, distance=Distance.COSINE)}
TOKENS = DenseSpace(size=4, distance=Distance.DOT)
SCHEMA = CollectionSchema(
    spaces={**DENSE, "sparse": SparseSpace(), "multi": MultiSpace(tokens=TOKENS)}, indexing_threshold=60
)
BODY_SPACES = {"sparse", "multi"}


@dataclass
class Content:
    """Of a collection: its spaces, its field indexes, and by id the number that a point's payload and vectors show,
    with the spaces in which it has a vector."""

    spaces: set[str]
    fields: set[str] = field(default_factory=set)
    points: dict[int, tuple[int, set[str]]] = field(default_factory=dict)


@dataclass
class World:
    collections: dict[str, Content] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    snapshots: set[str] = field(default_factory=set)

    def plain(self) -> dict[str, Any]:
        """As JSON, to be compared."""
        return {
            "aliases": dict(sorted(self.aliases.items())),
            "snapshots": sorted(self.snapshots),
            "collections": {
                name: {
                    "spaces": sorted(content.spaces),
                    "fields": sorted(content.fields),
                    "points": [[key, n, sorted(spaces)] for key, (n, spaces) in sorted(content.points.items())],
                }
                for name, content in sorted(self.collections.items())
            },
        }


def batch(ids: Iterable[int], n: int, spaces: Iterable[str]) -> Upsert:
    """Points whose payload and vectors, by their first component, all show the number `n`, which is at least 1."""
    keys, names = tuple(ids), set(spaces)
    positions = np.arange(len(keys), dtype=np.int64)
    vectors = {
        name: SpaceVectors(positions, np.stack([_vector(key, n, 8 if name == "v" else 4) for key in keys]))
        for name in sorted(names - BODY_SPACES)
    }
    bodies = {
        "sparse": SparseVector(np.array([n], np.uint32), np.ones(1, np.float32)).to_bytes(),
        "multi": np.full((2, TOKENS.size), n, "<f4").tobytes(),
    }
    bodies_of = {name: SpaceBodies(positions, (bodies[name],) * len(keys)) for name in sorted(names & BODY_SPACES)}
    payload = CODEC.encode({"n": n, "text": "x" * 200})
    return Upsert(ids=keys, payloads=(payload,) * len(keys), vectors=vectors, bodies=bodies_of)


def _vector(key: int, n: int, size: int) -> NDArray[np.float32]:
    """One that differs from those of other points, or a graph of them would be poor."""
    vector = np.random.default_rng(key).standard_normal(size, np.float32)
    vector[0] = n
    return vector


def found(database: Database) -> World:
    """What an open database holds. Asserts that every vector shows the number of its point."""
    world = World()
    for name in database.names.collections():
        world.collections[name] = _content(database.collection(name))
    world.aliases = {alias.name: alias.collection for alias in database.names.aliases()}
    for entry in database.snapshots.list():
        database.snapshots.open(entry).close()
        world.snapshots.add(entry.name)
    return world


def _content(collection: Collection) -> Content:
    with collection.snapshot() as snapshot:
        content = Content(set(snapshot.schema.names), set(snapshot.schema.field_indexes))
        records = list(snapshot.scan())
        slots = np.array([record.slot for record in records], np.uint32)
        numbers = [int(CODEC.decode(record.payload)["n"]) for record in records]  # type: ignore[call-overload]
        has: list[set[str]] = [set() for _ in records]
        for space in snapshot.schema.dense:
            present, rows = snapshot.vectors(space, slots)
            for position in np.flatnonzero(present).tolist():
                assert rows[position, 0] == numbers[position], (space, records[position].id)
                has[position].add(space)
        for space in snapshot.schema.body_spaces:
            holders = set(snapshot.slots_with_vector(space).tolist())
            for position in np.flatnonzero(np.isin(slots, list(holders))).tolist():
                has[position].add(space)
            assert len(holders) == snapshot.vector_count(space)
        if "multi" in snapshot.schema.multi:
            held = snapshot.tokens("multi")
            tokens = held.of(None)
            rows = held.vectors(tokens.rows)
            owners = np.repeat(tokens.slots, tokens.counts)
            expected = dict(zip(slots.tolist(), numbers, strict=True))
            assert rows[:, 0].tolist() == [expected[slot] for slot in owners.tolist()]
        for record, n, spaces in zip(records, numbers, has, strict=True):
            assert isinstance(record.id, int)
            content.points[record.id] = (n, spaces)
        return content

"""The commit sequence counts what users see; indexes have a generation, and equal numbers mean equal indexes."""

import numpy as np
import pytest

import storage.mvcc.loading
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.kernels import has_kernels
from storage.schema import CollectionSchema, Datatype, DenseSpace, Distance
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.write.operations import ByIds, DeletePoints, SpaceVectors, Upsert
from tests.storage.graphs import attach_graphs
from tests.storage.model import write
from tests.support.directories import CODEC, Directories

ROWS = np.random.default_rng(3).standard_normal((400, 8)).astype(np.float32)


def _open(directories: Directories) -> tuple[Database, Collection]:
    space = DenseSpace(size=8, distance=Distance.COSINE, datatype=Datatype.INT8)
    schema = CollectionSchema(spaces={"v": space}, indexing_threshold=100)
    database = directories.open()
    return database, database.create_collection("c", schema)


def _reopened(database: Database) -> Collection:
    database.close_collection("c")
    database.open_collection("c")
    return database.collection("c")


def _add(collection: Collection, first: int, count: int) -> int:
    ids, vectors = tuple(range(first, first + count)), ROWS[first : first + count]
    operation = Upsert(
        ids=ids, payloads=(CODEC.encode({}),) * count, vectors={"v": SpaceVectors(np.arange(count), vectors)}
    )
    return write(collection, operation).seq


def _numbers(collection: Collection) -> tuple[int, int]:
    stats = collection.stats()
    return stats.seq, stats.generation


def test_an_index_that_comes_changes_the_generation_alone(directories: Directories) -> None:
    _, collection = _open(directories)
    assert _add(collection, 0, 100) == 1
    with collection.snapshot() as before:
        assert (before.seq, before.generation) == (1, 0)
        assert attach_graphs(collection) == 1
        seq, generation = _numbers(collection)
        assert (seq, collection.seq) == (1, 1)
        assert generation > 0
        with collection.snapshot() as after:
            assert (after.seq, after.generation) == (1, generation)
            search = SpaceSearch(space="v", vector=ROWS[0], limit=3)
            assert search_vectors(before, [search], UNLIMITED)[0].strategy == "exact"
            assert search_vectors(after, [search], UNLIMITED)[0].strategy == "hnsw"
            assert after.changed_since(0) is not None
    assert _add(collection, 100, 1) == 2
    assert _numbers(collection) == (2, generation)


def test_work_that_nobody_sees_leaves_the_sequence(directories: Directories) -> None:
    _, collection = _open(directories)
    _add(collection, 0, 100)
    write(collection, DeletePoints(selector=ByIds(tuple(range(50)))))
    before = _numbers(collection)
    collection.unseen.seal_tails(dead_share=0)
    uid = collection.schema.dense["v"].uid
    assert collection.unseen.reserve_block(uid) is not None
    assert _numbers(collection)[0] == before[0]
    assert _numbers(collection)[1] > before[1]


def test_both_numbers_live_through_a_restart(directories: Directories) -> None:
    database, collection = _open(directories)
    _add(collection, 0, 100)
    attach_graphs(collection)
    before = _numbers(collection)
    collection = _reopened(database)
    assert _numbers(collection) == before
    assert _add(collection, 100, 1) == before[0] + 1


def test_an_index_that_does_not_serve_yet_is_another_generation(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large ones are verified after an opening. Until then rows are scanned, which may find others, unless kernels walk
    the graph meanwhile."""
    database, collection = _open(directories)
    _add(collection, 0, 100)
    attach_graphs(collection)
    before = _numbers(collection)
    monkeypatch.setattr(storage.mvcc.loading, "VERIFIED_AT_ONCE", 0)
    collection = _reopened(database)
    unverified = _numbers(collection)
    assert unverified[0] == before[0]
    assert unverified[1] == before[1] if has_kernels() else unverified[1] > before[1]

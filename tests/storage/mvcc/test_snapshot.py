"""A snapshot keeps its commit: nothing written, sealed, indexed or dropped later shows in it, nor half a write."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import Cancelled, CollectionClosed, DeadlineExceeded
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, DenseSpace, Distance, SchemaChange
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import score_vectors, search_vectors
from storage.write.operations import ByIds, DeletePoints, DeleteVectors, SpaceVectors, Upsert
from tests.storage.graphs import attach_graphs
from tests.storage.model import Model, Point, applied, assert_holds, update_vectors, upsert, write
from tests.support.directories import CODEC, Directories

SCHEMA = CollectionSchema(
    spaces={"a": DenseSpace(size=3, distance=Distance.EUCLID), "b": DenseSpace(size=2, distance=Distance.DOT)}
)
QUERIES = {"a": [np.array([1, 2, 3], np.float32)], "b": [np.array([-1, 1], np.float32)]}
COUNT = 40


def _points(seed: int) -> Model:
    random = np.random.default_rng(seed)
    return {
        number: Point(
            {"flag": bool(number % 2), "seed": seed},
            {
                "a": random.integers(-3, 4, 3).astype(np.float32),
                **({"b": random.integers(-3, 4, 2).astype(np.float32)} if number % 3 else {}),
            },
        )
        for number in range(COUNT)
    }


def _create(directories: Directories) -> tuple[Database, Collection, Model]:
    database = directories.open()
    collection = database.create_collection("c", SCHEMA)
    points = _points(1)
    write(collection, upsert(list(points.items())))
    return database, collection, points


def _overwrite(collection: Collection) -> None:
    write(collection, upsert(list(_points(2).items())))


def _grow(collection: Collection) -> None:
    """So many rows and slots that files and columns are mapped anew, with every old point written again."""
    points = {1000 + number: point for number, point in enumerate([*_points(3).values()] * 20)}
    write(collection, upsert([*_points(2).items(), *points.items()]))


def _delete_points(collection: Collection) -> None:
    write(collection, DeletePoints(selector=ByIds(tuple(range(0, COUNT, 2)))))
    write(collection, DeletePoints(selector=ByIds(tuple(range(COUNT)))))


def _delete_vectors(collection: Collection) -> None:
    write(collection, DeleteVectors(selector=ByIds(tuple(range(COUNT))), spaces=("a", "b")))


def _move_between_spaces(collection: Collection) -> None:
    write(collection, update_vectors([(key, {"b": np.array([key, 1], np.float32)}) for key in range(COUNT)]))


def _drop_spaces(collection: Collection) -> None:
    collection.change_schema(SchemaChange(drop=tuple(collection.schema.dense)))
    collection.change_schema(SchemaChange(add={"a": DenseSpace(size=1, distance=Distance.MANHATTAN)}))
    write(collection, upsert([(1, Point({}, {"a": np.array([9], np.float32)}))]))


def _seal_and_index(collection: Collection) -> None:
    collection.change_schema(SchemaChange(indexing_threshold=1))
    attach_graphs(collection)
    _overwrite(collection)
    assert attach_graphs(collection) == 2


def _many_commits(collection: Collection) -> None:
    for number in range(30):
        write(collection, upsert([(number, Point({"number": number}))]))


CHANGES = [
    _overwrite,
    _grow,
    _delete_points,
    _delete_vectors,
    _move_between_spaces,
    _drop_spaces,
    _seal_and_index,
    _many_commits,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_snapshot_shows_nothing_later(change: Callable[[Collection], None], directories: Directories) -> None:
    _, collection, points = _create(directories)
    with collection.snapshot() as before:
        change(collection)
        assert_holds(before, points, QUERIES)
        with collection.snapshot() as after:
            assert after.seq > before.seq
            assert_holds(before, points, QUERIES)
        change(collection)
        assert_holds(before, points, QUERIES)


def test_sizes_of_a_space_that_was_dropped(directories: Directories) -> None:
    """Statistics read a snapshot, so they may meet a space whose files are gone."""
    _, collection, _ = _create(directories)
    with collection.snapshot() as before:
        blocks = [view.block for space in before.spaces.values() for view in space.blocks]
        assert all(block.disk_bytes() > 0 for block in blocks)
        _drop_spaces(collection)
        assert [block.disk_bytes() for block in blocks] == [0, 0]
    assert set(collection.stats().spaces) == {"a"}


def test_a_snapshot_with_a_graph_shows_nothing_later(directories: Directories) -> None:
    """Rows of a segment that die later are still found by an older snapshot, by graph and by scan."""
    _, collection, points = _create(directories)
    collection.change_schema(SchemaChange(indexing_threshold=1))
    attach_graphs(collection)
    collection.change_schema(SchemaChange(indexing_threshold=20_000))
    points = applied(points, [DeletePoints(selector=ByIds((3, 4, 5)))])
    write(collection, DeletePoints(selector=ByIds((3, 4, 5))))
    with collection.snapshot() as before:
        _delete_points(collection)
        assert_holds(before, points, QUERIES)
        search = SpaceSearch(space="a", vector=QUERIES["a"][0], limit=COUNT, hnsw_ef=COUNT)
        assert len(search_vectors(before, [search], UNLIMITED)[0].slots) == COUNT - 3
    with collection.snapshot() as after:
        assert search_vectors(after, [search], UNLIMITED)[0].slots.tolist() == []


def test_no_snapshot_sees_half_a_write(directories: Directories) -> None:
    """A writer flips the payload and the vector of all points in one write; readers compare the two all the time."""
    database = directories.open()
    spaces = {"v": DenseSpace(size=2, distance=Distance.EUCLID)}
    collection = database.create_collection("c", CollectionSchema(spaces=spaces))
    write(collection, _all_at(0))
    stop = threading.Event()
    failures: list[str] = []
    seen: set[int] = set()

    def read() -> None:
        try:
            while not stop.is_set():
                with collection.snapshot() as snapshot:
                    seen.add(_state_of(snapshot))
        except BaseException as error:
            failures.append(repr(error))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 120):
        write(collection, _all_at(number))
        if number == 60:
            collection.change_schema(SchemaChange(indexing_threshold=2000))
            attach_graphs(collection)
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(seen) > 3


def _all_at(number: int) -> Upsert:
    matrix = np.tile(np.array([number, -number], np.float32), (COUNT, 1))
    payload = CODEC.encode({"number": number})
    vectors = {"v": SpaceVectors(np.arange(COUNT), matrix)}
    return Upsert(ids=tuple(range(COUNT)), payloads=(payload,) * COUNT, vectors=vectors)


def _state_of(snapshot: Snapshot) -> int:
    """The number that payloads, vectors, search and score of a snapshot agree on."""
    slots = snapshot.all_slots()
    numbers = {payload["number"] for _, payload in snapshot.payloads()}
    assert len(slots) == snapshot.point_count == COUNT
    assert len(numbers) == 1
    (number,) = numbers
    assert isinstance(number, int)
    present, rows = snapshot.vectors("v", slots)
    assert present.all()
    assert (rows == [number, -number]).all()
    assert (snapshot.slots_with_vector("v") == slots).all()
    query = np.array([number, -number], np.float32)
    for exact in (True, False):
        hits = search_vectors(snapshot, [SpaceSearch(space="v", vector=query, limit=100, exact=exact)], UNLIMITED)[0]
        assert hits.slots.tolist() == slots.tolist()
        assert not hits.scores.any()
    assert not score_vectors(snapshot, "v", slots, query, UNLIMITED).scores.any()
    return number


def test_closing_a_collection_waits_for_its_snapshots(directories: Directories) -> None:
    database, collection, points = _create(directories)
    with collection.snapshot() as snapshot:
        closing = threading.Thread(target=database.close_collection, args=("c",))
        closing.start()
        closing.join(0.2)
        assert closing.is_alive()
        assert_holds(snapshot, points, QUERIES)
        with pytest.raises(CollectionClosed):
            collection.snapshot()
    closing.join(30)
    assert not closing.is_alive()
    with pytest.raises(CollectionClosed):
        database.collection("c")
    database.open_collection("c")
    with database.collection("c").snapshot() as snapshot:
        assert_holds(snapshot, points, QUERIES)


def test_deleting_a_collection_waits_for_its_snapshots(directories: Directories) -> None:
    database, collection, points = _create(directories)
    with collection.snapshot() as snapshot:
        deleting = threading.Thread(target=database.delete_collection, args=("c",))
        deleting.start()
        deleting.join(0.2)
        assert not database.names.exists("c")
        other = database.create_collection("c", SCHEMA)
        assert_holds(snapshot, points, QUERIES)
    deleting.join(30)
    assert [folder.name for folder in (database.path / "collections").iterdir()] == [other.uid]
    with other.snapshot() as snapshot:
        assert_holds(snapshot, {}, QUERIES)


def test_a_budget_ends_a_search(directories: Directories) -> None:
    _, collection, _ = _create(directories)
    search = SpaceSearch(space="a", vector=QUERIES["a"][0], limit=1)
    slots: NDArray[np.uint32] = np.arange(3, dtype=np.uint32)
    with collection.snapshot() as snapshot:
        for budget, error in ((Budget.of_seconds(0), DeadlineExceeded), (Budget(is_cancelled=lambda: True), Cancelled)):
            with pytest.raises(error):
                search_vectors(snapshot, [search], budget)
            with pytest.raises(error):
                score_vectors(snapshot, "a", slots, search.vector, budget)


def test_a_reader_that_ends_with_an_error_lets_go(directories: Directories) -> None:
    database, collection, _ = _create(directories)
    with pytest.raises(ZeroDivisionError), collection.snapshot():
        raise ZeroDivisionError
    database.close_collection("c")

"""Background work on a real directory: merges, vacuums, rebuilds and their tasks, beside writes, reads and closing."""

import time

import numpy as np
import pytest

import storage.mvcc.loading
from storage.budget import Budget
from storage.collection import Collection
from storage.maintenance.attempts import MAX_ATTEMPTS
from storage.phases import Phase
from storage.schema import (
    CollectionSchema,
    Datatype,
    DenseSpace,
    Distance,
    HnswConfigDiff,
    SchemaChange,
    SpaceDiff,
)
from storage.schema.stats import SpaceState
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.segments.policy import TaskKind
from storage.write.operations import ByIds, DeletePoints, SpaceVectors, Upsert
from tests.storage.builds import builds, held_build, wait_until
from tests.storage.maintenance.small_space import (
    BACKGROUND,
    QUERIES,
    SIZE,
    SPACE,
    THRESHOLD,
    Rows,
    add,
    assert_model,
    delete,
    kinds_done,
    open_small,
    rest,
    segments,
    space_files,
)
from tests.storage.model import Model, applied, assert_holds, update_vectors, write
from tests.support.directories import CODEC, Directories

# -- the life of segments


def test_blocks_become_segments_and_segments_are_merged(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    for step in range(5):
        add(collection, model, range(step * THRESHOLD, (step + 1) * THRESHOLD))
        rest(database)
    add(collection, model, range(990, 1000))
    assert kinds_done(database) == [TaskKind.BUILD] * 4 + [TaskKind.MERGE, TaskKind.BUILD]
    stats = collection.stats().spaces["v"]
    assert (stats.segments, stats.indexed_vectors, stats.tail_vectors) == (2, 500, 10)
    assert stats.state is SpaceState.READY
    assert_model(collection, model)
    directories.close()
    database = directories.open(settings=BACKGROUND)
    assert_model(rest(database), model)
    assert database.maintenance.tasks.all() == []


def test_blocks_of_a_space_without_graphs_are_merged_too(directories: Directories) -> None:
    schema = CollectionSchema(
        spaces={"v": DenseSpace(size=SIZE, distance=Distance.MANHATTAN)}, indexing_threshold=THRESHOLD
    )
    database, collection = open_small(directories, schema)
    model: Model = {}
    for step in range(4):
        add(collection, model, range(step * THRESHOLD, (step + 1) * THRESHOLD))
    rest(database)
    assert set(kinds_done(database)) == {TaskKind.MERGE}
    assert [name for name in space_files(collection, directories) if name.endswith(".index")] == []
    assert len([name for name in space_files(collection, directories) if name.endswith(".vectors")]) == 2
    assert_model(collection, model)


def test_a_block_with_many_dead_rows_is_written_anew(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(200))
    rest(database)
    delete(collection, model, range(10, 49))
    rest(database)
    assert collection.stats().spaces["v"].deleted_vectors == 39
    delete(collection, model, range(50, 51))
    rest(database)
    task = database.maintenance.tasks.all(database.names.uid("c"))[0]
    assert (task.kind, task.phase, task.space, task.error) == (TaskKind.VACUUM, Phase.DONE, "v", "")
    assert task.reclaimed_bytes > 0
    assert collection.stats().spaces["v"].deleted_vectors == 0
    assert sorted(name.split(".")[-1] for name in space_files(collection, directories)) == [
        "index",
        "rows",
        *["vectors"] * 2,
    ]
    for _ in range(2):
        assert_model(collection, model)
        directories.close()
        database = directories.open(settings=BACKGROUND)
        collection = rest(database)
    delete(collection, model, range(100, 150))  # in a sparse block
    assert_model(rest(database), model)
    assert collection.stats().spaces["v"].deleted_vectors == 0


def test_a_block_that_is_all_dead_goes_away(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(100))
    add(collection, model, range(100, 300))
    rest(database)
    before = space_files(collection, directories)
    delete(collection, model, range(100))
    delete(collection, model, range(100, 300))
    rest(database)
    assert [name.split(".")[1] for name in space_files(collection, directories)] == ["vectors"]
    assert len(before) > 1
    assert_model(collection, {})
    add(collection, model, range(50))
    directories.close()
    assert_model(directories.open().collection("c"), model)


@pytest.mark.parametrize(
    "diff",
    [
        SpaceDiff(hnsw=HnswConfigDiff(m=8)),
        SpaceDiff(hnsw=HnswConfigDiff(ef_construct=50)),
        SpaceDiff(datatype=Datatype.FLOAT32),
    ],
)
def test_other_settings_are_another_graph(diff: SpaceDiff, directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(150))
    (old,) = (name for name in space_files(rest(database), directories) if name.endswith(".index"))
    with_graph = []
    changed = collection.change_schema(SchemaChange(update={"v": diff}))
    while builds() or database.maintenance.due(collection):
        with_graph.append(segments(collection))
        time.sleep(0.01)
    rest(database)
    assert set(with_graph) <= {1}, "the old graph serves until the new one is there"
    assert kinds_done(database) == [TaskKind.BUILD, TaskKind.REBUILD]
    (new,) = (name for name in space_files(collection, directories) if name.endswith(".index"))
    assert new != old
    index = collection.spaces()["v"].manifest.blocks[0].index
    assert index is not None
    space = changed.dense["v"]
    assert (index.m, index.ef_construct, index.datatype) == (
        space.hnsw.m,
        space.hnsw.ef_construct,
        space.datatype.value,
    )
    assert_model(collection, model)


def test_the_width_of_searches_needs_no_other_graph(directories: Directories) -> None:
    database, collection = open_small(directories)
    add(collection, {}, range(150))
    rest(database)
    collection.change_schema(SchemaChange(update={"v": SpaceDiff(hnsw=HnswConfigDiff(ef=64))}))
    assert database.maintenance.due(collection) == []


def test_a_threshold_is_effective_at_once(directories: Directories) -> None:
    database, collection = open_small(directories, CollectionSchema(spaces={"v": SPACE}))
    model: Model = {}
    add(collection, model, range(150))
    assert database.maintenance.due(collection) == []
    collection.change_schema(SchemaChange(indexing_threshold=150))
    assert segments(rest(database)) == 1
    assert_model(collection, model)


def test_large_graphs_are_verified_after_opening_and_not_built_again(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    for step in range(3):
        add(collection, model, range(step * THRESHOLD, (step + 1) * THRESHOLD))
        rest(database)
    before = space_files(collection, directories)
    directories.close()
    monkeypatch.setattr(storage.mvcc.loading, "VERIFIED_AT_ONCE", 0)
    database = directories.open(settings=BACKGROUND)
    collection = rest(database)
    assert segments(collection) == 3
    assert kinds_done(database) == [TaskKind.BUILD] * 3
    assert space_files(collection, directories) == before
    assert_model(collection, model)


# -- beside writes and reads


def test_writes_and_reads_do_not_wait_for_work(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(100))
    with held_build():
        assert collection.stats().spaces["v"].state is SpaceState.INDEXING
        add(collection, model, range(200, 250))
        delete(collection, model, range(5))
        assert_model(collection, model)
        assert segments(collection) == 0
    assert_model(rest(database), model)
    assert segments(collection) == 1


def test_rows_that_die_during_a_merge_are_dead_in_the_merged_block(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(400))
    rest(database)
    delete(collection, model, range(100))  # so that it is written anew
    with held_build():
        delete(collection, model, range(100, 110))
        moved = [(number, {"v": np.full(SIZE, number, np.float32)}) for number in range(110, 120)]
        write(collection, update_vectors(moved))
        model.update(applied(model, [update_vectors(moved)]))
        assert_model(collection, model)
    rest(database)
    assert collection.stats().spaces["v"].deleted_vectors == 20
    assert_model(collection, model)
    directories.close()
    collection = directories.open().collection("c")
    assert collection.stats().spaces["v"].deleted_vectors == 20
    assert_model(collection, model)


def test_all_rows_may_die_during_a_merge(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(200))
    rest(database)
    delete(collection, model, range(100))
    with held_build():
        delete(collection, model, range(100, 200))
    rest(database)
    assert [name.split(".")[1] for name in space_files(collection, directories)] == ["vectors"]
    assert_model(collection, {})


def test_a_snapshot_outlives_the_blocks_it_reads(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(200))
    rest(database)
    with collection.snapshot() as snapshot:
        before = dict(model)
        delete(collection, model, range(60))
        rest(database)
        assert collection.stats().spaces["v"].deleted_vectors == 0
        assert_holds(snapshot, before, QUERIES)
    assert_model(collection, model)


@pytest.mark.parametrize("action", ["drop the space", "close", "delete"])
def test_what_is_merged_may_go_away(action: str, directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(200))
    rest(database)
    delete(collection, model, range(100))
    task_id = ""
    with held_build() as process_id:
        task_id = database.maintenance.tasks.all(database.names.uid("c"))[0].id
        match action:
            case "drop the space":
                collection.change_schema(SchemaChange(drop=("v",)))
            case "close":
                database.close_collection("c")
            case "delete":
                database.delete_collection("c")
    wait_until(lambda: process_id not in builds())
    [task] = database.maintenance.tasks.wait([task_id], Budget.of_seconds(60))
    assert (task.phase, task.error) == (Phase.CANCELLED, "")
    if action == "close":
        database.open_collection("c")
        collection = rest(database)
        assert collection.stats().spaces["v"].deleted_vectors == 0
        assert_model(collection, model)
    if action == "drop the space":
        assert rest(database).work.failures == {}


@pytest.mark.slow
def test_damage_does_not_spread(directories: Directories) -> None:
    """Work that meets a damaged vector fails and names it; everything else stays readable."""
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(200))
    files = space_files(rest(database), directories)
    directories.close()
    path = directories.damage("data") / "collections" / collection.uid / "spaces" / "1" / "1.vectors"
    with path.open("r+b") as file:
        file.seek(150 * SIZE * 4 + 1)
        file.write(b"\xff")
    database = directories.open(settings=BACKGROUND)
    collection = database.collection("c")
    delete(collection, model, range(100))
    wait_until(lambda: collection.stats().spaces["v"].state is SpaceState.ERROR)
    failed = [task for task in database.maintenance.tasks.all(database.names.uid("c")) if task.phase is Phase.FAILED]
    assert len(failed) == MAX_ATTEMPTS
    assert all("1.vectors" in task.error and f"{150 * SIZE * 4:,}" in task.error for task in failed), failed[0].error
    assert space_files(collection, directories) == files, "what failed leaves nothing"
    with collection.snapshot() as snapshot:
        assert snapshot.vectors("v", snapshot.slots_of([149, 151]).astype(np.uint32))[0].all()
    delete(collection, model, range(150, 151))
    database.maintenance.tasks.wait(database.maintenance.optimize(collection), Budget.of_seconds(60))
    assert collection.stats().spaces["v"].deleted_vectors == 0, "a dead row may be damaged"
    assert_model(collection, model)


# -- churn


@pytest.mark.slow
def test_churn_keeps_recall_and_room(directories: Directories) -> None:
    """Twelve rounds in which half of all points is deleted and as many are written."""
    count, size, limit = 2000, 32, 10
    space = DenseSpace(size=size, distance=Distance.COSINE)
    database, collection = open_small(directories, CollectionSchema(spaces={"v": space}, indexing_threshold=500))
    fresh = database.create_collection("fresh", CollectionSchema(spaces={"v": space}, indexing_threshold=500))
    random = np.random.default_rng(1)
    rows = {number: random.standard_normal(size, np.float32) for number in range(count)}
    _put(collection, rows)
    rest(database)
    largest = 0
    for _ in range(12):
        gone = random.permutation(list(rows))[: count // 2].tolist()
        write(collection, DeletePoints(selector=ByIds(tuple(gone))))
        new = {number: random.standard_normal(size, np.float32) for number in gone}
        rows |= new
        _put(collection, new)
        largest = max(largest, _disk_bytes(rest(database), directories))
    _put(fresh, rows)
    rest(database, "fresh")
    queries = random.standard_normal((100, size), np.float32)
    assert _recall(collection, queries, limit) >= _recall(fresh, queries, limit) - 0.01
    assert largest <= 2 * _disk_bytes(fresh, directories)
    assert segments(collection) <= 8


def _put(collection: Collection, rows: dict[int, Rows]) -> None:
    matrix = np.stack(list(rows.values()))
    for start in range(0, len(rows), 500):
        part = tuple(rows)[start : start + 500]
        vectors = {"v": SpaceVectors(np.arange(len(part)), matrix[start : start + len(part)])}
        write(collection, Upsert(ids=part, payloads=(CODEC.encode({}),) * len(part), vectors=vectors))


def _disk_bytes(collection: Collection, directories: Directories) -> int:
    """Of vectors, row numbers and graphs."""
    folder = directories.root / "data" / "collections" / collection.uid / "spaces"
    return sum(path.stat().st_size for path in folder.glob("*/*"))


def _recall(collection: Collection, queries: Rows, limit: int) -> float:
    with collection.snapshot() as snapshot:
        found = 0
        for query in queries:
            searches = [SpaceSearch(space="v", vector=query, limit=limit, exact=exact) for exact in (True, False)]
            exact, walked = search_vectors(snapshot, searches, Budget())
            found += len(set(exact.slots.tolist()) & set(walked.slots.tolist()))
        return found / (limit * len(queries))

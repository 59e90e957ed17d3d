"""The upkeep of stored vectors through the client: tasks and their progress, recall, warming up, closing for good."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import headwater
from headwater import (
    Client,
    CollectionState,
    Distance,
    Field,
    HnswConfigDiff,
    PointStruct,
    RebuildTask,
    SearchParams,
    SpaceState,
    TaskKind,
    VectorParams,
)
from tests.support.server_process import running_server, server_process

COUNT = 3_000
SIZE = 16
VECTORS = np.random.default_rng(11).standard_normal((COUNT, SIZE)).astype(np.float32)
QUERIES = list(np.random.default_rng(12).standard_normal((30, SIZE)).astype(np.float32))
EXACT = SearchParams(exact=True)
POOR = SearchParams(hnsw_ef=1)
SLOW = HnswConfigDiff(m=64, ef_construct=2_000)
"""Settings with which a build of COUNT vectors takes seconds."""


def create(client: Client, *, hnsw: HnswConfigDiff | None = None, **spaces: Distance) -> str:
    """A collection of COUNT points that is not indexed yet. Without `spaces` it has the unnamed one."""
    name = f"c{uuid.uuid4().hex}"
    params = {
        space: VectorParams(SIZE, distance, hnsw) for space, distance in (spaces or {"": Distance.Euclid}).items()
    }
    client.collections.create(name, params, optimizers_config={"indexing_threshold": 100_000})
    rows = enumerate(VECTORS)
    client.upload_points(
        name, [PointStruct(n, dict.fromkeys(params, row), {"even": n % 2 == 0}) for n, row in rows], batch_size=1_000
    )
    return name


@pytest.fixture
def filled(client: Client) -> Iterator[str]:
    name = create(client)
    yield name
    client.collections.delete(name)


@pytest.fixture
def slow(client: Client) -> Iterator[str]:
    """A collection of one segment whose index takes long to build."""
    name = create(client)
    client.vde.optimize(name)
    client.collections.update(name, update_vectors={"": headwater.VectorParamsDiff(hnsw_config=SLOW)})
    yield name
    client.collections.delete(name)


def wait_until(reached: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(0.02)


def assert_done(tasks: list[RebuildTask], kind: TaskKind) -> None:
    for task in tasks:
        assert (task.kind, task.phase, task.error) == (kind, "done", "")
        assert task.finished is not None
        assert task.started <= task.finished <= time.time() + 1


def test_optimize_builds_indexes_now(client: Client, filled: str) -> None:
    assert client.vde.get_stats(filled).total.segments == 0
    tasks = client.vde.optimize(filled)
    assert len(tasks) == 1
    assert_done(tasks, TaskKind.BUILD)
    stats = client.vde.get_stats(filled).spaces[""]
    assert (stats.segments, stats.indexed_vectors, stats.tail_vectors, stats.index) == (1, COUNT, 0, "hnsw")
    assert client.vde.get_state(filled).state is CollectionState.READY
    assert client.vde.optimize(filled) == []
    assert client.vde.get_optimizations(filled) == []


def test_optimize_waits_for_all_spaces(client: Client) -> None:
    name = create(client, a=Distance.Euclid, b=Distance.Dot, c=Distance.Cosine, d=Distance.Euclid)
    tasks = client.vde.optimize(name)
    assert {task.using for task in tasks} == {"a", "b", "c", "d"}
    assert {space.tail_vectors for space in client.vde.get_stats(name).spaces.values()} == {0}
    client.collections.delete(name)


def test_optimize_without_waiting(client: Client, filled: str) -> None:
    client.vde.optimize(filled, wait=False)
    wait_until(lambda: client.vde.get_stats(filled).total.segments == 1)


def test_a_rebuild_is_followed_by_its_tasks(client: Client, filled: str) -> None:
    assert client.vde.trigger_rebuild(filled) == [], "no segment, no task"
    client.vde.optimize(filled)
    before = [client.points.search(filled, query, params=EXACT) for query in QUERIES]
    tasks = client.vde.rebuild_index(filled)
    assert len(tasks) == 1
    assert_done(tasks, TaskKind.REBUILD)
    assert [client.points.search(filled, query, params=EXACT) for query in QUERIES] == before
    [task_id] = client.vde.trigger_rebuild(filled, "")
    wait_until(lambda: client.vde.get_rebuild_task(task_id).ended)
    assert_done([client.vde.get_rebuild_task(task_id)], TaskKind.REBUILD)
    listed = client.vde.list_rebuild_tasks(filled)
    assert [task.task_id for task in listed[:2]] == [task_id, tasks[0].task_id], "newest first"
    assert {task.collection for task in listed} == {filled}
    assert set(listed) <= set(client.vde.list_rebuild_tasks())


def test_a_running_rebuild_shows_its_progress_and_can_be_cancelled(client: Client, slow: str) -> None:
    client.vde.optimize(slow, wait=False)
    wait_until(lambda: any(task.phase == "building" and task.done for task in client.vde.list_rebuild_tasks(slow)))
    [task] = client.vde.get_optimizations(slow)
    assert (task.collection, task.using, task.kind, task.total) == (slow, "", TaskKind.REBUILD, COUNT)
    assert 0 < task.done <= COUNT
    assert task.eta_seconds is not None
    assert client.vde.get_state(slow).state is CollectionState.REBUILDING
    assert client.vde.get_state(slow).spaces[""] is headwater.SpaceState.INDEXING
    assert len(client.points.search(slow, QUERIES[0])) == 10, "the old index serves meanwhile"
    assert client.vde.get_stats(slow).total.segments == 1
    cancelled = client.vde.cancel_rebuild_task(task.task_id)
    assert (cancelled.phase, cancelled.ended, cancelled.eta_seconds) == ("cancelled", True, None)
    assert client.vde.cancel_rebuild_task(task.task_id) == cancelled
    assert client.vde.get_rebuild_task(task.task_id) == cancelled


def test_a_wait_ends_with_its_time_and_the_work_goes_on(client: Client, slow: str) -> None:
    with pytest.raises(headwater.DeadlineExceededError):
        client.vde.rebuild_index(slow, timeout=0.5)
    assert client.vde.get_optimizations(slow)
    client.vde.optimize(slow)
    assert client.vde.get_optimizations(slow) == []


def test_compaction_returns_the_room_of_deleted_vectors(client: Client, filled: str) -> None:
    client.vde.optimize(filled)
    before = client.vde.get_stats(filled).total
    client.points.delete(filled, range(0, COUNT, 10))  # fewer than are vacuumed by themselves
    assert client.vde.get_stats(filled).total.deleted_vectors == COUNT // 10
    compaction = client.vde.compact_collection(filled)
    assert_done(compaction.tasks, TaskKind.VACUUM)
    after = client.vde.get_stats(filled).total
    assert (after.deleted_vectors, after.vectors) == (0, COUNT - COUNT // 10)
    assert compaction.reclaimed_bytes >= COUNT // 10 * SIZE * 4
    assert compaction.reclaimed_bytes == sum(task.reclaimed_bytes for task in compaction.tasks)
    assert after.disk_bytes < before.disk_bytes
    assert client.vde.compact_collection(filled) == headwater.Compaction(tasks=[], reclaimed_bytes=0)
    client.points.delete(filled, [1])
    [task] = client.vde.compact_collection(filled, wait=False).tasks
    wait_until(lambda: client.vde.get_rebuild_task(task.task_id).phase == "done")


def test_recall_is_that_of_the_searches(client: Client, filled: str) -> None:
    client.vde.optimize(filled)
    for k in (1, 10, 37):
        found = []
        for query in QUERIES:
            ids = [{hit.id for hit in client.points.search(filled, query, limit=k, params=p)} for p in (POOR, EXACT)]
            found.append(len(ids[0] & ids[1]) / k)
        found.sort()
        recall = client.vde.evaluate_recall(filled, k=k, queries=QUERIES, params=POOR)
        assert recall.average == pytest.approx(sum(found) / len(found))
        assert (recall.minimum, recall.p10, recall.queries) == (found[0], found[3], len(QUERIES))
    assert recall.seq == client.points.search(filled, QUERIES[0]).seq


def test_recall_of_a_sample(client: Client, filled: str) -> None:
    client.vde.optimize(filled)
    poor = client.vde.evaluate_recall(filled, k=10, params=POOR, seed=3)
    assert poor == client.vde.evaluate_recall(filled, k=10, params=POOR, seed=3)
    assert {client.vde.evaluate_recall(filled, k=10, params=POOR, seed=seed) for seed in range(4)} != {poor}
    assert 0 <= poor.minimum <= poor.p10 <= poor.average < 1
    assert poor.queries == 100
    default = client.vde.evaluate_recall(filled, sample=500)
    assert default.average > max(0.95, poor.average)
    assert client.vde.evaluate_recall(filled, params=EXACT).minimum == 1
    assert client.vde.evaluate_recall(filled, sample=COUNT + 1, k=1, params=EXACT).queries == COUNT
    filtered = client.vde.evaluate_recall(filled, filter=Field("even").eq(True), k=COUNT, sample=3)
    assert filtered.minimum == 1, "half of the points match, so they are all of the answer"
    assert client.vde.evaluate_recall(filled, filter=Field("even").eq("never"), sample=3).average == 1


def test_recall_that_cannot_be(client: Client, filled: str) -> None:
    for arguments, field in (
        ({"k": 0}, "k"),
        ({"k": 10_001}, "k"),
        ({"sample": 0}, "sample"),
        ({"params": SearchParams(hnsw_ef=0)}, "params.hnsw_ef"),
        ({"queries": [VECTORS[0], [1.0]]}, "queries[1]"),
        ({"filter": Field("").eq(1)}, "filter.must[0].field.path"),
    ):
        with pytest.raises(headwater.InvalidArgumentError) as refused:
            client.vde.evaluate_recall(filled, **arguments)
        assert refused.value.field == field
    with pytest.raises(headwater.SpaceNotFoundError):
        client.vde.evaluate_recall(filled, using="absent")
    client.points.delete(filled, filter=headwater.Filter())
    with pytest.raises(headwater.InvalidArgumentError) as refused:
        client.vde.evaluate_recall(filled)
    assert refused.value.field == "sample"


def test_stored_vectors_do_not_find_their_own_points_and_zero_ones_are_no_cosine_queries(client: Client) -> None:
    name = f"c{uuid.uuid4().hex}"
    client.collections.create(name, VectorParams(2))
    client.points.upsert(name, [PointStruct(1, [1, 0])])
    nothing = SearchParams(indexed_only=True)  # there is no index
    assert client.vde.evaluate_recall(name, params=nothing).average == 1, "there was nothing else to find"
    client.points.upsert(name, [PointStruct(2, [0, 0])])
    recall = client.vde.evaluate_recall(name, params=nothing)
    assert (recall.average, recall.queries) == (0, 1)
    client.collections.delete(name)


def test_prewarming_reads_all_files(client: Client) -> None:
    name = create(client, a=Distance.Euclid, b=Distance.Dot)
    client.vde.optimize(name)
    spaces = client.vde.get_stats(name).spaces
    by_space = {space: client.vde.prewarm(name, space) for space in spaces}
    assert all(count > COUNT * SIZE * 4 for count in by_space.values())
    assert client.vde.prewarm(name) > sum(by_space.values()) + client.vde.get_stats(name).payload_disk_bytes // 2
    with pytest.raises(headwater.SpaceNotFoundError):
        client.vde.prewarm(name, "absent")
    client.collections.delete(name)


def test_what_is_not_there(client: Client, filled: str) -> None:
    for ask in (client.vde.get_rebuild_task, client.vde.cancel_rebuild_task):
        with pytest.raises(headwater.TaskNotFoundError) as missing:
            ask("absent")
        assert missing.value.metadata == {"task": "absent"}
    for start in (client.vde.trigger_rebuild, client.vde.rebuild_index):
        with pytest.raises(headwater.SpaceNotFoundError):
            start(filled, "absent")
    for use in (
        client.vde.optimize,
        client.vde.rebuild_index,
        client.vde.trigger_rebuild,
        client.vde.list_rebuild_tasks,
        client.vde.compact_collection,
        client.vde.get_optimizations,
        client.vde.evaluate_recall,
        client.vde.prewarm,
    ):
        with pytest.raises(headwater.CollectionNotFoundError):
            use("absent")


def test_a_closed_collection_is_unmapped_and_opened_by_its_next_use(tmp_path: Path) -> None:
    with server_process(tmp_path / "data") as (process, address), Client(address) as client:
        name = create(client)
        client.vde.optimize(name)
        client.vde.prewarm(name)
        hits = client.points.search(name, QUERIES[0], limit=100)
        assert kinds_mapped(process.pid) == {".vectors", ".index", ".mdb"}
        assert client.vde.close(name) is CollectionState.CLOSED
        assert kinds_mapped(process.pid) == set()
        assert client.vde.get_state(name).state is CollectionState.CLOSED, "asking for the state opens nothing"
        assert kinds_mapped(process.pid) == set()
        assert client.points.search(name, QUERIES[0], limit=100) == hits
        assert client.vde.get_state(name).state is CollectionState.READY
        for use in (client.points.count, client.vde.get_stats, client.collections.get_info, client.vde.flush):
            client.vde.close(name)
            use(name)
            assert client.vde.get_state(name).state is CollectionState.READY


def kinds_mapped(pid: int) -> set[str]:
    """Suffixes of the files of collections that a process has mapped."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {Path(line.split()[5]).suffix for line in lines if "/collections/" in line}


def test_or_it_is_refused_as_the_server_is_set(tmp_path: Path) -> None:
    options = ["--reopen-on-use", "false"]
    with running_server(tmp_path / "data", options=options) as address, Client(address) as client:
        client.collections.create("c", VectorParams(2))
        client.vde.close("c")
        for use in (client.points.count, client.vde.get_stats, client.collections.get_info, client.vde.flush):
            with pytest.raises(headwater.CollectionClosedError) as closed:
                use("c")
            assert closed.value.metadata == {"collection": "c"}
        assert client.vde.open("c") is CollectionState.READY
        assert client.points.count("c") == 0


def test_tasks_are_those_of_the_collection_that_has_the_name_now(client: Client, filled: str) -> None:
    client.vde.optimize(filled)
    assert client.vde.list_rebuild_tasks(filled)
    client.collections.delete(filled)
    client.collections.create(filled, VectorParams(SIZE))
    assert client.vde.list_rebuild_tasks(filled) == []
    assert client.vde.get_optimizations(filled) == []


def test_equal_points_give_equal_samples_wherever_they_lie(client: Client) -> None:
    """One collection got its points in one go, the other backwards and after others that are gone."""
    one, other = f"c{uuid.uuid4().hex}", f"c{uuid.uuid4().hex}"
    points = [PointStruct(n if n % 3 else f"p-{n}", row, {}) for n, row in enumerate(VECTORS[:400])]
    for name in (one, other):
        client.collections.create(name, VectorParams(SIZE))
    client.points.upsert(one, points)
    client.points.upsert(other, [PointStruct(n + 10_000, row, {}) for n, row in enumerate(VECTORS[:100])])
    client.points.upsert(other, points[::-1])
    client.points.delete(other, range(10_000, 10_100))
    samples = [client.vde.sample_vectors(name, 50, seed=3) for name in (one, other)]
    assert samples[0].ids == samples[1].ids
    assert np.array_equal(samples[0].vectors, samples[1].vectors)
    for name in (one, other):
        client.collections.delete(name)


@pytest.mark.parametrize("index", ["ivf", "hnsw", "flat"])
def test_a_rebuild_of_a_space_whose_points_are_all_deleted_leaves_nothing_to_do(
    client: Client, name: str, index: str
) -> None:
    params = VectorParams(4, Distance.Euclid, index=index)
    client.collections.create(name, params, optimizers_config={"indexing_threshold": 100})
    vectors = np.random.default_rng(3).standard_normal((300, 4)).astype(np.float32)
    client.points.upsert(name, [PointStruct(number, vectors[number]) for number in range(300)])
    client.vde.optimize(name)
    client.points.delete(name, list(range(300)))
    for work in (client.vde.rebuild_index, client.vde.optimize, client.vde.compact_collection):
        work(name)
    assert [task for task in client.vde.list_rebuild_tasks(name) if task.error] == []
    assert client.vde.get_state(name).spaces[""] is SpaceState.READY
    assert client.points.search(name, vectors[0]) == []
    client.points.upsert(name, [PointStruct(1, vectors[1])])
    assert [hit.id for hit in client.points.search(name, vectors[0])] == [1]

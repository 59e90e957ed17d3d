"""Tasks of background work: what they tell, cancelling them, asking for them, and how often they are tried."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from storage.budget import Budget
from storage.errors import DeadlineExceeded, TaskNotFound
from storage.maintenance.attempts import MAX_ATTEMPTS, RETRY_SECONDS
from storage.maintenance.build_job import Progress
from storage.maintenance.tasks import KEPT_TASKS, Task, TaskList
from storage.phases import ENDED, Phase
from storage.schema import CollectionSchema, HnswConfigDiff, SchemaChange, SpaceDiff
from storage.schema.stats import SpaceState
from storage.segments.policy import TaskKind
from storage.settings import StorageSettings
from storage.write.operations import SpaceVectors, Upsert
from tests.storage.builds import builds, held_build, kill_build, wait_until
from tests.storage.maintenance.small_space import (
    SIZE,
    SPACE,
    add,
    assert_model,
    delete,
    open_small,
    rest,
    segments,
    space_files,
)
from tests.storage.model import Model, write
from tests.support.directories import CODEC, Directories


def test_a_task_tells_how_far_it_is(directories: Directories) -> None:
    database, collection = open_small(directories, CollectionSchema(spaces={"v": SPACE}))
    rows = np.random.default_rng(0).standard_normal((8000, SIZE), np.float32)
    ids = tuple(range(len(rows)))
    payloads = (CODEC.encode({}),) * len(rows)
    write(collection, Upsert(ids=ids, payloads=payloads, vectors={"v": SpaceVectors(np.arange(len(rows)), rows)}))
    collection.change_schema(SchemaChange(indexing_threshold=len(rows)))
    seen: list[Task] = []
    while not seen or not seen[-1].ended:
        seen += [
            task for task in database.maintenance.tasks.all(database.names.uid("c")) if not seen or task != seen[-1]
        ]
        time.sleep(0.001)
    building = [task for task in seen if task.phase is Phase.BUILDING]
    assert [task.done for task in building] == sorted(task.done for task in building)
    assert len({task.done for task in building}) > 2
    assert {task.total for task in building} == {len(rows)}
    etas = [task.eta_seconds for task in building if task.done]
    assert all(eta is not None and 0 <= eta < 600 for eta in etas)
    assert etas[-1] == 0 or building[-1].done < len(rows)
    last = seen[-1]
    assert (last.phase, last.eta_seconds, last.kind) == (Phase.DONE, None, TaskKind.BUILD)
    assert last.finished is not None
    assert last.started <= last.phase_started <= last.finished <= time.time()
    assert database.maintenance.tasks.get(last.id) == last


def test_a_cancelled_task_stays_cancelled_until_it_is_asked_for(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(100))
    with held_build() as process_id:
        (task,) = database.maintenance.tasks.all(database.names.uid("c"))
        assert database.maintenance.cancel(task.id).phase is Phase.CANCELLED
        wait_until(lambda: process_id not in builds())
    assert rest(database).stats().spaces["v"].state is SpaceState.PENDING
    assert space_files(collection, directories) == ["1.vectors", "2.vectors"]
    time.sleep(RETRY_SECONDS + 0.5)
    assert len(database.maintenance.tasks.all(database.names.uid("c"))) == 1
    assert database.maintenance.cancel(task.id).phase is Phase.CANCELLED
    [done] = database.maintenance.tasks.wait(database.maintenance.optimize(collection), Budget.of_seconds(60))
    assert (done.phase, segments(collection)) == (Phase.DONE, 1)
    assert database.maintenance.cancel(done.id).phase is Phase.DONE


def test_other_settings_end_a_cancellation(directories: Directories) -> None:
    database, collection = open_small(directories)
    add(collection, {}, range(100))
    with held_build() as process_id:
        database.maintenance.cancel(database.maintenance.tasks.all(database.names.uid("c"))[0].id)
        wait_until(lambda: process_id not in builds())
    rest(database)
    collection.change_schema(SchemaChange(update={"v": SpaceDiff(hnsw=HnswConfigDiff(m=8))}))
    assert segments(rest(database)) == 1


def test_a_rebuild_is_made_when_asked_for(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(100))
    before = space_files(rest(database), directories)
    (first,) = database.maintenance.rebuild(collection)
    with held_build():
        (second,) = database.maintenance.rebuild(collection, "v")
        (third,) = database.maintenance.rebuild(collection, "v")
        assert database.maintenance.tasks.get(second).phase is Phase.WAITING
        assert database.maintenance.cancel(third).phase is Phase.CANCELLED
        with pytest.raises(DeadlineExceeded):
            database.maintenance.tasks.wait([first], Budget.of_seconds(0.05))
    phases = [task.phase for task in database.maintenance.tasks.wait([first, second, third], Budget.of_seconds(60))]
    assert phases == [Phase.DONE, Phase.DONE, Phase.CANCELLED]
    after = space_files(rest(database), directories)
    assert len(after) == len(before)
    assert after != before
    assert_model(collection, model)


def test_compaction_removes_every_dead_row(directories: Directories) -> None:
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(200))
    add(collection, model, range(200, 220))
    rest(database)
    delete(collection, model, range(3))
    delete(collection, model, range(210, 212))
    assert database.maintenance.due(collection) == []
    tasks = database.maintenance.tasks.wait(database.maintenance.compact(collection), Budget.of_seconds(60))
    assert [(task.kind, task.phase) for task in tasks] == [(TaskKind.VACUUM, Phase.DONE)] * 2
    assert rest(database).stats().spaces["v"].deleted_vectors == 0
    assert_model(collection, model)
    assert database.maintenance.compact(collection) == []


@pytest.mark.slow
def test_no_more_tasks_run_at_once_than_may(directories: Directories) -> None:
    names = ("a", "b", "c", "d")
    schema = CollectionSchema(spaces=dict.fromkeys(names, SPACE), indexing_threshold=1000)
    database = directories.open(settings=StorageSettings(background=True, parallel_tasks=2))
    collection = database.create_collection("c", schema)
    rows = np.random.default_rng(0).standard_normal((1000, SIZE), np.float32)
    vectors = {name: SpaceVectors(np.arange(1000), rows) for name in names}
    write(collection, Upsert(ids=tuple(range(1000)), payloads=(CODEC.encode({}),) * 1000, vectors=vectors))
    most = 0
    while database.maintenance.due(collection) or collection.work.is_running:
        most = max(most, len(builds()))
        time.sleep(0.002)
    assert most == 2
    assert all(space.segments == 1 for space in collection.stats().spaces.values())


def test_unknown_tasks(directories: Directories) -> None:
    database, _ = open_small(directories)
    calls: list[Callable[[], object]] = [
        lambda: database.maintenance.tasks.get("x"),
        lambda: database.maintenance.cancel("x"),
        lambda: database.maintenance.tasks.wait(["x"], Budget.of_seconds(1)),
    ]
    for call in calls:
        with pytest.raises(TaskNotFound):
            call()


def test_old_tasks_are_forgotten_and_running_ones_are_not() -> None:
    tasks = TaskList()
    running = Task(collection="c", collection_uid="u", space="v", kind=TaskKind.MERGE)
    tasks.add(running)
    for number in range(KEPT_TASKS + 50):
        task = Task(collection=f"c{number % 2}", collection_uid=f"u{number % 2}", space="v", kind=TaskKind.BUILD)
        tasks.add(task)
        tasks.end(task.id, ENDED[number % 3])
        tasks.report(task.id, Progress(Phase.BUILDING))
        assert tasks.get(task.id).phase in ENDED, "an end is final"
    assert len(tasks.all()) <= KEPT_TASKS + 2
    assert tasks.all()[-1] == running
    assert tasks.all()[0] == tasks.get(task.id)
    assert {task.collection for task in tasks.all("u1")} == {"c1"}


@pytest.mark.slow
def test_three_deaths_are_enough(directories: Directories) -> None:
    """And asking for it is another chance."""
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(100))
    for _ in range(MAX_ATTEMPTS):
        kill_build()
    wait_until(lambda: collection.stats().spaces["v"].state is SpaceState.ERROR)
    assert "9" in collection.work.failures[1]
    time.sleep(RETRY_SECONDS + 0.5)
    assert builds() == []
    add(collection, model, range(200, 220))
    assert_model(collection, model)
    database.maintenance.tasks.wait(database.maintenance.optimize(collection), Budget.of_seconds(60))
    assert rest(database).stats().spaces["v"].state is SpaceState.READY
    assert_model(collection, model)


def test_work_does_not_begin_on_what_is_being_closed(directories: Directories) -> None:
    """Closing and opening in quick succession, while work is due all the time, never leaves two tasks on one block."""
    database, collection = open_small(directories)
    model: Model = {}
    add(collection, model, range(100))
    for _ in range(20):
        database.close_collection("c")
        assert builds() == []
        collection = database.collection("c")
        time.sleep(0.02)
    assert segments(rest(database)) == 1
    assert_model(database.collection("c"), model)


def test_nobody_is_idle_while_work_goes_on(directories: Directories) -> None:
    """The thread of a cancelled task may still be at work when its task has ended."""
    database, collection = open_small(directories, CollectionSchema(spaces={"v": SPACE}))
    uid = collection.schema.dense["v"].uid
    collection.work.begin(uid)
    with pytest.raises(DeadlineExceeded):
        database.maintenance.wait_until_idle(collection, Budget.of_seconds(0.1))
    collection.work.end(uid)
    database.maintenance.wait_until_idle(collection, Budget.of_seconds(60))

"""Builds side by side: as many as there are processors, within the memory that builds may take, each on its own."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from storage.collection import Collection
from storage.database import Database
from storage.maintenance.estimate import estimate_build
from storage.phases import Phase
from storage.schema import CollectionSchema
from storage.settings import StorageSettings
from storage.write.operations import SpaceVectors, Upsert
from tests.storage.builds import builds, wait_until
from tests.storage.maintenance.small_space import SIZE, SPACE, THRESHOLD, rest
from tests.storage.model import write
from tests.support.directories import CODEC, Directories

SPACES = ("v", "w")
SCHEMA = CollectionSchema(spaces=dict.fromkeys(SPACES, SPACE), indexing_threshold=THRESHOLD)
ONE_BUILD = estimate_build(SPACE, THRESHOLD).peak_bytes


def _filled(directories: Directories, max_build_memory: int | None = None) -> tuple[Database, Collection]:
    """A collection of two spaces whose first blocks are full, so that two builds are due."""
    settings = StorageSettings(background=True, parallel_tasks=2, max_build_memory=max_build_memory)
    database = directories.open(settings=settings)
    collection = database.create_collection("c", SCHEMA)
    rows = np.random.default_rng(0).standard_normal((THRESHOLD, SIZE), np.float32)
    vectors = {name: SpaceVectors(np.arange(THRESHOLD), rows) for name in SPACES}
    write(collection, Upsert(ids=tuple(range(THRESHOLD)), payloads=(CODEC.encode({}),) * THRESHOLD, vectors=vectors))
    return database, collection


@contextmanager
def _held_first() -> Iterator[int]:
    """Stops the first build while the block runs; its process id."""
    wait_until(lambda: bool(builds()))
    process_id = builds()[0]
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield process_id
    finally:
        if process_id in builds():
            os.kill(process_id, signal.SIGCONT)


def _segments(collection: Collection) -> list[int]:
    stats = collection.stats().spaces
    return [stats[name].segments for name in SPACES]


def test_builds_of_two_spaces_overlap(directories: Directories) -> None:
    database, collection = _filled(directories)
    with _held_first():
        wait_until(lambda: sum(_segments(collection)) == 1)
        assert len(builds()) == 1
    assert _segments(rest(database)) == [1, 1]


def test_the_death_of_one_build_leaves_the_other(directories: Directories) -> None:
    database, collection = _filled(directories)
    with _held_first() as held:
        wait_until(lambda: len(builds()) == 2 or sum(_segments(collection)) == 1)
        for process_id in set(builds()) - {held}:
            os.kill(process_id, signal.SIGKILL)
        wait_until(lambda: sum(_segments(collection)) == 1)  # of the one that was killed: it was begun again
        assert held in builds()
    assert _segments(rest(database)) == [1, 1]
    assert collection.work.failures == {}


def test_a_cancelled_build_leaves_the_other(directories: Directories) -> None:
    database, collection = _filled(directories)
    with _held_first():
        wait_until(lambda: sum(_segments(collection)) == 1)
        [task] = [
            task
            for task in database.maintenance.tasks.all(database.names.uid("c"))
            if task.phase not in (Phase.DONE, Phase.FAILED, Phase.CANCELLED)
        ]
        database.maintenance.cancel(task.id)
        wait_until(lambda: builds() == [])
    assert sum(_segments(rest(database))) == 1


@pytest.mark.parametrize("room", [1, 2])
def test_builds_together_take_no_more_memory_than_they_may(directories: Directories, room: int) -> None:
    database, collection = _filled(directories, max_build_memory=room * ONE_BUILD)
    with _held_first():
        if room == 2:
            wait_until(lambda: sum(_segments(collection)) == 1)
        else:
            ends = time.monotonic() + 1
            while time.monotonic() < ends:
                assert len(builds()) == 1
                assert _segments(collection) == [0, 0]
                time.sleep(0.01)
            assert len(database.maintenance.due(collection)) == 1
    assert _segments(rest(database)) == [1, 1]


def test_by_default_there_are_as_many_as_processors() -> None:
    assert StorageSettings().parallel_tasks == len(os.sched_getaffinity(0))

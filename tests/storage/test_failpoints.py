"""Processes that die at every named place: what they acknowledged is there, nothing is by half, and work goes on."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from storage.check import check
from storage.database import Database
from storage.files.failpoints import NAMES, VARIABLE
from storage.phases import Phase
from storage.schema.manifest import all_files_of
from storage.schema.stats import SpaceState
from tests.storage.doomed_life import SETTINGS, STEPS, Content, World, partitions_of, rest, world_after
from tests.storage.model import Point
from tests.support.directories import CODEC, Directories
from tests.support.root import ROOT
from tests.support.server_process import environment

WAIT_SECONDS = 120
KILLED = -9

PLACES: dict[str, list[int]] = {
    "before_data_sync": [4, 1, 7],
    "after_data_sync": [5, 2, 8],
    "before_commit": [6, 1, 2, 4, 8, 10, 12, 14, 16, 18, 24, 26],
    "after_commit": [7, 1, 3, 5, 9, 11, 13, 15, 17, 19, 25],
    "build_publish": [1, 3, 7, 8, 9],
    "merge_publish": [1],
    "vacuum_publish": [1],
    "partition_written": [2, 1],
    "drop_collection_committed": [1],
    "drop_space_committed": [1],
}
"""How often each place is reached before the process dies there. The first is run always, the others now and then."""

COPYING = {"snapshot_write", "snapshot_publish", "restore_extract", "restore_publish"}
"""Places that test_archive.py visits."""

IN_BUILDS = {"merge_copy"}
"""Places where a build process dies, and not the one that started it."""

CASES = [pytest.param(name, count, marks=pytest.mark.slow) for name, counts in PLACES.items() for count in counts]


@pytest.mark.parametrize(("name", "count"), CASES)
def test_a_death_loses_nothing_and_leaves_nothing_half_done(name: str, count: int, directories: Directories) -> None:
    code, done = _live(directories.root / "data", f"{name}:{count}")
    assert code == KILLED, f"{name} was not reached {count} times"
    _assert_no_original_is_damaged(directories.root)
    database = directories.open(settings=SETTINGS)
    assert _nothing_is_left_over(database)
    found = _content(database)
    assert found in (_plain(world_after(done)), _plain(world_after(done + 1)))
    _assert_all_work_gets_done(database)
    assert _content(database) == found
    _assert_life_goes_on(directories, database, done + (found != _plain(world_after(done))))


def test_a_life_without_a_death_does_all_steps(directories: Directories) -> None:
    """Else the cases above would prove little."""
    code, done = _live(directories.root / "data", "")
    assert (code, done) == (0, len(STEPS))
    assert _content(directories.open()) == _plain(world_after(done))


@pytest.mark.slow
def test_a_build_process_that_dies_while_it_copies(directories: Directories) -> None:
    """It is given up after some attempts; all else goes on, and the next life does the work."""
    code, done = _live(directories.root / "data", "merge_copy", failed=True)
    assert (code, done) == (0, len(STEPS))
    database = directories.open(settings=SETTINGS)
    assert _nothing_is_left_over(database)
    assert _content(database) == _plain(world_after(done))
    _assert_all_work_gets_done(database)
    assert _content(database) == _plain(world_after(done))


def test_every_place_is_visited() -> None:
    called = set()
    for path in (ROOT / "storage").rglob("*.py"):
        for call in re.findall(r"failpoint\(([^)]*)\)", path.read_text()):
            called |= set(re.findall(r'"(\w+)"', call))
    assert called == set(NAMES)
    assert {*PLACES, *COPYING, *IN_BUILDS} == set(NAMES)


def _live(folder: Path, failpoint: str, *, failed: bool = False) -> tuple[int, int]:
    """Runs a life; returns its exit code and the number of steps that it finished."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.storage.doomed_life", str(folder)],
        cwd=ROOT,
        env={**environment(), VARIABLE: failpoint},
        stdout=subprocess.PIPE,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    lines = process.stdout.splitlines()
    if process.returncode == 0:
        assert (int(lines.pop().removeprefix("failed ")) > 0) == failed
    return process.returncode, int(lines[-1]) if lines else 0


def _assert_no_original_is_damaged(root: Path) -> None:
    """Looks at a copy, so that nothing is repaired by looking."""
    if not (root / "data" / "FORMAT").exists():
        return
    shutil.copytree(root / "data", root / "copy")
    assert [str(problem) for problem in check(root / "copy").problems if not problem.derived] == []


def _nothing_is_left_over(database: Database) -> bool:
    """Only what the catalog and the manifests name is on disk, once all collections are open."""
    uids = set()
    for name in database.names.collections():
        collection = database.collection(name)
        uids.add(collection.uid)
        folder = database.path / "collections" / collection.uid / "spaces"
        spaces = {str(space.schema.uid): space for space in collection.spaces().values()}
        assert {path.name for path in folder.glob("*")} == set(spaces)
    assert {path.name for path in (database.path / "collections").iterdir()} == uids
    return True


def _assert_all_work_gets_done(database: Database) -> None:
    rest(database)
    assert [task.error for task in database.maintenance.tasks.all() if task.phase is Phase.FAILED] == []
    for name in database.names.collections():
        collection = database.collection(name)
        for space_name, stats in collection.stats().spaces.items():
            assert stats.state in (SpaceState.READY, SpaceState.AWAITING_VECTORS)
            assert stats.tail_vectors < 100
            assert stats.deleted_vectors < 0.2 * (stats.vectors + stats.deleted_vectors) + 20
            space = collection.spaces()[space_name]
            folder = database.path / "collections" / collection.uid / "spaces" / str(space.schema.uid)
            named = set(all_files_of(space.manifest))
            assert {path.name for path in folder.iterdir()} == named


def _assert_life_goes_on(directories: Directories, database: Database, done: int) -> None:
    """The steps that were missed can be done now."""
    for step in STEPS[done:]:
        step.act(database)
    rest(database)
    directories.close()
    database = directories.open()
    assert _content(database) == _plain(world_after(len(STEPS)))


def _content(database: Database) -> dict[str, object]:
    return {name: _plain_content(_held(database, name)) for name in database.names.collections()}


def _held(database: Database, name: str) -> Content:
    with database.collection(name).snapshot() as snapshot:
        records = list(snapshot.scan())
        content = Content(set(snapshot.schema.dense), {})
        content.partitions = partitions_of(database.collection(name))
        content.points = {record.id: Point(CODEC.decode(record.payload), {}) for record in records}
        for space in snapshot.schema.dense:
            present, rows = snapshot.vectors(space, np.array([record.slot for record in records], np.uint32))
            for record, there, row in zip(records, present, rows, strict=True):
                if there:
                    content.points[record.id].vectors[space] = row
        return content


def _plain(world: World) -> dict[str, object]:
    return {name: _plain_content(content) for name, content in world.items()}


def _plain_content(content: Content) -> object:
    """A form that can be compared."""
    return (
        content.spaces,
        content.partitions,
        {
            key: (point.payload, {space: vector.tobytes() for space, vector in point.vectors.items()})
            for key, point in content.points.items()
        },
    )

"""More collections than may be open: who is closed for room, who is not, and that nobody notices but by the time."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import storage.opening.open_collections
from storage.budget import Budget
from storage.collection import Collection
from storage.collection.unseen_changes import MIN_SEALED
from storage.database import Database
from storage.database.registry import CollectionStatus
from storage.errors import CollectionClosed, CollectionNotFound, DeadlineExceeded, TooManyOpenCollections
from storage.opening.open_limit import DESCRIPTORS_EACH, most_open
from storage.phases import Phase
from storage.schema import CollectionSchema, DenseSpace, SchemaChange
from storage.settings import StorageSettings
from storage.tables.catalog import CollectionState
from tests.storage.model import Model, Point, assert_holds, upsert, write
from tests.support.directories import CODEC, Directories
from tests.support.held import held_writer
from tests.support.root import ROOT

SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=2)})
QUERIES = {"v": [np.ones(2, np.float32)]}
STEPS = ("write", "read", "close", "hold", "make", "restart")


def _settings(most: int) -> StorageSettings:
    return StorageSettings(background=False, reopen_on_use=False, map_size=2**24, max_open_collections=most)


def _point(number: int) -> Point:
    return Point({"number": number}, {"v": np.array([number, 1], np.float32)})


def _make(database: Database, names: str) -> None:
    for name in names:
        write(database.create_collection(name, SCHEMA), upsert([(1, _point(ord(name)))]))


def _assert_holds(collection: Collection, model: Model) -> None:
    with collection.snapshot() as snapshot:
        assert_holds(snapshot, model, QUERIES)


def _use(database: Database, names: str) -> None:
    for name in names:
        _assert_holds(database.collection(name), {1: _point(ord(name))})


def _open_ones(database: Database) -> str:
    return "".join(sorted(collection.name for collection in database.usage.open_collections()))


def test_the_least_recently_used_is_closed_and_opened_by_its_next_use(directories_in_memory: Directories) -> None:
    database = directories_in_memory.open(settings=_settings(3))
    _make(database, "abc")
    _use(database, "a")
    _make(database, "d")
    assert _open_ones(database) == "acd"
    _use(database, "b")
    assert _open_ones(database) == "abd"
    counts = database.usage.counts()
    assert (counts.open, counts.most, counts.opened, counts.closed_for_room) == (3, 3, 5, 2)


def test_what_was_closed_for_room_is_ready_and_its_object_goes_on(directories_in_memory: Directories) -> None:
    """Whatever `reopen_on_use` says: that is about the close that people ask for."""
    database = directories_in_memory.open(settings=_settings(1))
    _make(database, "ab")
    first = database.collection("a")
    for number in range(2, 6):
        _use(database, "b")
        assert not first.is_open
        assert database.usage.status("a") == CollectionStatus(CollectionState.READY)
        assert first.schema.names == SCHEMA.names
        write(first, upsert([(number, _point(number))]))
        assert database.collection("a") is first
    assert first.seq == 5
    _assert_holds(first, {1: _point(ord("a")), **{number: _point(number) for number in range(2, 6)}})
    _use(database, "b")
    database.close_collection("a")
    for use in (lambda: database.collection("a"), first.snapshot, lambda: first.write([upsert([(9, _point(9))])])):
        with pytest.raises(CollectionClosed):
            use()
    database.open_collection("a")
    _assert_holds(database.collection("a"), {1: _point(ord("a")), **{n: _point(n) for n in range(2, 6)}})


@contextmanager
def _read(database: Database) -> Iterator[None]:
    with database.collection("a").snapshot():
        yield


@contextmanager
def _written(database: Database) -> Iterator[None]:
    with held_writer(database.collection("a")):
        yield


@contextmanager
def _scrolled(database: Database) -> Iterator[None]:
    token = database.cursors.open(database.collection("a"), "a", 60)
    yield
    assert database.cursors.close(token)


@contextmanager
def _worked_on(database: Database) -> Iterator[None]:
    """An index was asked for and waits: no background work runs by itself here."""
    collection = database.collection("a")
    collection.change_schema(SchemaChange(auto_index=False))
    write(collection, upsert([(number, _point(number)) for number in range(MIN_SEALED)]))
    collection.unseen.seal_tails()
    [task] = database.maintenance.rebuild(collection)
    yield
    assert database.maintenance.tasks.get(task).phase is Phase.WAITING
    database.maintenance.cancel(task)


@pytest.mark.parametrize("busy", [_read, _written, _scrolled, _worked_on])
def test_what_is_in_use_stays_open(
    directories_in_memory: Directories, busy: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.opening.open_collections, "WAIT_SECONDS", 0.2)
    database = directories_in_memory.open(settings=_settings(1))
    _make(database, "ba")
    with busy(database):  # type: ignore[operator]
        with pytest.raises(DeadlineExceeded):
            database.collection("b", Budget.of_seconds(0.05))
        with pytest.raises(TooManyOpenCollections):
            database.collection("b")
        with pytest.raises(TooManyOpenCollections):
            database.create_collection("c", SCHEMA)
        assert _open_ones(database) == "a"
    _use(database, "b")
    assert database.names.collections() == ["a", "b"]


def test_a_use_waits_until_another_ends(directories_in_memory: Directories) -> None:
    database = directories_in_memory.open(settings=_settings(1))
    _make(database, "ab")
    snapshot = database.collection("a").snapshot()
    waiting = threading.Thread(target=_use, args=(database, "b"))
    waiting.start()
    while database.usage.status("b").state is not CollectionState.LOADING:
        pass
    snapshot.close()
    waiting.join(60)
    assert _open_ones(database) == "b"


_HOLD_LMDB = """
import lmdb, sys
env = lmdb.open(sys.argv[1], max_dbs=8, map_size=2**24)
with env.begin(write=True):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_that_takes_long_to_open_holds_nobody_up_and_is_opened_once(directories_in_memory: Directories) -> None:
    """Another process holds the lock that opening needs."""
    database = directories_in_memory.open(settings=_settings(4))
    _make(database, "abc")
    uid = database.names.uid("a")
    database.close_collection("a")
    folder = directories_in_memory.root / "data" / "collections" / uid / "lmdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD_LMDB, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        opening = [threading.Thread(target=database.open_collection, args=("a",)) for _ in range(4)]
        for thread in opening:
            thread.start()
        while database.usage.status("a").state is not CollectionState.LOADING:
            pass
        opened_before = database.usage.counts().opened
        _use(database, "bc")
        _make(database, "d")
        assert database.delete_collection("b")
        database.close_collection("c")
        database.open_collection("c")
        assert database.usage.status("a").state is CollectionState.LOADING
        with pytest.raises(DeadlineExceeded):
            database.collection("a", Budget.of_seconds(0.1))
        holder.communicate()
        for thread in opening:
            thread.join(60)
        assert database.usage.counts().opened == opened_before + 3  # d, c, and a once
        _use(database, "acd")
    finally:
        holder.kill()
        holder.communicate()


def test_a_use_beside_a_deletion_finds_it_whole_or_not_at_all(directories_in_memory: Directories) -> None:
    database = directories_in_memory.open(settings=_settings(2))
    stop, found = threading.Event(), []

    def use() -> None:
        while not stop.is_set():
            try:
                with database.collection("a").snapshot() as snapshot:
                    found.append(snapshot.point_count)
            except (CollectionNotFound, CollectionClosed):
                pass

    users = [threading.Thread(target=use) for _ in range(3)]
    for user in users:
        user.start()
    try:
        for _ in range(5):
            _make(database, "a")
            _make(database, "bc")
            for name in "abc":
                assert database.delete_collection(name)
    finally:
        stop.set()
        for user in users:
            user.join(60)
    assert set(found) <= {0, 1}
    assert database.names.collections() == []
    assert list((directories_in_memory.root / "data" / "collections").iterdir()) == []


@pytest.mark.slow
@given(
    most=st.integers(1, 3),
    steps=st.lists(
        st.tuples(st.sampled_from(["write", "read", "close", "hold", "make", "restart"]), st.integers(0, 5))
    ),
)
@settings(max_examples=25)
def test_any_order_of_uses_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, most: int, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("any") / "data"
    kept = StorageSettings(background=False, map_size=2**24, max_open_collections=most)
    database = Database.open(folder, codec=CODEC, settings=kept)
    models: dict[str, Model] = {}
    try:
        for number, (step, place) in enumerate(steps):
            name = f"c{place}"
            if name not in models or step == "make":
                database.delete_collection(name)
                database.create_collection(name, SCHEMA)
                models[name] = {}
            if step == "restart":
                database.close()
                database = Database.open(folder, codec=CODEC, settings=kept)
            elif step == "write":
                write(database.collection(name), upsert([(number, _point(number))]))
                models[name][number] = _point(number)
            elif step == "close":
                database.close_collection(name)
            elif step == "hold":
                with database.collection(name).hold():
                    _assert_holds(database.collection(name), models[name])
            assert database.usage.counts().open <= most
        for name, model in models.items():
            _assert_holds(database.collection(name), model)
    finally:
        database.close()


def test_the_bound_follows_from_descriptors_and_addresses() -> None:
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[1])))
from storage.opening.open_limit import most_open
print(most_open(int(sys.argv[2])))
"""
    for descriptors, map_size, expected in ((1024, 2**36, 192), (256, 2**36, 48), (16, 2**36, 4), (8192, 2**40, 64)):
        told = subprocess.run(
            [sys.executable, "-c", code, str(descriptors), str(map_size)], cwd=ROOT, capture_output=True, text=True
        )
        assert told.stdout == f"{expected}\n", told.stderr
    assert most_open(2**20) * DESCRIPTORS_EACH > 0

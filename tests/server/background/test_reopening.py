"""What was used last is opened and asked before a server is ready, and what takes long goes on behind it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from planner.engine import Engine
from planner.engine.queries import Queries
from planner.query.bm25 import Bm25
from planner.query.filter import Equal, Filter
from planner.query.query import Nearest, Query, Stage
from planner.upkeep import first_queries
from server.background import reopening
from server.background.reopening import Reopening
from storage.database import Database
from storage.derived import files as derived
from storage.derived.files import DerivedFiles
from storage.schema import CollectionSchema, DenseSpace, MultiSpace, SparseSpace
from storage.schema.payload_schema import FieldIndexParams, FieldType
from storage.schema.text_settings import TextSettings
from storage.settings import StorageSettings
from storage.tables.reader import Reader
from storage.vectors.multi import MultiVector
from storage.vectors.sparse import SparseVector
from storage.write.operations import SpaceBodies, SpaceVectors, Upsert
from tests.support.worlds import CODEC

COUNT = 12


@contextmanager
def opened(path: Path) -> Iterator[tuple[Database, Engine]]:
    with (
        closing(Database.open(path, codec=CODEC, settings=StorageSettings(background=False))) as database,
        closing(Engine(database.collection)) as engine,
    ):
        database.followers.opened, database.followers.closed = engine.derived.opened, engine.derived.closed
        yield database, engine


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a collection of every kind of index, and the files of those."""
    monkeypatch.setattr(derived, "MIN_ENTRIES", 1)
    path = tmp_path / "data"
    schema = CollectionSchema(
        spaces={
            "dense": DenseSpace(size=2),
            "sparse": SparseSpace(),
            "multi": MultiSpace(tokens=DenseSpace(size=2)),
        },
        text_indexes={"t": TextSettings()},
        field_indexes={"k": FieldIndexParams(FieldType.KEYWORD)},
    )
    with opened(path) as (database, engine):
        collection = database.create_collection("c", schema)
        collection.write([points()]).result(timeout=30)
        sparse = SparseVector(np.array([3], np.uint32), np.array([1.0], np.float32))
        engine.queries.query(collection, [Query(root=Stage(query=Nearest(sparse), using="sparse"))])
        engine.derived.prepare(collection)
    return path


def points() -> Upsert:
    positions, ones = np.arange(COUNT), np.ones((COUNT, 2), np.float32)
    sparse = SparseVector(np.array([3], np.uint32), np.array([1.0], np.float32)).to_bytes()
    return Upsert(
        ids=tuple(range(COUNT)),
        payloads=tuple(CODEC.encode({"t": f"fox dog{number}", "k": f"k{number}"}) for number in range(COUNT)),
        vectors={"dense": SpaceVectors(positions, ones)},
        bodies={
            "sparse": SpaceBodies(positions, (sparse,) * COUNT),
            "multi": SpaceBodies(positions, (MultiVector(ones[:2]).to_bytes(),) * COUNT),
        },
    )


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.01)


def is_prepared(engine: Engine, database: Database) -> bool:
    return bool(database.usage.open_collections()) and not any(
        map(engine.derived.is_preparing, database.usage.open_collections())
    )


def wait_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("READY_SECONDS", "READY_PROCESSOR_SECONDS"):
        monkeypatch.setattr(reopening, bound, 1e9)


def test_what_the_first_requests_need_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Query] = []
    query_on = Queries.query_on

    def noting(self: Queries, reader: Any, collection: Any, queries: Any, *arguments: Any, **options: Any) -> Any:
        asked.extend(queries)
        return query_on(self, reader, collection, queries, *arguments, **options)

    monkeypatch.setattr(Queries, "query_on", noting)
    wait_for_all(monkeypatch)
    with opened(path) as (database, engine), closing(Reopening(database, engine)) as reopened:
        reopened.start()
        assert is_prepared(engine, database)
        assert [(each.root.using, type(each.root.query)) for each in asked] == [
            ("dense", Nearest),
            (None, Bm25),
            ("multi", Nearest),
        ]
        [collection] = database.usage.open_collections()
        assert engine.derived._indexes.fields.has(collection.uid, "k")
        with collection.snapshot() as reader:
            assert reader.sparse_indexes.has(reader.schema.sparse["sparse"].uid)
            assert [len(block.block._norms) for block in reader.spaces["dense"].blocks] == [COUNT]
        monkeypatch.setattr(DerivedFiles, "read", _forbidden)
        monkeypatch.setattr(Reader, "payloads", _forbidden)
        [answer] = engine.queries.query(collection, [Query(root=Stage(query=Bm25(text="dog7")))])
        assert [hit.id for hit in answer.hits] == [7]
        assert engine.reads.count(collection, Filter(must=(Equal("k", "k4"),)))[0] == 1


def test_rows_of_spaces_that_take_long_are_measured(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_queries, "MAX_SCANNED_BYTES", 0)
    wait_for_all(monkeypatch)
    with opened(path) as (database, engine), closing(Reopening(database, engine)) as reopened:
        reopened.start()
        with database.usage.open_collections()[0].snapshot() as reader:
            assert [len(block.block._norms) for block in reader.spaces["dense"].blocks] == [COUNT]


def _forbidden(*arguments: object, **options: object) -> object:
    raise AssertionError("it was there already")


def test_readiness_does_not_wait_for_what_takes_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in path.glob("collections/*/derived/*"):
        file.unlink()
    monkeypatch.setattr(reopening, "READY_SECONDS", 0.05)
    go_on, payloads = threading.Event(), Reader.payloads

    def slow(self: Reader, *arguments: Any, **options: Any) -> Any:
        assert go_on.wait(60)
        return payloads(self, *arguments, **options)

    monkeypatch.setattr(Reader, "payloads", slow)
    with opened(path) as (database, engine), closing(Reopening(database, engine)) as reopened:
        reopened.start()
        wait_until(lambda: any(map(engine.derived.is_preparing, database.usage.open_collections())))
        go_on.set()
        wait_until(lambda: is_prepared(engine, database))


def test_what_cannot_be_opened_keeps_nobody_waiting(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    [file] = path.glob("collections/*/lmdb/data.mdb")
    file.write_bytes(b"\0" * 8192)
    wait_for_all(monkeypatch)
    with opened(path) as (database, engine), closing(Reopening(database, engine)) as reopened:
        reopened.start()
        assert not database.usage.open_collections()
    assert "cannot be opened" in caplog.text


def test_an_empty_directory_waits_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_all(monkeypatch)
    with opened(tmp_path / "data") as (database, engine), closing(Reopening(database, engine)) as reopened:
        reopened.start()

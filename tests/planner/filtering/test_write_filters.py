"""Filters of writes are evaluated one at a time, in turns, and whoever waits for a turn can be given up."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from planner.engine import Engine
from planner.query.filter import Equal, Filter
from server.convert.payload import ProtobufPayloadCodec
from storage.budget import UNLIMITED, Budget
from storage.database import Database
from storage.errors import Cancelled, DeadlineExceeded
from storage.schema import CollectionSchema
from storage.write.operations import DeletePoints, SpaceVectors, Upsert
from tests.support.directories import QUIET

ROWS = 150
CODEC = ProtobufPayloadCodec()
RED = Filter(must=(Equal("colour", "red"),))


class SlowCodec:
    """Takes a millisecond to read a payload, and notes who reads, and how many at a time."""

    def __init__(self) -> None:
        self.readers: list[int] = []
        self.most = 0
        self.entered: Callable[[], None] = lambda: None
        self._inside = 0
        self._lock = threading.Lock()

    def encode(self, payload: dict[str, object]) -> bytes:
        return CODEC.encode(payload)

    def decode(self, data: bytes | memoryview, keys: Collection[str] | None = None) -> dict[str, object]:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self.readers.append(threading.get_ident())
        self.entered()
        time.sleep(0.001)
        with self._lock:
            self._inside -= 1
        return CODEC.decode(data, keys)


@contextmanager
def two_collections(path: Path, codec: SlowCodec) -> Iterator[Database]:
    """`a` and `b`, with as many red points as others."""
    payloads = tuple(CODEC.encode({"colour": ("red", "blue")[n % 2]}) for n in range(ROWS))
    vectors: dict[str, SpaceVectors] = {}
    with closing(Database.open(path, codec=codec, settings=QUIET)) as database:
        for name in "ab":
            collection = database.create_collection(name, CollectionSchema(spaces={}))
            collection.write([Upsert(ids=tuple(range(ROWS)), payloads=payloads, vectors=vectors)]).result()
        yield database


def delete_red(database: Database, name: str, engine: Engine, budget: Budget = UNLIMITED) -> int:
    collection = database.collection(name)
    selector = engine.writes.selector(collection.schema, RED, budget)
    return int(collection.write([DeletePoints(selector=selector)]).result().affected[0])


def test_writes_evaluate_their_filters_one_at_a_time_and_in_turns(tmp_path: Path) -> None:
    codec = SlowCodec()
    with two_collections(tmp_path / "data", codec) as database:
        engine = Engine(database.collection)
        affected: list[int] = []
        threads = [
            threading.Thread(target=lambda name=name: affected.append(delete_red(database, name, engine)))
            for name in "ab"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert affected == [ROWS // 2, ROWS // 2]
    assert codec.most == 1
    changes = sum(one != other for one, other in zip(codec.readers, codec.readers[1:], strict=False))
    assert changes > 1, "each had all its turns at once"


@pytest.mark.parametrize("error", [DeadlineExceeded, Cancelled])
def test_a_write_that_waits_for_its_turn_can_be_given_up(tmp_path: Path, error: type[Exception]) -> None:
    """While another one evaluates a filter for long."""
    codec = SlowCodec()
    with two_collections(tmp_path / "data", codec) as database:
        engine = Engine(database.collection)
        working, given_up = threading.Event(), threading.Event()

        def stay() -> None:
            working.set()
            given_up.wait(60)

        codec.entered = stay
        other = threading.Thread(target=delete_red, args=(database, "a", engine))
        other.start()
        working.wait(60)
        writer = Budget(is_cancelled=lambda: threading.current_thread() is not threading.main_thread())
        budget = Budget.of_seconds(0.5) if error is DeadlineExceeded else writer
        with pytest.raises(error):
            delete_red(database, "b", engine, budget)
        given_up.set()
        other.join()
        assert (database.collection("a").stats().points, database.collection("b").stats().points) == (ROWS // 2, ROWS)

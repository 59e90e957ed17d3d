"""Cursors over a real server: all pages are of one commit, and the same again, whatever happens to the collection."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

import headwater
from headwater import Client, Distance, Field, PointStruct, Record, VectorParams
from headwater.v1 import points_pb2
from headwater.v1.points_pb2_grpc import PointsStub
from storage.cursors import MAX_CALLER_CURSORS, MAX_CURSOR_SECONDS
from tests.support.server_process import running_server

COUNT = 300
SIZE = 4


@pytest.fixture(scope="module")
def stub(address: str) -> Iterator[Any]:
    with grpc.insecure_channel(address) as channel:
        yield PointsStub(channel)


@pytest.fixture
def filled(client: Client, name: str) -> Iterator[str]:
    """A collection of COUNT points of flag 0."""
    client.collections.create(name, VectorParams(SIZE, Distance.Euclid), optimizers_config={"indexing_threshold": 100})
    client.points.upsert(name, points(0))
    yield name
    client.collections.delete(name) if client.collections.exists(name) else None


def points(flag: int) -> list[PointStruct]:
    return [PointStruct(number, np.full(SIZE, 1_000 * flag + number), {"flag": flag}) for number in range(COUNT)]


def request(name: str, **more: Any) -> points_pb2.PointsScrollRequest:
    return points_pb2.PointsScrollRequest(collection_name=name, limit=40, with_vectors={"enable": True}, **more)


def read_on(client: Client, name: str, page: headwater.Page, **more: Any) -> Iterator[Record]:
    """The points of `page` and of all pages behind it."""
    yield from page.points
    while page.next_offset is not None:
        page = client.points.scroll(name, offset=page.next_offset, cursor=page.cursor, with_vectors=True, **more)
        yield from page.points


def assert_untouched(records: list[Record], flag: int = 0) -> None:
    assert [record.id for record in records] == list(range(COUNT))
    for record in records:
        assert record.payload == {"flag": flag}
        np.testing.assert_array_equal(record.vectors[""], np.full(SIZE, 1_000 * flag + int(record.id), np.float32))


class Churn:
    """A writer that changes and deletes all points, over and over, while the context lasts."""

    def __init__(self, client: Client, name: str) -> None:
        self._client, self._name = client, name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.turns = 0
        self.errors: list[BaseException] = []

    def __enter__(self) -> "Churn":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        assert self.errors == []

    def wait_for_turns(self, turns: int) -> None:
        goal = self.turns + turns
        deadline = time.monotonic() + 60
        while self.turns < goal and self._thread.is_alive():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._client.points.upsert(self._name, points(1 + self.turns % 7))
                self._client.points.delete(self._name, range(0, COUNT, 3))
                self.turns += 1
        except BaseException as error:
            self.errors.append(error)


def test_pages_are_of_one_commit_and_the_same_bytes_again(client: Client, stub: Any, filled: str) -> None:
    first = stub.Scroll(request(filled, cursor_ttl_seconds=60))
    with Churn(client, filled) as churn:
        churn.wait_for_turns(2)
        pages, page = [first], first
        while page.HasField("next_offset"):
            page = stub.Scroll(request(filled, offset=page.next_offset, cursor=first.cursor))
            pages.append(page)
            churn.wait_for_turns(1)
        assert {page.seq for page in pages} == {first.seq}
        assert [point.id.number for page in pages for point in page.points] == list(range(COUNT))
        assert [page.cursor for page in pages] == [first.cursor] * (len(pages) - 1) + [""]
        offset = None
        for page in pages:
            again = stub.Scroll(request(filled, cursor=first.cursor, **({} if offset is None else {"offset": offset})))
            assert again.SerializeToString(deterministic=True) == page.SerializeToString(deterministic=True)
            offset = page.next_offset
        assert stub.Scroll(request(filled)).seq > first.seq
    matching = client.points.scroll(filled, limit=COUNT, cursor=first.cursor, filter=Field("flag").eq(0))
    assert len(matching.points) == COUNT
    assert client.points.count(filled, filter=Field("flag").eq(0)) < COUNT


def test_scroll_all_reads_one_commit_while_all_is_changed(client: Client, filled: str) -> None:
    with Churn(client, filled) as churn:
        for _ in range(5):
            churn.wait_for_turns(1)
            records = []
            for record in client.points.scroll_all(filled, batch_size=30, with_vectors=True):
                records.append(record)
                if len(records) == 45:
                    churn.wait_for_turns(1)
            [flag] = {record.payload["flag"] for record in records if record.payload}
            assert len({record.version for record in records}) == 1
            assert len(records) in (COUNT, COUNT - 100)
            for record in records:
                np.testing.assert_array_equal(record.vectors[""], np.full(SIZE, 1_000 * flag + int(record.id)))


def test_merged_and_vacuumed_vectors_are_still_there(client: Client, filled: str) -> None:
    page = client.points.scroll(filled, cursor_ttl=60, with_vectors=True)
    client.points.delete(filled, range(10, COUNT))
    client.points.upsert(filled, [PointStruct(number, np.zeros(SIZE)) for number in range(10)])
    client.vde.compact_collection(filled)
    client.vde.optimize(filled)
    assert client.vde.get_stats(filled).total.deleted_vectors == 0
    assert_untouched(list(read_on(client, filled, page, limit=33)))


def test_a_dropped_space_is_still_there(client: Client, filled: str) -> None:
    page = client.points.scroll(filled, cursor_ttl=60, with_vectors=True)
    client.collections.update(filled, drop_vectors=[""])
    client.points.upsert(filled, [PointStruct(0)])
    assert_untouched(list(read_on(client, filled, page, limit=70)))


def test_threads_share_a_cursor(client: Client, filled: str) -> None:
    page = client.points.scroll(filled, limit=10, cursor_ttl=60, with_vectors=True)
    found: list[list[Record]] = []
    threads = [
        threading.Thread(target=lambda: found.append(list(read_on(client, filled, page, limit=50)))) for _ in range(6)
    ]
    with Churn(client, filled):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 6
    for records in found:
        assert_untouched(records)


def test_it_expires_when_it_is_not_used(client: Client, filled: str) -> None:
    page = client.points.scroll(filled, limit=5, cursor_ttl=1)
    for _ in range(3):
        time.sleep(0.6)
        assert len(client.points.scroll(filled, cursor=page.cursor, limit=5).points) == 5
    time.sleep(1.3)
    with pytest.raises(headwater.CursorExpiredError) as expired:
        client.points.scroll(filled, cursor=page.cursor, limit=5)
    assert expired.value.metadata == {"cursor": page.cursor}


def test_so_many_may_be_open(address: str, client: Client, filled: str) -> None:
    for _ in range(MAX_CALLER_CURSORS + 1):  # what fits on one page needs none
        assert client.points.scroll(filled, limit=COUNT, cursor_ttl=60).cursor is None
        for _ in client.points.scroll_all(filled, batch_size=10):
            break
    cursors = [client.points.scroll(filled, cursor_ttl=60).cursor or "" for _ in range(MAX_CALLER_CURSORS + 1)]
    with pytest.raises(headwater.CursorExpiredError, match="MAX_CALLER_CURSORS"):  # the first made room for the last
        client.points.scroll(filled, cursor=cursors[0])
    assert client.points.scroll(filled, cursor=cursors[1]).points
    assert client.points.close_cursor(cursors[2])
    assert not client.points.close_cursor(cursors[2])
    with pytest.raises(headwater.CursorExpiredError):
        client.points.scroll(filled, cursor=cursors[2])
    with Client(address) as other:
        assert [record.id for record in other.points.scroll_all(filled, batch_size=10)] == list(range(COUNT))
    assert client.collections.delete(filled)
    client.collections.create(filled, VectorParams(2))
    client.points.upsert(filled, [PointStruct(n) for n in range(20)])
    assert client.points.scroll(filled, cursor_ttl=1).cursor, "those of a deleted collection are closed"


@pytest.mark.parametrize("end", ["delete", "close"])
def test_cursors_keep_no_collection_from_ending(client: Client, filled: str, end: str) -> None:
    pages = [client.points.scroll(filled, cursor_ttl=3_600) for _ in range(3)]
    started = time.monotonic()
    if end == "delete":
        assert client.collections.delete(filled)
    else:
        assert client.vde.close(filled) is headwater.CollectionState.CLOSED
        assert client.points.count(filled) == COUNT
    assert time.monotonic() - started < 10
    for page in pages:
        with pytest.raises(headwater.CursorExpiredError):
            client.points.scroll(filled, cursor=page.cursor)


def test_cursors_keep_no_server_from_stopping(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as address, Client(address) as client:
        client.collections.create("c", VectorParams(2))
        client.points.upsert("c", [PointStruct(n) for n in range(20)])
        assert client.points.scroll("c", cursor_ttl=3_600).cursor
        started = time.monotonic()
    assert time.monotonic() - started < 10


def test_it_is_of_its_collection(client: Client, filled: str) -> None:
    client.collections.create_alias("alias of a cursor", filled)
    cursor = client.points.scroll("alias of a cursor", cursor_ttl=60).cursor
    client.collections.delete_alias("alias of a cursor")
    assert client.points.scroll("alias of a cursor", cursor=cursor).points
    assert client.points.scroll(filled, cursor=cursor).points
    with pytest.raises(headwater.InvalidArgumentError) as refused:
        client.points.scroll("another", cursor=cursor)
    assert refused.value.field == "collection_name"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"cursor_ttl": 0}, "cursor_ttl_seconds"),
        ({"cursor_ttl": MAX_CURSOR_SECONDS + 1}, "cursor_ttl_seconds"),
        ({"cursor_ttl": 1, "limit": 0}, "limit"),
        ({"cursor_ttl": 1, "filter": Field("").eq(1)}, "filter.must[0].field.path"),
        ({"cursor_ttl": 1, "cursor": "x"}, "cursor_ttl_seconds"),
    ],
)
def test_what_cannot_be_is_refused(client: Client, filled: str, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(headwater.InvalidArgumentError) as refused:
        client.points.scroll(filled, **arguments)
    assert refused.value.field == field
    for unknown in ("", "x" * 100):
        with pytest.raises(headwater.CursorExpiredError):
            client.points.scroll(filled, cursor=unknown)

"""Cursors with a clock of the test's own: when they end, and that who reads one is never left without its snapshot."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.budget import Budget
from storage.collection import Collection
from storage.cursors import MAX_CALLER_CURSORS, MAX_CURSOR_SECONDS, MAX_CURSORS, Cursors
from storage.database import Database
from storage.errors import CollectionClosed, CursorExpired, DeadlineExceeded, TooManyCursors
from storage.schema import CollectionSchema
from tests.support.worlds import open_database


class Clock:
    """Time as a test sets it, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "data") as database:
        yield database


@pytest.fixture
def collection(database: Database) -> Collection:
    return database.create_collection("c", CollectionSchema(spaces={}))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cursors(clock: Clock, database: Database, collection: Collection) -> Iterator[Cursors]:
    cursors = Cursors(clock)
    yield cursors
    clock.now += MAX_CURSOR_SECONDS
    assert cursors.count == 0


def read(cursors: Cursors, token: str) -> int:
    with cursors.reading(token, "c") as snapshot:
        return snapshot.seq


def test_each_use_begins_its_time_anew_but_not_beyond_an_hour(
    cursors: Cursors, clock: Clock, collection: Collection
) -> None:
    token = cursors.open(collection, "c", 60)
    opened = clock.now
    while clock.now + 59 < opened + MAX_CURSOR_SECONDS:
        clock.now += 59
        assert read(cursors, token) == 0
    assert clock.now > opened + 3_500
    clock.now = opened + MAX_CURSOR_SECONDS
    with pytest.raises(CursorExpired):
        read(cursors, token)


def test_time_spent_reading_does_not_count(cursors: Cursors, clock: Clock, collection: Collection) -> None:
    token = cursors.open(collection, "c", 10)
    with cursors.reading(token, "c") as snapshot:
        clock.now += 20
        assert cursors.count == 1
        assert snapshot.point_count == 0
    clock.now += 9
    assert read(cursors, token) == 0
    clock.now += 11
    assert cursors.count == 0


def test_who_reads_a_cursor_that_is_closed_may_finish(cursors: Cursors, collection: Collection) -> None:
    token = cursors.open(collection, "c", 10)
    with cursors.reading(token, "c") as snapshot:
        assert cursors.close(token)
        assert not cursors.close(token)
        assert list(snapshot.scan()) == []
        with pytest.raises(CursorExpired), cursors.reading(token, "c"):
            pass


def test_one_reads_at_a_time_and_waits_within_its_budget(cursors: Cursors, collection: Collection) -> None:
    token = cursors.open(collection, "c", 10)
    with (
        cursors.reading(token, "c"),
        pytest.raises(DeadlineExceeded),
        cursors.reading(token, "c", Budget.of_seconds(0.01)),
    ):
        pass
    assert read(cursors, token) == 0


def test_who_waited_for_a_cursor_that_was_closed_is_told(cursors: Cursors, collection: Collection) -> None:
    token = cursors.open(collection, "c", 10)
    outcome: list[BaseException] = []

    def wait() -> None:
        try:
            read(cursors, token)
        except CursorExpired as error:
            outcome.append(error)

    with cursors.reading(token, "c"):
        waiting = threading.Thread(target=wait)
        waiting.start()
        while cursors._cursors[token].users < 2:
            pass
        cursors.close(token)
    waiting.join()
    assert len(outcome) == 1


def test_closing_a_collection_closes_its_cursors(database: Database, collection: Collection) -> None:
    token = database.cursors.open(collection, "c", 3_600)
    database.close_collection("c")
    with pytest.raises(CursorExpired), database.cursors.reading(token, "c"):
        pass
    with pytest.raises(CollectionClosed):
        database.cursors.open(collection, "c", 60)


def test_what_is_not_used_is_let_go_of_unasked(database: Database, collection: Collection) -> None:
    class Watched(Cursors):
        """Says when it let go of one."""

        closed = threading.Event()

        def _close(self, cursor: object) -> None:
            super()._close(cursor)  # type: ignore[arg-type]
            self.closed.set()

    watched = Watched()
    watched.open(collection, "c", 1)
    assert watched.closed.wait(10)
    collection.close()  # would wait for a snapshot


def is_open(cursors: Cursors, token: str) -> bool:
    """Whether it is, without a use of it."""
    return token in cursors._cursors


def test_a_caller_with_many_loses_the_one_not_used_for_longest(cursors: Cursors, collection: Collection) -> None:
    other = cursors.open(collection, "c", 60, "other")
    mine = [cursors.open(collection, "c", 60, "me") for _ in range(MAX_CALLER_CURSORS)]
    read(cursors, mine[0])
    cursors.open(collection, "c", 60, "me")
    assert [is_open(cursors, token) for token in mine[:3]] == [True, False, True]
    assert is_open(cursors, other)
    with pytest.raises(CursorExpired, match="more than 64"):
        read(cursors, mine[1])


def test_when_all_together_have_many_the_caller_with_most_gives_way(cursors: Cursors, collection: Collection) -> None:
    each = MAX_CURSORS // 8 - 1
    others = {caller: [cursors.open(collection, "c", 60, caller) for _ in range(each)] for caller in "abcdefg"}
    most = [cursors.open(collection, "c", 60, "most") for _ in range(each + 1)]
    single = [cursors.open(collection, "c", 60, f"single {number}") for number in range(MAX_CURSORS - cursors.count)]
    with cursors.reading(most[0], "c"):
        newest = cursors.open(collection, "c", 60, "new")
    assert not is_open(cursors, most[1])
    assert cursors.count == MAX_CURSORS
    for token in (newest, *single, most[0], *(token for tokens in others.values() for token in tokens)):
        assert is_open(cursors, token)
    with pytest.raises(CursorExpired, match="more than 512"):
        read(cursors, most[1])


def test_what_is_being_read_does_not_make_room(cursors: Cursors, collection: Collection) -> None:
    with ExitStack() as reading:
        for _ in range(MAX_CALLER_CURSORS):
            token = cursors.open(collection, "c", 60, "me")
            reading.enter_context(cursors.reading(token, "c"))
        with pytest.raises(TooManyCursors, match="64 cursors are open and being read"):
            cursors.open(collection, "c", 60, "me")
        assert cursors.open(collection, "c", 60, "other")

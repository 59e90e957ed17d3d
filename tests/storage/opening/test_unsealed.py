"""Opening collections that were not closed cleanly: others serve meanwhile, and a stop does not wait."""

import threading
from pathlib import Path

import pytest

from storage.database import Database
from storage.errors import ShuttingDown
from storage.pages.walks import WALKS
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.tables.catalog import CollectionState
from tests.storage.builds import wait_until
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC, QUIET

SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=2, distance=Distance.EUCLID)})


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Collections `c`, whose process was killed, and `d`, which is open."""
    path = tmp_path / "data"
    database = Database.open(path, codec=CODEC, settings=QUIET)
    for name in ("c", "d"):
        write(database.create_collection(name, SCHEMA), upsert([(1, Point({}, {}))]))
    database.close()
    for seal in path.rglob("data.seal"):
        seal.unlink()
    database = Database.open(path, codec=CODEC, settings=QUIET)
    database.collection("d")
    return database


def _open_while_walks_wait(database: Database, act: object) -> list[object]:
    """What opening `c` comes to, when `act` is done while its pages wait to be walked."""
    outcome: list[object] = []

    def use() -> None:
        try:
            outcome.append(database.collection("c").seq)
        except ShuttingDown as error:
            outcome.append(error)

    with WALKS._small, WALKS._small:
        opening = threading.Thread(target=use)
        opening.start()
        wait_until(lambda: database.usage.status("c").state is CollectionState.LOADING)
        assert callable(act)
        act()
        assert outcome == []
    opening.join()
    return outcome


def test_others_serve_while_pages_are_walked(database: Database) -> None:
    def act() -> None:
        write(database.collection("d"), upsert([(2, Point({}, {}))]))
        with database.collection("d").snapshot() as snapshot:
            assert snapshot.point_count == 2
        assert database.names.collections() == ["c", "d"]

    assert _open_while_walks_wait(database, act) == [1]
    database.close()


def test_walks_that_wait_are_given_up_by_a_stop(database: Database) -> None:
    [error] = _open_while_walks_wait(database, lambda: WALKS.abandon(database.path))
    assert isinstance(error, ShuttingDown)
    WALKS.admit(database.path)
    assert database.collection("c").seq == 1
    database.close()

"""A database with the shop in it, opened once for all tests of a module that only read it."""

from collections.abc import Iterator

import pytest

from planner.engine import Engine
from storage.collection import Collection
from storage.database import Database
from tests.planner.shop import SHOP, SIZES
from tests.support.worlds import create, open_database


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_database(tmp_path_factory.mktemp("shop") / "data") as database:
        yield database


@pytest.fixture(scope="module")
def shop(database: Database) -> Collection:
    return create(database, "shop", SHOP, SIZES)


@pytest.fixture(scope="module")
def engine(database: Database) -> Engine:
    return Engine(database.collection)

"""Names: collections and their aliases, kept over restarts, and what is refused."""

from collections.abc import Callable

import pytest

from storage.database import Database
from storage.database.registry import CollectionStatus
from storage.errors import (
    AliasNotFound,
    CollectionAlreadyExists,
    CollectionClosed,
    CollectionNotFound,
    InvalidName,
    InvalidRequest,
    LimitExceeded,
    ShuttingDown,
)
from storage.schema import MAX_NAME_BYTES, MAX_SPACES, CollectionSchema, DenseSpace, HnswConfig
from storage.tables.aliases import Alias, AliasOperation, CreateAlias, DeleteAlias, RenameAlias
from storage.tables.catalog import CollectionState
from tests.storage.model import Point, upsert, write
from tests.support.directories import Directories

EMPTY = CollectionSchema(spaces={})
TOO_LONG = "n" * 600  # longer than a name may be, and than LMDB takes for a key


def test_collections_come_and_go(directories: Directories) -> None:
    database = directories.open()
    for name in ("b", "a", "städte", "ab"):
        database.create_collection(name, EMPTY)
    assert database.names.collections() == ["a", "ab", "b", "städte"]
    assert database.names.collections("a") == ["a", "ab"]
    with pytest.raises(CollectionAlreadyExists):
        database.create_collection("a", EMPTY)
    assert database.delete_collection("a")
    assert not database.delete_collection("a")
    assert not database.names.exists("a")
    directories.close()
    database = directories.open()
    assert database.names.collections() == ["ab", "b", "städte"]
    assert database.create_collection("a", EMPTY).seq == 0


def test_a_name_used_again_starts_empty(directories: Directories) -> None:
    database = directories.open()
    old = database.create_collection("c", EMPTY)
    write(old, upsert([(1, Point({}))]))
    database.delete_collection("c")
    new = database.create_collection("c", EMPTY)
    assert new.uid != old.uid
    assert new.stats().points == 0
    with pytest.raises(CollectionClosed):
        old.snapshot()
    with pytest.raises(CollectionClosed):
        old.write([upsert([(1, Point({}))])])


@pytest.mark.parametrize("name", ["", " a", "a\n", "a/b", "\x00", "n" * (MAX_NAME_BYTES + 1), "é" * 128, TOO_LONG])
def test_bad_names(name: str, directories: Directories) -> None:
    database = directories.open()
    collection = database.create_collection("c", EMPTY)
    with pytest.raises(InvalidName):
        database.create_collection(name, EMPTY)
    with pytest.raises(InvalidName) as caught:
        database.names.update_aliases([CreateAlias("fine", "c"), CreateAlias(name, "c")])
    assert caught.value.field == "operations[1].create_alias.alias_name"
    assert database.names.aliases() == []
    with pytest.raises(CollectionNotFound):
        database.collection(name)
    assert not database.names.exists(name)
    assert not database.delete_collection(name)
    for operation in (DeleteAlias(name), RenameAlias(name, "new")):
        with pytest.raises(AliasNotFound):
            database.names.update_aliases([operation])
    with pytest.raises(CollectionNotFound):
        database.names.update_aliases([CreateAlias("fine", name)])
    assert database.names.collections() == ["c"]
    assert collection.name == "c"


def test_the_longest_name(directories: Directories) -> None:
    name = "n" * MAX_NAME_BYTES
    directories.open().create_collection(name, EMPTY)
    directories.close()
    assert directories.open().collection(name).name == name


@pytest.mark.parametrize(
    ("schema", "error"),
    [
        (CollectionSchema(spaces={"v": DenseSpace(size=0)}), InvalidRequest),
        (CollectionSchema(spaces={"v": DenseSpace(size=65_537)}), InvalidRequest),
        (CollectionSchema(spaces={"v": DenseSpace(size=1, hnsw=HnswConfig(m=1))}), InvalidRequest),
        (CollectionSchema(spaces={"v": DenseSpace(size=1, hnsw=HnswConfig(ef_construct=3))}), InvalidRequest),
        (CollectionSchema(spaces={"a/b": DenseSpace(size=1)}), InvalidName),
        (CollectionSchema(spaces={}, indexing_threshold=0), InvalidRequest),
        (CollectionSchema(spaces={str(n): DenseSpace(size=1) for n in range(MAX_SPACES + 1)}), LimitExceeded),
    ],
    ids=["size 0", "size", "m", "ef_construct", "name", "threshold", "spaces"],
)
def test_a_bad_schema_makes_nothing(schema: CollectionSchema, error: type[Exception], directories: Directories) -> None:
    database = directories.open()
    with pytest.raises(error):
        database.create_collection("c", schema)
    assert database.names.collections() == []
    assert list((database.path / "collections").iterdir()) == []


def test_aliases(directories: Directories) -> None:
    database = directories.open()
    one, two = database.create_collection("one", EMPTY), database.create_collection("two", EMPTY)
    database.names.update_aliases([CreateAlias("live", "one"), CreateAlias("ü", "two")])
    assert database.collection("live") is one
    database.names.update_aliases([CreateAlias("live", "two"), CreateAlias("old", "one")])
    assert database.collection("live") is two
    assert database.names.aliases() == [Alias("live", "two"), Alias("old", "one"), Alias("ü", "two")]
    assert database.names.aliases("two") == database.names.aliases("live") == [Alias("live", "two"), Alias("ü", "two")]
    database.names.update_aliases([RenameAlias("ü", "u"), RenameAlias("u", "u"), DeleteAlias("old")])
    directories.close()
    database = directories.open()
    assert database.names.aliases() == [Alias("live", "two"), Alias("u", "two")]
    assert database.names.resolve("u") == "two"
    with pytest.raises(InvalidName):
        database.delete_collection("live")
    with pytest.raises(CollectionAlreadyExists):
        database.create_collection("live", EMPTY)
    assert database.delete_collection("two")
    assert database.names.aliases() == []
    assert not database.names.exists("live")


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (CreateAlias("x", "nothing"), CollectionNotFound),
        (CreateAlias("x", "live"), CollectionNotFound),
        (CreateAlias("two", "one"), CollectionAlreadyExists),
        (RenameAlias("nothing", "x"), AliasNotFound),
        (RenameAlias("live", "two"), CollectionAlreadyExists),
        (RenameAlias("live", "other"), CollectionAlreadyExists),
        (RenameAlias("live", ""), InvalidName),
        (DeleteAlias("one"), AliasNotFound),
        (DeleteAlias(""), AliasNotFound),
    ],
    ids=str,
)
def test_alias_operations_are_all_or_nothing(
    last: AliasOperation, error: type[Exception], directories: Directories
) -> None:
    database = directories.open()
    for name in ("one", "two"):
        database.create_collection(name, EMPTY)
    database.names.update_aliases([CreateAlias("live", "one"), CreateAlias("other", "one")])
    with pytest.raises(error):
        database.names.update_aliases([CreateAlias("new", "two"), CreateAlias("live", "two"), last])
    assert database.names.aliases() == [Alias("live", "one"), Alias("other", "one")]


def test_states(directories: Directories) -> None:
    database = directories.open()
    database.create_collection("c", EMPTY)
    database.names.update_aliases([CreateAlias("live", "c")])
    assert database.usage.status("live") == CollectionStatus(CollectionState.READY)
    database.close_collection("live")
    database.close_collection("c")
    assert database.usage.status("c") == CollectionStatus(CollectionState.CLOSED)
    for name in ("c", "live"):
        with pytest.raises(CollectionClosed):
            database.collection(name)
    database.open_collection("live")
    database.open_collection("live")
    assert database.usage.status("c") == CollectionStatus(CollectionState.READY)
    assert database.collection("live").name == "c"
    database.close_collection("c")
    assert database.delete_collection("c")
    database.create_collection("c", EMPTY)
    assert database.usage.status("c") == CollectionStatus(CollectionState.READY)


CALLS: list[Callable[[Database], object]] = [
    lambda database: database.collection("c"),
    lambda database: database.names.collections(),
    lambda database: database.names.aliases(),
    lambda database: database.names.exists("c"),
    lambda database: database.usage.status("c"),
    lambda database: database.create_collection("d", EMPTY),
    lambda database: database.delete_collection("c"),
    lambda database: database.open_collection("c"),
    lambda database: database.close_collection("c"),
    lambda database: database.names.update_aliases([]),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_database_says_so(call: Callable[[Database], object], directories: Directories) -> None:
    database = directories.open()
    database.create_collection("c", EMPTY)
    database.close()
    database.close()
    with pytest.raises(ShuttingDown):
        call(database)

"""Structure may change without end: tables, files, mappings and memory of what was dropped go with its last reader."""

import os
from pathlib import Path

import lmdb
import numpy as np
import pytest

from storage.collection import Collection
from storage.database import Database
from storage.schema import CollectionSchema, DenseSpace, MultiSpace, SchemaChange, SpaceSchema, SparseSpace
from storage.schema.payload_schema import FieldIndexParams, FieldType
from storage.tables.environment import _MAX_TABLES
from tests.storage.model import Point, upsert, write
from tests.support.directories import Directories

SPACE = DenseSpace(size=2)
SCHEMA = CollectionSchema(spaces={"kept": SPACE})
VECTOR = np.ones(2, np.float32)
AT_ONCE = 100


def _tables(collection: Collection) -> set[str]:
    """Names of the tables of spaces, whatever they hold."""
    with collection.snapshot() as snapshot, snapshot._txn.cursor() as cursor:
        names = [bytes(name).decode() for name in cursor.iternext(values=False)]
    return {name for name in names if ":" in name}


def _mapped(collection: Collection) -> list[str]:
    """Vector files of the collection that are mapped, dropped ones too."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return [line for line in lines if collection.uid in line and ".vectors" in line]


def _folders(directories: Directories, collection: Collection) -> list[str]:
    return sorted(os.listdir(directories.root / "data" / "collections" / collection.uid / "spaces"))


def _turn_over(collection: Collection, rounds: int, at_once: int = AT_ONCE) -> None:
    for _ in range(rounds):
        names = [f"s{number}" for number in range(at_once)]
        others: dict[str, SpaceSchema] = {"sparse": SparseSpace(), "multi": MultiSpace(tokens=SPACE)}
        collection.change_schema(SchemaChange(add={**dict.fromkeys(names, SPACE), **others}))
        collection.change_schema(SchemaChange(drop=(*names, "multi"), drop_sparse=("sparse",)))


def _commit(collection: Collection) -> None:
    write(collection, upsert([(1, Point({}, {"kept": VECTOR}))]))


def test_more_spaces_than_there_are_tables_are_made_and_dropped(directories_in_memory: Directories) -> None:
    collection = directories_in_memory.open().create_collection("c", SCHEMA)
    _turn_over(collection, 1)
    _commit(collection)
    descriptors = len(os.listdir("/proc/self/fd"))
    rounds = 60
    _turn_over(collection, rounds)
    _commit(collection)
    assert rounds * AT_ONCE > 2 * _MAX_TABLES
    assert _tables(collection) == {"rows:1"}
    assert _folders(directories_in_memory, collection) == ["1"]
    assert len(_mapped(collection)) == 1
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_what_a_snapshot_reads_stays_until_it_is_closed(directories_in_memory: Directories) -> None:
    """And spaces that came and went since then do not wait for it."""
    collection = directories_in_memory.open().create_collection("c", SCHEMA)
    collection.change_schema(SchemaChange(add={"old": SPACE, "sparse": SparseSpace()}))
    write(collection, upsert([(1, Point({}, {"old": VECTOR}))]))
    snapshot = collection.snapshot()
    collection.change_schema(SchemaChange(drop=("old",), drop_sparse=("sparse",)))
    _turn_over(collection, 40)
    _commit(collection)
    assert len(_mapped(collection)) == 2
    slots = snapshot.all_slots()
    present, found = snapshot.vectors("old", slots)
    assert present.all()
    assert np.array_equal(found, [VECTOR])
    assert snapshot.vector_count("sparse") == 0
    assert _tables(collection) >= {"rows:1", "rows:2", "records:3"}
    assert len(_tables(collection)) < 10
    snapshot.close()
    assert len(_mapped(collection)) == 1, "the files of a dropped space outlived its last reader"
    _commit(collection)
    assert _tables(collection) == {"rows:1"}


def test_a_space_of_the_same_name_is_another_one_for_older_readers(directories_in_memory: Directories) -> None:
    collection = directories_in_memory.open().create_collection("c", SCHEMA)
    snapshots = []
    for number in range(1, 8):
        collection.change_schema(SchemaChange(add={"s": SPACE}))
        write(collection, upsert([(1, Point({}, {"s": number * VECTOR}))]))
        snapshots.append((number, collection.snapshot()))
        collection.change_schema(SchemaChange(drop=("s",)))
    for number, snapshot in snapshots[::2] + snapshots[1::2]:
        _, found = snapshot.vectors("s", snapshot.all_slots())
        assert np.array_equal(found, [number * VECTOR])
        snapshot.close()
        _commit(collection)
    assert _tables(collection) == {"rows:1"}


def test_tables_that_an_older_program_left_are_removed_at_opening(directories_in_memory: Directories) -> None:
    database = directories_in_memory.open()
    collection = database.create_collection("c", SCHEMA)
    _commit(collection)
    database.close_collection("c")
    path = directories_in_memory.root / "data" / "collections" / collection.uid / "lmdb"
    with lmdb.open(str(path), max_dbs=8192, map_size=2**30) as env, env.begin(write=True) as txn:
        for uid in range(1000, 5000):
            env.open_db(f"rows:{uid}".encode(), txn=txn)
    database.open_collection("c")
    collection = database.collection("c")
    assert _tables(collection) == {"rows:1"}
    _turn_over(collection, 2)
    _commit(collection)


@pytest.mark.slow
def test_collections_aliases_and_indexes_come_and_go(directories_in_memory: Directories) -> None:
    database = directories_in_memory.open()
    _come_and_go(database, 3)
    descriptors = len(os.listdir("/proc/self/fd"))
    _come_and_go(database, 200)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert os.listdir(directories_in_memory.root / "data" / "collections") == []
    assert not [
        line for line in Path("/proc/self/maps").read_text().splitlines() if str(directories_in_memory.root) in line
    ][2:]


def _come_and_go(database: Database, times: int) -> None:
    for _ in range(times):
        collection = database.create_collection("c", SCHEMA)
        collection.change_schema(SchemaChange(create_fields={"a": FieldIndexParams(type=FieldType.KEYWORD)}))
        _commit(collection)
        assert database.delete_collection("c")

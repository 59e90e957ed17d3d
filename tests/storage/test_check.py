"""`python -m storage.check`: its exit status, what it prints, and that it finds what is wrong."""

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lmdb
import numpy as np
import pytest

from storage.check import check, main
from storage.errors import CollectionNotFound
from storage.schema import CollectionSchema, DenseSpace, Distance, SchemaChange
from storage.tables.keys import encode_slot
from storage.tables.point_records import encode_record, encode_row
from storage.write.operations import ByIds, DeletePoints
from tests.storage.graphs import attach_graphs
from tests.storage.model import Point, upsert, write
from tests.support.directories import Directories
from tests.support.root import ROOT
from tests.support.server_process import environment

SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=2, distance=Distance.DOT)}, indexing_threshold=20)


def _create(directories: Directories) -> Path:
    """A closed, sound directory; returns the folder of its one collection."""
    database = directories.open()
    collection = database.create_collection("c", SCHEMA)
    points = [(number, Point({"n": number}, {"v": np.array([number, 1], np.float32)})) for number in range(20)]
    write(collection, upsert(points))
    attach_graphs(collection)
    write(collection, upsert(points[:5]), DeletePoints(selector=ByIds((19,))))
    directories.close()
    return database.path / "collections" / collection.uid


def test_a_sound_directory(directories: Directories, capsys: pytest.CaptureFixture[str]) -> None:
    _create(directories)
    assert main([str(directories.root / "data")]) == 0
    out, progress = capsys.readouterr()
    assert out == "sound: 1 collections, 19 points, 19 vectors checked\n"
    assert progress.splitlines() == [
        "collection 1 of 1: 'c'",
        "  19 points",
        "  space 'v': 25 rows in 2 blocks",
    ]
    assert main([str(directories.root / "data"), "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_an_empty_directory_is_sound(directories: Directories) -> None:
    directories.open()
    directories.close()
    assert main([str(directories.root / "data"), "--quiet"]) == 0


def test_damage_is_reported(directories: Directories, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _create(directories)
    directories.damage("data")
    vectors, index = folder / "spaces" / "1" / "1.vectors", folder / "spaces" / "1" / "1.index"
    data = bytearray(vectors.read_bytes())
    data[10 * 8] ^= 1
    vectors.write_bytes(data)
    index.unlink()
    assert main([str(directories.root / "data"), "--quiet"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{vectors}: the vector at byte 80 does not match its checksum (ORIGINAL DATA)",
        f"{index}: the file is missing (derived data, it will be rebuilt)",
        "2 problems: 1 collections, 19 points, 19 vectors checked",
    ]


def test_what_cannot_be_checked(directories: Directories, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(directories.root)]) == 2
    assert "is not a data directory" in capsys.readouterr().err
    assert main([str(directories.root / "nothing")]) == 2
    assert not (directories.root / "nothing").exists()
    database = directories.open()
    assert main([str(database.path)]) == 2
    assert "another process" in capsys.readouterr().err


def test_the_command(directories: Directories) -> None:
    folder = _create(directories)
    directories.damage("data")
    command = [sys.executable, "-m", "storage.check", str(directories.root / "data")]

    def status() -> int:
        return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, timeout=60).returncode

    assert status() == 0
    shutil.rmtree(folder / "spaces")
    assert status() == 1


Tables = dict[str, "lmdb._Database"]


def _lose_id(txn: lmdb.Transaction, tables: Tables) -> None:
    with txn.cursor(tables["ids"]) as cursor:
        cursor.first()
        cursor.delete()


def _swap_ids(txn: lmdb.Transaction, tables: Tables) -> None:
    with txn.cursor(tables["ids"]) as cursor:
        cursor.first()
        cursor.put(cursor.key(), encode_slot(7), overwrite=True)


def _lose_point(txn: lmdb.Transaction, tables: Tables) -> None:
    txn.delete(encode_slot(3), db=tables["points"])


def _invent_point(txn: lmdb.Transaction, tables: Tables) -> None:
    txn.put(encode_slot(1000), encode_record(b"\x01" + bytes(8), 1, b""), db=tables["points"])


def _name_row_twice(txn: lmdb.Transaction, tables: Tables) -> None:
    value = txn.get(encode_slot(8), db=tables["rows:1"])
    assert value is not None
    txn.put(encode_slot(9), value, db=tables["rows:1"])


def _name_row_past_the_end(txn: lmdb.Transaction, tables: Tables) -> None:
    txn.put(encode_slot(9), encode_row(10_000, 0), db=tables["rows:1"])


def _vector_without_point(txn: lmdb.Transaction, tables: Tables) -> None:
    value = txn.pop(encode_slot(8), db=tables["rows:1"])
    assert value is not None
    txn.put(encode_slot(999), value, db=tables["rows:1"])


def _miscount(txn: lmdb.Transaction, tables: Tables) -> None:
    state = struct.unpack(">QQQ", bytes(txn.get(b"state", db=tables["meta"]) or b""))
    txn.put(b"state", struct.pack(">QQQ", state[0], state[1], state[2] + 1), db=tables["meta"])


def _lose_manifest(txn: lmdb.Transaction, tables: Tables) -> None:
    txn.delete(b"space:1", db=tables["meta"])


def _garble_manifest(txn: lmdb.Transaction, tables: Tables) -> None:
    txn.put(b"space:1", b"{", db=tables["meta"])


def _garble_state(txn: lmdb.Transaction, tables: Tables) -> None:
    txn.put(b"state", b"short", db=tables["meta"])


def _shift_block(txn: lmdb.Transaction, tables: Tables) -> None:
    manifest = bytes(txn.get(b"space:1", db=tables["meta"]) or b"")
    assert b'"first_row": 20' in manifest
    txn.put(b"space:1", manifest.replace(b'"first_row": 20', b'"first_row": 19'), db=tables["meta"])


TAMPERINGS = [
    (_lose_id, "ids and points do not name each other"),
    (_swap_ids, "ids and points do not name each other"),
    (_lose_point, "a slot has a vector and no point"),
    (_invent_point, "ids and points do not name each other"),
    (_name_row_twice, "two slots name one row"),
    (_name_row_past_the_end, "names row 10000 of 25"),
    (_vector_without_point, "has a vector and no point"),
    (_miscount, "the counters say 20 points and 20 slots, but 19 points are stored"),
    (_lose_manifest, "'space:1' of the table meta is missing"),
    (_garble_manifest, "'space:1' of the table meta: the manifest is not valid JSON"),
    (_garble_state, "the counters of the collection are missing"),
    (_shift_block, "overlap another block or hold less than"),
]


@pytest.mark.parametrize(("tamper", "message"), TAMPERINGS, ids=[tamper.__name__[1:] for tamper, _ in TAMPERINGS])
def test_tables_that_disagree(
    tamper: Callable[[lmdb.Transaction, Tables], None], message: str, directories: Directories
) -> None:
    folder = _create(directories)
    directories.damage("data")
    with lmdb.open(str(folder / "lmdb"), max_dbs=10) as env:
        tables = {name: env.open_db(name.encode()) for name in ("meta", "ids", "points", "rows:1")}
        with env.begin(write=True) as txn:
            tamper(txn, tables)
    problems = check(directories.root / "data").problems
    assert message in " | ".join(problem.message for problem in problems)
    assert not any(problem.derived for problem in problems)


def test_every_collection_is_checked(directories: Directories) -> None:
    database = directories.open()
    for name in ("a", "b", "ü"):
        write(database.create_collection(name, SCHEMA), upsert([(1, Point({}))]))
    database.collection("b").change_schema(SchemaChange(drop=("v",)))
    assert database.delete_collection("a")
    with pytest.raises(CollectionNotFound):
        database.collection("a")
    directories.close()
    report = check(directories.root / "data")
    assert (report.collections, report.points, report.vectors, report.sound) == (2, 2, 0, True)

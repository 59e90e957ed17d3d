"""Snapshots and clones hold one commit whole; a file that is damaged in any way is refused and leaves nothing."""

import io
import json
import resource
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from server.convert.payload import ProtobufPayloadCodec
from storage import errors
from storage.backup import archive
from storage.budget import UNLIMITED, Budget
from storage.check import check
from storage.collection import Collection
from storage.database import Database
from storage.schema import CollectionSchema, DenseSpace, Distance, PointId, SchemaChange
from storage.settings import StorageSettings
from storage.tables.snapshot_entries import SnapshotEntry
from storage.write.operations import ByIds, DeletePoints, DeleteVectors, Operation, SpaceVectors, Upsert
from tests.support.root import ROOT
from tests.support.server_process import environment

CODEC = ProtobufPayloadCodec()
SCHEMA = CollectionSchema(
    spaces={
        "": DenseSpace(size=4, distance=Distance.DOT),
        "wide": DenseSpace(size=24, distance=Distance.EUCLID),
        "empty": DenseSpace(size=3),
    },
    indexing_threshold=200,
)
IDS: tuple[PointId, ...] = (0, 2**64 - 1, "ä" * 200, "x" * 512, ".", *range(1, 250), *(f"k{n}" for n in range(250)))
Content = dict[PointId, tuple[bytes, dict[str, bytes]]]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "data", codec=CODEC, settings=StorageSettings(background=False))
    try:
        yield database
    finally:
        database.close()
    assert [str(problem) for problem in check(tmp_path / "data").problems] == []


def write(collection: Collection, number: int, ids: tuple[PointId, ...] = IDS) -> int:
    """Replaces the points of `ids`; all their vectors and payloads tell `number`. Returns the commit."""
    matrices = {"": np.full((len(ids), 4), number, np.float32), "wide": np.full((len(ids), 24), -number, np.float32)}
    vectors = {name: SpaceVectors(np.arange(len(ids)), matrix) for name, matrix in matrices.items()}
    payloads = tuple(CODEC.encode({"number": number, "id": str(each)}) for each in ids)
    return collection.write([Upsert(ids=ids, payloads=payloads, vectors=vectors)]).result().seq


def make(database: Database, name: str = "source", batches: int = 3) -> Collection:
    """A collection with sealed blocks, an open one, dead rows and points that lack vectors."""
    collection = database.create_collection(name, SCHEMA)
    for number in range(1, batches + 1):
        write(collection, number)
    deletions: list[Operation] = [
        DeletePoints(selector=ByIds(IDS[10:60])),
        DeleteVectors(selector=ByIds(IDS[60:70]), spaces=("wide",)),
    ]
    collection.write(deletions).result()
    return collection


def content(collection: Collection) -> Content:
    with collection.snapshot() as snapshot:
        found: Content = {}
        for record in snapshot.scan():
            slots = np.array([record.slot], np.uint32)
            vectors = {}
            for space in snapshot.schema.dense:
                present, rows = snapshot.vectors(space, slots)
                if present[0]:
                    vectors[space] = rows.tobytes()
            found[record.id] = (record.payload, vectors)
        return found


def folders(database: Database) -> tuple[int, int]:
    """How many collections and files of snapshots are on disk."""
    return len(list((database.path / "collections").iterdir())), len(list((database.path / "snapshots").iterdir()))


def archive_path(database: Database, entry: SnapshotEntry) -> Path:
    return database.path / "snapshots" / f"{entry.uid}.snapshot"


def with_graphs(database: Database, collection: Collection) -> None:
    """Merges dead rows away, so that blocks are sparse, and builds graphs."""
    maintenance = database.maintenance
    maintenance.scheduler.start()
    budget = Budget.of_seconds(120)
    maintenance.tasks.wait(maintenance.compact(collection), budget)
    maintenance.wait_until_idle(collection, budget)
    maintenance.tasks.wait(maintenance.rebuild(collection), budget)


@pytest.mark.parametrize("graphs", [False, True])
@pytest.mark.parametrize("way", ["snapshot", "clone"])
def test_a_copy_equals_its_source(database: Database, way: str, graphs: bool) -> None:
    source = make(database)
    if graphs:
        with_graphs(database, source)
        with source.snapshot() as snapshot:
            assert any(block.rows is not None for space in snapshot.spaces.values() for block in space.blocks)
    before, stats = content(source), source.stats()
    assert any(space.segments for space in stats.spaces.values()) is graphs
    if way == "clone":
        copy = database.clone_collection("source", "copy", UNLIMITED)
    else:
        entry = database.snapshots.create(source, "s", UNLIMITED)
        assert (entry.collection, entry.name, entry.seq) == ("source", "s", source.seq)
        assert entry.size == archive_path(database, entry).stat().st_size
        copy = database.restore_snapshot("source", "s", "copy", UNLIMITED)
    assert content(copy) == before
    assert (copy.name, copy.seq, copy.schema) == ("copy", source.seq, source.schema)
    copied = copy.stats()
    for name, space in stats.spaces.items():
        other = copied.spaces[name]
        assert (other.vectors, other.indexed_vectors, other.segments) == (
            space.vectors,
            space.indexed_vectors,
            space.segments,
        )
    write(copy, 7)
    database.delete_collection("source")
    assert set(content(copy)) == set(IDS)


def test_a_copy_survives_reopening(database: Database, tmp_path: Path) -> None:
    before = content(make(database))
    database.clone_collection("source", "clone", UNLIMITED)
    entry = database.snapshots.create(database.collection("source"), None, UNLIMITED)
    database.restore_snapshot("source", entry.name, "restored", UNLIMITED)
    database.close()
    again = Database.open(tmp_path / "data", codec=CODEC, settings=StorageSettings(background=False))
    try:
        assert again.snapshots.list() == [entry]
        for name in ("source", "clone", "restored"):
            assert content(again.collection(name)) == before
    finally:
        again.close()


def test_spaces_added_and_dropped(database: Database) -> None:
    source = make(database)
    source.change_schema(SchemaChange(add={"new": DenseSpace(size=2)}, drop=("wide",)))
    copy = database.clone_collection("source", "copy", UNLIMITED)
    assert content(copy) == content(source)
    assert set(copy.schema.dense) == {"", "empty", "new"}
    nothing = database.create_collection("nothing", CollectionSchema(spaces={}))
    database.snapshots.create(nothing, "s", UNLIMITED)
    assert content(database.restore_snapshot("nothing", "s", "nothing too", UNLIMITED)) == {}


def test_copies_are_of_one_commit_while_a_writer_goes_on(database: Database) -> None:
    """Every commit tells one number everywhere; so must every copy, and it must be the number of its `seq`."""
    source = database.create_collection("source", SCHEMA)
    numbers = {write(source, 1): 1}
    stop = threading.Event()

    def keep_writing() -> None:
        number = 1
        while not stop.is_set():
            number += 1
            numbers[write(source, number)] = number

    writer = threading.Thread(target=keep_writing)
    writer.start()
    copies = []
    try:
        for round_ in range(4):
            entry = database.snapshots.create(source, f"s{round_}", UNLIMITED)
            copies.append(database.restore_snapshot("source", entry.name, f"restored {round_}", UNLIMITED))
            copies.append(database.clone_collection("source", f"clone {round_}", UNLIMITED))
    finally:
        stop.set()
        writer.join()
    for copy in copies:
        number = numbers[copy.seq]
        found = content(copy)
        assert set(found) == set(IDS)
        for payload, vectors in found.values():
            assert CODEC.decode(payload)["number"] == number
            assert vectors[""] == np.full(4, number, np.float32).tobytes()
            assert vectors["wide"] == np.full(24, -number, np.float32).tobytes()
    assert len({copy.seq for copy in copies}) > 1


def test_people_can_look_inside(database: Database) -> None:
    entry = database.snapshots.create(make(database), "s", UNLIMITED)
    with tarfile.open(archive_path(database, entry)) as tar:
        names = tar.getnames()
        manifest, checksums = tar.extractfile("manifest.json"), tar.extractfile("checksums.json")
        assert manifest is not None
        assert checksums is not None
        about, sums = json.load(manifest), json.load(checksums)
    assert (names[0], names[-1]) == ("manifest.json", "checksums.json")
    assert (about["format"], about["collection"], about["seq"]) == (1, "source", entry.seq)
    assert [member["name"] for member in about["members"]] == names[1:-1]
    assert list(sums) == names[:-1]
    assert CollectionSchema.from_json(about["schema"]) == database.collection("source").schema


def damaged(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 0x10]) + data[offset + 1 :]


@pytest.fixture
def good(database: Database) -> bytes:
    """The bytes of a snapshot of a small collection."""
    source = database.create_collection("source", SCHEMA)
    write(source, 1, IDS[:20])
    return archive_path(database, database.snapshots.create(source, "good", UNLIMITED)).read_bytes()


def test_a_flipped_byte_is_found_wherever_it_is(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "flipped"
    random = np.random.default_rng(1)
    offsets = {
        *range(0, 2_600, 7),
        *range(len(good) - 4_000, len(good), 7),
        *random.integers(0, len(good), 300).tolist(),
    }
    for offset in offsets:
        path.write_bytes(damaged(good, offset))
        with pytest.raises((errors.CorruptStore, errors.UnknownFormat)) as refused:
            archive.verify_archive(path, UNLIMITED)
        if isinstance(refused.value, errors.CorruptStore):
            assert refused.value.metadata["file"] == str(path)
            # A size or name that the manifest gives wrongly shows where that member is.
            latest = len(good) if offset < good.index(b"\n}\n") else offset + 512
            assert 0 <= int(refused.value.metadata["offset"]) <= latest
        else:
            assert b'"format": ' in good[offset - 12 : offset]
    path.write_bytes(good)
    archive.verify_archive(path, UNLIMITED)


def test_the_damaged_member_is_named(good: bytes, tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(good)) as tar:
        members = [member for member in tar if member.size and member.name != "checksums.json"]
    for member in members:
        (tmp_path / "x").write_bytes(damaged(good, member.offset_data + member.size // 2))
        with pytest.raises(errors.CorruptStore, match=member.name) as refused:
            archive.verify_archive(tmp_path / "x", UNLIMITED)
        assert refused.value.metadata["offset"] == str(member.offset_data)


def test_a_file_that_ends_early_or_late_is_refused(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    random = np.random.default_rng(2)
    for length in {0, 1, 511, 512, len(good) - 1, len(good) - 512, *random.integers(0, len(good), 100).tolist()}:
        path.write_bytes(good[:length])
        with pytest.raises(errors.CorruptStore) as refused:
            archive.verify_archive(path, UNLIMITED)
        assert refused.value.metadata["offset"] == str(length)
    path.write_bytes(good + b"\0")
    with pytest.raises(errors.CorruptStore, match="follow"):
        archive.verify_archive(path, UNLIMITED)


def test_a_newer_format_is_told_from_damage(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "newer").write_bytes(good.replace(b'"format": 1', b'"format": 7'))
    with pytest.raises(errors.UnknownFormat) as refused:
        archive.verify_archive(tmp_path / "newer", UNLIMITED)
    assert (refused.value.metadata["found"], refused.value.metadata["known"]) == ("7", "1")


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "lmdb/../../evil", "spaces/1/evil", "lmdb/data.mdb\n"])
def test_no_member_can_leave_the_folder(tmp_path: Path, name: str) -> None:
    members = [{"name": "lmdb/data.mdb", "size": 0}, {"name": name, "size": 4}]
    about = {"format": 1, "collection": "c", "schema": {}, "seq": 1, "points": 0, "created": 1.0, "members": members}
    with tarfile.open(tmp_path / "evil.snapshot", "w") as tar:
        for path, data in (("manifest.json", json.dumps(about).encode()), ("lmdb/data.mdb", b""), (name, b"evil")):
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (tmp_path / "a/b").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(errors.CorruptStore, match="files that no collection has"):
        archive.extract(tmp_path / "evil.snapshot", tmp_path / "a/b", UNLIMITED)
    assert sorted(tmp_path.rglob("*")) == before


def manifest_with(**changed: object) -> bytes:
    members = [{"name": "lmdb/data.mdb", "size": 0}]
    about = {"format": 1, "collection": "c", "schema": {}, "seq": 1, "points": 0, "created": 1.0, "members": members}
    return json.dumps({**about, **changed}).encode()


def archive_of(manifest: bytes) -> bytes:
    member = tarfile.TarInfo("manifest.json")
    member.size = len(manifest)
    return member.tobuf(tarfile.GNU_FORMAT) + manifest + bytes(-len(manifest) % 512)


NO_MEMBERS: list[Any] = [None, 1, "x", {}, [1], [[]], [{}], [{"name": [], "size": 0}]]
NO_NUMBERS = [float("inf"), float("-inf"), float("nan"), -1, 2**63, 10**400, "1", "x", True, 1.5, None, [], {}]


@pytest.mark.parametrize(
    "manifest",
    [
        *(manifest_with(**{key: value}) for key in ("format", "seq", "points") for value in NO_NUMBERS),
        *(manifest_with(members=[{"name": "lmdb/data.mdb", "size": value}]) for value in NO_NUMBERS),
        *(manifest_with(created=value) for value in [*NO_NUMBERS[:6], "1", True, None, []]),
        *(manifest_with(members=value) for value in NO_MEMBERS),
        *(manifest_with(schema=value) for value in [None, 1, "x", [1]]),
        b"[]",
        b"1",
        b"null",
        b"{" * 100_000,
        b"[" * 100_000,
        manifest_with().replace(b"1.0", b"9" * 5_000),
        manifest_with().replace(b'"points": 0', b'"points": ' + b"9" * 5_000),
        b"\xff\xfe",
    ],
)
def test_a_manifest_that_cannot_be_is_damage(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "given").write_bytes(archive_of(manifest))
    with pytest.raises(errors.CorruptStore, match=r"manifest.json is damaged|header of manifest.json is damaged"):
        archive.verify_archive(tmp_path / "given", UNLIMITED)


def test_any_header_is_read_or_refused(tmp_path: Path) -> None:
    header = archive_of(manifest_with())[:512]
    for position in range(512):
        for byte in (0, 0x80, 0xFF, 0x39):
            found = bytearray(header)
            found[position] = byte
            checksum = 256 + sum(found[:148]) + sum(found[156:])
            found[148:156] = b"%06o\0 " % checksum if not 148 <= position < 156 else found[148:156]
            (tmp_path / "given").write_bytes(bytes(found) + manifest_with())
            with pytest.raises(errors.CorruptStore):
                archive.verify_archive(tmp_path / "given", UNLIMITED)


@pytest.mark.parametrize("damage", [lambda data: damaged(data, 20_000), lambda data: data[:20_000], lambda data: b""])
def test_a_damaged_snapshot_is_not_restored_and_leaves_nothing(
    database: Database, good: bytes, damage: Callable[[bytes], bytes]
) -> None:
    [entry] = database.snapshots.list()
    path = archive_path(database, entry)
    before = folders(database)
    path.write_bytes(damage(good))
    with pytest.raises(errors.CorruptStore) as refused:
        database.restore_snapshot("source", "good", "target", UNLIMITED)
    assert refused.value.metadata["file"] == str(path)
    assert not database.names.exists("target")
    assert folders(database) == before
    path.unlink()
    with pytest.raises(errors.CorruptStore, match="missing"):
        database.restore_snapshot("source", "good", "target", UNLIMITED)
    path.write_bytes(good)
    assert len(content(database.restore_snapshot("source", "good", "target", UNLIMITED))) == 20


def test_an_upload_is_listed_only_when_it_is_whole(database: Database, good: bytes) -> None:
    before = folders(database)

    def receive(data: bytes, size: int) -> SnapshotEntry:
        chunks = (data[start : start + 1000] for start in range(0, len(data), 1000))
        return database.snapshots.receive("other", "got", size, chunks, UNLIMITED)

    for data, size, error in [
        (good[:-1], len(good), errors.InvalidRequest),
        (good + b"x", len(good), errors.InvalidRequest),
        (good[:-1], len(good) - 1, errors.CorruptStore),
        (damaged(good, 30_000), len(good), errors.CorruptStore),
        (b"", 0, errors.CorruptStore),
    ]:
        with pytest.raises(error):
            receive(data, size)
        assert database.snapshots.list("other") == []
        assert folders(database) == before
    entry = receive(good, len(good))
    assert archive_path(database, entry).read_bytes() == good
    with pytest.raises(errors.SnapshotAlreadyExists):
        receive(good, len(good))
    assert len(content(database.restore_snapshot("other", "got", "target", UNLIMITED))) == 20


def test_names(database: Database) -> None:
    source = make(database, batches=1)
    first = database.snapshots.create(source, "ä", UNLIMITED)
    second = database.snapshots.create(source, None, UNLIMITED)
    assert second.name.startswith(f"source-{source.seq}-2")
    assert database.snapshots.list("source") == sorted([first, second], key=lambda entry: entry.name.encode())
    assert database.snapshots.list("other") == []
    files = folders(database)
    with pytest.raises(errors.SnapshotAlreadyExists):
        database.snapshots.create(source, "ä", UNLIMITED)
    for bad in ("", "a/b", "x" * 256, "\0"):
        with pytest.raises(errors.InvalidName):
            database.snapshots.create(source, bad, UNLIMITED)
    with pytest.raises(errors.SnapshotNotFound):
        database.restore_snapshot("source", "a", "target", UNLIMITED)
    with pytest.raises(errors.CollectionAlreadyExists):
        database.restore_snapshot("source", "ä", "source", UNLIMITED)
    with pytest.raises(errors.InvalidName):
        database.clone_collection("source", "a/b", UNLIMITED)
    with pytest.raises(errors.CollectionNotFound):
        database.clone_collection("gone", "target", UNLIMITED)
    assert folders(database) == files
    database.snapshots.delete("source", "ä")
    with pytest.raises(errors.SnapshotNotFound):
        database.snapshots.delete("source", "ä")
    assert database.snapshots.list() == [second]
    assert folders(database)[1] == 1
    long = database.create_collection("ü" * 127, CollectionSchema(spaces={}))
    assert len(database.snapshots.create(long, None, UNLIMITED).name.encode()) <= 255


def test_snapshots_outlive_their_collection(database: Database) -> None:
    before = content(make(database, batches=1))
    database.snapshots.create(database.collection("source"), "s", UNLIMITED)
    database.delete_collection("source")
    assert content(database.restore_snapshot("source", "s", "source", UNLIMITED)) == before


def test_a_copy_stops_at_its_deadline_and_leaves_nothing(database: Database, good: bytes) -> None:
    before = folders(database)
    source = database.collection("source")
    for copy in (
        lambda: database.snapshots.create(source, "late", Budget.of_seconds(0)),
        lambda: database.clone_collection("source", "late", Budget.of_seconds(0)),
        lambda: database.restore_snapshot("source", "good", "late", Budget.of_seconds(0)),
        lambda: database.snapshots.receive("source", "late", len(good), [good], Budget.of_seconds(0)),
    ):
        with pytest.raises(errors.DeadlineExceeded):
            copy()
        assert folders(database) == before
        assert not database.names.exists("late")
    write(source, 2)  # no snapshot is held


@pytest.mark.parametrize(
    ("what", "failpoint"),
    [
        ("snapshot", "snapshot_write"),
        ("snapshot", "snapshot_write:4"),
        ("snapshot", "snapshot_publish"),
        ("restore", "restore_extract"),
        ("restore", "restore_extract:3"),
        ("restore", "restore_publish"),
        ("clone", "restore_publish"),
    ],
)
def test_a_kill_leaves_no_half_copy(tmp_path: Path, what: str, failpoint: str) -> None:
    folder = tmp_path / "data"
    database = Database.open(folder, codec=CODEC, settings=StorageSettings(background=False))
    before = content(make(database))
    database.snapshots.create(database.collection("source"), "first", UNLIMITED)
    files = folders(database)
    database.close()
    process = subprocess.run(
        [sys.executable, "-m", "tests.storage.backup.snapshot_killed", str(folder), what],
        cwd=ROOT,
        env={**environment(), "HEADWATER_FAILPOINT": failpoint},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert sum(len(list((folder / name).iterdir())) for name in ("collections", "snapshots")) > sum(files)
    assert check(folder).sound
    database = Database.open(folder, codec=CODEC, settings=StorageSettings(background=False))
    try:
        assert folders(database) == files
        assert [entry.name for entry in database.snapshots.list()] == ["first"]
        assert database.names.collections() == ["source"]
        assert content(database.collection("source")) == before
        database.snapshots.create(database.collection("source"), "second", UNLIMITED)
        assert content(database.restore_snapshot("source", "second", "target", UNLIMITED)) == before
    finally:
        database.close()
    assert check(folder).sound


def test_a_file_that_cannot_be_written_leaves_nothing(database: Database, good: bytes) -> None:
    before = folders(database)
    source = database.collection("source")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for copy in (
        lambda: database.snapshots.create(source, "large", UNLIMITED),
        lambda: database.clone_collection("source", "large", UNLIMITED),
        lambda: database.restore_snapshot("source", "good", "large", UNLIMITED),
        lambda: database.snapshots.receive("source", "large", len(good), [good], UNLIMITED),
    ):
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, hard))  # what exceeds it fails as on a disk with errors
        try:
            with pytest.raises(errors.StorageFailed):
                copy()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert folders(database) == before
        assert not database.names.exists("large")
    assert len(content(source)) == 20


def test_the_check_of_a_directory_looks_into_snapshots(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "data", codec=CODEC, settings=StorageSettings(background=False))
    path = archive_path(database, database.snapshots.create(make(database), "s", UNLIMITED))
    database.close()
    assert check(tmp_path / "data").sound
    path.write_bytes(damaged(path.read_bytes(), 10_000))
    [problem] = check(tmp_path / "data").problems
    assert (problem.file, problem.derived) == (path, False)
    path.unlink()
    [problem] = check(tmp_path / "data").problems
    assert "missing" in problem.message

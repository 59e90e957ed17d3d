"""What comes from outside, or was left by a process that was killed, ends no server, whatever is wrong in it."""

import os
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from headwater import Client, Distance, PointStruct, VectorParams
from headwater.errors import CorruptStoreError, HeadwaterError
from storage.backup import archive
from storage.backup.streams import TABLES, FileStream
from storage.budget import UNLIMITED
from storage.tables.catalog import read_catalog
from tests.support.lmdb_files import PAGE, pages_of
from tests.support.server_process import doomed_server, log_of, server_process

POINTS = 800


def _fill(client: Client, name: str) -> None:
    client.collections.create(name, {"v": VectorParams(4, Distance.Euclid)})
    points = [
        PointStruct(
            n if n % 3 else "k" * 200 + str(n), {"v": [n, 0.5, -1.0, 2.0]}, {"n": n, "text": "t" * (n % 99 * 60)}
        )
        for n in range(POINTS)
    ]
    client.upload_points(name, points)
    client.points.delete(name, [n for n in range(100, 200) if n % 3])


def _content(client: Client, name: str) -> list[tuple[object, object]]:
    return [(record.id, record.payload) for record in client.points.scroll_all(name)]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("foreign")
    with server_process(root / "data") as (_, address), closing(Client(address)) as client:
        _fill(client, "source")
        client.vde.create_snapshot("source", "s")
        yield client.vde.download_snapshot("source", "s", root / "s.snapshot")


def _altered(snapshot: Path, target: Path, tables: bytes) -> Path:
    """The snapshot with other tables, all of whose checksums are right."""
    about = archive.verify_archive(snapshot, UNLIMITED)
    streams = []
    with tarfile.open(snapshot) as tar:
        for name, _ in about.members:
            member = tar.extractfile(name)
            assert member is not None
            data = tables if name == TABLES else member.read()
            streams.append(FileStream(name, len(data), lambda data=data: iter((data,))))  # type: ignore[misc]
    with target.open("wb") as file:
        archive.write(file, replace(about, members=()), streams, UNLIMITED)
    return target


def _tables(snapshot: Path) -> bytes:
    with tarfile.open(snapshot) as tar:
        member = tar.extractfile(TABLES)
        assert member is not None
        return member.read()


def _damages(data: bytes, count: int) -> Iterator[bytes]:
    """Bits flipped in every kind of page, and anywhere."""
    random, pages = Random(4), pages_of(data)
    for number in range(count):
        damaged = bytearray(data)
        kinds = [kind for kind in pages if pages[kind]]
        kind = kinds[number % len(kinds)]
        place = random.choice(pages[kind]) * PAGE + random.randrange(150) if number % 3 else random.randrange(len(data))
        damaged[place] ^= 1 << random.randrange(8)
        yield bytes(damaged)


@pytest.mark.parametrize("count", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_uploads_with_altered_pages_end_nothing(count: int, snapshot: Path, tmp_path: Path) -> None:
    """They are refused naming file and byte, or give the right points, or name the record that is damaged."""
    refused = 0
    with server_process(tmp_path / "data") as (process, address), closing(Client(address, retries=0)) as client:
        client.vde.upload_snapshot(snapshot, "good", "s")
        client.vde.restore_snapshot("good", "s", "good")
        right = _content(client, "good")
        assert len(right) == len({key for key, _ in right}) > POINTS // 2
        for number, tables in enumerate(_damages(_tables(snapshot), count)):
            name = f"bad {number}"
            try:
                client.vde.upload_snapshot(_altered(snapshot, tmp_path / "bad", tables), name, "s")
                client.vde.restore_snapshot(name, "s", name)
                assert _content(client, name) == right
            except HeadwaterError as error:
                assert isinstance(error, CorruptStoreError), error  # noqa: PT017
                assert error.metadata["file"].startswith(("snapshots/", "collections/"))  # noqa: PT017
                assert int(error.metadata["offset"]) >= 0  # noqa: PT017
                refused += 1
        assert refused > count // 4
        assert process.poll() is None
        assert _content(client, "good") == right
    assert "Traceback" not in log_of(tmp_path / "data").read_text()


def test_a_store_of_a_killed_process_ends_no_server(tmp_path: Path) -> None:
    """Damage in one collection is DATA_LOSS there; others serve."""
    data = tmp_path / "data"
    with doomed_server(data) as (process, address), closing(Client(address)) as client:
        for name in ("sound", "meta", "branch", "leaf", "overflow", "free"):
            _fill(client, name)
        right = _content(client, "sound")
        process.kill()
        process.wait()
    names = _names(data)
    for name, uid in names.items():
        if name != "sound":
            _damage(data / "collections" / uid / "lmdb" / "data.mdb", name)
    with server_process(data) as (process, address), closing(Client(address, retries=0)) as client:
        for name, uid in names.items():
            if name == "sound":
                continue
            with pytest.raises(CorruptStoreError) as caught:
                client.points.count(name)
            assert caught.value.metadata["file"] == f"collections/{uid}/lmdb/data.mdb"
            assert int(caught.value.metadata["offset"]) % PAGE < PAGE
        assert _content(client, "sound") == right
        assert process.poll() is None
    assert "Traceback" not in log_of(data).read_text()


def _names(data: Path) -> dict[str, str]:
    return {each.name: each.uid for each in read_catalog(data / "catalog").collections}


def _damage(file: Path, kind: str) -> None:
    """Of every page of a kind (the newest of meta) the field that says how it is filled, or of a list what it frees."""
    data = bytearray(file.read_bytes())
    pages = pages_of(data)[kind]
    assert pages, kind
    for page in pages:
        data[page * PAGE + (10 if kind != "meta" else 16)] ^= 0x40
    handle = os.open(file, os.O_WRONLY)
    os.pwrite(handle, data, 0)
    os.close(handle)

"""Room kept back for what frees room: the file on disk, and the part of a map that ordinary writes do not get."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import StorageFull
from storage.operations import ByIds, DeletePoints
from storage.reserve import MAX_DISK_SHARE, MIN_MAP_RESERVE, DiskReserve, map_reserve, mapped_bytes
from storage.schema import CollectionSchema, Distance, SpaceSchema
from storage.settings import StorageSettings
from tests.storage.directories import Directories
from tests.storage.model import Model, Point, applied, upsert, write
from tests.support.small_disk import small_disk

MIB = 2**20
SCHEMA = CollectionSchema(spaces={"v": SpaceSchema(size=2, distance=Distance.DOT)})


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 16 * MIB) as folder:
        yield folder


def _allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_the_file_is_allocated_and_not_only_long(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "reserve", 3 * MIB)
    assert (reserve.size, reserve.shortfall()) == (3 * MIB, 0)
    assert _allocated(tmp_path / "reserve") >= 3 * MIB
    with reserve.lent():
        assert _allocated(tmp_path / "reserve") == 3 * MIB // 2
        assert reserve.shortfall() == 3 * MIB // 2, "it takes nothing back while it is lent"
    with reserve.lent(whole=True):
        assert _allocated(tmp_path / "reserve") == 0
    assert _allocated(tmp_path / "reserve") >= 3 * MIB
    reserve.close()
    smaller = DiskReserve(tmp_path / "reserve", MIB)
    assert (tmp_path / "reserve").stat().st_size == MIB
    smaller.close()


def test_it_takes_back_what_there_is_and_the_rest_later(disk: Path) -> None:
    reserve = DiskReserve(disk / "reserve", 2**40)
    assert reserve.size == 16 * MIB // MAX_DISK_SHARE == 2 * MIB
    with reserve.lent(whole=True):
        handle = os.open(disk / "ballast", os.O_RDWR | os.O_CREAT)
        free = os.statvfs(disk)
        os.posix_fallocate(handle, 0, free.f_bavail * free.f_frsize - 100 * 4096)
    assert reserve.shortfall() == 2 * MIB - 100 * 4096
    assert os.statvfs(disk).f_bavail == 0
    os.ftruncate(handle, 10 * 4096)
    assert reserve.shortfall() == 0
    os.close(handle)
    reserve.close()


def test_two_borrowers_share_it(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "reserve", MIB)
    with reserve.lent(whole=True):
        with reserve.lent():
            assert _allocated(tmp_path / "reserve") == 0
        assert _allocated(tmp_path / "reserve") == 0
    assert reserve.shortfall() == 0
    reserve.close()


def test_what_meets_no_room_is_tried_once_more() -> None:
    calls = []

    def action() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise StorageFull("no room")
        return "done"

    assert DiskReserve(None).lend_if_full(action) == "done"
    assert len(calls) == 2


def test_a_map_has_its_reserve_whatever_its_file_is(tmp_path: Path) -> None:
    assert map_reserve(MIB) >= 2 * MIB, "all of a small map can be copied"
    assert map_reserve(2**36) >= 2**33
    assert map_reserve(2**31) >= MIN_MAP_RESERVE
    file = tmp_path / "data.mdb"
    assert mapped_bytes(file, 4 * MIB) == 4 * MIB + map_reserve(4 * MIB)
    with file.open("wb") as opened:
        opened.truncate(100 * MIB)
    assert mapped_bytes(file, 4 * MIB) == 100 * MIB + map_reserve(4 * MIB), "the map was larger before"


@pytest.mark.parametrize("text_bytes", [100, 3000], ids=["in pages", "in pages of their own"])
@pytest.mark.parametrize("share", [1, 2, 50])
def test_one_delete_of_far_apart_points_fits_a_full_map(share: int, text_bytes: int, directories: Directories) -> None:
    """One commit copies every page that it touches, at worst all of them; and the next one may follow at once."""
    settings = StorageSettings(background=False, map_size=2 * MIB)
    collection = directories.open(settings=settings).create_collection("c", SCHEMA)
    model: Model = {}
    first = 0
    for count in (100, 10, 1):
        while True:
            batch = upsert([(n, Point({"t": "x" * text_bytes}, {})) for n in range(first, first + count)])
            try:
                write(collection, batch)
            except StorageFull:
                break
            model.update(applied({}, [batch]))
            first += count
    for rest in range(min(share, 4)):
        delete = DeletePoints(selector=ByIds(tuple(range(rest, first, share))))
        write(collection, delete)
        model = applied(model, [delete])
    with collection.snapshot() as snapshot:
        assert {record.id for record in snapshot.scan()} == model.keys()

"""Room kept back for what frees room: the file on disk, and the part of a map that ordinary writes do not get."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.collection import Collection
from storage.errors import StorageFull
from storage.files.reserve import MAX_DISK_SHARE, MIN_MAP_RESERVE, DiskReserve, map_reserve, mapped_bytes
from storage.schema import CollectionSchema, DenseSpace, Distance, PointId
from storage.settings import StorageSettings
from storage.write.operations import ByIds, DeletePoints
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC, Directories
from tests.support.small_disk import small_disk

MIB = 2**20
SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=2, distance=Distance.DOT)})


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 16 * MIB) as folder:
        yield folder


def _fill(collection: Collection, text_bytes: int, first: int = 0) -> int:
    """Writes points from the id `first` on until not one fits; returns the next id."""
    for count in (100, 10, 1):
        while True:
            points: list[tuple[PointId, Point]] = [
                (number, Point({"t": "x" * text_bytes}, {})) for number in range(first, first + count)
            ]
            try:
                write(collection, upsert(points))
            except StorageFull:
                break
            first += count
    return first


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
    first = _fill(collection, text_bytes)
    left = set(range(first))
    for rest in range(min(share, 4)):
        write(collection, DeletePoints(selector=ByIds(tuple(range(rest, first, share)))))
        left -= set(range(rest, first, share))
    with collection.snapshot() as snapshot:
        assert {record.id for record in snapshot.scan()} == left


def test_room_between_points_that_were_deleted_here_and_there_is_used_again(directories: Directories) -> None:
    """Half of what is in each page goes, so no page does, until they are filled anew."""
    settings = StorageSettings(map_size=2 * MIB)
    collection = directories.open(settings=settings).create_collection("c", SCHEMA)
    old = first = _fill(collection, 200)
    write(collection, DeletePoints(selector=ByIds(tuple(range(0, first, 2)))))
    wanted = 10 * first // 8
    deadline = time.monotonic() + 60
    while first < wanted:
        before, first = first, _fill(collection, 200, first)
        assert first > before or time.monotonic() < deadline, f"{first} of {wanted} points were written"
        time.sleep(0.05)
    with collection.snapshot() as snapshot:
        assert [record.id for record in snapshot.scan()] == [*range(1, old, 2), *range(old, first)]
        assert {CODEC.decode(record.payload)["t"] for record in snapshot.scan()} == {"x" * 200}

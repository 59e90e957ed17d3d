"""Walking LMDB's pages: sound files pass, and what is damaged is named, or else LMDB gives the keys that it had."""

import os
import signal
import threading
import time
from pathlib import Path
from random import Random

import lmdb
import pytest

from storage.errors import CorruptStore, ShuttingDown, StorageFailed
from storage.pages.layout import Damage
from storage.pages.walk import walk_file
from storage.pages.walks import WALKS, PageWalks
from tests.support.lmdb_files import PAGE, content_of, make_file, pages_of


def _walk(file: Path, start: int = 0, size: int | None = None) -> None:
    walk_file(str(file), lambda seen, pages: None, start, size)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_file(tmp_path_factory.mktemp("pages") / "lmdb", seed=5, commits=60)


@pytest.mark.parametrize("seed", range(6))
def test_sound_files_pass(seed: int, tmp_path: Path) -> None:
    for commits in (0, 1, 2, 25):
        _walk(make_file(tmp_path / str(commits), seed, commits))


def test_a_file_within_another_is_walked(sound: Path, tmp_path: Path) -> None:
    data = sound.read_bytes()
    (tmp_path / "tar").write_bytes(b"x" * 512 + data + b"y" * 700)
    _walk(tmp_path / "tar", 512, len(data))
    damaged = bytearray(b"x" * 512 + data)
    page = pages_of(data)["leaf"][0]
    damaged[512 + page * PAGE + 10] ^= 0x10
    (tmp_path / "tar").write_bytes(damaged)
    with pytest.raises(Damage) as caught:
        _walk(tmp_path / "tar", 512, len(data))
    assert caught.value.offset == 512 + page * PAGE + 10


@pytest.mark.parametrize("kind", ["meta", "branch", "leaf", "overflow", "free"])
def test_damaged_structures_are_named(kind: str, sound: Path, tmp_path: Path) -> None:
    """A flip in the head of a page or in its first node is found within that page, or where it was named from."""
    data, random, file = sound.read_bytes(), Random(kind), tmp_path / "data.mdb"
    pages, before = pages_of(data)[kind], content_of(sound)
    assert pages
    found = 0
    for _ in range(150):
        place = random.choice(pages) * PAGE + random.randrange(16 if kind == "overflow" else 160)
        damaged = bytearray(data)
        damaged[place] ^= 1 << random.randrange(8)
        file.write_bytes(damaged)
        damage = _damage_of(file)
        if damage is None:
            assert _keys(file) == {name: [key for key, _ in entries] for name, entries in before.items()}
            continue
        found += 1
        assert 0 <= damage.offset < len(data)
        assert damage.message
    assert found >= 15


def _damage_of(file: Path) -> Damage | None:
    """What walking a file finds, or LMDB when it opens one that passed."""
    try:
        _walk(file)
        content_of(file)
    except Damage as damage:
        return damage
    except lmdb.InvalidError as error:
        return Damage(0, str(error))
    return None


def _keys(file: Path) -> dict[bytes, list[bytes]]:
    return {name: [key for key, _ in entries] for name, entries in content_of(file).items()}


def test_a_page_that_is_in_use_and_free_is_found(sound: Path, tmp_path: Path) -> None:
    """LMDB would write over it."""
    data = bytearray(sound.read_bytes())
    kinds = pages_of(data)
    used = kinds["leaf"][-1].to_bytes(8, "little")
    [leaf, *_] = kinds["free"]
    lower = int.from_bytes(data[leaf * PAGE + 12 : leaf * PAGE + 14], "little")
    node = leaf * PAGE + int.from_bytes(data[leaf * PAGE + lower - 2 : leaf * PAGE + lower], "little")
    assert not data[node + 4] & 1
    data[node + 16 : node + 24] = (1).to_bytes(8, "little")
    data[node + 24 : node + 32] = used
    (tmp_path / "data.mdb").write_bytes(data)
    with pytest.raises(Damage, match="in use"):
        _walk(tmp_path / "data.mdb")


@pytest.mark.parametrize("length", [1, 100, PAGE, PAGE + 100, 2 * PAGE, 7 * PAGE])
def test_a_file_that_ends_early_is_refused(length: int, sound: Path, tmp_path: Path) -> None:
    data = sound.read_bytes()
    (tmp_path / "data.mdb").write_bytes(data[:length])
    with pytest.raises(Damage):
        _walk(tmp_path / "data.mdb")


def test_noise_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(Random(0).randbytes(50_000))
    with pytest.raises(Damage):
        _walk(tmp_path / "data.mdb")


@pytest.mark.slow
def test_random_damage_is_named_or_does_no_harm(sound: Path, tmp_path: Path) -> None:
    """Several bits, bytes and whole pages. What passes is read by LMDB in this process, which it must not end."""
    data, random, file = sound.read_bytes(), Random(1), tmp_path / "data.mdb"
    before = content_of(sound)
    keys = {name: [key for key, _ in entries] for name, entries in before.items()}
    for _ in range(600):
        damaged = bytearray(data)
        place = random.randrange(len(data))
        match random.randrange(3):
            case 0:
                damaged[place] ^= 1 << random.randrange(8)
            case 1:
                damaged[place // PAGE * PAGE + random.randrange(40)] = random.randrange(256)
            case _:
                other = random.randrange(len(data)) // PAGE * PAGE
                start = place // PAGE * PAGE
                damaged[start : start + PAGE] = data[other : other + PAGE]
        file.write_bytes(damaged)
        if _damage_of(file) is not None:
            continue
        found = _keys(file)
        if found != keys:  # a key that is still in order; tables of ours find that by their checksums
            assert {name: len(each) for name, each in found.items()} == {name: len(each) for name, each in keys.items()}


# -- the processes that walk


def test_one_process_walks_many_files(sound: Path) -> None:
    walks = PageWalks()
    for _ in range(20):
        walks.walk(sound)
    assert len(walks._idle) == 1
    walks.abandon(sound.parent)
    assert walks._idle == []


def test_a_process_that_was_ended_meanwhile_is_replaced(sound: Path) -> None:
    walks = PageWalks()
    walks.walk(sound)
    [child] = walks._idle
    child.process.kill()
    child.process.wait()
    walks.walk(sound)
    walks.abandon(sound.parent)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGBUS, CorruptStore), (signal.SIGKILL, StorageFailed)])
def test_what_ends_the_process_is_an_error(number: int, error: type[Exception], tmp_path: Path) -> None:
    """A pipe stands for a file that takes long to read."""
    walks, file = PageWalks(), tmp_path / "data.mdb"
    os.mkfifo(file)
    killer = threading.Thread(target=lambda: _when_busy(walks, lambda child: child.process.send_signal(number)))
    killer.start()
    with pytest.raises(error, match=r"data\.mdb"):
        walks.walk(file)
    killer.join()


def test_a_walk_can_be_abandoned(tmp_path: Path) -> None:
    walks, file = PageWalks(), tmp_path / "data.mdb"
    os.mkfifo(file)
    stopper = threading.Thread(target=lambda: _when_busy(walks, lambda child: walks.abandon(tmp_path)))
    stopper.start()
    with pytest.raises(ShuttingDown):
        walks.walk(file)
    stopper.join()


def _when_busy(walks: PageWalks, act) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 60
    while not walks._busy and time.monotonic() < deadline:
        time.sleep(0.01)
    [child] = walks._busy
    act(child)


def test_damage_names_the_file(sound: Path, tmp_path: Path) -> None:
    data = bytearray(sound.read_bytes())
    data[PAGE * pages_of(data)["leaf"][1] + 12] ^= 1
    (tmp_path / "data.mdb").write_bytes(data)
    with pytest.raises(CorruptStore) as caught:
        WALKS.walk(tmp_path / "data.mdb")
    assert caught.value.metadata["file"] == str(tmp_path / "data.mdb")
    assert int(caught.value.metadata["offset"]) // PAGE == pages_of(sound.read_bytes())["leaf"][1]

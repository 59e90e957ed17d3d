"""LMDB files for tests of walking their pages: sound ones of any shape, and where in them each structure lies."""

import struct
from pathlib import Path
from random import Random

import lmdb

PAGE = 4096

Content = dict[bytes, list[tuple[bytes, bytes]]]


def make_file(folder: Path, seed: int, commits: int = 30) -> Path:
    """A file of two tables after many puts, overwrites and deletes of keys and values of all sizes."""
    random = Random(seed)
    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=2**30, max_dbs=4, sync=False, meminit=False) as env:
        tables = [env.open_db(name) for name in (b"one", b"two")]
        live: list[set[bytes]] = [set(), set()]
        for _ in range(commits):
            with env.begin(write=True) as txn:
                for _ in range(random.randrange(1, 150)):
                    which = random.randrange(2)
                    if live[which] and random.random() < 0.4:
                        key = random.choice(sorted(live[which]))
                        live[which].discard(key)
                        txn.delete(key, db=tables[which])
                    else:
                        key = random.randbytes(random.choice([1, 3, 8, 8, 100, 511]))
                        live[which].add(key)
                        size = random.choice([0, 10, 100, 100, 100, 3000, 20_000])
                        txn.put(key, random.randbytes(size), db=tables[which])
    return folder / "data.mdb"


def content_of(file: Path) -> Content:
    """All entries of all tables."""
    with lmdb.open(str(file), subdir=False, readonly=True, lock=False, max_dbs=4) as env, env.begin() as txn:
        names = [bytes(name) for name in txn.cursor().iternext(values=False)]
        return {
            name: [(bytes(key), bytes(value)) for key, value in txn.cursor(env.open_db(name, txn=txn, create=False))]
            for name in names
        }


def pages_of(data: bytes | bytearray) -> dict[str, list[int]]:
    """The pages in use, by kind: meta, branch, leaf (of tables), overflow (the first of runs), free (of the list)."""
    newest = max((0, 1), key=lambda number: struct.unpack_from("<Q", data, number * PAGE + 144)[0])
    found: dict[str, list[int]] = {"meta": [0, 1], "branch": [], "leaf": [], "overflow": [], "free": []}
    free, main = (struct.unpack_from("<Q", data, newest * PAGE + at)[0] for at in (80, 128))
    _collect(data, free, found, "free")
    for leaf in _collect(data, main, found, "leaf"):
        for node in _nodes(data, leaf):
            _, _, key_size = struct.unpack_from("<IHH", data, node)
            root = struct.unpack_from("<Q", data, node + 8 + key_size + 40)[0]
            _collect(data, root, found, "leaf")
    return found


def _nodes(data: bytes | bytearray, page: int) -> list[int]:
    lower = struct.unpack_from("<H", data, page * PAGE + 12)[0]
    return [page * PAGE + at for (at,) in struct.iter_unpack("<H", data[page * PAGE + 16 : page * PAGE + lower])]


def _collect(data: bytes | bytearray, page: int, found: dict[str, list[int]], kind: str) -> list[int]:
    """Adds the pages of a tree; returns its leaves."""
    if page == 2**64 - 1:
        return []
    if struct.unpack_from("<H", data, page * PAGE + 10)[0] == 1:
        found["branch"].append(page)
        children = [int.from_bytes(data[node : node + 6], "little") for node in _nodes(data, page)]
        return [leaf for child in children for leaf in _collect(data, child, found, kind)]
    found[kind].append(page)
    for node in _nodes(data, page):
        _, flags, key_size = struct.unpack_from("<IHH", data, node)
        if flags & 1:
            found["overflow"].append(struct.unpack_from("<Q", data, node + 8 + key_size)[0])
    return [page]

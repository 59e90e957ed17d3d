"""The files of a collection as of one commit, as streams of bytes. Copies them to a folder; archive.py to one file.

Writes and background work go on meanwhile: rows are read from the mappings that the snapshot holds, and other files are
opened before anything is copied. When one of them was replaced before that, a newer commit is copied instead. An index
that is missing all the same is left out, and the copy's manifest does not name it: it is derived, so it is built again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.errors import CorruptStore
from storage.files import sync_file, sync_folder
from storage.ivf import read_partition
from storage.mvcc import Snapshot
from storage.schema import BlockEntry
from storage.segments import BlockView
from storage.tables import forget_indexes, write_failure

CHUNK_BYTES = 2**20
TABLES = "lmdb/data.mdb"

Chunk = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Part:
    """A file of `size` bytes and its path below the collection's folder. `chunks` reads it from the start, once."""

    name: str
    size: int
    chunks: Callable[[], Iterator[Chunk]]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of all spaces as of the commit of `snapshot`, and the indexes that are missing: (space, block) uids."""

    snapshot: Snapshot
    parts: list[Part]
    missing: list[tuple[int, int]]


@contextmanager
def open_files(begin: Callable[[], Snapshot], budget: Budget) -> Iterator[Files]:
    """The files of the newest commit, by `begin` pinned, opened. They can be read while the context lasts.

    Raises CorruptStore when an original is missing or damaged, or as `budget` says.
    """
    tried = None
    while True:
        budget.check()
        with ExitStack() as stack:
            snapshot = stack.enter_context(begin())
            try:
                files = _open_files(snapshot, stack)
            except CorruptStore:
                if snapshot.seq == tried:
                    raise
                files = None
            # A commit that replaces a file is published before the file goes, so then there is a newer one.
            if files is not None and (not files.missing or snapshot.seq == tried):
                yield files
                return
            tried = snapshot.seq


def copy_tables(files: Files, folder: Path) -> Part:
    """Writes ids, payloads and row tables without gaps to `folder`/lmdb, durably. Raises StorageFull, StorageFailed."""
    path = folder / TABLES
    path.parent.mkdir(parents=True)
    try:
        files.snapshot.copy_tables(path.parent)
        if files.missing:
            forget_indexes(path.parent, files.missing)
    except lmdb.Error as error:
        raise write_failure(error, path.parent) from error
    sync_file(path)
    return Part(TABLES, path.stat().st_size, lambda: _read_file(path))


def copy_collection(begin: Callable[[], Snapshot], folder: Path, budget: Budget) -> None:
    """Writes all files of the newest commit, by `begin` pinned, into the new folder `folder`, durably.

    Raises OSError, StorageFull, CorruptStore, or as `budget` says.
    """
    with open_files(begin, budget) as files:
        copy_tables(files, folder)
        for part in files.parts:
            write_part(part, folder, budget)
    sync_tree(folder)


def write_part(part: Part, folder: Path, budget: Budget) -> None:
    """Writes a part to its place below `folder` and makes its content durable."""
    path = folder / part.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        for chunk in part.chunks():
            budget.check()
            file.write(chunk)
    sync_file(path)


def sync_tree(folder: Path) -> None:
    """Makes the names in `folder` and in all folders below it durable."""
    for each in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(each)


def _open_files(snapshot: Snapshot, stack: ExitStack) -> Files:
    """Raises CorruptStore when a partition is missing or damaged."""
    files = Files(snapshot, [], [])
    for space in snapshot.spaces.values():
        uid = space.schema.uid
        for entry, block in zip(space.manifest.blocks, space.blocks, strict=True):
            files.parts.extend(_block_parts(f"spaces/{uid}", entry, block))
            if entry.index is not None:
                path = block.block.path.with_name(entry.index.name)
                try:
                    files.parts.append(_open_part(f"spaces/{uid}/{path.name}", path, stack))
                except FileNotFoundError:
                    files.missing.append((uid, entry.uid))
        partition = space.manifest.partition
        if partition is not None:
            path = space.blocks[0].block.path.with_name(partition.name)
            read_partition(path, partition.checksum)  # it is an original: damage must not go into a copy unnoticed
            try:
                files.parts.append(_open_part(f"spaces/{uid}/{path.name}", path, stack))
            except FileNotFoundError:
                raise CorruptStore(path, 0, "the partition is missing") from None
    return files


def _block_parts(folder: str, entry: BlockEntry, block: BlockView) -> Iterator[Part]:
    yield _memory_part(f"{folder}/{entry.uid}.vectors", block.vectors)
    if block.rows is not None:
        yield _memory_part(f"{folder}/{entry.uid}.rows", block.rows.astype("<i8"))


def _open_part(name: str, path: Path, stack: ExitStack) -> Part:
    """A file that stays readable when it is removed. Raises FileNotFoundError."""
    file = stack.enter_context(path.open("rb"))
    size = os.fstat(file.fileno()).st_size
    return Part(name, size, lambda: _read(file, path, size))


def _memory_part(name: str, values: NDArray[Any]) -> Part:
    data = values.reshape(-1).view(np.uint8).data
    starts = range(0, len(data), CHUNK_BYTES)
    return Part(name, len(data), lambda: (data[start : start + CHUNK_BYTES] for start in starts))


def _read_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _read(file, path, path.stat().st_size)


def _read(file: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    left = size
    while left:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise CorruptStore(path, size - left, "the file became shorter while it was copied")
        left -= len(chunk)
        yield chunk

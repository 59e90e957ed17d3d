"""The files of a collection as of one commit, as streams of bytes. This module copies them to a folder; archive.py to
one file.

Writes and background work go on meanwhile. Rows are read from the mappings of the snapshot. Other files are opened
before anything is copied. If one of them is already replaced by then, a newer commit is copied instead. If an index is
still missing, the copy is made without it and its manifest does not name it. That is safe: an index is derived data and
is built again.
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
class FileStream:
    """A file of `size` bytes, by its path below the collection's folder. `chunks` reads it once, from the start."""

    name: str
    size: int
    chunks: Callable[[], Iterator[Chunk]]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of all spaces as of the commit of `snapshot`. `missing`: indexes without a file, as uids of space and
    block."""

    snapshot: Snapshot
    streams: list[FileStream]
    missing: list[tuple[int, int]]


@contextmanager
def open_files(begin: Callable[[], Snapshot], budget: Budget) -> Iterator[Files]:
    """Opens the files of the newest commit, which `begin` pins. They can be read until the context ends.

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
            # The old file goes only after the commit that replaces it is published. So try that newer commit.
            if files is not None and (not files.missing or snapshot.seq == tried):
                yield files
                return
            tried = snapshot.seq


def copy_tables(files: Files, folder: Path) -> FileStream:
    """Writes ids, payloads and row tables to `folder`/lmdb, compacted and durable. Raises StorageFull,
    StorageFailed."""
    path = folder / TABLES
    path.parent.mkdir(parents=True)
    try:
        files.snapshot.copy_tables(path.parent)
        if files.missing:
            forget_indexes(path.parent, files.missing)
    except lmdb.Error as error:
        raise write_failure(error, path.parent) from error
    sync_file(path)
    return FileStream(TABLES, path.stat().st_size, lambda: _read_file(path))


def copy_collection(begin: Callable[[], Snapshot], folder: Path, budget: Budget) -> None:
    """Writes all files of the newest commit, which `begin` pins, into the new folder `folder`, durably.

    Raises OSError, StorageFull, CorruptStore, or as `budget` says.
    """
    with open_files(begin, budget) as files:
        copy_tables(files, folder)
        for stream in files.streams:
            write_stream(stream, folder, budget)
    sync_tree(folder)


def write_stream(stream: FileStream, folder: Path, budget: Budget) -> None:
    """Writes a stream to its place below `folder` and makes its content durable."""
    path = folder / stream.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        for chunk in stream.chunks():
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
            files.streams.extend(_block_streams(f"spaces/{uid}", entry, block))
            if entry.index is not None:
                path = block.block.path.with_name(entry.index.name)
                try:
                    files.streams.append(_open_stream(f"spaces/{uid}/{path.name}", path, stack))
                except FileNotFoundError:
                    files.missing.append((uid, entry.uid))
        partition = space.manifest.partition
        if partition is not None:
            path = space.blocks[0].block.path.with_name(partition.name)
            read_partition(path, partition.checksum)  # a partition is an original: do not copy a damaged one unnoticed
            try:
                files.streams.append(_open_stream(f"spaces/{uid}/{path.name}", path, stack))
            except FileNotFoundError:
                raise CorruptStore(path, 0, "the partition is missing") from None
    return files


def _block_streams(folder: str, entry: BlockEntry, block: BlockView) -> Iterator[FileStream]:
    yield _memory_stream(f"{folder}/{entry.uid}.vectors", block.vectors)
    if block.rows is not None:
        yield _memory_stream(f"{folder}/{entry.uid}.rows", block.rows.astype("<i8"))


def _open_stream(name: str, path: Path, stack: ExitStack) -> FileStream:
    """Opens a file so that it stays readable after it is removed. Raises FileNotFoundError."""
    file = stack.enter_context(path.open("rb"))
    size = os.fstat(file.fileno()).st_size
    return FileStream(name, size, lambda: _read(file, path, size))


def _memory_stream(name: str, values: NDArray[Any]) -> FileStream:
    data = values.reshape(-1).view(np.uint8).data
    starts = range(0, len(data), CHUNK_BYTES)
    return FileStream(name, len(data), lambda: (data[start : start + CHUNK_BYTES] for start in starts))


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

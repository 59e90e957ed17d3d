"""The files of a collection as of one commit, as streams of bytes. Copies them to a folder; archive.py to one file.

Writes and background work go on meanwhile: rows are read from the mappings that the snapshot holds, and a graph is
opened before anything is copied. One that was replaced before that is left out: it is derived, so it is built again.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.block import BlockView
from storage.budget import Budget
from storage.environment import write_failure
from storage.errors import CorruptStore
from storage.files import sync_file, sync_folder
from storage.ivf.partition import read_partition
from storage.snapshot import Snapshot
from storage.space import BlockEntry, SpaceView

CHUNK_BYTES = 2**20
TABLES = "lmdb/data.mdb"

Chunk = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Part:
    """A file of `size` bytes and its path below the collection's folder. `chunks` reads it from the start, once."""

    name: str
    size: int
    chunks: Callable[[], Iterator[Chunk]]


def copy_tables(snapshot: Snapshot, folder: Path) -> Part:
    """Writes ids, payloads and row tables without gaps to `folder`/lmdb, durably. Raises StorageFull, StorageFailed."""
    path = folder / TABLES
    path.parent.mkdir(parents=True)
    try:
        snapshot.copy_tables(path.parent)
    except lmdb.Error as error:
        raise write_failure(error, path.parent) from error
    sync_file(path)
    return Part(TABLES, path.stat().st_size, lambda: _read_file(path))


def copy_collection(snapshot: Snapshot, folder: Path, budget: Budget) -> None:
    """Writes all files into the new folder `folder`, durably. Raises OSError, StorageFull, or as `budget` says."""
    copy_tables(snapshot, folder)
    with space_parts(snapshot) as parts:
        for part in parts:
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


@contextmanager
def space_parts(snapshot: Snapshot) -> Iterator[list[Part]]:
    """The files of all spaces. The parts can be read while the context lasts."""
    with ExitStack() as stack:
        parts: list[Part] = []
        for space in snapshot.spaces.values():
            for entry, block in zip(space.manifest.blocks, space.blocks, strict=True):
                parts += _block_parts(f"spaces/{space.schema.uid}", entry, block, stack)
            parts += _partition_parts(f"spaces/{space.schema.uid}", space, stack)
        yield parts


def _block_parts(folder: str, entry: BlockEntry, block: BlockView, stack: ExitStack) -> Iterator[Part]:
    yield _memory_part(f"{folder}/{entry.uid}.vectors", block.vectors)
    if block.rows is not None:
        yield _memory_part(f"{folder}/{entry.uid}.rows", block.rows.astype("<i8"))
    if entry.index is not None:
        path = block.block.path.with_name(entry.index.name)
        try:
            file = stack.enter_context(path.open("rb"))
        except FileNotFoundError:
            return
        size = path.stat().st_size
        yield Part(f"{folder}/{entry.index.name}", size, lambda: _read(file, path, size))


def _partition_parts(folder: str, space: SpaceView, stack: ExitStack) -> Iterator[Part]:
    partition = space.manifest.partition
    if partition is None:
        return
    path = space.blocks[0].block.path.with_name(partition.name)
    read_partition(path, partition.checksum)  # it is an original: damage must not go into a copy unnoticed
    file = stack.enter_context(path.open("rb"))
    size = path.stat().st_size
    yield Part(f"{folder}/{partition.name}", size, lambda: _read(file, path, size))


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

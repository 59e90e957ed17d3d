"""Prewarming: reads the files of a collection, so that the operating system has them in memory for later searches."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from storage.budget import UNLIMITED, Budget
from storage.mvcc import Snapshot
from storage.search.sparse import prepare_sparse

_BYTES_AT_ONCE = 4 * 2**20  # bytes read between two checks of the budget
_PAGE = 4096


def prewarm(snapshot: Snapshot, space: str | None = None, budget: Budget = UNLIMITED) -> int:
    """Reads the vectors and indexes of a space; None: of all spaces, and ids and payloads. Returns the bytes read.

    With None, the indexes of sparse spaces are made too; they are only in memory. Vectors are touched through their
    mapping, so that the first search meets no page fault.
    """
    done = 0
    for view in [view for name, view in snapshot.spaces.items() if space in (None, name)]:
        for block in view.blocks:
            done += _touch(block.vectors.reshape(-1).view(np.uint8), budget)
    for name in snapshot.schema.sparse:
        if space in (None, name):
            prepare_sparse(snapshot, name, budget)
    return done + sum(_read(path, budget) for path in _other_files(snapshot, space))


def _other_files(snapshot: Snapshot, space: str | None) -> Iterator[Path]:
    for name, view in snapshot.spaces.items():
        if space in (None, name):
            for entry, block in zip(view.manifest.blocks, view.blocks, strict=True):
                if entry.index is not None:
                    yield block.block.path.parent / entry.index.name
    if space is None:
        yield snapshot.file


def _touch(data: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], budget: Budget) -> int:
    for start in range(0, len(data), _BYTES_AT_ONCE):
        budget.check()
        np.bitwise_or.reduce(data[start : start + _BYTES_AT_ONCE : _PAGE])
    return len(data)


def _read(path: Path, budget: Budget) -> int:
    done, buffer = 0, bytearray(_BYTES_AT_ONCE)
    with suppress(FileNotFoundError), path.open("rb", buffering=0) as file:  # a newer commit may have replaced it
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        while count := file.readinto(buffer):
            budget.check()
            done += count
    return done

"""Data directories of the storage tests: in a temporary folder, closed and verified by `storage.check` at the end."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage.mvcc.row_columns
from tests.support.directories import Directories

MEMORY = Path("/dev/shm")


@pytest.fixture(autouse=True)
def no_space_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So every opening after a clean stop reads the files that only large spaces have."""
    monkeypatch.setattr(storage.mvcc.row_columns, "MIN_ROWS", 1)


@pytest.fixture
def directories(tmp_path: Path) -> Iterator[Directories]:
    yield from _checked(tmp_path)


@pytest.fixture
def directories_in_memory(tmp_path: Path) -> Iterator[Directories]:
    """The same where nothing waits for a disk, for tests with thousands of commits."""
    if not os.access(MEMORY, os.W_OK):
        yield from _checked(tmp_path)
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield from _checked(Path(folder))


def _checked(root: Path) -> Iterator[Directories]:
    directories = Directories(root)
    try:
        yield directories
    except BaseException:
        directories.close()
        raise
    directories.close()
    directories.check()

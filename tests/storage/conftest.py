"""Data directories of the storage tests: in a temporary folder, closed and verified by `storage.check` at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.directories import Directories


@pytest.fixture
def directories(tmp_path: Path) -> Iterator[Directories]:
    directories = Directories(tmp_path)
    try:
        yield directories
    except BaseException:
        directories.close()
        raise
    directories.close()
    directories.check()

"""When a collection was last opened or closed, as the time of its folder: a hint which to open after a restart."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 512 * 2**20
"""Ids and payloads of a collection that is opened before anybody asks for it: checking more takes long after a kill."""


def note_use(folder: Path) -> None:
    """The collection is in use now."""
    with suppress(OSError):
        os.utime(folder)


def last_used(folders: Iterable[Path], most: int) -> list[Path]:
    """The folders of the `most` collections that were used last, newest first, without large ones."""
    found: list[tuple[float, Path]] = []
    for folder in folders:
        with suppress(OSError):
            if (folder / "lmdb" / "data.mdb").stat().st_blocks * 512 <= MAX_BYTES:
                found.append((folder.stat().st_mtime, folder))
    return [folder for _, folder in sorted(found, reverse=True)[:most]]

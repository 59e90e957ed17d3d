"""When a collection was last opened or closed, as the time of its folder. It decides what is opened after a restart."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 512 * 2**20
"""Most bytes of ids and payloads of a collection that is opened before it is asked for. After a kill, opening a larger
one takes long, since its pages are checked."""


def note_use(folder: Path) -> None:
    """Marks the collection as used now."""
    with suppress(OSError):
        os.utime(folder)


def last_used(folders: Iterable[Path], most: int) -> list[Path]:
    """The folders of the `most` collections that were used last, newest first. Large ones are left out."""
    found: list[tuple[float, Path]] = []
    for folder in folders:
        with suppress(OSError):
            if (folder / "lmdb" / "data.mdb").stat().st_blocks * 512 <= MAX_BYTES:
                found.append((folder.stat().st_mtime, folder))
    return [folder for _, folder in sorted(found, reverse=True)[:most]]

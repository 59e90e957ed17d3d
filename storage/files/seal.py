"""The seal of an LMDB file: checksums written when its environment is closed, and compared when it is opened.

LMDB trusts its pages. A damaged page may hide points, show wrong ones, or kill the process. So a file that differs from
its seal is not served.
A seal exists only while the environment is closed. It is removed, durably, after the comparison and before the first
write. LMDB writes the pages of a commit before the commit counts, so a stale seal would call an unfinished commit
damage. A process that was killed therefore leaves no seal.
"""

import json
import logging
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import lmdb

from storage.errors import CorruptStore
from storage.files.durable import sync_file, sync_folder

log = logging.getLogger(__name__)

SEALED_BYTES = 2**30
"""Size up to which files are sealed. Reading a larger one would delay closing and opening it by seconds."""

_BYTES_PER_CHECKSUM = 2**16
_BYTES_PER_PART = 2**24
_MOST_THREADS = 4
_NAME = "data.seal"
_REMOVED_ON_OPEN = 2  # persisted: do not renumber. Seals of version 1 stayed during commits

# The start of an LMDB meta page: 16 bytes of page header, a magic number, 20 bytes, the size of a page, 100 bytes, the
# number of the commit. There are two meta pages; the higher number is the newest commit.
_META = struct.Struct("<16xI20xI100xQ")
_META_MAGIC = 0xBEEFC0DE


@dataclass(frozen=True, slots=True)
class _Seal:
    """LMDB's number of the newest commit, the file's size, and the CRC-32 of each chunk. Persisted as JSON."""

    transaction: int
    size: int
    checksums: list[int]
    version: int = 1


def write_seal(env: lmdb.Environment, folder: Path) -> None:
    """Seals the environment in `folder`. Without room there is no seal. Requires: nobody uses the environment any more.

    The seal is not synced. One that is lost or torn in a power cut does not count.
    """
    file, path = folder / "data.mdb", folder / _NAME
    try:
        size = file.stat().st_size
        if size > SEALED_BYTES:
            return
        sync_file(file)  # the checksums also cover pages that a failed commit left
        seal = _Seal(env.info()["last_txnid"], size, _checksums(file, size), _REMOVED_ON_OPEN)
        content = json.dumps(asdict(seal))
        path.write_text(f"{zlib.crc32(content.encode())} {content}")
    except OSError as error:
        log.warning("%s gets no seal: %s", file, error)
        with suppress(OSError):
            path.unlink(missing_ok=True)


def check_seal(folder: Path) -> bool:
    """Whether the environment in `folder` was sealed and has not changed since. Requires: nobody has it open.

    False when no seal counts: the file was not closed cleanly, is too large or does not exist, or another program wrote
    it after it was sealed. Raises CorruptStore when it differs from its seal, or OSError. Changes nothing.
    """
    file = folder / "data.mdb"
    seal = _read(folder / _NAME)
    if seal is None:
        return False
    newest = _newest_commit(file)
    if newest is not None and newest > seal.transaction:
        return False
    difference = _difference(seal, newest, file)
    if difference is not None and seal.version >= _REMOVED_ON_OPEN:
        raise difference
    return difference is None


def remove_seal(folder: Path) -> None:
    """Removes the seal of an environment, durably, before anything is written to it. Raises OSError."""
    try:
        (folder / _NAME).unlink()
    except FileNotFoundError:
        return
    sync_folder(folder)


def _difference(seal: _Seal, newest: int | None, file: Path) -> CorruptStore | None:
    """How a file differs from its seal. `newest`: the file's newest commit, None when it names none."""
    if newest is not None and newest < seal.transaction:
        return CorruptStore(file, 0, f"it was closed at commit {seal.transaction} and is now at {newest}")
    found = _checksums(file, seal.size) if file.exists() else []
    for number, checksum in enumerate(seal.checksums):
        if number >= len(found) or found[number] != checksum:
            return CorruptStore(file, number * _BYTES_PER_CHECKSUM, "the bytes here changed since the file was closed")
    return None


def _newest_commit(file: Path) -> int | None:
    """LMDB's number of the newest commit of a file that nobody has open; None when it cannot be read."""
    commits = []
    with suppress(OSError, struct.error), file.open("rb") as opened:
        magic, page_size, commit = _META.unpack(opened.read(_META.size))
        opened.seek(page_size)
        other_magic, _, other_commit = _META.unpack(opened.read(_META.size))
        commits = [commit, other_commit] if magic == other_magic == _META_MAGIC else []
    return max(commits, default=None)


def _read(path: Path) -> _Seal | None:
    """The seal; None when there is no readable one."""
    try:
        own, content = path.read_bytes().split(b" ", 1)
        return _Seal(**json.loads(content)) if zlib.crc32(content) == int(own) else None
    except (OSError, ValueError, TypeError):
        return None


def _checksums(file: Path, size: int) -> list[int]:
    """CRC-32 of each chunk of the first `size` bytes of a file, by as many threads as there are processors."""
    starts = range(0, size, _BYTES_PER_PART)
    with file.open("rb") as opened:
        part = partial(_checksums_of_part, opened.fileno(), size)
        if len(starts) <= 1:
            return [checksum for start in starts for checksum in part(start)]
        with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
            return [checksum for checksums in threads.map(part, starts) for checksum in checksums]


def _checksums_of_part(handle: int, size: int, start: int) -> list[int]:
    """CRC-32 of each chunk of a part of the first `size` bytes, which begins at `start`."""
    end = min(size, start + _BYTES_PER_PART)
    return [
        zlib.crc32(os.pread(handle, min(_BYTES_PER_CHECKSUM, end - at), at))
        for at in range(start, end, _BYTES_PER_CHECKSUM)
    ]

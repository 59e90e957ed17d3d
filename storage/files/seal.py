"""The seal of an LMDB file at rest: checksums written when its environment is closed, compared when it is opened.

LMDB trusts its pages: a damaged one may hide points, show the wrong ones, or end the process. So nothing of a file is
served that is not as it was left. A seal exists only while nobody has the environment open: it is removed, durably,
after it was compared and before the first write. Otherwise it would call a commit that was cut short damage, since LMDB
writes the pages of a commit before it counts it. A process that was killed therefore leaves no seal.
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
"""Size up to which files are sealed: reading a larger one would hold up closing and opening it for seconds."""

_BYTES_PER_CHECKSUM = 2**16
_BYTES_PER_PART = 2**24
_MOST_THREADS = 4
_NAME = "data.seal"
_REMOVED_ON_OPEN = 2  # persisted: do not renumber. Seals of version 1 stayed while commits were made

# The first page of LMDB's two that say which commit is the newest: 16 bytes of page header, a magic number, 20 bytes,
# the size of a page, 100 bytes, the number of the commit.
_META = struct.Struct("<16xI20xI100xQ")
_META_MAGIC = 0xBEEFC0DE


@dataclass(frozen=True, slots=True)
class _Seal:
    """LMDB's number of the newest commit, the file's size, and CRC-32 of each chunk. Persisted as JSON."""

    transaction: int
    size: int
    checksums: list[int]
    version: int = 1


def write_seal(env: lmdb.Environment, folder: Path) -> None:
    """Seals the environment in `folder`. Requires: nobody uses it any more. Without room there is no seal.

    The seal itself is not synced: one that a power loss takes or tears does not count.
    """
    file, path = folder / "data.mdb", folder / _NAME
    try:
        size = file.stat().st_size
        if size > SEALED_BYTES:
            return
        sync_file(file)  # pages that a failed commit left are compared too
        seal = _Seal(env.info()["last_txnid"], size, _checksums(file, size), _REMOVED_ON_OPEN)
        content = json.dumps(asdict(seal))
        path.write_text(f"{zlib.crc32(content.encode())} {content}")
    except OSError as error:
        log.warning("%s is left without a seal: %s", file, error)
        with suppress(OSError):
            path.unlink(missing_ok=True)


def check_seal(folder: Path) -> bool:
    """Whether the environment in `folder`, which nobody has open, was sealed and is as it was left. Changes nothing.

    False: no seal counts. The file was not closed cleanly, or was too large, or is not there yet; or another program
    has written it since, so that it is newer than its seal. Raises CorruptStore or OSError.
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
    """How a file whose newest commit is `newest` (None: it names none) differs from its seal."""
    if newest is not None and newest < seal.transaction:
        return CorruptStore(file, 0, f"it was left at commit {seal.transaction} and is now at {newest}")
    found = _checksums(file, seal.size) if file.exists() else []
    for number, checksum in enumerate(seal.checksums):
        if number >= len(found) or found[number] != checksum:
            return CorruptStore(file, number * _BYTES_PER_CHECKSUM, "what is here is not what was left here")
    return None


def _newest_commit(file: Path) -> int | None:
    """LMDB's number of the newest commit of a file that nobody has open; None: it cannot be told."""
    commits = []
    with suppress(OSError, struct.error), file.open("rb") as opened:
        magic, page_size, commit = _META.unpack(opened.read(_META.size))
        opened.seek(page_size)
        other_magic, _, other_commit = _META.unpack(opened.read(_META.size))
        commits = [commit, other_commit] if magic == other_magic == _META_MAGIC else []
    return max(commits, default=None)


def _read(path: Path) -> _Seal | None:
    """The seal, None when there is none that can be read."""
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

"""The files of data derived from one collection, by kind and key: read, replaced at once, removed. Not what is in them.

Nothing depends on them: one that is missing, damaged, from another collection or made by other code is as good as
none, and one that cannot be written is logged and left out. The bytes are file.py's.
"""

import errno
import hashlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from storage.derived.file import Derived, Label, read_file, read_label, size_of, write_file
from storage.files import publish

log = logging.getLogger(__name__)

KEPT_FREE = 64 * 2**20
"""Bytes that stay free on the disk: derived data never take the last room, which is for writes."""

RETRY_SECONDS = 60.0
"""How long nothing is written after it failed."""

UNUSED_SECONDS = 14 * 86_400.0
"""How long data of what nobody declared stay on disk after their last use."""

MAX_FILES = 256
"""Files of one collection: a bound on what a collection with very many fields leaves on disk."""

MIN_ENTRIES = 1_000
"""Data of fewer points, and changes of fewer, are not worth a file: they are made anew within some milliseconds."""

CHANGED_SHARE = 1 / 16
"""Share of the points beyond which what changed is not left to the next opening."""

SUFFIX = ".derived"
TEMPORARY = ".tmp"

Decoded = TypeVar("Decoded")


class Changes(Protocol):
    """What is asked of a snapshot here."""

    @property
    def derived(self) -> "DerivedFiles": ...

    def changed_since(self, seq: int) -> NDArray[np.uint32] | None: ...


class DerivedFiles:
    """Safe for many threads. The folder is made with the first file."""

    def __init__(self, folder: Path, collection_uid: str) -> None:
        self._folder = folder
        self._collection = collection_uid
        self._seqs: dict[Path, int] = {}
        self._used: set[Path] = set()
        self._rests_until = 0.0
        self._lock = threading.Lock()
        self.outdated: Callable[[], None] = _nothing
        """Called by whoever made data that no file has, so that somebody sees to the files. Must not wait."""

    def read(self, kind: str, key: str, version: str) -> Derived | None:
        """What is there of this kind, key and version; None when there is nothing that can be used."""
        path = self._path(kind, key)
        try:
            label, data = read_file(path)
            if label != Label(self._collection, kind, key):
                raise ValueError("they belong elsewhere")
        except FileNotFoundError:
            self._forget(path)
            return None
        except (OSError, ValueError) as error:
            log.warning("derived data in %s cannot be used and are made anew: %s", path, error)
            self.remove(kind, key)
            return None
        if data.version != version:
            self.remove(kind, key)
            return None
        with self._lock:
            self._seqs[path] = data.seq
        return data

    def write(self, kind: str, key: str, data: Derived) -> bool:
        """Replaces what is there, at once. False when it could not be done; then the old file stays, or none."""
        if time.monotonic() < self._rests_until:
            return False
        path = self._path(kind, key)
        temporary = path.with_suffix(TEMPORARY)
        try:
            self._make_room(path, size_of(data))
            write_file(temporary, Label(self._collection, kind, key), data)
            publish(temporary, path)
        except OSError as error:
            if self._folder.parent.exists():  # else the collection was deleted meanwhile
                log.warning("derived data of %s %r are not kept: %s", kind, key, error)
            _discard(temporary)
            self._rests_until = time.monotonic() + RETRY_SECONDS
            return False
        with self._lock:
            self._seqs[path] = data.seq
        return True

    def stored_seq(self, kind: str, key: str) -> int | None:
        """The commit that the file says it is of; None when there is none."""
        path = self._path(kind, key)
        with self._lock:
            known = self._seqs.get(path)
        if known is not None:
            return known
        try:
            return read_label(path)[1]
        except (OSError, ValueError):
            return None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever written."""
        return not self._folder.exists()

    def has(self, kind: str, key: str) -> bool:
        """Whether there is a file, good or not."""
        return self._path(kind, key).exists()

    def keys(self, kind: str) -> list[str]:
        """Keys of the files of one kind, the most recently used first. What is in the files may prove of no use."""
        found: list[tuple[float, str]] = []
        for path in self._files(SUFFIX):
            try:
                label, _ = read_label(path)
                if (label.collection, label.kind) == (self._collection, kind):
                    found.append((path.stat().st_mtime, label.key))
            except (OSError, ValueError):
                _discard(path)
        return [key for _, key in sorted(found, reverse=True)]

    def keep_only(self, kind: str, keys: Collection[str]) -> None:
        """Removes what is there of other keys of a kind: of what was dropped, or has other settings by now."""
        for key in self.keys(kind):
            if key not in keys:
                self.remove(kind, key)

    def is_unused(self, kind: str, key: str) -> bool:
        """Whether nobody used it for UNUSED_SECONDS."""
        try:
            return time.time() - self._path(kind, key).stat().st_mtime > UNUSED_SECONDS
        except OSError:
            return False

    def use(self, kind: str, key: str) -> None:
        """Notes that a request needed it, so that it is there after the next restart, too."""
        path = self._path(kind, key)
        if path not in self._used:
            self._used.add(path)
            with suppress(OSError):
                os.utime(path)

    def remove(self, kind: str, key: str) -> None:
        """Removes what is there, if anything."""
        path = self._path(kind, key)
        self._forget(path)
        _discard(path)

    def tidy(self, seq: int) -> None:
        """Removes what a write that was cut short left, and data of commits after `seq`, the newest that there is: of a
        collection that was put back to an older state. Requires: nothing is being written."""
        for path in self._files(TEMPORARY):
            _discard(path)
        for path in self._files(SUFFIX):
            try:
                is_known = read_label(path)[1] <= seq
            except (OSError, ValueError):
                is_known = False
            if not is_known:
                log.warning("derived data in %s cannot be used and are made anew", path)
                _discard(path)

    def _forget(self, path: Path) -> None:
        with self._lock:
            self._seqs.pop(path, None)

    def _files(self, suffix: str) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if path.suffix == suffix]
        except OSError:
            return []

    def _path(self, kind: str, key: str) -> Path:
        digest = hashlib.sha256(f"{kind}\0{key}".encode(errors="surrogatepass")).hexdigest()
        return self._folder / f"{kind}-{digest[:32]}{SUFFIX}"

    def _make_room(self, path: Path, size: int) -> None:
        """Raises OSError when the file should not be written."""
        self._folder.mkdir(exist_ok=True)
        room = os.statvfs(self._folder)
        if room.f_bavail * room.f_frsize - size < KEPT_FREE:
            raise OSError(errno.ENOSPC, f"less than {KEPT_FREE:,} bytes would stay free")
        if not path.exists() and len(self._files(SUFFIX)) >= MAX_FILES:
            raise OSError(errno.EMFILE, f"there are {MAX_FILES} files already")


def is_worth_keeping(reader: "Changes", kind: str, key: str, seq: int, entries: int) -> bool:
    """Whether data of commit `seq` should replace what is in the file: it is there and far behind, or is not there.

    Few entries are made anew as fast as they are read.
    """
    stored = reader.derived.stored_seq(kind, key)
    if stored is None:
        return entries >= MIN_ENTRIES
    if stored >= seq:
        return False
    changed = reader.changed_since(stored)
    return changed is None or len(changed) > max(MIN_ENTRIES, entries * CHANGED_SHARE)


def read_decoded(
    files: DerivedFiles | None, kind: str, key: str, version: str, decoded: Callable[[Derived], Decoded]
) -> Decoded | None:
    """What `decoded` makes of the file, perhaps of another commit; None when there is no file that can be used.

    `decoded` raises ValueError, LookupError or TypeError for what it cannot use.
    """
    stored = None if files is None else files.read(kind, key, version)
    try:
        return None if stored is None else decoded(stored)
    except (ValueError, LookupError, TypeError) as error:
        log.warning("derived data of %s %r cannot be used and are made anew: %r", kind, key, error)
        return None


def fingerprint(folder: Path, patterns: Iterable[str], *also: str) -> str:
    """A version that changes with the code that derives: the files of `folder` that match, and what else is given."""
    digest = hashlib.sha256()
    found = {pattern: list(folder.glob(pattern)) for pattern in patterns}
    if not all(found.values()):
        raise ValueError(f"patterns that match no file of {folder.name}: {[each for each in found if not found[each]]}")
    for path in sorted(set().union(*found.values())):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for each in also:
        digest.update(each.encode() + b"\0")
    return digest.hexdigest()[:32]


def _discard(path: Path) -> None:
    """Removes whatever is there, if that can be done."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be removed: %s", path, error)


def _nothing() -> None:
    pass

"""The file of a snapshot: a plain tar of all files of a collection as of one commit, so that people can look inside.

The first member, manifest.json, says what is in it, the last, checksums.json, has the CRC-32 and size of every other.
Reading is strict: a file is taken only if it is, to the byte, what `write` makes of its members.
"""

import json
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from storage.backup.streams import CHUNK_BYTES, TABLES, Part, sync_tree
from storage.budget import Budget
from storage.errors import CorruptStore, UnknownFormat
from storage.files import failpoint, sync_file
from storage.pages import WALKS

FORMAT_VERSION = 1  # persisted: do not renumber

_MANIFEST = "manifest.json"
_CHECKSUMS = "checksums.json"
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_LARGEST_MANIFEST = 64 * 2**20
_MANIFEST_FACTOR = 24
"""Bytes of memory that a byte of JSON takes when it is read, at most: `{}` is an object of 64, and its place."""

_EXPECTED_NAME = re.compile(r"lmdb/data\.mdb|spaces/[0-9]+/[0-9]+(\.vectors|\.rows|(\.[0-9]+)?\.index|\.partition)")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What manifest.json says: the collection, its schema as JSON, the commit, when it was taken (unix seconds), and
    the members between it and checksums.json with their sizes."""

    collection: str
    schema: dict[str, Any]
    seq: int
    points: int
    created: float
    members: tuple[tuple[str, int], ...] = ()

    def to_bytes(self) -> bytes:
        members = [{"name": name, "size": size} for name, size in self.members]
        return _json({"format": FORMAT_VERSION, **asdict(self), "members": members})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "About":
        """Raises KeyError, TypeError or ValueError unless `data` is a manifest of this format."""
        members = tuple((member["name"], _whole(member["size"])) for member in data["members"])
        names = [name for name, _ in members]
        if len(set(names)) < len(names) or not all(_EXPECTED_NAME.fullmatch(name) for name in names):
            raise ValueError("it lists members that no collection has")
        if TABLES not in names:
            raise ValueError("it lacks members that every collection has")
        return cls(
            collection=str(data["collection"]),
            schema=dict(data["schema"]),
            seq=_whole(data["seq"]),
            points=_whole(data["points"]),
            created=_moment(data["created"]),
            members=members,
        )


def write(file: BinaryIO, about: About, parts: Sequence[Part], budget: Budget) -> None:
    """Writes an archive of `parts`; `about` needs no members. Raises OSError, or as `budget` says."""
    manifest = replace(about, members=tuple((part.name, part.size) for part in parts)).to_bytes()
    sums = {}
    for part in (Part(_MANIFEST, len(manifest), lambda: iter((manifest,))), *parts):
        failpoint("snapshot_write")
        sums[part.name] = (_write_member(file, part, about.created, budget), part.size)
    checksums = _checksums(sums)
    _write_member(file, Part(_CHECKSUMS, len(checksums), lambda: iter((checksums,))), about.created, budget)
    file.write(_END)


def verify_archive(path: Path, budget: Budget) -> About:
    """Reads the whole archive. Raises CorruptStore naming the offset, UnknownFormat, or as `budget` says."""
    about, _ = _read(path, None, budget)
    return about


def verify_foreign(path: Path, budget: Budget) -> About:
    """Verifies an archive that anybody may have made: checksums that are right say nothing of pages.

    Raises what `verify` does, StorageFailed, ShuttingDown or OSError.
    """
    about, offset = _read(path, None, budget)
    WALKS.walk(path, offset, dict(about.members)[TABLES])
    return about


def extract(path: Path, folder: Path, budget: Budget) -> About:
    """Writes the members below `folder`, durably. Raises what `verify` does and OSError; what was written is left."""
    about, _ = _read(path, folder, budget)
    sync_tree(folder)
    return about


def _read(path: Path, folder: Path | None, budget: Budget) -> tuple[About, int]:
    """What the archive is about, and where in it the tables lie."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise CorruptStore(path, 0, "the file is missing") from None
    with file:
        archive = _Archive(file, path)
        about, manifest = archive.manifest(budget)
        sums = {_MANIFEST: (zlib.crc32(manifest), len(manifest))}
        offsets = {}
        for name, size in about.members:
            failpoint("restore_extract")
            offsets[name] = archive.header(name, size, about.created)
            sums[name] = (_copy(archive, name, size, folder, budget), size)
        archive.checksums(sums, offsets, about.created)
        archive.end()
    return about, offsets[TABLES]


def _copy(archive: "_Archive", name: str, size: int, folder: Path | None, budget: Budget) -> int:
    """Copies the next member to its place below `folder`; returns its CRC-32."""
    target: AbstractContextManager[BinaryIO | None] = nullcontext()
    if folder is not None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        target = (folder / name).open("xb")
    checksum = 0
    with target as out:
        for chunk in archive.data(size):
            budget.check()
            checksum = zlib.crc32(chunk, checksum)
            if out is not None:
                out.write(chunk)
    if folder is not None:
        sync_file(folder / name)
    return checksum


class _Archive:
    """A cursor over the bytes of an archive. Methods raise CorruptStore at the first byte that is not expected."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._offset = 0

    def manifest(self, budget: Budget) -> tuple[About, bytes]:
        """The first member. Raises UnknownFormat before anything else of a newer format is looked at."""
        block = self._take(_BLOCK)
        try:
            found = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise CorruptStore(self._path, 0, f"it is no snapshot: {error}") from None
        if found.name != _MANIFEST or not 0 < found.size <= _LARGEST_MANIFEST:
            raise CorruptStore(self._path, 0, f"it is no snapshot: it does not begin with {_MANIFEST}")
        budget.hold(_MANIFEST_FACTOR * found.size, f"reading {_MANIFEST}")
        data = self._take(found.size)
        try:
            values = json.loads(data)
            version = _whole(values["format"])
            if version < 1:
                raise ValueError("it names no format")
            if version > FORMAT_VERSION:
                raise UnknownFormat(str(self._path), found=version, known=FORMAT_VERSION)
            about = About.from_json(values)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CorruptStore(self._path, _BLOCK, f"{_MANIFEST} is damaged: {error}") from None
        self._expect(block, _header(_MANIFEST, found.size, about.created), 0, f"the header of {_MANIFEST}")
        self._padding(found.size)
        return about, data

    def header(self, name: str, size: int, created: float) -> int:
        """Passes the header of a member; returns the offset of its data."""
        start = self._offset
        self._expect(self._take(_BLOCK), _header(name, size, created), start, f"the header of {name}")
        return self._offset

    def data(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            chunk = self._take(min(CHUNK_BYTES, left))
            left -= len(chunk)
            yield chunk
        self._padding(size)

    def checksums(self, sums: dict[str, tuple[int, int]], offsets: dict[str, int], created: float) -> None:
        """Passes the last member, which must say `sums`: CRC-32 and size by name."""
        expected = _checksums(sums)
        start = self._offset
        header, found = self._take(_BLOCK), self._take(len(expected))
        for name, wanted in _parsed_sums(found).items():
            if name in sums and sums[name] != wanted:
                raise CorruptStore(self._path, offsets.get(name, _BLOCK), f"{name} does not have its checksum")
        self._expect(header, _header(_CHECKSUMS, len(expected), created), start, f"the header of {_CHECKSUMS}")
        self._expect(found, expected, start + _BLOCK, _CHECKSUMS)
        self._padding(len(expected))

    def end(self) -> None:
        start = self._offset
        self._expect(self._take(len(_END)), _END, start, "the end")
        if self._file.read(1):
            raise CorruptStore(self._path, self._offset, "bytes follow the end of the snapshot")

    def _padding(self, size: int) -> None:
        start, length = self._offset, -size % _BLOCK
        self._expect(self._take(length), bytes(length), start, "the padding of a member")

    def _take(self, count: int) -> bytes:
        data = self._file.read(count)
        self._offset += len(data)
        if len(data) < count:
            raise CorruptStore(self._path, self._offset, "the file ends early")
        return data

    def _expect(self, found: bytes, wanted: bytes, start: int, what: str) -> None:
        if found != wanted:
            first = next(i for i, (one, other) in enumerate(zip(found, wanted, strict=True)) if one != other)
            raise CorruptStore(self._path, start + first, f"{what} is damaged")


def _write_member(file: BinaryIO, part: Part, created: float, budget: Budget) -> int:
    """Appends a member; returns its CRC-32."""
    file.write(_header(part.name, part.size, created))
    checksum = 0
    for chunk in part.chunks():
        budget.check()
        checksum = zlib.crc32(chunk, checksum)
        file.write(chunk)
    file.write(bytes(-part.size % _BLOCK))
    return checksum


def _header(name: str, size: int, created: float) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mtime = int(created)
    return member.tobuf(tarfile.GNU_FORMAT)


def _checksums(sums: dict[str, tuple[int, int]]) -> bytes:
    return _json({name: {"crc32": f"{checksum:08x}", "size": size} for name, (checksum, size) in sums.items()})


def _parsed_sums(data: bytes) -> dict[str, tuple[int, int]]:
    """What checksums.json says; nothing when it is damaged."""
    try:
        return {name: (int(entry["crc32"], 16), entry["size"]) for name, entry in json.loads(data).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _whole(value: object) -> int:
    """A number that counts something. Raises ValueError for what does not."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError("it counts what cannot be")
    return value


def _moment(value: object) -> float:
    """Unix seconds. Raises ValueError for what is no moment, or one too far away."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**33:
        raise ValueError("it was made when nothing can be")
    return float(value)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"

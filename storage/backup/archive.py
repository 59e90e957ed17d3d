"""The format of an archive: a plain tar of all files of a collection as of one commit, so that people can look inside.

The first member, manifest.json, lists the contents. The last, checksums.json, has the CRC-32 and size of every other
member. Reading is strict: every byte of the file must be the byte that `write` would write for these members.
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

from storage.backup.streams import CHUNK_BYTES, TABLES, FileStream, sync_tree
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
"""Most bytes of memory that reading takes for each byte of JSON: `{}` becomes an object of 64 bytes and a reference to
it."""

_EXPECTED_NAME = re.compile(r"lmdb/data\.mdb|spaces/[0-9]+/[0-9]+(\.vectors|\.rows|(\.[0-9]+)?\.index|\.partition)")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The content of manifest.json.

    It holds the collection, its schema as JSON, the commit, the time of creation (unix seconds), and the members
    between manifest.json and checksums.json with their sizes.
    """

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
            raise ValueError("it lists files that no collection has")
        if TABLES not in names:
            raise ValueError("it lacks files that every collection has")
        return cls(
            collection=str(data["collection"]),
            schema=dict(data["schema"]),
            seq=_whole(data["seq"]),
            points=_whole(data["points"]),
            created=_moment(data["created"]),
            members=members,
        )


def write(file: BinaryIO, about: About, streams: Sequence[FileStream], budget: Budget) -> None:
    """Writes an archive of `streams`, which also give the members of its manifest. Raises OSError, or as `budget`
    says."""
    manifest = replace(about, members=tuple((stream.name, stream.size) for stream in streams)).to_bytes()
    sums = {}
    for stream in (FileStream(_MANIFEST, len(manifest), lambda: iter((manifest,))), *streams):
        failpoint("snapshot_write")
        sums[stream.name] = (_write_member(file, stream, about.created, budget), stream.size)
    checksums = _checksums(sums)
    _write_member(file, FileStream(_CHECKSUMS, len(checksums), lambda: iter((checksums,))), about.created, budget)
    file.write(_END)


def verify_archive(path: Path, budget: Budget) -> About:
    """Reads and verifies the whole archive. Raises CorruptStore with the offset, UnknownFormat, or as `budget` says."""
    about, _ = _read(path, None, budget)
    return about


def verify_foreign(path: Path, budget: Budget) -> About:
    """Verifies an archive from an untrusted source, with all pages of its LMDB file.

    Checksums do not protect here: whoever changes pages can change the checksums too. Raises what `verify_archive`
    raises, StorageFailed, ShuttingDown or OSError.
    """
    about, offset = _read(path, None, budget)
    WALKS.walk(path, offset, dict(about.members)[TABLES])
    return about


def extract(path: Path, folder: Path, budget: Budget) -> About:
    """Writes the members below `folder`, durably.

    Raises what `verify_archive` raises, and OSError. After an error the written files stay.
    """
    about, _ = _read(path, folder, budget)
    sync_tree(folder)
    return about


def _read(path: Path, folder: Path | None, budget: Budget) -> tuple[About, int]:
    """Returns what the archive says about itself, and the offset of the LMDB file in it."""
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
    """Copies the next member to its place below `folder`, or only reads it when `folder` is None; returns its
    CRC-32."""
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
    """Reads an archive from start to end. Methods raise CorruptStore at the first byte that is not the expected one."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._offset = 0

    def manifest(self, budget: Budget) -> tuple[About, bytes]:
        """Reads the first member. Raises UnknownFormat before it reads anything else of a newer format."""
        block = self._take(_BLOCK)
        try:
            found = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise CorruptStore(self._path, 0, f"the file is not a snapshot: {error}") from None
        if found.name != _MANIFEST or not 0 < found.size <= _LARGEST_MANIFEST:
            raise CorruptStore(self._path, 0, f"the file is not a snapshot: it does not begin with {_MANIFEST}")
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
        """Reads the header of a member; returns the offset of the member's data."""
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
        """Reads the last member. It must hold `sums`: CRC-32 and size by name."""
        expected = _checksums(sums)
        start = self._offset
        header, found = self._take(_BLOCK), self._take(len(expected))
        for name, wanted in _parsed_sums(found).items():
            if name in sums and sums[name] != wanted:
                raise CorruptStore(self._path, offsets.get(name, _BLOCK), f"{name} does not match its checksum")
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


def _write_member(file: BinaryIO, stream: FileStream, created: float, budget: Budget) -> int:
    """Appends a member; returns its CRC-32."""
    file.write(_header(stream.name, stream.size, created))
    checksum = 0
    for chunk in stream.chunks():
        budget.check()
        checksum = zlib.crc32(chunk, checksum)
        file.write(chunk)
    file.write(bytes(-stream.size % _BLOCK))
    return checksum


def _header(name: str, size: int, created: float) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mtime = int(created)
    return member.tobuf(tarfile.GNU_FORMAT)


def _checksums(sums: dict[str, tuple[int, int]]) -> bytes:
    return _json({name: {"crc32": f"{checksum:08x}", "size": size} for name, (checksum, size) in sums.items()})


def _parsed_sums(data: bytes) -> dict[str, tuple[int, int]]:
    """The content of checksums.json; empty when it is damaged."""
    try:
        return {name: (int(entry["crc32"], 16), entry["size"]) for name, entry in json.loads(data).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _whole(value: object) -> int:
    """A count. Raises ValueError for anything but a whole number of at least 0."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError("a count is not a whole number of at least 0")
    return value


def _moment(value: object) -> float:
    """A time in unix seconds. Raises ValueError for anything else, and for a time too far away."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**33:
        raise ValueError("the time of its creation is not possible")
    return float(value)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"

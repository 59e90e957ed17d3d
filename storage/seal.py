"""The seal of an LMDB file at rest: checksums written when its environment is closed, compared when it is opened.

LMDB trusts its pages: a damaged one may hide points, show the wrong ones, or end the process. So nothing of a file is
served that is not as it was left. A process that was killed leaves no seal; then only records have checksums.
"""

import json
import logging
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import lmdb

from storage.errors import CorruptStore
from storage.files import publish

log = logging.getLogger(__name__)

SEALED_BYTES = 2**30
"""Size up to which files are sealed: reading a larger one would hold up closing and opening it for seconds."""

_CHUNK_BYTES = 2**16
_NAME = "data.seal"


@dataclass(frozen=True, slots=True)
class _Seal:
    """LMDB's number of the newest commit, the file's size, and CRC-32 of each chunk. Persisted as JSON."""

    transaction: int
    size: int
    checksums: list[int]


def write_seal(env: lmdb.Environment, folder: Path) -> None:
    """Seals the environment in `folder`. Requires: nobody uses it any more. Without room there is no seal."""
    file, path = folder / "data.mdb", folder / _NAME
    transaction, size = env.info()["last_txnid"], file.stat().st_size
    known = _read(path)
    if size > SEALED_BYTES or (known is not None and known.transaction == transaction):
        return
    content = json.dumps(asdict(_Seal(transaction, size, _checksums(file, size))))
    temporary = folder / f"{_NAME}.new"
    try:
        temporary.write_text(f"{zlib.crc32(content.encode())} {content}")
        publish(temporary, path)
    except OSError as error:
        log.warning("%s is left without a seal: %s", file, error)
        temporary.unlink(missing_ok=True)


def check_seal(env: lmdb.Environment, folder: Path) -> None:
    """Raises CorruptStore unless the file of an environment that was just opened is as its seal says.

    A seal that is older than the newest commit says nothing.
    """
    file = folder / "data.mdb"
    seal = _read(folder / _NAME)
    newest = env.info()["last_txnid"]
    if seal is None or newest > seal.transaction:
        return
    if newest < seal.transaction:
        raise CorruptStore(file, 0, f"it was left at commit {seal.transaction} and is now at {newest}")
    found = _checksums(file, seal.size)  # opening may have lengthened it
    for number, checksum in enumerate(seal.checksums):
        if number >= len(found) or found[number] != checksum:
            raise CorruptStore(file, number * _CHUNK_BYTES, "what is here is not what was left here")


def _read(path: Path) -> _Seal | None:
    """The seal, None when there is none that can be read."""
    try:
        own, content = path.read_bytes().split(b" ", 1)
        return _Seal(**json.loads(content)) if zlib.crc32(content) == int(own) else None
    except (OSError, ValueError, TypeError):
        return None


def _checksums(file: Path, size: int) -> list[int]:
    """CRC-32 of each chunk of the first `size` bytes of a file."""
    with file.open("rb") as opened:
        return [zlib.crc32(opened.read(min(_CHUNK_BYTES, size - start))) for start in range(0, size, _CHUNK_BYTES)]

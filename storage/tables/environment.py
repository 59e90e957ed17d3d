"""The LMDB environment of a collection: opens it and its tables, and keeps the state in `meta`."""

import errno
import json
import logging
import os
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import lmdb

from storage.errors import CorruptStore, EngineError, StorageFailed, StorageFull, SystemLimitReached, UnknownFormat
from storage.files import FILE_MODE, NO_ROOM, SYSTEM_LIMITS, check_seal, mapped_bytes, plain_path, remove_seal
from storage.pages import WALKS
from storage.schema import CollectionSchema, Manifest, Unreadable, parsed, typed

log = logging.getLogger(__name__)

FORMAT_VERSION = 2  # persisted: do not renumber. Version 1 has no tables of bodies; it is written while there are none

_MAX_TABLES = 2048  # 4 times the tables of 256 spaces: a dropped space keeps its tables until nobody reads them
_MAX_READERS = 1024
_READ_MAP_SIZE = 2**40  # reading takes address space alone
_LOCK_FILE_BYTES = 64 * (_MAX_READERS + 16)
_FULL_BELOW = 2**20  # a device with fewer bytes left counts as full
_STATE = struct.Struct(">QQQ")
_COUNT = struct.Struct(">Q")

_FORMAT_KEY = b"format"
_SCHEMA_KEY = b"schema"
_STATE_KEY = b"state"
_GENERATION_KEY = b"generation"
_ROWS_PREFIX = b"rows:"
_BODIES_PREFIX = b"records:"

_SIGNS_OF_DAMAGE = (
    lmdb.CorruptedError,
    lmdb.IncompatibleError,
    lmdb.InvalidError,
    lmdb.NotFoundError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
    lmdb.VersionMismatchError,
)


@dataclass(frozen=True, slots=True)
class State:
    """The counters of a commit: its sequence, the next free slot, and the number of points.

    `seq` counts commits that change what users see. `generation` counts the others: they publish indexes, merge blocks
    or change otherwise how points are found. Every commit raises exactly one of the two.
    """

    seq: int = 0
    next_slot: int = 0
    point_count: int = 0
    generation: int = 0

    @property
    def commit(self) -> int:
        """The number of commits so far. No two commits have the same."""
        return self.seq + self.generation


@dataclass(slots=True)
class Tables:
    """Handles of the named tables. `rows` and `bodies` are by uid of the space; spaces of multi-vectors have both."""

    meta: lmdb._Database
    ids: lmdb._Database
    points: lmdb._Database
    rows: dict[int, lmdb._Database] = field(default_factory=dict)
    bodies: dict[int, lmdb._Database] = field(default_factory=dict)


def open_environment(path: Path, map_size: int) -> lmdb.Environment:
    """Opens or creates an environment whose commits are durable when they return. It must match its seal.

    The map is made large once, since resizing it would disturb readers. Ordinary writes may fill `map_size` bytes; the
    map is larger by its reserve, see files/reserve.py. The seal is removed here; `write_seal` makes a new one after
    closing. Raises CorruptStore, StorageFull, StorageFailed, or OSError.
    """
    _check_pages(path)
    _reserve_lock_file(path)
    remove_seal(path)  # before LMDB opens the file, since LMDB may write to it
    try:
        with plain_path(path) as text:
            env = lmdb.open(
                text,
                map_size=mapped_bytes(path / "data.mdb", map_size),
                max_dbs=_MAX_TABLES,
                max_readers=_MAX_READERS,
                meminit=False,
                mode=FILE_MODE,
                sync=True,
                metasync=True,
            )
    except lmdb.Error as error:
        raise environment_failure(error, path / "data.mdb") from error
    try:
        env.reader_check()
        cover_pages(env, path / "data.mdb")
    except BaseException as error:
        env.close()
        if isinstance(error, lmdb.Error):
            raise environment_failure(error, path / "data.mdb") from error
        raise
    return env


def _check_pages(path: Path) -> None:
    """Raises CorruptStore unless the environment matches its seal or, without a seal, its pages are sound.

    Raises StorageFailed, ShuttingDown or OSError when this cannot be decided.
    """
    file = path / "data.mdb"
    if check_seal(path) or not file.exists() or not file.stat().st_size:
        return
    log.debug(
        "%s has no seal (a copy, a large file, or after a kill), so its pages are checked before it is opened", file
    )
    WALKS.walk(file)


def open_read_only(path: Path) -> lmdb.Environment:
    """Opens an environment that nobody has open, for reading. It must match its seal, and keeps it.

    Raises CorruptStore, StorageFailed or OSError.
    """
    file = path / "data.mdb"
    _check_pages(path)
    try:
        with plain_path(path) as text:
            env = lmdb.open(text, map_size=_READ_MAP_SIZE, max_dbs=_MAX_TABLES, readonly=True, lock=False)
    except lmdb.Error as error:
        raise environment_failure(error, file) from error
    try:
        cover_pages(env, file)
    except BaseException:
        env.close()
        raise
    return env


def _reserve_lock_file(path: Path) -> None:
    """Allocates the file of an environment's table of readers before it is mapped. Raises OSError when there is no
    room.

    LMDB writes it through a mapping, and there a full disk would kill the process.
    """
    handle = os.open(path / "lock.mdb", os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        os.posix_fallocate(handle, 0, _LOCK_FILE_BYTES)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
    finally:
        os.close(handle)


def cover_pages(env: lmdb.Environment, file: Path) -> None:
    """Lengthens an environment's file with zeros until it holds all pages that the newest commit counts.

    Pages that were freed unused may rightly be missing at its end. LMDB reports other missing pages as damaged once
    they are zeros; without them, reading after the end of a mapped file would kill the process. Raises CorruptStore
    when the pages can never exist.
    """
    counted = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
    if counted > env.info()["map_size"]:
        raise CorruptStore(file, 0, f"the file claims {counted:,} bytes, more than can be mapped")
    if file.stat().st_size < counted:
        os.truncate(file, counted)


def environment_failure(error: lmdb.Error | struct.error, file: Path) -> EngineError:
    """Maps an error of LMDB in the environment of `file` to an EngineError: CorruptStore where only damage explains
    it."""
    if isinstance(error, (*_SIGNS_OF_DAMAGE, struct.error)):
        return CorruptStore(file, 0, str(error))
    return write_failure(error, file.parent)


def write_failure(error: lmdb.Error, folder: Path) -> EngineError:
    """Maps an error of LMDB while writing the environment in `folder` to an EngineError: mostly StorageFull.

    If a full disk took only half of a page, LMDB reports an input/output error.
    """
    if isinstance(error, lmdb.DbsFullError):
        return SystemLimitReached(str(folder), "readers keep the tables of too many dropped spaces")
    if isinstance(error, lmdb.MapFullError):
        return StorageFull(f"{folder}: the address space reserved by map_size is full")
    limit = next((os.strerror(each) for each in SYSTEM_LIMITS if os.strerror(each) in str(error)), None)
    if limit is not None or isinstance(error, lmdb.ReadersFullError):
        return SystemLimitReached(str(folder), limit or "too many readers")
    no_room = isinstance(error, lmdb.DiskError) or os.strerror(errno.ENOSPC) in str(error)
    if no_room or (os.strerror(errno.EIO) in str(error) and _room(folder) < _FULL_BELOW):
        return StorageFull(f"{folder}: no space left on the device")
    return StorageFailed(f"{folder}: {error}")


def _room(folder: Path) -> int:
    """Bytes that can still be written."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def open_tables(env: lmdb.Environment, txn: lmdb.Transaction) -> Tables:
    return Tables(
        meta=env.open_db(b"meta", txn=txn),
        ids=env.open_db(b"ids", txn=txn),
        points=env.open_db(b"points", txn=txn),
    )


def open_rows(env: lmdb.Environment, txn: lmdb.Transaction, space_uid: int) -> lmdb._Database:
    return env.open_db(_ROWS_PREFIX + str(space_uid).encode(), txn=txn)


def open_bodies(env: lmdb.Environment, txn: lmdb.Transaction, space_uid: int) -> lmdb._Database:
    return env.open_db(_BODIES_PREFIX + str(space_uid).encode(), txn=txn)


def check_format(txn: lmdb.Transaction, tables: Tables, path: Path) -> None:
    """Raises CorruptStore or UnknownFormat unless this program knows the stored format."""
    if txn.get(_FORMAT_KEY, db=tables.meta) is None:
        raise CorruptStore(path / "data.mdb", 0, "no format version is stored")
    version = _count(txn, tables, _FORMAT_KEY)
    if version < 1:
        raise CorruptStore(path / "data.mdb", 0, f"the stored format version is {version}")
    if version > FORMAT_VERSION:
        raise UnknownFormat(str(path), found=version, known=FORMAT_VERSION)


def _get_meta(txn: lmdb.Transaction, tables: Tables, key: bytes) -> bytes:
    value = txn.get(key, db=tables.meta)
    if value is None:
        raise CorruptStore("data.mdb", 0, f"the entry {key.decode()!r} of the table meta is missing")
    return bytes(value)


@contextmanager
def _reading(key: bytes) -> Iterator[None]:
    """Turns errors of reading an entry of the table meta into CorruptStore that names the entry."""
    try:
        yield
    except Unreadable as error:
        raise _damaged(key, str(error)) from error
    except struct.error as error:
        raise _damaged(key, "it has the wrong length") from error


def _damaged(key: bytes, what: str) -> CorruptStore:
    return CorruptStore("data.mdb", 0, f"the entry {key.decode()!r} of the table meta: {what}")


def _count(txn: lmdb.Transaction, tables: Tables, key: bytes) -> int:
    entry = _get_meta(txn, tables, key)
    with _reading(key):
        count: int = _COUNT.unpack(entry)[0]
    return count


def get_state(txn: lmdb.Transaction, tables: Tables) -> State:
    has_generation = txn.get(_GENERATION_KEY, db=tables.meta) is not None  # older directories have none
    counted = _count(txn, tables, _GENERATION_KEY) if has_generation else 0
    entry = _get_meta(txn, tables, _STATE_KEY)
    with _reading(_STATE_KEY):
        seq, next_slot, point_count = _STATE.unpack(entry)
    return State(seq, next_slot, point_count, counted)


def put_state(txn: lmdb.Transaction, tables: Tables, state: State) -> None:
    txn.put(_STATE_KEY, _STATE.pack(state.seq, state.next_slot, state.point_count), db=tables.meta)
    if state.generation:
        txn.put(_GENERATION_KEY, _COUNT.pack(state.generation), db=tables.meta)


def count_generation(env: lmdb.Environment, tables: Tables, state: State) -> State:
    """Returns `state` with the next generation, stored durably. Without room for that, returns `state`."""
    later = replace(state, generation=state.generation + 1)
    try:
        with env.begin(write=True) as txn:
            put_state(txn, tables, later)
    except lmdb.Error as error:
        log.warning("the new generation of indexes could not be stored: %s", error)
        return state
    return later


def age_pages(env: lmdb.Environment, tables: Tables) -> None:
    """Makes pages usable that the latest commits freed: LMDB keeps the pages of a commit until one commit later.

    Does nothing when there is not even room for that.
    """
    try:
        for _ in range(2):
            with env.begin(write=True) as txn:
                put_state(txn, tables, get_state(txn, tables))
    except lmdb.Error:
        return


def get_schema(txn: lmdb.Transaction, tables: Tables) -> tuple[CollectionSchema, int]:
    """The schema and the next uid of a space."""
    entry = _get_meta(txn, tables, _SCHEMA_KEY)
    with _reading(_SCHEMA_KEY):
        data = parsed(entry, "it")
        return CollectionSchema.from_json(data), typed(int, data.get("next_space_uid"), "next_space_uid")


def put_schema(txn: lmdb.Transaction, tables: Tables, schema: CollectionSchema, next_space_uid: int) -> None:
    """Stores the schema, and the lowest format version that can hold it."""
    txn.put(_FORMAT_KEY, _COUNT.pack(FORMAT_VERSION if schema.body_spaces else 1), db=tables.meta)
    data = {**schema.to_json(), "next_space_uid": next_space_uid}
    txn.put(_SCHEMA_KEY, json.dumps(data).encode(), db=tables.meta)


def get_space(txn: lmdb.Transaction, tables: Tables, uid: int) -> tuple[Manifest, int]:
    """The manifest and the number of committed rows of a space."""
    key = f"space:{uid}".encode()
    entry = _get_meta(txn, tables, key)
    with _reading(key):
        manifest = Manifest.from_bytes(entry)
    return manifest, _count(txn, tables, f"row_count:{uid}".encode())


def forget_indexes(path: Path, missing: Collection[tuple[int, int]]) -> None:
    """Removes `missing` indexes, as uids of (space, block), from the manifests of a copy in `path` that nobody has
    open.

    Raises lmdb.Error.
    """
    with (
        lmdb.open(str(path), map_size=_READ_MAP_SIZE, max_dbs=_MAX_TABLES, lock=False, mode=FILE_MODE) as env,
        env.begin(write=True) as txn,
    ):
        tables = open_tables(env, txn)
        for uid, block in missing:
            manifest, _ = get_space(txn, tables, uid)
            put_manifest(txn, tables, uid, manifest.with_index(block, None))


def put_manifest(txn: lmdb.Transaction, tables: Tables, uid: int, manifest: Manifest) -> None:
    txn.put(f"space:{uid}".encode(), manifest.to_bytes(), db=tables.meta)


def put_row_count(txn: lmdb.Transaction, tables: Tables, uid: int, row_count: int) -> None:
    txn.put(f"row_count:{uid}".encode(), _COUNT.pack(row_count), db=tables.meta)


def drop_space(txn: lmdb.Transaction, tables: Tables, uid: int) -> None:
    """Removes all entries of a space. Its empty tables stay, since older readers may still use their handles."""
    for table in (tables.bodies.get(uid), tables.rows.get(uid)):
        if table is not None:
            txn.drop(table, delete=False)
    txn.delete(f"space:{uid}".encode(), db=tables.meta)
    txn.delete(f"row_count:{uid}".encode(), db=tables.meta)


def remove_tables(env: lmdb.Environment, txn: lmdb.Transaction, uid: int) -> None:
    """Removes the tables of a dropped space. Requires: no reader uses them, and none begins meanwhile."""
    for prefix in (_BODIES_PREFIX, _ROWS_PREFIX):
        name = prefix + str(uid).encode()
        if txn.get(name) is not None:
            txn.drop(env.open_db(name, txn=txn), delete=True)


def remove_dropped_tables(env: lmdb.Environment, txn: lmdb.Transaction, uids: Collection[int]) -> None:
    """Removes the tables of spaces that are not among `uids`. Requires: no reader is open."""
    names = [bytes(name) for name in txn.cursor().iternext(values=False)]
    for name in names:
        for prefix in (_ROWS_PREFIX, _BODIES_PREFIX):
            if name.startswith(prefix) and int(name[len(prefix) :]) not in uids:
                txn.drop(env.open_db(name, txn=txn), delete=True)

"""An open collection: its environment, its spaces and the views of its latest commits. The writer alone changes it."""

import logging
import shutil
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import lmdb

from storage import environment
from storage.environment import State, Tables
from storage.errors import CorruptStore
from storage.files import sync_folder
from storage.index import Graph
from storage.payload import PayloadCodec
from storage.reader import read_rows
from storage.schema import CollectionSchema, Datatype, SpaceSchema
from storage.space import IndexFile, Manifest, Space, SpaceView

log = logging.getLogger(__name__)

_KEPT_VIEWS = 8
"""Views kept for readers that began a transaction and have not asked for its view yet."""


@dataclass(frozen=True, slots=True)
class View:
    """What one commit knows besides what LMDB holds."""

    state: State
    schema: CollectionSchema
    spaces: Mapping[str, SpaceView]


class Core:
    """Opened by `create` or `open`; `views` maps commit sequences to views, the newest of which is `view`."""

    def __init__(self, uid: str, path: Path, env: lmdb.Environment, codec: PayloadCodec) -> None:
        self.uid = uid
        self.path = path
        self.env = env
        self.codec = codec
        self.tables: Tables
        self.schema: CollectionSchema
        self.next_space_uid = 1
        self.spaces: dict[str, Space] = {}
        self.views: dict[int, View] = {}
        self.view: View

    @classmethod
    def create(cls, uid: str, path: Path, schema: CollectionSchema, codec: PayloadCodec, map_size: int) -> "Core":
        """Makes an empty collection in the new folder `path`, durably."""
        (path / "lmdb").mkdir(parents=True)
        core = cls(uid, path, environment.open_environment(path / "lmdb", map_size), codec)
        with core.env.begin(write=True) as txn:
            core.tables = environment.open_tables(core.env, txn)
            core.schema = CollectionSchema(spaces={}, indexing_threshold=schema.indexing_threshold)
            environment.put_format(txn, core.tables)
            for name, space in schema.spaces.items():
                core.add_space(txn, name, space)
            environment.put_schema(txn, core.tables, core.schema, core.next_space_uid)
            environment.put_state(txn, core.tables, State())
        for folder in (path / "lmdb", path, path.parent):
            sync_folder(folder)
        core.publish(core.make_view(State()))
        return core

    @classmethod
    def open(cls, uid: str, path: Path, codec: PayloadCodec, map_size: int) -> "Core":
        """Opens a collection and cuts what no commit refers to. Raises CorruptStore or UnknownFormat."""
        file = path / "lmdb" / "data.mdb"
        if not file.exists():
            raise CorruptStore(file, 0, "the file is missing")
        try:
            core = cls(uid, path, environment.open_environment(path / "lmdb", map_size), codec)
        except lmdb.Error as error:
            raise environment.environment_failure(error, file) from error
        try:
            core._load()
        except lmdb.Error as error:
            core.close()
            raise environment.environment_failure(error, file) from error
        except (ValueError, KeyError, IndexError, struct.error) as error:
            core.close()
            raise CorruptStore(file, 0, f"{type(error).__name__}: {error}") from error
        except BaseException:
            core.close()
            raise
        return core

    def _load(self) -> None:
        with self.env.begin(write=True) as txn:
            self.tables = environment.open_tables(self.env, txn)
        with self.env.begin(write=True) as txn:
            environment.check_format(txn, self.tables, self.path / "lmdb")
            state = environment.get_state(txn, self.tables)
            self.schema, self.next_space_uid = environment.get_schema(txn, self.tables)
            environment.remove_dropped_tables(self.env, txn, {space.uid for space in self.schema.spaces.values()})
            for name, schema in self.schema.spaces.items():
                self.spaces[name] = self._open_space(txn, schema)
        self._remove_strays()
        self.publish(self.make_view(state))

    def _open_space(self, txn: lmdb.Transaction, schema: SpaceSchema) -> Space:
        assert schema.uid is not None
        manifest, row_count = environment.get_space(txn, self.tables, schema.uid)
        self.tables.rows[schema.uid] = environment.open_rows(self.env, txn, schema.uid)
        space = Space(self.space_folder(schema.uid), schema, manifest, row_count)
        space.load_rows(*read_rows(txn, self.tables.rows[schema.uid]))
        for entry, block in zip(manifest.blocks, space.blocks, strict=True):
            if entry.index is not None:
                path = space.folder / entry.index.name
                block.graph = _open_graph(schema, path, entry.index)
                block.index_bytes = path.stat().st_size if block.graph is not None else 0
        return space

    def add_space(self, txn: lmdb.Transaction, name: str, schema: SpaceSchema) -> None:
        """Adds a space, in `txn` and in memory. Undone by `discard_space` when the transaction fails."""
        uid = self.next_space_uid
        schema = replace(schema, uid=uid)
        self.next_space_uid += 1
        self.tables.rows[uid] = environment.open_rows(self.env, txn, uid)
        self.spaces[name] = Space(self.space_folder(uid), schema, Manifest(), 0)
        for folder in (self.space_folder(uid), self.space_folder(uid).parent, self.path):
            sync_folder(folder)
        self.schema = replace(self.schema, spaces={**self.schema.spaces, name: schema})
        environment.put_manifest(txn, self.tables, uid, Manifest())
        environment.put_row_count(txn, self.tables, uid, 0)

    def space_folder(self, uid: int) -> Path:
        return self.path / "spaces" / str(uid)

    def make_view(self, state: State) -> View:
        return View(state, self.schema, {name: space.view() for name, space in self.spaces.items()})

    def publish(self, view: View) -> None:
        """Makes `view` the newest. Requires: its commit is durable."""
        self.views[view.state.seq] = view
        self.view = view
        for seq in [seq for seq in self.views if seq < view.state.seq - _KEPT_VIEWS]:
            del self.views[seq]

    def close(self) -> None:
        for space in self.spaces.values():
            space.close()
        self.env.close()

    def _remove_strays(self) -> None:
        """Removes files that no commit names: left by a crash between writing and committing."""
        known = {str(space.uid) for space in self.schema.spaces.values()}
        root = self.path / "spaces"
        for folder in root.iterdir() if root.exists() else ():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
        for space in self.spaces.values():
            names = {f"{entry.uid}.vectors" for entry in space.manifest.blocks}
            names |= {entry.index.name for entry in space.manifest.blocks if entry.index is not None}
            for path in space.folder.iterdir():
                if path.name not in names:
                    path.unlink(missing_ok=True)  # a build begun before the collection was closed may move it


def file_checksum(path: Path) -> int:
    """CRC-32 of a file's bytes. Raises OSError."""
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def _open_graph(schema: SpaceSchema, path: Path, index: IndexFile) -> Graph | None:
    """The saved graph; None when it is missing or damaged: it is derived, so it is built again."""
    try:
        found = file_checksum(path)
    except OSError as error:
        log.warning("index %s cannot be read (%s): it will be built again", path, error)
        return None
    if found != index.checksum:
        log.warning("index %s does not have its checksum: it will be built again", path)
        return None
    try:
        return Graph(replace(schema, datatype=Datatype(index.datatype)), path)
    except (RuntimeError, ValueError, OSError) as error:
        log.warning("index %s cannot be opened (%s): it will be built again", path, error)
        return None

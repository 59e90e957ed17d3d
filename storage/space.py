"""A vector space: its blocks, its manifest on disk, and the row of every slot in memory."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.block import Block, BlockView, load_columns
from storage.index import Graph
from storage.schema import SpaceSchema

NO_ROW = -1
"""Stands in `rows` for a slot without a vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """A graph file as the manifest names it. `rows`: vectors in it; `checksum`: CRC-32 of the file; the settings it
    was built with, since the space's may have changed."""

    name: str
    checksum: int
    rows: int
    datatype: str
    m: int
    ef_construct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEntry:
    """A block as the manifest names it. `count` None: open, it ends where the rows of the space end."""

    uid: int
    first_row: int
    count: int | None = None
    index: IndexFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The blocks of a space in row order; the last one is open. Persisted as JSON."""

    blocks: tuple[BlockEntry, ...] = (BlockEntry(uid=1, first_row=0),)
    next_uid: int = 2

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        values: dict[str, Any] = json.loads(data)
        blocks = tuple(
            BlockEntry(
                uid=block["uid"],
                first_row=block["first_row"],
                count=block["count"],
                index=None if block["index"] is None else IndexFile(**block["index"]),
            )
            for block in values["blocks"]
        )
        return cls(blocks=blocks, next_uid=values["next_uid"])

    def sealed(self, row_count: int) -> "Manifest":
        """This manifest with its open block sealed at `row_count` and a new open one behind it."""
        last = self.blocks[-1]
        return Manifest(
            blocks=(
                *self.blocks[:-1],
                replace(last, count=row_count - last.first_row),
                BlockEntry(uid=self.next_uid, first_row=row_count),
            ),
            next_uid=self.next_uid + 1,
        )

    def with_index(self, uid: int, index: IndexFile | None) -> "Manifest":
        blocks = tuple(replace(block, index=index) if block.uid == uid else block for block in self.blocks)
        return replace(self, blocks=blocks)


@dataclass(frozen=True, slots=True)
class SpaceView:
    """What a commit knows of a space. `rows` (int64 by slot) may run ahead of the commit; see Snapshot.rows_of."""

    schema: SpaceSchema
    manifest: Manifest
    blocks: tuple[BlockView, ...]
    row_count: int
    vector_count: int
    rows: NDArray[np.int64]

    def locate(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Which block each row is in, and at which position."""
        starts = np.fromiter((block.first_row for block in self.blocks), np.int64, len(self.blocks))
        blocks = np.searchsorted(starts, rows, side="right") - 1
        return blocks, rows - starts[blocks]

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Copies of the vectors of `rows`, (n, size)."""
        if len(self.blocks) == 1:
            block = self.blocks[0]
            return block.vectors[rows - block.first_row]
        out = np.empty((len(rows), self.schema.size), np.float32)
        blocks, positions = self.locate(rows)
        for number in np.unique(blocks):
            here = blocks == number
            out[here] = self.blocks[number].vectors[positions[here]]
        return out


class Space:
    """The mutable side of a space: the writer's. Readers get `view()`."""

    def __init__(self, folder: Path, schema: SpaceSchema, manifest: Manifest, row_count: int) -> None:
        """Opens the blocks that `manifest` names. Raises CorruptStore when one is shorter than it says."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.schema = schema
        self.manifest = manifest
        self.row_count = row_count
        self.vector_count = 0
        self.rows = np.full(256, NO_ROW, np.int64)
        self.blocks: list[Block] = []
        for entry in manifest.blocks:
            self.blocks.append(self._open_block(entry))

    def view(self) -> SpaceView:
        return SpaceView(
            self.schema,
            self.manifest,
            tuple(block.view() for block in self.blocks),
            self.row_count,
            self.vector_count,
            self.rows,
        )

    def load_rows(self, slots: NDArray[np.uint32], rows: NDArray[np.int64]) -> None:
        """Fills the columns from the stored table slot -> row, just after opening."""
        self._reserve(int(slots.max()) + 1 if len(slots) else 0)
        self.rows[slots] = rows
        self.vector_count = len(slots)
        slot_of_row = np.zeros(self.row_count, np.uint32)
        alive = np.zeros(self.row_count, np.bool_)
        slot_of_row[rows] = slots
        alive[rows] = True
        for block in self.blocks:
            part = slice(block.first_row, block.first_row + block.count)
            load_columns(block, slot_of_row[part], alive[part])

    def rows_of(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """The current rows of `slots`, NO_ROW where there is none."""
        rows = np.full(len(slots), NO_ROW, np.int64)
        inside = slots < len(self.rows)
        rows[inside] = self.rows[slots[inside]]
        return rows

    def set_rows(self, slots: Sequence[int] | NDArray[np.int64], rows: Sequence[int] | NDArray[np.int64]) -> None:
        """Makes `rows` the current rows of `slots` (NO_ROW: none). Of a slot given twice the last counts."""
        if len(slots):
            wanted = np.asarray(slots, np.int64)
            self._reserve(int(wanted.max()) + 1)
            self.rows[wanted] = np.asarray(rows, np.int64)

    def by_block(self, rows: Sequence[int]) -> list[tuple[Block, NDArray[np.int64]]]:
        """The blocks that hold `rows`, each with their positions in it."""
        wanted = np.asarray(rows, np.int64)
        starts = np.array([block.first_row for block in self.blocks], np.int64)
        numbers = np.searchsorted(starts, wanted, side="right") - 1
        return [
            (self.blocks[number], wanted[numbers == number] - starts[number]) for number in np.unique(numbers).tolist()
        ]

    def seal(self) -> None:
        """Seals the open block and opens a new one. The manifest must be committed by the caller."""
        manifest = self.manifest.sealed(self.row_count)
        self.blocks.append(self._open_block(manifest.blocks[-1]))
        self.manifest = manifest

    def unseal(self, manifest: Manifest) -> None:
        """Takes `seal` back: its commit failed."""
        self.manifest = manifest
        self.blocks.pop().close()

    def block_path(self, uid: int) -> Path:
        return self.folder / f"{uid}.vectors"

    def attach_graph(self, uid: int, graph: Graph | None, index: IndexFile | None) -> None:
        """Gives a block its graph. The manifest must be committed by the caller."""
        self.manifest = self.manifest.with_index(uid, index)
        for block in self.blocks:
            if block.uid == uid:
                block.graph = graph
                block.index_bytes = (self.folder / index.name).stat().st_size if graph and index else 0

    def close(self) -> None:
        for block in self.blocks:
            block.close()

    def _open_block(self, entry: BlockEntry) -> Block:
        count = entry.count if entry.count is not None else self.row_count - entry.first_row
        return Block(
            self.block_path(entry.uid), uid=entry.uid, size=self.schema.size, first_row=entry.first_row, count=count
        )

    def _reserve(self, slots: int) -> None:
        if slots > len(self.rows):
            grown = np.full(max(slots, 2 * len(self.rows)), NO_ROW, np.int64)
            grown[: len(self.rows)] = self.rows
            self.rows = grown

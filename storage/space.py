"""A vector space: its blocks, its manifest on disk, and the row of every slot in memory."""

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.block import NEVER, Block, BlockView, SegmentIndex
from storage.errors import CorruptStore
from storage.ivf.partition import PartitionFile
from storage.schema import SpaceSchema

NO_ROW = -1
"""Stands in `rows` for a slot without a vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """An index file as the manifest names it. `rows`: vectors in it; `checksum`: CRC-32 of the file; `kind`: hnsw or
    ivf; the settings it was built with, since the space's may have changed; `scale` and `centre`: see encoding.py;
    `recall`: at 10 as it was measured, with the space's width of a walk or number of lists; None: it was not."""

    name: str
    checksum: int
    rows: int
    datatype: str
    m: int = 0
    ef_construct: int = 0
    scale: float = 1.0
    kind: str = "hnsw"
    settings: str = ""
    centre: str = ""
    recall: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEntry:
    """A block as the manifest names it: rows `first_row` to `end_row`, `count` of them stored.

    `count` and `end_row` None: open, it ends where the rows of the space end. `rows_checksum`: CRC-32 of the file of
    row numbers; None: the block is dense and has no such file.
    """

    uid: int
    first_row: int
    count: int | None = None
    end_row: int | None = None
    rows_checksum: int | None = None
    index: IndexFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The blocks of a space in row order; the last one is open. Persisted as JSON.

    `partition`: what a client sent to make lists by; None: each segment makes its own.
    """

    blocks: tuple[BlockEntry, ...] = field(default_factory=lambda: (BlockEntry(uid=1, first_row=0),))
    next_uid: int = 2
    partition: PartitionFile | None = None

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        values: dict[str, Any] = json.loads(data)
        partition = values.get("partition")
        if partition is not None:
            partition = PartitionFile(**{**partition, "lists": tuple(partition["lists"])})
        blocks = tuple(map(_entry_from, values["blocks"]))
        return cls(blocks=blocks, next_uid=values["next_uid"], partition=partition)

    def sealed(self, row_count: int) -> "Manifest":
        """This manifest with its open block sealed at `row_count` and a new open one behind it."""
        last = self.blocks[-1]
        return replace(
            self,
            blocks=(
                *self.blocks[:-1],
                replace(last, count=row_count - last.first_row, end_row=row_count),
                BlockEntry(uid=self.next_uid, first_row=row_count),
            ),
            next_uid=self.next_uid + 1,
        )

    def with_index(self, uid: int, index: IndexFile | None) -> "Manifest":
        blocks = tuple(replace(block, index=index) if block.uid == uid else block for block in self.blocks)
        return replace(self, blocks=blocks)

    def with_merged(self, uids: Sequence[int], merged: BlockEntry | None) -> "Manifest":
        """This manifest with `merged` in place of the neighbouring blocks `uids`, or with nothing there."""
        first = next(number for number, block in enumerate(self.blocks) if block.uid in uids)
        kept = [block for block in self.blocks if block.uid not in uids]
        return replace(self, blocks=(*kept[:first], *(() if merged is None else (merged,)), *kept[first:]))


def _entry_from(block: dict[str, Any]) -> BlockEntry:
    """Reads also what the first programs wrote: their sealed blocks are all dense, and do not say where they end."""
    entry = BlockEntry(**{**block, "index": None if block["index"] is None else IndexFile(**block["index"])})
    if entry.count is not None and entry.end_row is None:
        return replace(entry, end_row=entry.first_row + entry.count)
    return entry


@dataclass(frozen=True, slots=True)
class SpaceView:
    """What a commit knows of a space. `rows` (int64 by slot) may run ahead of the commit; see snapshot.py."""

    schema: SpaceSchema
    manifest: Manifest
    blocks: tuple[BlockView, ...]
    row_count: int
    vector_count: int
    rows: NDArray[np.int64]

    def locate(self, rows: NDArray[np.int64]) -> list[tuple[BlockView, NDArray[np.bool_], NDArray[np.int64]]]:
        """The blocks that hold `rows`, each with which of them it holds and their positions in it."""
        return [
            (self.blocks[number], here, self.blocks[number].positions_of(rows[here]))
            for number, here in _by_block([block.first_row for block in self.blocks], rows)
        ]

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Copies of the vectors of `rows`, (n, size)."""
        out = np.empty((len(rows), self.schema.size), np.float32)
        for block, here, positions in self.locate(rows):
            out[here] = block.vectors[positions]
        return out


class Space:
    """The mutable side of a space: the writer's. Readers get `view()`."""

    def __init__(self, folder: Path, schema: SpaceSchema, manifest: Manifest, row_count: int) -> None:
        """Opens the blocks that `manifest` names. Raises CorruptStore when one is damaged or shorter than it says."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.schema = schema
        self.manifest = manifest
        self.row_count = row_count
        self.vector_count = 0
        self.rows = np.full(256, NO_ROW, np.int64)
        self.blocks: list[Block] = []
        for entry in manifest.blocks:
            self.blocks.append(self.open_block(entry))

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
        """Fills the columns from the stored table slot -> row, just after opening. ValueError: it is damaged."""
        self._reserve(int(slots.max()) + 1 if len(slots) else 0)
        self.rows[slots] = rows
        self.vector_count = len(slots)
        order = np.argsort(rows)
        held = 0
        for block in self.blocks:
            low, high = np.searchsorted(rows, (block.first_row, block.end_row), sorter=order)
            here = order[low:high]
            positions = _sound_positions(block.view(), rows[here])
            held += len(positions)
            block_slots = np.zeros(block.count, np.uint32)
            died = np.zeros(block.count, np.uint64)
            block_slots[positions] = slots[here]
            died[positions] = NEVER
            block.load(block_slots, died)
        if held != len(rows):
            raise ValueError("some rows that are named are in no block")

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
        return [
            (self.blocks[number], self.blocks[number].view().positions_of(wanted[here]))
            for number, here in _by_block([block.first_row for block in self.blocks], wanted)
        ]

    def seal(self) -> Callable[[], None]:
        """Seals the open block and opens a new one; returns what takes it back. The caller commits the manifest."""
        before = self.manifest
        manifest = before.sealed(self.row_count)
        self.blocks.append(self.open_block(manifest.blocks[-1]))
        self.blocks[-2].seal()
        self.manifest = manifest

        def take_back() -> None:
            self.manifest = before
            self.blocks.pop().close()
            self.blocks[-1].unseal()

        return take_back

    def attach_graph(self, uid: int, graph: SegmentIndex | None, index: IndexFile | None) -> Callable[[], None]:
        """Gives a block its graph; returns what takes it back. The caller commits the manifest."""
        block = next(block for block in self.blocks if block.uid == uid)
        before = (self.manifest, block.graph, block.index_bytes)
        self.manifest = self.manifest.with_index(uid, index)
        block.graph = graph
        block.index_bytes = (self.folder / index.name).stat().st_size if graph and index else 0

        def take_back() -> None:
            self.manifest, block.graph, block.index_bytes = before

        return take_back

    def replace_blocks(self, uids: Sequence[int], merged: Block | None, entry: BlockEntry | None) -> Callable[[], None]:
        """Puts `merged` in place of the neighbouring blocks `uids`; returns what takes it back."""
        before = (self.manifest, self.blocks)
        self.manifest = self.manifest.with_merged(uids, entry)
        first = next(number for number, block in enumerate(self.blocks) if block.uid in uids)
        kept = [block for block in self.blocks if block.uid not in uids]
        self.blocks = [*kept[:first], *([] if merged is None else [merged]), *kept[first:]]

        def take_back() -> None:
            self.manifest, self.blocks = before

        return take_back

    def open_block(self, entry: BlockEntry) -> Block:
        """Opens the files of a block. Raises CorruptStore."""
        count = entry.count if entry.count is not None else self.row_count - entry.first_row
        return Block(
            self.folder / f"{entry.uid}.vectors",
            uid=entry.uid,
            size=self.schema.size,
            first_row=entry.first_row,
            count=count,
            end_row=entry.end_row,
            rows=None if entry.rows_checksum is None else read_row_numbers(self.folder, entry),
        )

    def close(self) -> None:
        for block in self.blocks:
            block.close()

    def _reserve(self, slots: int) -> None:
        if slots > len(self.rows):
            grown = np.full(max(slots, 2 * len(self.rows)), NO_ROW, np.int64)
            grown[: len(self.rows)] = self.rows
            self.rows = grown


def _sound_positions(block: BlockView, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where ascending `rows` are in `block`. Raises ValueError when one is not there or is named twice."""
    positions = block.positions_of(rows)
    if len(positions) and positions[-1] >= block.count:
        raise ValueError(f"a row that is named is past the end of {block.block.path.name}")
    if (np.diff(positions) <= 0).any() or (block.row_numbers(positions) != rows).any():
        raise ValueError(f"a row of {block.block.path.name} is named twice, or one that it does not hold")
    return positions


def all_files_of(manifest: Manifest) -> list[str]:
    """Names of all files of a space."""
    names = [name for entry in manifest.blocks for name in files_of(entry)]
    return names if manifest.partition is None else [*names, manifest.partition.name]


def files_of(entry: BlockEntry) -> list[str]:
    """Names of the files of a block."""
    names = [f"{entry.uid}.vectors"]
    if entry.rows_checksum is not None:
        names.append(f"{entry.uid}.rows")
    if entry.index is not None:
        names.append(entry.index.name)
    return names


def read_row_numbers(folder: Path, entry: BlockEntry) -> NDArray[np.int64]:
    """The row numbers of a block that is not dense. Raises CorruptStore."""
    path = folder / f"{entry.uid}.rows"
    data = path.read_bytes() if path.exists() else b""
    if zlib.crc32(data) != entry.rows_checksum:
        raise CorruptStore(path, 0, "the row numbers do not have their checksum")
    return np.frombuffer(data, "<i8").astype(np.int64, copy=False)


def _by_block(first_rows: Sequence[int], rows: NDArray[np.int64]) -> list[tuple[int, NDArray[np.bool_]]]:
    """Which block each row is in, as (number of the block, which of `rows`). Blocks begin at `first_rows`."""
    if len(rows) == 0:
        return []
    numbers = np.searchsorted(np.asarray(first_rows, np.int64), rows, side="right") - 1
    return [(number, numbers == number) for number in np.unique(numbers).tolist()]

"""A vector space: its blocks, its manifest on disk, and the row of every slot in memory."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.errors import CorruptStore
from storage.schema import BlockEntry, DenseSpace, IndexFile, Manifest, Unreadable
from storage.segments.block import NEVER, Block, BlockView, SegmentIndex

NO_ROW = -1
"""The entry in `rows` for a slot without a vector."""


@dataclass(frozen=True, slots=True)
class SpaceView:
    """A space as of a commit. `rows` (int64 by slot) may be ahead of the commit; see mvcc/snapshot.py."""

    schema: DenseSpace
    manifest: Manifest
    blocks: tuple[BlockView, ...]
    row_count: int
    vector_count: int
    rows: NDArray[np.int64]

    def locate(self, rows: NDArray[np.int64]) -> list[tuple[BlockView, NDArray[np.bool_], NDArray[np.int64]]]:
        """The blocks that hold `rows`. For each: which of `rows` it holds, and their positions in it."""
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
    """The mutable state of a space, for the writer. Readers get `view()`."""

    def __init__(self, folder: Path, schema: DenseSpace, manifest: Manifest, row_count: int) -> None:
        """Opens the blocks of `manifest`. Raises CorruptStore when a block is damaged or shorter than the manifest
        says."""
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
        """Fills the columns from the stored table slot -> row, just after opening. Raises Unreadable when it is
        damaged."""
        self._reserve(int(slots.max()) + 1 if len(slots) else 0)
        self.rows[:] = NO_ROW
        self.rows[slots] = rows
        self.vector_count = len(slots)
        order = np.argsort(rows, kind="stable")  # fast for rows that are nearly in order
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
            raise Unreadable("the table of rows names rows that are in no block")

    def rows_of(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """The current rows of `slots`, NO_ROW where there is none."""
        rows = np.full(len(slots), NO_ROW, np.int64)
        inside = slots < len(self.rows)
        rows[inside] = self.rows[slots[inside]]
        return rows

    def set_rows(self, slots: Sequence[int] | NDArray[np.int64], rows: Sequence[int] | NDArray[np.int64]) -> None:
        """Makes `rows` the current rows of `slots` (NO_ROW: none). If a slot is given twice, the last one counts."""
        if len(slots):
            wanted = np.asarray(slots, np.int64)
            self._reserve(int(wanted.max()) + 1)
            self.rows[wanted] = np.asarray(rows, np.int64)

    def by_block(self, rows: Sequence[int]) -> list[tuple[Block, NDArray[np.int64]]]:
        """The blocks that hold `rows`, each with the positions of these rows in it."""
        wanted = np.asarray(rows, np.int64)
        return [
            (self.blocks[number], self.blocks[number].view().positions_of(wanted[here]))
            for number, here in _by_block([block.first_row for block in self.blocks], wanted)
        ]

    def seal(self) -> Callable[[], None]:
        """Seals the open block and opens a new one. Returns a function that undoes this. The caller commits the
        manifest."""
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

    def attach_index(self, uid: int, graph: SegmentIndex | None, index: IndexFile | None) -> Callable[[], None]:
        """Gives a block its index. Returns a function that undoes this. The caller commits the manifest."""
        block = next(block for block in self.blocks if block.uid == uid)
        before = (self.manifest, block.index, block.index_bytes)
        self.manifest = self.manifest.with_index(uid, index)
        block.index = graph
        block.index_bytes = (self.folder / index.name).stat().st_size if graph and index else 0

        def take_back() -> None:
            self.manifest, block.index, block.index_bytes = before

        return take_back

    def replace_blocks(self, uids: Sequence[int], merged: Block | None, entry: BlockEntry | None) -> Callable[[], None]:
        """Replaces the adjacent blocks `uids` by `merged`. Returns a function that undoes this."""
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
    """The positions of ascending `rows` in `block`. Raises Unreadable when a row is missing or named twice."""
    positions = block.positions_of(rows)
    if len(positions) and positions[-1] >= block.count:
        raise Unreadable(f"the table of rows names a row after the end of {block.block.path.name}")
    if (np.diff(positions) <= 0).any() or (block.row_numbers(positions) != rows).any():
        raise Unreadable(f"the table of rows names a row of {block.block.path.name} twice, or one that is not in it")
    return positions


def read_row_numbers(folder: Path, entry: BlockEntry) -> NDArray[np.int64]:
    """The row numbers of a block that left rows out. Raises CorruptStore."""
    path = folder / f"{entry.uid}.rows"
    data = path.read_bytes() if path.exists() else b""
    if zlib.crc32(data) != entry.rows_checksum:
        raise CorruptStore(path, 0, "the row numbers do not match their checksum")
    return np.frombuffer(data, "<i8").astype(np.int64, copy=False)


def _by_block(first_rows: Sequence[int], rows: NDArray[np.int64]) -> list[tuple[int, NDArray[np.bool_]]]:
    """For each block with some of `rows`: the number of the block, and which of `rows` it holds. Blocks begin at
    `first_rows`."""
    if len(rows) == 0:
        return []
    numbers = np.searchsorted(np.asarray(first_rows, np.int64), rows, side="right") - 1
    return [(number, numbers == number) for number in np.unique(numbers).tolist()]

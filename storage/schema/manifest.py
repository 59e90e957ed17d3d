"""The manifest of a space: its blocks, their indexes and its partition, by the names of their files. Opens no file."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from storage.schema.stored import Unreadable, made, parsed

_FILE_NAME = re.compile(r"[0-9]+(\.[0-9]+)*\.(vectors|rows|index|partition)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionFile:
    """The manifest's entry of a partition that a client sent. Clients ask for it by `id`."""

    id: str
    name: str
    checksum: int
    lists: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """The manifest's entry of an index file.

    `rows`: vectors in it. `checksum`: CRC-32 of the file. `kind`: hnsw or ivf. The settings are those of the build; the
    space's may have changed since. `scale` and `centre`: see vectors/encoding.py. `recall`: at 10, as measured with the
    space's search width or number of lists; None: not measured. `form_recall`: the recall of a search that loses only
    what the stored form hides; measured where `recall` is poor.
    """

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
    form_recall: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEntry:
    """The manifest's entry of a block: it covers rows `first_row` to `end_row` and stores `count` of them.

    `count` and `end_row` are None in an open block, which ends with the rows of the space. `rows_checksum`: CRC-32 of
    the file of row numbers; None: the block stores every row that it covers, and has no such file.
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

    `partition`: the partition that a client sent for IVF lists; None: each segment computes its own.
    """

    blocks: tuple[BlockEntry, ...] = field(default_factory=lambda: (BlockEntry(uid=1, first_row=0),))
    next_uid: int = 2
    partition: PartitionFile | None = None

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Raises Unreadable."""
        values = parsed(data, "the manifest")
        manifest = made(cls, values, "the manifest", required=("blocks", "next_uid"), ignore_others=True)
        manifest = replace(manifest, blocks=tuple(map(_with_its_end, manifest.blocks)))
        _check(manifest)
        return manifest

    def sealed(self, row_count: int) -> "Manifest":
        """Returns this manifest with its open block sealed at `row_count`, followed by a new open block."""
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
        """Returns this manifest with `merged` in place of the adjacent blocks `uids`. `merged` None: nothing replaces
        them."""
        first = next(number for number, block in enumerate(self.blocks) if block.uid in uids)
        kept = [block for block in self.blocks if block.uid not in uids]
        return replace(self, blocks=(*kept[:first], *(() if merged is None else (merged,)), *kept[first:]))


def _with_its_end(entry: BlockEntry) -> BlockEntry:
    """Adds the end of a block that an early release wrote: its sealed blocks store every row and do not say where they
    end."""
    if entry.count is not None and entry.end_row is None:
        return replace(entry, end_row=entry.first_row + entry.count)
    return entry


def _check(manifest: Manifest) -> None:
    """Raises Unreadable unless each block is possible, the last one is open, and each file name is valid."""
    for number, block in enumerate(manifest.blocks):
        is_last = number == len(manifest.blocks) - 1
        end = block.first_row if block.end_row is None else block.end_row
        if (block.count is None) != is_last or (block.end_row is None) != is_last or block.first_row > end:
            raise Unreadable(f"the manifest's blocks[{number}] ends at an impossible row")
        if block.count is not None and block.count > end - block.first_row:
            raise Unreadable(f"the manifest's blocks[{number}] stores more rows than it covers")
    if not manifest.blocks:
        raise Unreadable("the manifest has no blocks")
    for name in all_files_of(manifest):
        if not _FILE_NAME.fullmatch(name):
            raise Unreadable("the manifest names a file that is not a file of a space")


def all_files_of(manifest: Manifest) -> list[str]:
    """The names of all files of a space."""
    names = [name for entry in manifest.blocks for name in files_of(entry)]
    return names if manifest.partition is None else [*names, manifest.partition.name]


def files_of(entry: BlockEntry) -> list[str]:
    """The names of the files of a block."""
    names = [f"{entry.uid}.vectors"]
    if entry.rows_checksum is not None:
        names.append(f"{entry.uid}.rows")
    if entry.index is not None:
        names.append(entry.index.name)
    return names
